"""policy, replay, journal verify, cache invalidate and retract."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.table import Table

from surefoot.app.learn import served
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, out, with_store
from surefoot.errors import SurefootError
from surefoot.policy import Map
from surefoot.policy.policy import encode
from surefoot.replay import replay as run_replay


def policy(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show the rules of every feature as they serve, learned maps included, and the version they amount to."""
    try:
        read = find_config(config)
    except SurefootError as error:
        raise fail(error) from error
    now = with_store(config, lambda store: served(store, read))
    if as_json:
        typer.echo(encode(now.policy.features).decode())
        return
    revision = f", revision {now.revision.number}" if now.revision is not None else ""
    table = Table(
        "feature", "mode", "ladder", "bar", "maps", title=f"policy {now.policy.version}{revision}", expand=False
    )
    for name, feature in now.policy.features.items():
        ladder = " ▸ ".join((*(rung.name for rung in feature.ladder), feature.person.role))
        maps = ", ".join(f"{rung} ({_kind(chosen)})" for rung, chosen in feature.maps.items()) or "none: uncalibrated"
        table.add_row(name, feature.mode, ladder, f"{feature.confidence:.2f}", maps)
    out.print(table)


def _kind(chosen: Map) -> str:
    """How a map came to be."""
    return chosen.curve.kind if chosen.curve is not None else "configured"


def replay(
    request_id: Annotated[str, typer.Argument(help="req_…, from a header or the journal.")],
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a decision again from the journal: identical, or the first step that differs (exit code 1)."""
    replayed = with_store(config, lambda store: run_replay(store, request_id))
    if as_json:
        typer.echo(
            msgspec.json.encode(
                {
                    "request_id": request_id,
                    "same": replayed.same,
                    "differs_at": replayed.differs_at,
                    "steps": replayed.steps,
                }
            ).decode()
        )
    else:
        typer.echo(replayed.text)
    if not replayed.same:
        raise typer.Exit(1)


def verify(config: ConfigOption = None) -> None:
    """Check every hash chain of the journal."""
    rows = with_store(config, lambda store: store.journal.verify())
    typer.echo(f"{rows} rows verify")


def invalidate(
    feature: Annotated[str, typer.Option(help="Whose answers.")],
    tenant: Annotated[str, typer.Option(help="Whose cache.")] = "local",
    config: ConfigOption = None,
) -> None:
    """Begin a new epoch: no answer cached until now is given again."""
    dropped = with_store(config, lambda store: store.cache.invalidate(tenant=tenant, feature=feature))
    typer.echo(f"{dropped} answers dropped")


def retract(
    request_id: Annotated[str, typer.Argument(help="The request whose answer was wrong.")], config: ConfigOption = None
) -> None:
    """Take back the answer that a request put into the cache."""
    dropped = with_store(config, lambda store: store.cache.retract(request_id=request_id))
    typer.echo(f"{dropped} answers dropped")
