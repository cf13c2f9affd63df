"""bet: changes that somebody believes in, what was found out, what they are worth, and what to find out next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct

from surefoot.app.bets import Valued, add_result, bet_of, end_bet, objective_of, open_bet, valued
from surefoot.app.objectives import Objectives
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, with_store
from surefoot.cli.options import taking
from surefoot.config.load import Config
from surefoot.errors import BadRequest, ConfigError, NotFound, SurefootError
from surefoot.evals import betwords
from surefoot.evals.results import result_of
from surefoot.records.bet import CHANGES, STAGES, Result, Stake
from surefoot.store import Store

app = typer.Typer(
    no_args_is_help=True, help="Bets: changes, what they should move, what is known, what to look at next."
)
_WIDTH, _INDENT = 80, 12
NameArgument = Annotated[str, typer.Argument(help="The bet.")]
ByOption = Annotated[str, typer.Option(help="Who does it: your name.")]
WhyOption = Annotated[str, typer.Option(help="Why. It is kept for ever.")]


class Opening(Struct, frozen=True, kw_only=True):
    """The options of `bet open`."""

    name: Annotated[str, typer.Argument(help="A name for it: a-z, 0-9, _ and -.")]
    feature: Annotated[str, typer.Option(help="The feature.")]
    objective: Annotated[str, typer.Option(help="The objective that it should move, by its name.")]
    change: Annotated[str, typer.Option(help=f"What kind of change: {', '.join(CHANGES)}.")]
    what: Annotated[str, typer.Option(help="The change in words.")]
    moves: Annotated[float, typer.Option(help="By how much the objective should get better, in its unit: 0.02 is 2 %.")]
    by: ByOption
    worth_usd: Annotated[
        float | None,
        typer.Option(help="What one unit is worth for one request, such as a wrong answer that is avoided."),
    ] = None
    config: ConfigOption = None


class Adding(Struct, frozen=True, kw_only=True):
    """The options of `bet add`."""

    name: NameArgument
    by: ByOption
    from_file: Annotated[
        Path | None, typer.Option("--from", help="JSON of `surefoot gate` or `trial`, or of a result by hand.")
    ] = None
    against: Annotated[Path | None, typer.Option(help="With a trial's JSON: that of the trial before the change.")] = (
        None
    )
    stage: Annotated[str, typer.Option(help=f"Where it was found: {', '.join(STAGES)}.")] = ""
    effect: Annotated[float | None, typer.Option(help="By how much the objective got better; below 0: worse.")] = None
    error: Annotated[float | None, typer.Option(help="The effect's standard error.")] = None
    n: Annotated[int | None, typer.Option("-n", help="Items, requests or labels.")] = None
    cost_usd: Annotated[float, typer.Option(help="What it cost to find out.")] = 0.0
    config: ConfigOption = None


@app.command("open")
@taking(Opening)
def open_(given: Opening) -> None:
    """Open a bet: a change, the objective it should move, and by how much."""
    stake = Stake(
        feature=given.feature, objective=given.objective, change=given.change, what=given.what, moves=given.moves,
        worth_usd=given.worth_usd,
    )  # fmt: skip
    config = _config(given.config)
    with_store(given.config, lambda store: open_bet(store, config, given.name, stake, by=given.by))
    typer.echo(f"the bet {given.name} is open; `surefoot bet show {given.name}` says what to find out first")


@app.command("add")
@taking(Adding)
def add(given: Adding) -> None:
    """Add what a look found, on data of its own: by hand, or from a file that a command wrote."""

    async def work(store: Store) -> Result:
        bet = await bet_of(store, given.name)
        objective = objective_of(config, bet.stake)
        if objective is None:
            raise NotFound(f"the objective {bet.stake.feature}/{bet.stake.objective} is not configured any more")
        found = _result(given, objective.measure)
        await add_result(store, given.name, found, by=given.by)
        return found

    config = _config(given.config)
    found = with_store(given.config, work)
    typer.echo(f"{given.name}: {found.stage}, effect {found.effect:+g}, standard error {found.error:g}, n = {found.n}")


@app.command("promote")
def promote(name: NameArgument, by: ByOption, why: WhyOption, config: ConfigOption = None) -> None:
    """Say that the change was made for good. What serves is changed by `surefoot promote` or the configuration."""
    with_store(config, lambda store: end_bet(store, name, promoted=True, by=by, why=why))
    typer.echo(f"the bet {name} is promoted")


@app.command("drop")
def drop(name: NameArgument, by: ByOption, why: WhyOption, config: ConfigOption = None) -> None:
    """Say that the change will not be made."""
    with_store(config, lambda store: end_bet(store, name, promoted=False, by=by, why=why))
    typer.echo(f"the bet {name} is dropped")


@app.command("list")
def list_(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Every bet: how probable it is that it works, what it brings, what to look at next."""
    found = _read(config)
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
    elif not found:
        typer.echo("there is no bet: open one with `surefoot bet open`")
    else:
        typer.echo("\n".join(line for each in found for line in _short(each)))


