"""cases, erase."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from surefoot.cli.common import ConfigOption, JsonOption, out, with_store


def cases(
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the questions that wait for a person, oldest first."""
    found = with_store(config, lambda store: store.cases.open_cases(feature=feature, kind="question", limit=limit))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table(expand=False)
    table.add_column("case", no_wrap=True)
    for heading in ("feature", "for", "since", "because"):
        table.add_column(heading, overflow="fold")
    for case in found:
        since = f"{datetime.fromtimestamp(case.opened_at_ns / 1e9, UTC):%m-%d %H:%M}"
        table.add_row(case.id, case.feature, case.role, since, case.reason)
    out.print(table)


def erase(
    tenant: Annotated[str, typer.Option(help="The tenant.")],
    end_user: Annotated[str, typer.Option(help='The end user; "" is the tenant itself.')],
    config: ConfigOption = None,
) -> None:
    """Destroy a subject's key: what was said is unreadable for ever, the journal still verifies."""
    lost = with_store(config, lambda store: store.journal.erase_subject(tenant=tenant, end_user=end_user))
    typer.echo(f"{lost} contents are unreadable now")
