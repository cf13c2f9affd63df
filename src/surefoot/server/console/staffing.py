"""The page of leads and managers: how many people are needed, what their answers are worth, whether they agree.

It shows what `surefoot staffing` and `surefoot leverage` print, from the same store; figures bear their n and 95 % interval.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from typing import cast
from zoneinfo import ZoneInfo

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.leverage import Review, RolePlan, Seen, plan, reviewed, roles, seen
from surefoot.config.schema import PersonSettings
from surefoot.errors import BadRequest
from surefoot.review.agreement import Reviewer, Times
from surefoot.review.leverage import Span, leverage
from surefoot.review.staffing import HOURS, Moved, Need
from surefoot.server.console.desk_words import clock, span
from surefoot.server.console.pages import app_of, page, require
from surefoot.stats import Estimate, clopper_pearson
from surefoot.stats.agreement import Agreement

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
BACK: Mapping[str, tuple[str, int]] = {"1w": ("a week", 7), "4w": ("4 weeks", 28), "12w": ("12 weeks", 84)}
SHARES: Mapping[str, float] = {"80": 0.80, "90": 0.90, "95": 0.95}
UNKNOWN = "not enough data"
HEIGHT = 100  # of the drawing; its width is an hour of the week each
_DAY_NS = 86_400 * 1_000_000_000


class Figure(Struct, frozen=True):
    """A figure as a row of a table: everything in words."""

    name: str
    value: str
    interval: str = "–"
    n: str = "–"
    note: str = ""


class Bar(Struct, frozen=True):
    """An hour of the week in a drawing, in its units."""

    x: int
    y: float
    height: float
    known: bool


class Drawing(Struct, frozen=True, kw_only=True):
    """A week of hours as bars."""

    name: str
    most: str  # how high the highest bar is
    said: str  # in words, for whom it cannot be seen
    bars: Sequence[Bar]


class Cell(Struct, frozen=True):
    """An hour of the week in the table; "" people: it was not watched."""

    day: str
    people: str = ""
    cases: str = ""


class RoleView(Struct, frozen=True, kw_only=True):
    """What the page says of a role."""

    role: str
    features: str
    zone: str
    missing: str
    unreachable: bool
    facts: Sequence[tuple[str, str]]
    drawings: Sequence[Drawing]
    hours: Sequence[tuple[str, Sequence[Cell]]]
    leverages: Sequence[tuple[str, str, Need]]
    moved: Sequence[tuple[str, Figure, str, str, str]]  # bar, share to people, cases then, people then, hours a week


@require("report")
async def staffing_page(request: Request) -> Response:
    """People by the hour, leverage, agreement, over a time that is asked for."""
    app = app_of(request)
    asked = {
        "since": _one(request, "since", "4w", BACK), "share": _one(request, "share", "80", SHARES),
        "feature": _one(request, "feature", "", {"": None, **app.policy.features}),
    }  # fmt: skip
    now_ns = time.time_ns()
    since_ns = now_ns - BACK[asked["since"]][1] * _DAY_NS
    names = [asked["feature"]] if asked["feature"] else sorted(app.policy.features)
    async with _turn(request):  # the whole past is read: once at a time
        what = await seen(app.store, app.policy, since_ns=since_ns, now_ns=now_ns)
        shown = [await _role(request, what, name, share=SHARES[asked["share"]]) for name in roles(app.policy, what)]
        found = await reviewed(app.store, what, features=names, since_ns=since_ns)
    return page(
        request, "staffing/staffing.html", asked=asked, back=BACK, shares=SHARES, features=sorted(app.policy.features),
        roles=shown, days=DAYS, unknown=UNKNOWN, width=HOURS, height=HEIGHT, figures=_figures(found),
        alpha=_alpha(found.agreement), reviewers=[_reviewer(each) for each in found.reviewers], of=", ".join(names),
        watched=span((now_ns - what.start_ns) / 1e9), at=clock(now_ns), nothing=what.start_ns >= what.end_ns,
        people=people_of_need, hours=hours_of_need,
    )  # fmt: skip


def _one(request: Request, name: str, otherwise: str, known: Mapping[str, object]) -> str:
    given = request.query_params.get(name, otherwise)
    if given not in known:
        raise BadRequest(f"There is no {name} {given[:60]!r}; there are {', '.join(filter(None, known))}.")
    return given


def _turn(request: Request) -> asyncio.Lock:
    state = request.app.state
    if not hasattr(state, "staffing_turn"):
        state.staffing_turn = asyncio.Lock()
    return cast("asyncio.Lock", state.staffing_turn)


async def _role(request: Request, what: Seen, role: str, *, share: float) -> RoleView:
    app = app_of(request)
    zone = app.config.settings.people.get(role, PersonSettings()).timezone
    found = await plan(app.store, app.policy, what, role, zone=ZoneInfo(zone), share=share)
    per_answer = leverage([each for each in what.work if each.role == role]).per_answer
    return RoleView(
        role=role, features=", ".join(found.features) or "no feature", zone=zone, missing=found.missing,
        unreachable=found.need is not None and not found.need.reachable, facts=_facts(found, per_answer),
        drawings=(_drawing("Cases an hour", found.per_hour, 1), _drawing("People needed", found.people, 0)),
        hours=_hours(found), leverages=_leverages(found, per_answer),
        moved=[_moved(each) for each in found.bars if each.requests],
    )  # fmt: skip


def _facts(found: RolePlan, per_answer: Span) -> Sequence[tuple[str, str]]:
    facts = [
        ("Cases that came", str(found.cases)),
        ("Handling time", _times(found.handling)),
        ("To be met", f"{found.share:.0%} answered within {span(found.within_seconds)}, handling included"),
        ("Cases per answer", _with_interval(per_answer)),
    ]
    if found.need is not None and found.need.reachable:
        busiest = f"{people_of_need(found.need)}, for {_rate(found.need)} cases an hour"
        facts += [("People in the busiest hour", busiest), ("Hours of people a week", hours_of_need(found.need))]
    return facts


def _drawing(name: str, hours: Sequence[float | None], digits: int) -> Drawing:
    """Bars as high as the highest; an hour that was not watched is one of its own kind, over the whole height."""
    most = max((each for each in hours if each is not None), default=0.0)
    bars = []
    for place, each in enumerate(hours):
        height = HEIGHT if each is None else HEIGHT * each / (most or 1)
        bars.append(Bar(place, round(HEIGHT - height, 1), round(height, 1), known=each is not None))
    said = "none in the hours that were watched"
    if most:
        place = next(place for place, each in enumerate(hours) if each == most)
        said = f"at most {most:.{digits}f}, first on {DAYS[place // 24]} at {place % 24:02}:00"
    return Drawing(
        name=name, most=f"{most:.{digits}f}", said=f"{name}: {said}. A table below has every hour.", bars=bars
    )


def _hours(found: RolePlan) -> Sequence[tuple[str, Sequence[Cell]]]:
    """Hours down, days across, without hours that were watched on no day."""
    if not found.people:
        return ()
    rows = []
    for hour in range(24):
        cells = [_cell(DAYS[day], found.people[24 * day + hour], found.per_hour[24 * day + hour]) for day in range(7)]
        if any(cell.people for cell in cells):
            rows.append((f"{hour:02}:00", cells))
    return rows


def _cell(day: str, people: int | None, cases: float | None) -> Cell:
    return Cell(day) if people is None or cases is None else Cell(day, str(people), f"{cases:.1f}")


def _leverages(found: RolePlan, per_answer: Span) -> Sequence[tuple[str, str, Need]]:
    """What leverage moves; the measured one bears its interval."""
    if found.need is None:
        return ()
    rows = [("1.00", "every case is answered for itself", found.need)]
    for each, needed in found.leveraged:
        measured = each == found.leverage
        note = f"measured, {_interval(per_answer)}, n = {per_answer.n}" if measured else "if it were so"
        rows.append((f"{each:.2f}", note, needed))
    return rows


def _moved(each: Moved) -> tuple[str, Figure, str, str, str]:
    """What a bar sends to people. The interval covers both ends of what the journal leaves open."""
    least = clopper_pearson(each.certain, each.requests)
    most = clopper_pearson(each.certain + each.possible, each.requests)
    value = _range(f"{each.certain / each.requests:.1%}", f"{(each.certain + each.possible) / each.requests:.1%}")
    told = Figure("to people", value, f"{least.low:.1%} to {most.high:.1%}", str(each.requests))
    return (
        f"{each.bar:.2f}", told, _range(_rate(each.least), _rate(each.most)),
        _range(people_of_need(each.least), people_of_need(each.most)),
        _range(hours_of_need(each.least), hours_of_need(each.most)),
    )  # fmt: skip


def _figures(found: Review) -> Sequence[Figure]:
    """The leverage report, row by row."""
    told = found.leverage
    return (
        Figure("Cases resolved", str(told.resolved)),
        Figure("by an answer written for them", str(told.written)),
        Figure("along with a case that waited too", str(told.along)),
        Figure("by an earlier answer", str(told.again)),
        _share("Of both, edited", told.edited, "not given word for word"),
        Figure("Answered by the cache", str(told.cached), note="with what a person had said; they never became cases"),
        _share("Deflected by earlier answers", told.deflected, "of the cases resolved and those the cache spared"),
        _span("Cases resolved per answer", told.per_answer, ""),
        _span("Cases resolved per human minute", told.per_minute, ""),
        Figure("Minutes of people", UNKNOWN if told.minutes is None else f"{told.minutes:.1f}", note="as far as known"),
        _span("Minutes saved", told.saved_minutes, "against each case by itself"),
        Figure("Handling time", _times(found.handling, n=False), n=str(found.handling.n), note="of cases by themselves"),
    )  # fmt: skip


def _alpha(found: Agreement) -> Figure:
    n = f"{found.units} drafts, {found.values} verdicts"
    if found.alpha is None:
        return Figure("Krippendorff's alpha", UNKNOWN, n=n)
    return Figure("Krippendorff's alpha", f"{found.alpha:.2f}", f"{found.low:.2f} to {found.high:.2f}", n)


def _reviewer(found: Reviewer) -> tuple[str, int, str, Figure, Figure, bool]:
    """Name, answers, handling time, drafts accepted when shown and when blind, whether the drafts are followed."""
    return (
        found.by, found.answers, _times(found.handling), _share("shown", found.accepts, ""),
        _share("blind", found.accepts_blind, ""), bool(found.follows),
    )  # fmt: skip


def _share(name: str, rate: Estimate, note: str) -> Figure:
    if rate.estimate is None:
        return Figure(name, UNKNOWN, n=str(rate.n), note=note)
    return Figure(name, f"{rate.estimate:.1%}", f"{rate.low:.1%} to {rate.high:.1%}", str(rate.n), note)


def _span(name: str, found: Span, note: str) -> Figure:
    value = UNKNOWN if found.value is None else f"{found.value:.2f}"
    return Figure(name, value, _interval(found) or "–", str(found.n), note)


def _with_interval(found: Span) -> str:
    if found.value is None:
        return f"{UNKNOWN} (n = {found.n})"
    return f"{found.value:.2f} ({_interval(found)}, n = {found.n})"


def _interval(found: Span) -> str:
    return "" if found.low is None or found.high is None else f"{found.low:.2f} to {found.high:.2f}"


def _times(found: Times, *, n: bool = True) -> str:
    if found.median is None or found.p90 is None or found.mean is None:
        return f"{UNKNOWN} (n = 0)" if n else UNKNOWN
    told = f"median {_length(found.median)}, p90 {_length(found.p90)}, mean {_length(found.mean)}"
    return f"{told} (n = {found.n})" if n else told


def _length(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 600 else span(seconds)


def people_of_need(found: Need) -> str:
    """People in the busiest hour, in words."""
    if not found.reachable:
        return "no number is enough"
    return UNKNOWN if found.people is None else str(found.people)


def hours_of_need(found: Need) -> str:
    """Hours of people a week, rounded up."""
    return "–" if found.people_hours is None else str(math.ceil(found.people_hours))


def _rate(found: Need) -> str:
    return "unknown" if found.per_hour is None else f"{found.per_hour:.1f}"


def _range(low: str, high: str) -> str:
    return low if low == high else f"{low} to {high}"


routes: Sequence[BaseRoute] = (Route("/console/staffing", staffing_page, methods=["GET"]),)
