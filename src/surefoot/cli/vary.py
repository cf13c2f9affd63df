"""vary: how often the answers to one request differ in meaning, and what it costs to pin one down."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress

from surefoot.app.vary import repeats
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, with_store
from surefoot.cli.drawing import share
from surefoot.cli.options import taking
from surefoot.cli.policies import only_feature
from surefoot.cli.since import since_ns
from surefoot.config.budgets import nanodollars
from surefoot.errors import BadRequest, ConfigError, DataError, SurefootError
from surefoot.evals.variation import PINNED, Majority, Spread
from surefoot.ledger.lint.segments import prompt_of
from surefoot.providers.rows import Row
from surefoot.trial.price import ANSWER_TOKENS
from surefoot.trial.vary import Asked, Plan, Varied, run_vary
from surefoot.wire.dialects import DIALECTS

_WIDTH = 80
_NANO = 1e9
_SHOWN = 5  # meanings


class Options(Struct, frozen=True, kw_only=True):
    """What is asked for."""

    request: Annotated[
        Path | None, typer.Argument(help="A request body as JSON, as your SDK sends it; or --report.")
    ] = None
    n: Annotated[int, typer.Option("-n", help="Answers at each temperature.")] = 20
    temperatures: Annotated[str, typer.Option(help="Several with commas, as 0,0.7; default: as the request says.")] = ""
    feature: Annotated[str | None, typer.Option(help="Which feature; needed where there are several.")] = None
    rung: Annotated[str, typer.Option(help="Which rung of its ladder; default: the first that is a model's.")] = ""
    max_cost: Annotated[float | None, typer.Option(help="USD that are never exceeded.")] = None
    together: Annotated[int, typer.Option(help="Calls at the same time.")] = 4
    report: Annotated[
        bool, typer.Option("--report", help="Ask nothing: how answers varied in live traffic, where `vary` is set.")
    ] = False
    since: Annotated[str, typer.Option(help="With --report, how far back: 12h, 7d, 4w.")] = "4w"
    config: ConfigOption = None
    as_json: JsonOption = False


@taking(Options)
def vary(given: Options) -> None:
    """Ask the same request again and again: how often answers differ in meaning, where, and what it costs to pin one down.

    The cost is printed before anything is asked. Answers are compared by final answer, value, or wording; by no model.
    """
    try:
        if given.report == (given.request is not None):
            raise ConfigError("name a request or say --report", file="vary")
        if given.report:
            _report(given)
            return
        temperatures = _checked(given)
        varied = asyncio.run(_varied(given, temperatures))
    except SurefootError as error:
        raise fail(error) from error
    if given.as_json:
        typer.echo(msgspec.json.encode(varied).decode())
        return
    typer.echo("\n".join(told(varied)))


def _report(given: Options) -> None:
    config, start_ns = find_config(given.config), since_ns(given.since)
    names = [only_feature(config, given.feature)] if given.feature is not None else list(config.policy.features)
    found = with_store(given.config, lambda store: repeats(store, names, since_ns=start_ns))
    if given.as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    for each in found:
        typer.echo(f"{each.feature} {each.model}: a second answer means something else")
        typer.echo(f"  {share(each.differ)}, {_usd(each.nanodollars)}")
        if each.unknown or each.failed:
            typer.echo(f"  {each.unknown} cannot be compared, {each.failed} did not come")
    if not found:
        typer.echo(f"no second answers in the last {given.since}: set vary = 0.001 in a feature")


async def _varied(given: Options, temperatures: tuple[float | None, ...]) -> Varied:
    assert given.request is not None
    config = find_config(given.config)
    feature = only_feature(config, given.feature)
    asked = Asked(
        config=config, feature=feature, row=read_request(given.request), rung=given.rung, n=given.n,
        temperatures=temperatures, together=given.together,
        max_nanodollars=None if given.max_cost is None else nanodollars(given.max_cost),
    )  # fmt: skip

    def on_plan(plan: Plan) -> None:
        typer.echo("\n".join(before(plan)), err=given.as_json)

    with Progress(console=Console(file=sys.stderr), disable=given.as_json, transient=True) as progress:
        task = progress.add_task("answers", total=None)
        return await run_vary(
            asked, on_plan=on_plan, on_progress=lambda done, of: progress.update(task, completed=done, total=of)
        )


def read_request(path: Path) -> Row:
    """The request in a file. Raises DataError, BadRequest."""
    try:
        body = path.read_bytes()
    except OSError as error:
        raise DataError(f"cannot be read: {error.strerror}", file=str(path)) from error
    dialect = DIALECTS[prompt_of(body).dialect]
    parsed = dialect.parse(body, surface="chat")
    query, _ = dialect.question(parsed.top)
    if not query.strip():
        raise BadRequest("the request has no question of a user", param="messages")
    plain = {name: value for name, value in parsed.top.items() if name not in ("stream", "stream_options")}
    return Row(id=path.name, query=query, context=parsed.context, request=plain, dialect=dialect.name)


def before(plan: Plan) -> Iterator[str]:
    """What it will cost."""
    cost = plan.cost
    yield from _wrapped(
        f"{plan.calls} answers of {plan.rung}: {_usd(cost.whole)} at {ANSWER_TOKENS} tokens each, at most {_usd(cost.worst)}"
    )
    if cost.unpriced:
        yield from _wrapped(f"no price known: {', '.join(cost.unpriced)}")
    if plan.max_nanodollars is not None:
        yield from _wrapped(f"cap {_usd(plan.max_nanodollars)}: no call is made that might exceed it")
    yield ""


def told(varied: Varied) -> Iterator[str]:
    """What came of it, for 80 columns."""
    for each in varied.spreads:
        yield from _spread(each)
        yield ""
    if varied.stopped:
        yield f"ended early: {varied.stopped}"
    if varied.why_failed:
        yield from _wrapped(f"the last call without an answer: {varied.why_failed}")
    if varied.simulated:
        yield "simulated: no real model was asked"
    yield from _wrapped("Meanings are told by words and figures, not by a model: a paraphrase may count as different.")


def _spread(each: Spread) -> Iterator[str]:
    where = "as the request says" if each.temperature is None else f"{each.temperature:g}"
    failed = f", {each.failed} calls failed" if each.failed else ""
    yield f"temperature {where}: {each.n} answers{failed}, {_usd(each.nanodollars)}"
    if not each.n:
        yield "  not enough data (n = 0)"
        return
    least = len(each.meanings) if each.at_least is None else each.at_least
    yield f"  two differ        {share(each.differ)} pairs"
    yield f"  most frequent     {share(each.modal)}"
    yield f"  meanings          {len(each.meanings)} seen, at least {least:.1f} there; unseen {share(each.unseen)}"
    yield from _wrapped(
        f"  pinned at {PINNED:.0%}     {_majority(each.pinned)}; at the low end of its share {_majority(each.pinned_low)}",
        " " * 20,
    )
    for place, meaning in enumerate(each.meanings[:_SHOWN]):
        text = " ".join(meaning.text.split()) or "(nothing)"
        yield from _wrapped(f"  {meaning.count:>4} x  {text[:200]}", " " * 10)
        for where in meaning.apart if place else ():
            yield from _wrapped(f"{' ' * 10}{where}", " " * 12)
    if len(each.meanings) > _SHOWN:
        yield f"  and {len(each.meanings) - _SHOWN} more"


def _majority(found: Majority) -> str:
    if found.asked is None:
        return "no majority of 99 does"
    if found.asked == 1:
        return "one answer is enough"
    cost = "" if found.nanodollars is None else f", {_usd(found.nanodollars)}"
    return f"the majority of {found.asked}{cost}"


def _checked(given: Options) -> tuple[float | None, ...]:
    """The temperatures. Raises ConfigError for the first option that makes no sense."""
    for option, count in (("-n", given.n), ("--together", given.together)):
        if not 1 <= count <= 10_000:
            raise ConfigError("from 1 to 10,000", file=option)
    if given.max_cost is not None and not 0 <= given.max_cost <= 1e9:
        raise ConfigError(f"{given.max_cost} USD is no amount", file="--max-cost")
    found: list[float | None] = []
    for text in given.temperatures.split(",") if given.temperatures.strip() else ():
        try:
            value = float(text)
        except ValueError as error:
            raise ConfigError(f"{text.strip()!r} is no temperature", file="--temperatures") from error
        if not 0 <= value <= 2:
            raise ConfigError(f"{text.strip()} is not between 0 and 2", file="--temperatures")
        found.append(value)
    return tuple(found) or (None,)


def _usd(amount: int) -> str:
    return f"${amount / _NANO:.6f}"


def _wrapped(text: str, indent: str = "  ") -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, subsequent_indent=indent) if len(text) > _WIDTH else (text,)
