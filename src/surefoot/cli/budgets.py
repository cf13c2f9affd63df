"""budgets: what is spent and set aside of each."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.table import Table

from surefoot.app.levels import Level, levels
from surefoot.cli.common import ConfigOption, JsonOption, find_config, out, with_store
from surefoot.config.budgets import build_budgets
from surefoot.store import Store


def budgets(
    feature: Annotated[str | None, typer.Option(help="Only what calls of this feature must fit in.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the budgets that calls must fit in now, fullest first. What people spent over one is shown as such."""

    async def read(store: Store) -> Sequence[Level]:
        found = find_config(config)
        names = [name for name in found.policy.features if feature in (None, name)]
        return await levels(store, build_budgets(found.settings), names, time.time_ns())

    rows = with_store(config, read)
    if as_json:
        typer.echo(msgspec.json.encode([_plain(each) for each in rows]).decode())
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    table.add_column("budget", overflow="fold")
    for name in ("window", "spent USD", "set aside", "limit", "share", "over"):
        table.add_column(name, no_wrap=True, justify="left" if name == "window" else "right")
    for each in rows:
        amounts = [_amount(value) for value in (each.spent, each.reserved, each.limit)]
        table.add_row(
            each.budget, each.window, *amounts, "-" if each.share is None else f"{each.share:.1%}",
            _amount(each.over) if each.over else "-",
        )  # fmt: skip
    out.print(table if rows else "no budget is configured")
    if rows:
        out.print("Windows are of UTC; weeks begin on Monday.")


def _plain(level: Level) -> dict[str, object]:
    resets = level.resets_at_ns
    return {
        "budget": level.budget,
        "window": level.window,
        "spent_nanodollars": level.spent,
        "reserved_nanodollars": level.reserved,
        "limit_nanodollars": level.limit,
        "share": level.share,
        "over_nanodollars": level.over,
        "resets_at": None if resets is None else f"{datetime.fromtimestamp(resets // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "at_limit": "cheaper" if level.cheaper else "refuse",
    }


def _amount(nanodollars: int) -> str:
    """Cents from a dollar on; below, every micro-dollar counts."""
    return f"{nanodollars / 1e9:,.2f}" if nanodollars >= 10**9 else f"{nanodollars / 1e9:.6f}"
