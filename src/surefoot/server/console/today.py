"""The first page of the cockpit: the ladder drawn, what waits, what is nearly spent, what raised an alarm."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.levels import Level
from surefoot.app.money import dollars
from surefoot.app.objectives import Found
from surefoot.app.today import GONE, PERSON, FeatureDay, Step, today
from surefoot.errors import BadRequest
from surefoot.evals import words
from surefoot.records import Incident
from surefoot.server.console import charts
from surefoot.server.console.desk_words import clock
from surefoot.server.console.objectives import CHIPS
from surefoot.server.console.pages import app_of, page, require
from surefoot.stats import Estimate

BACK: Mapping[str, tuple[str, int]] = {
    "1d": ("day", 1), "7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90),
}  # fmt: skip
UNKNOWN = "not enough data"
_FULLEST = 6  # budgets on the page; the others are in `surefoot budgets`
_NEWEST = 5  # alarms
_COLOURS = ("--rung-0", "--rung-1", "--rung-2", "--rung-3", "--rung-4", "--rung-5")
_WORDS = {
    "cache": "an answer that was believed before", "model": "a model", "pair": "models that must agree",
    GONE: "no longer on the ladder", "requested": "the model that was asked for", PERSON: "a person decides",
}  # fmt: skip


class StepRow(Struct, frozen=True, kw_only=True):
    """A rung in words; widths are in hundredths of the drawing."""

    name: str
    words: str
    colour: int
    share: str
    low: float
    width: float
    high: float
    interval: str
    requests: str
    cost: str
    per_answer: str
    wrong: str
    wrong_interval: str
    n: str
    link: str


@require("report")
async def today_page(request: Request) -> Response:
    """Share, cost and error of each rung; objectives; queue; budgets; alarms."""
    app = app_of(request)
    given = _given(request)
    now_ns, days = time.time_ns(), BACK[given["since"]][1]
    found = await today(
        app.store, app.policy, app.serving.runtime.budgets, app.serving.standings,
        now_ns=now_ns, days=days, feature=given["feature"],
    )  # fmt: skip
    _, every = await app.objectives.recent()
    aims = [_aim(each) for each in every if given["feature"] in ("", each.whole.objective.feature)]
    return page(
        request, "today/today.html", aims=aims, given=given, back=BACK, features=sorted(app.policy.features), found=found,
        shown=[(each, _rows(each, given), _drawn(each)) for each in found.features], unknown=UNKNOWN, dollars=dollars,
        budgets=[_level(each) for each in found.budgets[:_FULLEST]], more_budgets=max(0, len(found.budgets) - _FULLEST),
        alarms=[_alarm(each) for each in found.alarms[:_NEWEST]], at=clock(now_ns),
    )  # fmt: skip


def _given(request: Request) -> dict[str, str]:
    query = request.query_params
    given = {"since": query.get("since", "7d"), "feature": query.get("feature", "")}
    known: Mapping[str, Sequence[str]] = {"since": list(BACK), "feature": ["", *app_of(request).policy.features]}
    for name, value in given.items():
        if value not in known[name]:
            raise BadRequest(f"There is no {name} {value[:60]!r}; there are {', '.join(filter(None, known[name]))}.")
    return given


def _rows(found: FeatureDay, given: Mapping[str, str]) -> list[StepRow]:
    return [_row(step, at, given, found.feature) for at, step in enumerate(found.steps)]


def _row(step: Step, at: int, given: Mapping[str, str], feature: str) -> StepRow:
    share, each = step.answered, step.per_answer
    return StepRow(
        name=step.rung, words=_WORDS.get(step.kind, step.kind), colour=at % len(_COLOURS), requests=f"{step.requests:,}",
        share=_percent(share), interval=_between(share), width=round(100 * (share.estimate or 0), 1),
        low=round(100 * share.low, 1), high=round(100 * share.high, 1),
        cost=dollars(step.nanodollars), per_answer="–" if each is None else dollars(each),
        wrong=_percent(step.wrong), wrong_interval=_between(step.wrong), n=str(step.wrong.n),
        link="/money/requests?" + urlencode({"by": "rung", "since": given["since"], "feature": feature, "group": step.rung}),
    )  # fmt: skip


def _drawn(found: FeatureDay) -> str:
    """Requests a day by the rung where they ended, as a figure; the table beside it says the same."""
    none = (0,) * len(found.days)
    traces = [
        charts.bars(step.rung, found.days, found.shares.get(step.rung, none), _COLOURS[at % len(_COLOURS)], " by")
        for at, step in enumerate(found.steps)
    ]
    return charts.figure(traces, xaxis={"type": "category", "nticks": 8})


def _percent(rate: Estimate) -> str:
    return UNKNOWN if rate.estimate is None else f"{rate.estimate:.1%}"


def _between(rate: Estimate) -> str:
    return "" if rate.estimate is None else f"{rate.low:.1%} to {rate.high:.1%}"


def _level(level: Level) -> dict[str, object]:
    share = level.share
    return {
        "name": level.budget, "window": level.window, "spent": dollars(level.spent), "reserved": dollars(level.reserved),
        "limit": dollars(level.limit), "share": "–" if share is None else f"{share:.0%}",
        "width": 100 if share is None else round(min(100.0, 100 * share), 1), "full": share is None or share >= 1,
        "resets": "" if level.resets_at_ns is None else clock(level.resets_at_ns),
    }  # fmt: skip


def _aim(found: Found) -> dict[str, str]:
    """An objective in one line; the page of objectives says the rest."""
    whole = found.whole
    return {
        "name": f"{whole.objective.feature}: {whole.objective.name}", "target": words.target(whole.objective),
        "state": words.state(whole), "chip": CHIPS.get(whole.state, ""), "value": words.value(whole),
        "budget": words.budget(whole),
    }  # fmt: skip


def _alarm(alarm: Incident) -> dict[str, str]:
    return {"id": alarm.id, "kind": alarm.kind, "feature": alarm.feature, "rung": alarm.rung, "at": clock(alarm.at_ns)}


routes: Sequence[BaseRoute] = (Route("/today", today_page, methods=["GET"]),)
