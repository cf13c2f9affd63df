"""account create, list, disable, enable, link."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from rich.table import Table

from surefoot.app.people import People
from surefoot.app.staff import Staff
from surefoot.cli.common import ConfigOption, JsonOption, find_config, out, with_store
from surefoot.records.person import Account

Result = TypeVar("Result")

_BY = "terminal"  # who acts: whoever can read the database's key may
_NAME = Annotated[str, typer.Argument(help="The account's name.")]
_URL = Annotated[str, typer.Option(help="How the console is reached; default: the configuration's host and port.")]


def create(
    name: Annotated[str, typer.Argument(help="a-z, 0-9 and . _ @ -; never used for anybody else.")],
    role: Annotated[str, typer.Option(help="operator, lead, manager or auditor.")] = "operator",
    shown: Annotated[str, typer.Option(help="The name as colleagues read it.")] = "",
    url: _URL = "",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account, and a link by which its person chooses a password."""

    async def work(staff: Staff) -> tuple[Account, str]:
        made = await staff.create(name, role, shown=shown, by=_BY)
        return made, await staff.link(made.name, by=_BY)

    made, token = _with(config, work)
    _tell(made.name, token, url, config, as_json=as_json)


def show(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the accounts."""
    found = _with(config, lambda staff: staff.all())
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("account", "name", "role", "state", "since", expand=False)
    for each in found:
        state = "disabled" if each.disabled_at_ns else "in use" if each.password else "invited"
        since = f"{datetime.fromtimestamp(each.created_at_ns / 1e9, UTC):%Y-%m-%d}"
        table.add_row(each.name, each.shown, each.role, state, since)
    out.print(table)


def disable(name: _NAME, config: ConfigOption = None) -> None:
    """Let nobody in as this any more. What it did goes on bearing its name."""
    _with(config, lambda staff: staff.disable(name, by=_BY))
    typer.echo(f"{name} is disabled and logged off")


def enable(name: _NAME, config: ConfigOption = None) -> None:
    """Let a disabled account back in."""
    _with(config, lambda staff: staff.enable(name, by=_BY))
    typer.echo(f"{name} may log in again")


def link(name: _NAME, url: _URL = "", config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """A one-time link by which somebody chooses a password, also when it is forgotten."""
    token = _with(config, lambda staff: staff.link(name, by=_BY))
    _tell(name, token, url, config, as_json=as_json)


def _with(config: Path | None, work: Callable[[Staff], Awaitable[Result]]) -> Result:
    return with_store(config, lambda store: work(People(store).staff))


def _tell(name: str, token: str, url: str, config: Path | None, *, as_json: bool) -> None:
    server = find_config(config).settings.server
    address = f"{url.rstrip('/') or f'http://{server.host}:{server.port}'}/welcome/{token}"
    if as_json:
        typer.echo(msgspec.json.encode({"account": name, "link": address}).decode())
        return
    typer.echo(f"{address}\n\nfor {name}; works once, within 15 minutes, and is not shown again")
