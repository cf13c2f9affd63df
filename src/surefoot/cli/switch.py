"""stop, resume: the kill switch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from surefoot.app.killswitch import ALL, KillSwitch
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, out, with_store
from surefoot.errors import ConfigError, NotFound

FeatureArgument = Annotated[str, typer.Argument(help="The feature; none with --all.")]
AllOption = Annotated[bool, typer.Option("--all", help="Every feature.")]
ByOption = Annotated[str, typer.Option(help="Who does it: your name.")]
ReasonOption = Annotated[str, typer.Option(help="Why. It is kept for ever: name no patient.")]


def stop(
    by: ByOption,
    reason: ReasonOption,
    feature: FeatureArgument = "",
    every: AllOption = False,
    refuse: Annotated[
        bool, typer.Option("--refuse", help="Refuse requests instead of passing them to a person.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Stop a feature within seconds, everywhere: no model answers, requests wait for the person."""
    name = _named(feature, every)
    if name != ALL and name not in find_config(config).policy.features:
        raise fail(NotFound(f"there is no feature {name!r}"))
    with_store(config, lambda store: KillSwitch(store).stop(name, by=by, reason=reason, refuse=refuse))
    typer.echo(f"{_told(name)} stopped; `surefoot resume {feature or '--all'}` ends that")


def resume(
    by: ByOption,
    reason: ReasonOption,
    feature: FeatureArgument = "",
    every: AllOption = False,
    config: ConfigOption = None,
) -> None:
    """Let a stopped feature go on."""
    name = _named(feature, every)
    if not with_store(config, lambda store: KillSwitch(store).resume(name, by=by, reason=reason)):
        raise fail(NotFound(f"{_told(name)} not stopped"))
    typer.echo(f"{_told(name)} not stopped any more")


def stops(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List what is stopped."""

    found = with_store(config, lambda store: store.audit.stops())
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    table = Table("feature", "since", "by", "because", "requests", expand=False)
    for each in found:
        since = f"{datetime.fromtimestamp(each.at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S}"
        table.add_row(each.feature, since, each.by, each.reason, "refused" if each.refuse else "wait")
    out.print(table)


def _named(feature: str, every: bool) -> str:
    if bool(feature) == every:
        raise fail(ConfigError("name a feature, or write --all", file="FEATURE"))
    return ALL if every else feature


def _told(name: str) -> str:
    return "every feature is" if name == ALL else f"feature {name} is"
