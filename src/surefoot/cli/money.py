"""ledger: what everything cost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from surefoot.cli.common import ConfigOption, JsonOption, fail, out, usd, with_store
from surefoot.errors import ConfigError
from surefoot.records import Entry
from surefoot.records.journal import MEMOS
from surefoot.store import Store

_BY: dict[str, Callable[[Entry], str]] = {
    "feature": lambda entry: entry.feature,
    "model": lambda entry: entry.model,
    "rung": lambda entry: entry.rung,
    "key": lambda entry: entry.key_id,
    "tenant": lambda entry: entry.tenant,
    "kind": lambda entry: entry.kind,
    "day": lambda entry: f"{datetime.fromtimestamp(entry.at_ns / 1e9, UTC):%Y-%m-%d}",
}
_FROM_JOURNAL = ("subject", "tags")


def ledger(
    by: Annotated[str, typer.Option(help="feature, model, rung, key, tenant, subject, tags, kind or day.")] = "feature",
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """What was spent. Amounts are exact; what a vendor did not meter is counted as estimated.

    A subject is an end user under its pseudonym; requests with several tags are grouped by all of them together.
    """
    if by not in _BY and by not in _FROM_JOURNAL:
        raise fail(ConfigError(f"cannot group by {by!r}; know {', '.join((*_BY, *_FROM_JOURNAL))}", file="--by"))

    async def read(store: Store) -> tuple[Sequence[Entry], dict[str, str]]:
        names: dict[str, str] = {}
        if by in _FROM_JOURNAL:
            async for entry in store.journal.entries(feature=feature):
                names[entry.request_id] = entry.subject if by == "subject" else ", ".join(sorted(entry.tags))
        return await store.ledger.entries(feature=feature), names

    entries, names = with_store(config, read)
    rows = _grouped(entries, _BY.get(by) or (lambda entry: names.get(entry.request_id, "")))
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(by, "requests", "tokens", "USD", "of it estimated", expand=False)
    for row in rows:
        table.add_row(
            str(row["group"]) or "none",
            str(row["requests"]),
            str(row["tokens"]),
            usd(int(str(row["nanodollars"]))),
            usd(int(str(row["estimated_nanodollars"]))),
        )
    total = sum(entry.nanodollars for entry in entries)
    table.caption = f"total {usd(total)} USD in {len(entries)} entries"
    out.print(table)


def _grouped(entries: Sequence[Entry], name: Callable[[Entry], str]) -> list[dict[str, object]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[name(entry)].append(entry)
    return [
        {
            "group": group,
            "requests": len({entry.request_id for entry in found}),
            "tokens": sum(entry.quantity for entry in found if entry.kind not in ("request", "reservation", *MEMOS)),
            "nanodollars": sum(entry.nanodollars for entry in found),
            "estimated_nanodollars": sum(entry.nanodollars for entry in found if entry.estimated),
        }
        for group, found in sorted(groups.items())
    ]
