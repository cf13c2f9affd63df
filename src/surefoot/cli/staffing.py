"""staffing, leverage: how many people are needed, and what their answers are worth."""

from __future__ import annotations

import math
import textwrap
import time
from collections.abc import Iterator, Sequence
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import typer
from msgspec import Struct

from surefoot.app.learn import served
from surefoot.app.leverage import Review, RolePlan, plan, reviewed, roles, seen
from surefoot.cli.common import ConfigOption, JsonOption, fail, find_config, with_store
from surefoot.cli.drawing import share
from surefoot.cli.options import taking
from surefoot.cli.since import since_ns
from surefoot.errors import ConfigError, NotFound, SurefootError
from surefoot.policy import Policy
from surefoot.review.agreement import Reviewer, Times
from surefoot.review.leverage import Span
from surefoot.review.staffing import Moved, Need
from surefoot.stats.agreement import Agreement
from surefoot.store import Store

_WIDTH = 80
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_UNKNOWN = "not enough data"


class Asked(Struct, frozen=True, kw_only=True):
    """The options of `staffing`."""

    role: Annotated[str | None, typer.Option(help="Only this role.")] = None
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d, 4w.")] = "4w"
    within: Annotated[float | None, typer.Option(help="Seconds to an answer; default: the role's sla_seconds.")] = None
    share: Annotated[float, typer.Option(help="Share of the cases that are to be answered in time.")] = 0.8
    zone: Annotated[str, typer.Option(help="Time zone of the week, as Europe/Vienna.")] = "UTC"
    config: ConfigOption = None
    as_json: JsonOption = False


@taking(Asked)
def staffing(asked: Asked) -> None:
    """People needed, hour by hour of the week, and how the bar and leverage move that."""
    try:
        read, start_ns, zone = find_config(asked.config), since_ns(asked.since), _zone(asked.zone)
        if not 0 < asked.share < 1:
            raise ConfigError("share is between 0 and 1", file="--share")
        if asked.within is not None and asked.within <= 0:
            raise ConfigError("within is above 0", file="--within")
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> list[RolePlan]:
        policy = (await served(store, read)).policy
        what = await seen(store, policy, since_ns=start_ns, now_ns=time.time_ns())
        known = roles(policy, what)
        if asked.role is not None and asked.role not in known:
            raise NotFound(f"there is no role {asked.role!r}; there are {', '.join(known) or 'none'}")
        named = [asked.role] if asked.role is not None else list(known)
        return [
            await plan(store, policy, what, name, zone=zone, share=asked.share, within_seconds=asked.within)
            for name in named
        ]  # fmt: skip

    plans = with_store(asked.config, work)
    if asked.as_json:
        typer.echo(msgspec.json.encode({"since": asked.since, "zone": asked.zone, "roles": plans}).decode())
        return
    typer.echo(f"the last {asked.since}, hours of {asked.zone}")
    for each in plans:
        typer.echo("\n".join(_plan(each)))


