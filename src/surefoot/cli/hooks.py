"""hooks list, hooks log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from msgspec.structs import replace
from rich.table import Table

from surefoot.cli.common import ConfigOption, JsonOption, out, with_store
from surefoot.records.hook import Hook, HookAttempt
from surefoot.store import Store

STATES = ("waiting", "delivered", "failed")


def show(
    state: Annotated[str | None, typer.Option(help="Only these: waiting, delivered or failed.")] = None,
    limit: Annotated[int, typer.Option(help="At most so many.")] = 50,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List webhooks, newest first, each with what became of its last call."""
    if state is not None and state not in STATES:
        raise typer.BadParameter(f"one of {', '.join(STATES)}", param_hint="--state")

    async def read(store: Store) -> list[tuple[Hook, HookAttempt | None]]:
        hooks = await store.hooks.all(state=state, limit=limit)
        logs = [await store.hooks.attempts(hook.id) for hook in hooks]
        return [(hook, log[-1] if log else None) for hook, log in zip(hooks, logs, strict=True)]

    found = with_store(config, read)
    if as_json:
        plain = [{"hook": replace(hook, url=hook.place), "last": last} for hook, last in found]
        typer.echo(msgspec.json.encode(plain).decode())
        return
    table = Table(expand=False)
    table.add_column("hook", no_wrap=True)
    for heading in ("case", "address", "state", "calls", "last call", "next call"):
        table.add_column(heading, overflow="fold")
    for hook, last in found:
        due = _at(hook.due_at_ns) if hook.state == "waiting" and hook.due_at_ns else ""
        table.add_row(hook.id, hook.case_id, hook.place, hook.state, str(hook.attempts), _became(last), due)
    out.print(table)


def log(
    hook: Annotated[str, typer.Argument(help="The webhook's id.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell every call of one webhook, oldest first."""
    lines = with_store(config, lambda store: store.hooks.attempts(hook))
    if as_json:
        typer.echo(msgspec.json.encode(lines).decode())
        return
    table = Table(expand=False)
    for heading in ("number", "at", "took ms", "what became of it"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        table.add_row(str(line.number), _at(line.at_ns), str(line.milliseconds), _became(line))
    out.print(table)


def _became(line: HookAttempt | None) -> str:
    if line is None:
        return "not called yet"
    said = f"{line.outcome.replace('_', ' ')} ({line.status})" if line.status else line.outcome.replace("_", " ")
    return f"{said}: {line.detail}" if line.detail else said


def _at(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%m-%d %H:%M:%S}"
