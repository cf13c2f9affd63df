"""whatif: what another policy would have done with the journal's requests."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from msgspec import Struct
from rich.progress import BarColumn, Progress, TextColumn

from surefoot.app.candidate import Candidate, Moves, candidate_of, moved
from surefoot.app.learn import served
from surefoot.app.whatif import Answers, Asked, ask
from surefoot.app.whatifwords import answer, change, fixes_of, load_lines, share
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, with_store
from surefoot.cli.options import taking
from surefoot.cli.since import since_ns
from surefoot.config.load import Config, load
from surefoot.errors import ConfigError, NotFound, SurefootError
from surefoot.evals.whatif import Changed
from surefoot.store import Store

_WIDTH = 80


class Given(Struct, frozen=True, kw_only=True):
    """The options of `whatif`."""

    candidate: Annotated[
        Path | None, typer.Argument(help="A configuration to be compared with the one that serves; or only options.")
    ] = None
    confidence: Annotated[float | None, typer.Option(help="What if the bar were this?")] = None
    ladder: Annotated[str | None, typer.Option(help='What if the ladder were this? "small,flagship"')] = None
    price: Annotated[
        list[str] | None, typer.Option(help="MODEL=IN,OUT: USD per million tokens of input and of output.")
    ] = None
    person_hourly: Annotated[float | None, typer.Option(help="USD for an hour of a person.")] = None
    person_minutes: Annotated[float | None, typer.Option(help="Minutes for a case; default: as measured.")] = None
    people: Annotated[int | None, typer.Option(help="People on duty: how many cases are answered in time?")] = None
    feature: Annotated[str | None, typer.Option(help="Which feature; needed where there are several.")] = None
    since: Annotated[str | None, typer.Option(help="Only requests of this time: 12h, 7d, 4w.")] = None
    show: Annotated[int, typer.Option(help="Changed requests that are listed, worst first.")] = 10
    config: ConfigOption = None
    as_json: JsonOption = False


@taking(Given)
def whatif(given: Given) -> None:
    """What would another bar, ladder, price or staff have done? Replays the journal; asks no model."""
    try:
        config = find_config(given.config)
        other = load(given.candidate) if given.candidate is not None else config
        feature = _feature(config, given.feature)
        moves, start_ns = _moves(given), since_ns(given.since)
        if given.candidate is None and moves == Moves() and given.person_minutes is None and given.people is None:
            raise ConfigError("nothing is moved: name a CANDIDATE.toml, or an option such as --confidence 0.90")
    except SurefootError as error:
        raise fail(error) from error
    asked = Asked(
        feature=feature, since_ns=start_ns, until_ns=time.time_ns(), people=given.people,
        person_seconds=None if given.person_minutes is None else given.person_minutes * 60,
    )  # fmt: skip

    async def work(store: Store) -> Answers:
        now = await served(store, config)
        return await _watched(
            store, asked, candidate_of(now, config, config.settings, feature),
            candidate_of(now, config, moved(other.settings, feature, moves), feature),
        )  # fmt: skip

    found = with_store(given.config, work)
    if given.as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    typer.echo("\n".join(_told(found, given, config.policy.features[feature].mode)))


async def _watched(store: Store, asked: Asked, serving: Candidate, candidate: Candidate) -> Answers:
    """The answers, with a bar on a terminal while they are worked out: how far into the time that is asked about."""
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f} %"), transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        task = bar.add_task("reading the journal", total=1.0)
        first = asked.since_ns

        def on_progress(requests: int, at_ns: int) -> None:
            nonlocal first
            first = first or at_ns
            done = (at_ns - first) / max(1, asked.until_ns - first)
            bar.update(task, completed=done, description=f"{requests:,} requests")

        return await ask(store, serving, candidate, asked, on_progress=on_progress)


def _feature(config: Config, named: str | None) -> str:
    known = list(config.policy.features)
    if named is not None and named not in known:
        raise NotFound(f"there is no feature {named!r}; there are {', '.join(known)}")
    if named is None and len(known) != 1:
        raise ConfigError(f"there are several features, name one: {', '.join(known)}", file="--feature")
    return named or known[0]


def _moves(given: Given) -> Moves:
    for name, value in (("--person-minutes", given.person_minutes), ("--people", given.people)):
        if value is not None and value <= 0:
            raise ConfigError("is above 0", file=name)
    return Moves(
        confidence=given.confidence, person_hourly_usd=given.person_hourly,
        ladder=None if given.ladder is None else tuple(part.strip() for part in given.ladder.split(",")),
        prices=dict(_price(each) for each in given.price or ()),
    )  # fmt: skip


def _price(text: str) -> tuple[str, tuple[float, float]]:
    name, _, told = text.rpartition("=")
    try:
        read, written = (float(part) for part in told.split(","))
    except ValueError:
        name = ""
        read = written = 0.0
    if not name or read < 0 or written < 0:
        raise ConfigError(f"{text!r} is not MODEL=IN,OUT, as small=0.5,1.5", file="--price")
    return name, (read, written)


def _told(found: Answers, given: Given, mode: str) -> Iterator[str]:
    told = found.found
    yield f"{told.feature}: {told.requests:,} requests, candidate policy {found.version}"
    yield _line("exact", share(told.seen))
    yield _line("estimated", share(told.estimated))
    yield _line("not identifiable", share(told.unidentified))
    for missing, count in list(told.missing.items())[:3]:
        yield _line("", f"{count:,} without a {missing} in the journal")
    if told.left_out:
        yield _line("left out", f"{told.left_out:,} that were refused or have no answer to judge")
    if mode != "enforce":
        yield from _wrapped("taken as", "both policies as if they enforced; the feature observes now")
    for left in found.left_out:
        yield from _wrapped("left out", left)
    for each in told.questions:
        yield ""
        yield f"{each.name}"
        yield from _wrapped("now", answer(each, each.now))
        yield from _wrapped("what if", answer(each, each.then))
        if each.change is not None:
            yield from _wrapped("change", change(each))
        if each.assumes and each.then.estimate is not None:
            yield from _wrapped("taking", each.assumes)
    yield ""
    yield from (_line(*each) for each in load_lines(found))
    for fix in fixes_of(told):
        yield from _wrapped("to know more", fix)
    yield ""
    yield f"{told.changes:,} requests end differently" + (", worst first" if told.changes else "")
    yield from (_changed(each) for each in told.changed[: given.show])


def _changed(each: Changed) -> str:
    at = datetime.fromtimestamp(each.at_ns / 1e9, UTC)
    verdict = {True: " judged wrong", False: " judged right", None: ""}[each.wrong]
    p = "" if each.p is None else f"  p {each.p:.2f}"
    return f"  {at:%Y-%m-%d %H:%M}  {each.request_id}  {each.now} -> {each.then}{p}{verdict}"


def _line(name: str, text: str) -> str:
    return f"  {name:17} {text}".rstrip()


def _wrapped(name: str, text: str) -> Iterator[str]:
    for place, line in enumerate(textwrap.wrap(text, _WIDTH - 20) or [""]):
        yield _line(name if place == 0 else "", line)