def leverage(
    feature: Annotated[str | None, typer.Option(help="Only this feature.")] = None,
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d, 4w.")] = "4w",
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cases resolved per answer and human minute, agreement between people and with drafts, handling times."""
    try:
        read, start_ns = find_config(config), since_ns(since)
        names = _features(read.policy, feature)
    except SurefootError as error:
        raise fail(error) from error

    async def work(store: Store) -> Review:
        policy = (await served(store, read)).policy
        what = await seen(store, policy, since_ns=start_ns, now_ns=time.time_ns())
        return await reviewed(store, what, features=names, since_ns=start_ns)

    found = with_store(config, work)
    if as_json:
        typer.echo(msgspec.json.encode({"since": since, "features": names, "review": found}).decode())
        return
    typer.echo(f"{', '.join(names)}: the last {since}\n")
    typer.echo("\n".join(_review(found)))


def _features(policy: Policy, feature: str | None) -> list[str]:
    if feature is not None and feature not in policy.features:
        raise NotFound(f"there is no feature {feature!r}; there are {', '.join(policy.features)}")
    return [feature] if feature is not None else list(policy.features)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"{name!r} is no time zone", file="--zone") from error


def _plan(found: RolePlan) -> Iterator[str]:
    yield ""
    yield from _wrapped(f"role {found.role}", ", ".join(found.features) or "no feature")
    yield _line("cases", str(found.cases))
    yield _line("handling", _times(found.handling))
    yield _line("to be met", f"{found.share:.0%} answered within {_seconds(found.within_seconds)}, handling included")
    if found.need is None:
        yield from _wrapped("people", found.missing or _UNKNOWN)
        return
    yield from _wrapped("busiest hour", _need(found.need))
    if not found.need.reachable:
        return
    yield from _table(found.people)
    yield ""
    yield _line("leverage", "cases per answer: " + ("unknown" if found.leverage is None else f"{found.leverage:.2f}"))
    for each, needed in found.leveraged:
        yield from _wrapped("", f"at {each:4.2f}: {_need(needed)}")
    yield from _moved(found.bars)


def _moved(bars: Sequence[Moved]) -> Iterator[str]:
    if not any(each.requests for each in bars):
        yield _line("bar", f"{_UNKNOWN}: no requests in the journal")
        return
    yield ""
    yield f"  {'bar':>5}  {'to people':>20}  {'busiest hour':>14}  {'people then':>12}  {'a week':>13}"
    for each in bars:
        low, high = each.certain / each.requests, (each.certain + each.possible) / each.requests
        yield (
            f"  {each.bar:5.2f}  {_range(f'{low:.1%}', f'{high:.1%}'):>20}  "
            f"{_range(_rate(each.least), _rate(each.most)):>14}  {_range(_people(each.least), _people(each.most)):>12}  "
            f"{_range(_hours(each.least), _hours(each.most)):>13}"
        )  # fmt: skip
    yield f"  of {bars[0].requests} requests; ranges where a rung that would be asked was not"


def _table(people: Sequence[int | None]) -> Iterator[str]:
    """Hours down, days across; a dot for an hour that was not watched."""
    yield f"  {'people':>8}" + "".join(f"{day:>5}" for day in _DAYS)
    for hour in range(24):
        cells = [people[24 * day + hour] for day in range(7)]
        if any(cell is not None for cell in cells):
            yield f"  {hour:02}:00   " + "".join(f"{'.' if cell is None else cell:>5}" for cell in cells)


def _review(found: Review) -> Iterator[str]:
    told = found.leverage
    yield _line("resolved", f"{told.resolved} cases by {told.written} answers")
    yield _line("", f"{told.along} along with a waiting one, {told.again} by an earlier answer")
    yield _line("", f"of both edited: {share(told.edited)}")
    yield _line("", f"{told.cached} more by the cache, with what a person had said")
    yield _line("deflected", share(told.deflected))
    yield _line("per answer", _span(told.per_answer, "cases"))
    yield _line("minutes", "unknown" if told.minutes is None else f"{told.minutes:.1f}")
    yield _line("per minute", _span(told.per_minute, "cases"))
    yield _line("saved", _span(told.saved_minutes, "minutes"))
    yield _line("handling", _times(found.handling))
    yield _line("agreement", _alpha(found.agreement))
    if not found.reviewers:
        return
    yield ""
    for each in found.reviewers:
        yield from _reviewer(each)


def _reviewer(found: Reviewer) -> Iterator[str]:
    yield _line(found.by[:12], f"{found.answers} answers, {_times(found.handling)}")
    yield _line("", f"drafts accepted: {share(found.accepts)}")
    yield _line("", f"judged blind:    {share(found.accepts_blind)}")
    if found.follows:
        yield _line("", "accepts clearly more drafts when they are shown: automation bias")


def _alpha(found: Agreement) -> str:
    if found.alpha is None:
        return f"{_UNKNOWN} ({found.units} drafts judged by two or more)"
    return f"alpha {found.alpha:.2f} [{found.low:.2f}, {found.high:.2f}], {found.units} drafts, {found.values} verdicts"


def _times(found: Times) -> str:
    if found.median is None or found.p90 is None or found.mean is None:
        return f"{_UNKNOWN} (n = 0)"
    return f"median {found.median:.0f} s, p90 {found.p90:.0f} s, mean {found.mean:.0f} s, n = {found.n}"


def _span(found: Span, unit: str) -> str:
    if found.value is None or found.low is None or found.high is None:
        return f"{_UNKNOWN} (n = {found.n})"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}] {unit}, n = {found.n}"


def _need(found: Need) -> str:
    if not found.reachable:
        return f"{_rate(found)} cases an hour; handling alone takes too long for any number of people"
    if found.people is None:
        return _UNKNOWN
    people = "person" if found.people == 1 else "people"
    return f"{_rate(found)} cases, {found.people} {people}; {_hours(found)} hours of people a week"


def _rate(found: Need) -> str:
    return "unknown" if found.per_hour is None else f"{found.per_hour:.1f}"


def _people(found: Need) -> str:
    return "-" if found.people is None else str(found.people)


def _hours(found: Need) -> str:
    return "-" if found.people_hours is None else str(math.ceil(found.people_hours))


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


def _seconds(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds:g} s"


def _line(name: str, text: str) -> str:
    return f"  {name:12} {text}".rstrip()


def _wrapped(name: str, text: str) -> Iterator[str]:
    for place, line in enumerate(textwrap.wrap(text, _WIDTH - 15) or [""]):
        yield _line(name if place == 0 else "", line)
