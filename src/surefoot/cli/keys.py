"""key create, list, revoke."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from surefoot.app.outcomes import SCOPE
from surefoot.cli.common import ConfigOption, JsonOption, fail, out, usd, with_store
from surefoot.config.budgets import nanodollars
from surefoot.errors import ConfigError, NotFound
from surefoot.policy import WINDOWS
from surefoot.records import Budget, Key

_PREFIX = "sk-sf-"


def create(
    tenant: Annotated[str, typer.Option(help="Whose key it is; cache and cases are the tenant's.")],
    feature: Annotated[list[str] | None, typer.Option(help="A feature open to it, the first is the default.")] = None,
    budget_usd: Annotated[float | None, typer.Option(help="Its budget on each feature.")] = None,
    window: Annotated[str, typer.Option(help="Of --budget-usd: hour, day, week, month or total.")] = "month",
    budget: Annotated[list[str] | None, typer.Option(help="USD/WINDOW over all features, as 20/month.")] = None,
    scope: Annotated[list[str] | None, typer.Option(help="What it may beyond asking: outcomes.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key; it is shown once and kept as a hash. From the first key on, every request needs one."""
    if window not in WINDOWS or (budget_usd is not None and budget_usd < 0):
        raise fail(ConfigError(f"a budget is not below 0, its window one of {', '.join(WINDOWS)}", file="--window"))
    strange = [name for name in scope or () if name != SCOPE]
    if strange:
        raise fail(ConfigError(f"there is no scope {strange[0]!r}; write {SCOPE}", file="--scope"))
    budgets = tuple(_budget(text) for text in budget or ())
    secret = _PREFIX + secrets.token_urlsafe(32)
    key = Key(
        id="key_" + secrets.token_hex(8),
        prefix=secret[: len(_PREFIX) + 4],
        hash=sha256(secret.encode()).hexdigest(),
        tenant=tenant,
        features=tuple(feature or ()),
        budget_nanodollars=None if budget_usd is None else nanodollars(budget_usd),
        budget_window=window,
        budgets=budgets,
        scopes=tuple(dict.fromkeys(scope or ())),
        created_at_ns=time.time_ns(),
    )
    with_store(config, lambda store: store.keys.put(key))
    if as_json:
        typer.echo(msgspec.json.encode({"id": key.id, "key": secret, "tenant": tenant}).decode())
        return
    typer.echo(f"{secret}\n\nkey {key.id} of tenant {tenant}; it will not be shown again", err=False)


def show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the keys, by their first characters."""
    keys = with_store(config, lambda store: store.keys.all())
    if as_json:
        typer.echo(msgspec.json.encode([msgspec.structs.replace(key, hash="") for key in keys]).decode())
        return
    table = Table("id", "key", "tenant", "features", "budget", "may", "state", expand=False)
    for key in keys:
        bars = (
            []
            if key.budget_nanodollars is None
            else [f"{usd(key.budget_nanodollars)} a {key.budget_window}, each feature"]
        )
        budget = "\n".join((*bars, *(f"{usd(each.nanodollars)} a {each.window}" for each in key.budgets))) or "-"
        may = ", ".join(("ask", *key.scopes))
        state = "revoked" if key.revoked_at_ns else f"since {_date(key.created_at_ns)}"
        table.add_row(key.id, f"{key.prefix}…", key.tenant, ", ".join(key.features) or "all", budget, may, state)
    out.print(table)


def revoke(key_id: Annotated[str, typer.Argument(help="The key's id.")], config: ConfigOption = None) -> None:
    """End a key; it is refused within a second."""
    if not with_store(config, lambda store: store.keys.revoke(key_id, at_ns=time.time_ns())):
        raise fail(NotFound(f"there is no living key {key_id}"))
    typer.echo(f"{key_id} is revoked")


def _budget(text: str) -> Budget:
    """The budget that "20/month" is."""
    amount, _, window = text.partition("/")
    try:
        found = nanodollars(float(amount))
    except (ValueError, ArithmeticError):  # also of nan and inf
        found = -1
    if window not in WINDOWS or found < 0:
        raise fail(
            ConfigError(f"{text!r} is no budget: write USD/WINDOW, one of {', '.join(WINDOWS)}", file="--budget")
        )
    return Budget(nanodollars=found, window=window)


def _date(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d}"