@app.command("show")
def show(name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """One bet with its results and the looks that could be taken."""
    found = next((each for each in _read(config) if each.bet.id == name), None)
    if found is None:
        raise fail(NotFound(f"there is no bet {name!r}: see `surefoot bet list`"))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    typer.echo("\n".join((*_short(found), *_long(found))))


def _read(path: Path | None) -> tuple[Valued, ...]:
    config = _config(path)

    async def work(store: Store) -> tuple[Valued, ...]:
        _, standing = await Objectives(store, lambda: config).recent()
        return await valued(store, config, standing)

    return with_store(path, work)


def _config(path: Path | None) -> Config:
    try:
        return find_config(path)
    except SurefootError as error:
        raise fail(error) from error


def _result(given: Adding, measure: str) -> Result:
    """Raises BadRequest, ConfigError."""
    by_hand = (given.effect, given.error, given.n)
    if given.from_file is not None:
        if any(each is not None for each in by_hand):
            raise BadRequest("either --from a file, or --effect, --error and -n by hand")
        against = None if given.against is None else _bytes(given.against)
        name = given.from_file.name
        return result_of(_bytes(given.from_file), measure=measure, stage=given.stage, against=against, source=name)
    if given.effect is None or given.error is None or given.n is None or not given.stage:
        raise BadRequest("a result by hand needs --stage, --effect, --error and -n; or give a file with --from")
    return Result(stage=given.stage, effect=given.effect, error=given.error, n=given.n, cost_usd=given.cost_usd)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", file=str(file)) from error


def _short(found: Valued) -> Iterator[str]:
    bet = found.bet
    yield from _wrapped(bet.id, f"{bet.state}; {bet.stake.change}: {bet.stake.what} ({bet.by})", indent=0)
    if found.objective is None or found.odds is None:
        yield from _wrapped("", found.per_month, indent=2)
        return
    yield from _wrapped("hope", betwords.hope(bet.stake, found.objective), indent=2)
    yield from _wrapped("odds", betwords.works(found.odds), indent=2)
    yield from _wrapped("a month", betwords.month(found.odds, found.per_month), indent=2)
    yield from _wrapped(
        "so", betwords.advice(found.odds) if bet.state == "open" else f"{bet.state}: {bet.why}", indent=2
    )


def _long(found: Valued) -> Iterator[str]:
    if found.objective is None or found.odds is None:
        return
    yield from _wrapped("effect", betwords.effect(found.odds, found.objective), indent=2)
    yield from _wrapped(
        "prior",
        f"nothing, give or take {betwords.difference(found.objective, found.odds.prior_sd)}: one change in ten works",
        indent=2,
    )
    for each in found.bet.results:
        yield from _wrapped("result", betwords.result(each, found.objective), indent=2)
    for each_look in found.odds.looks if found.bet.state == "open" else ():
        yield from _wrapped("look", betwords.look(each_look), indent=2)


def _wrapped(name: str, text: str, *, indent: int) -> Iterator[str]:
    head = f"{' ' * indent}{name:<{_INDENT - indent}} "
    yield from textwrap.wrap(text, _WIDTH, initial_indent=head, subsequent_indent=" " * (_INDENT + 1))
