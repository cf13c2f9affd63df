"""budgets: what is spent and set aside of each."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich import box
from rich.table import Table

from surefoot.app.keys import LOCAL, caller_of
from surefoot.cli.common import ConfigOption, JsonOption, find_config, out, with_store
from surefoot.config.budgets import build_budgets
from surefoot.config.load import Config
from surefoot.records import BudgetLimit
from surefoot.store import Store


def budgets(
    feature: Annotated[str | None, typer.Option(help="Only what calls of this feature must fit in.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the budgets that calls must fit in now, fullest first. What people spent over one is shown as such."""

    async def read(store: Store) -> list[dict[str, object]]:
        now = time.time_ns()
        rows = [await _row(store, limit) for limit in await _limits(store, find_config(config), feature, now)]
        return sorted(rows, key=lambda row: (-_share(row), str(row["budget"]), str(row["window"])))

    rows = with_store(config, read)
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), collapse_padding=True)
    table.add_column("budget", overflow="fold")
    for name in ("window", "spent USD", "set aside", "limit", "share", "over"):
        table.add_column(name, no_wrap=True, justify="left" if name == "window" else "right")
    for row in rows:
        amounts = [_amount(int(str(row[f"{name}_nanodollars"]))) for name in ("spent", "reserved", "limit")]
        over = int(str(row["over_nanodollars"]))
        table.add_row(
            str(row["budget"]), str(row["window"]), *amounts, "-" if row["share"] is None else f"{_share(row):.1%}",
            _amount(over) if over else "-",
        )  # fmt: skip
    out.print(table if rows else "no budget is configured")
    if rows:
        out.print("Windows are of UTC; weeks begin on Monday.")


async def _limits(store: Store, config: Config, only: str | None, now: int) -> list[BudgetLimit]:
    """Every bar over the living keys' calls of the configured features, each once."""
    told = build_budgets(config.settings)
    keys = await store.keys.all()
    callers = [caller_of(key) for key in keys if key.revoked_at_ns is None] if keys else [LOCAL]
    found: dict[BudgetLimit, None] = {}
    for caller in callers:
        for name in config.policy.features:
            if only in (None, name) and (not caller.features or name in caller.features):
                limits = (*told.limits(caller, name, now), *told.human_limits(caller, name, now))
                found |= dict.fromkeys(msgspec.structs.replace(limit, soft=False) for limit in limits)
    return list(found)


async def _row(store: Store, limit: BudgetLimit) -> dict[str, object]:
    spent, reserved = await store.ledger.budget(limit.scope, limit.window)
    bar, resets = limit.limit_nanodollars, limit.resets_at_ns
    return {
        "budget": limit.scope,
        "window": limit.window,
        "spent_nanodollars": spent,
        "reserved_nanodollars": reserved,
        "limit_nanodollars": bar,
        "share": (spent + reserved) / bar if bar else None,
        "over_nanodollars": max(0, spent - bar),
        "resets_at": None if resets is None else f"{datetime.fromtimestamp(resets // 10**9, UTC):%Y-%m-%dT%H:%M:%SZ}",
        "at_limit": "cheaper" if limit.cheaper else "refuse",
    }


def _amount(nanodollars: int) -> str:
    """Cents from a dollar on; below, every micro-dollar counts."""
    return f"{nanodollars / 1e9:,.2f}" if nanodollars >= 10**9 else f"{nanodollars / 1e9:.6f}"


def _share(row: dict[str, object]) -> float:
    """How much of it is used; a budget of 0 counts as full."""
    return 1.0 if row["share"] is None else float(str(row["share"]))
