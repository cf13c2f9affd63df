"""The page of objectives: what `surefoot objectives` prints, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.bets import Valued, valued
from surefoot.app.objectives import Found
from surefoot.errors import BadRequest
from surefoot.evals import betwords, words
from surefoot.evals.objectives import AT_RISK, MET, MISSED, Assessment
from surefoot.records.objective import Objective
from surefoot.server.console.desk_words import clock
from surefoot.server.console.pages import app_of, page, require

CHIPS = {MET: "good", AT_RISK: "warn", MISSED: "bad"}
_GROUPS = 50  # of a dimension on the page, those that stand worst; `surefoot objectives --json` has them all
_SINCE = ((1, "1d"), (7, "7d"), (30, "30d"), (90, "90d"))  # what the page of requests can look back on


class Ruler(Struct, frozen=True, kw_only=True):
    """A value with its interval beside its target, in hundredths of the drawing's width."""

    low: float
    width: float
    value: float
    target: float
    good_from: float
    good_width: float
    said: str


class Line(Struct, frozen=True, kw_only=True):
    """An assessment in words."""

    name: str
    state: str
    chip: str
    value: str
    method: str
    budget: str
    outlook: str
    burns: tuple[tuple[str, bool], ...]  # (words, whether it fires)
    ruler: Ruler | None


class Card(Struct, frozen=True, kw_only=True):
    """One objective with its subgroups."""

    feature: str
    target: str
    line: Line
    dimensions: tuple[tuple[str, str, tuple[Line, ...], int], ...]  # (dimension, tally, worst, how many more)
    link: str  # to the requests behind it


@require("report")
async def objectives_page(request: Request) -> Response:
    """How each objective stands, with its subgroups."""
    app = app_of(request)
    features = [name for name, given in app.config.settings.features.items() if given.objectives]
    feature = request.query_params.get("feature", "")
    if feature and feature not in features:
        raise BadRequest(
            f"There is no feature {feature[:60]!r} with objectives; there are {', '.join(features) or 'none'}."
        )
    now_ns = app.objectives.now_ns()
    found = await app.objectives.read(feature or None)
    cards = [_card(each, now_ns) for each in found]
    bets = [
        _bet(each) for each in await valued(app.store, app.config, found) if feature in ("", each.bet.stake.feature)
    ]
    return page(
        request, "objectives/objectives.html", features=features, feature=feature, cards=cards, bets=bets, at=clock(now_ns)
    )  # fmt: skip


def _card(found: Found, now_ns: int) -> Card:
    objective = found.whole.objective
    dimensions = []
    for dimension in objective.by:
        groups = [each for each in found.groups if each.dimension == dimension]
        lines = tuple(line(each, now_ns, name=each.group or "none") for each in groups[:_GROUPS])
        dimensions.append((dimension, words.tally(groups), lines, max(0, len(groups) - _GROUPS)))
    days = objective.window_seconds / 86_400
    since = next((name for most, name in _SINCE if days <= most), "all")
    query = urlencode({"by": "feature", "since": since, "feature": objective.feature, "group": objective.feature})
    return Card(
        feature=objective.feature, target=words.target(objective), line=line(found.whole, now_ns, name=objective.name),
        dimensions=tuple(dimensions), link=f"/money/requests?{query}",
    )  # fmt: skip


def _bet(found: Valued) -> dict[str, object]:
    """A bet in words."""
    bet, odds, objective = found.bet, found.odds, found.objective
    told: dict[str, object] = {
        "name": bet.id, "state": bet.state, "chip": {"promoted": "good", "dropped": ""}.get(bet.state, "warn"), "by": bet.by,
        "what": f"{bet.stake.change}: {bet.stake.what}", "why": bet.why, "known": odds is not None, "trouble": found.per_month,
    }  # fmt: skip
    if odds is None or objective is None:
        return told
    return told | {
        "hope": betwords.hope(bet.stake, objective), "works": betwords.works(odds), "effect": betwords.effect(odds, objective),
        "month": betwords.month(odds, found.per_month), "advice": betwords.advice(odds), "spent": f"{odds.spent_usd:,.2f} USD",
        "results": [betwords.result(each, objective) for each in bet.results], "looks": [betwords.look(e) for e in odds.looks],
        "prior": betwords.difference(objective, odds.prior_sd),
    }  # fmt: skip


def line(found: Assessment, now_ns: int, *, name: str) -> Line:
    """An assessment in words, and its ruler."""
    return Line(
        name=name, state=words.state(found), chip=CHIPS.get(found.state, ""), value=words.value(found),
        method=found.method if found.value is not None else "", budget=words.budget(found),
        outlook=words.outlook(found, now_ns), ruler=_ruler(found),
        burns=tuple((words.burn(each), each.firing) for each in found.burns if each.long is not None),
    )  # fmt: skip


def _ruler(found: Assessment) -> Ruler | None:
    """None where there is no interval to draw."""
    if found.value is None or found.low is None or found.high is None:
        return None
    objective = found.objective
    start, end = _axis(objective, found.value, found.low, found.high)

    def at(value: float) -> float:
        return round(100 * min(1.0, max(0.0, (value - start) / (end - start))), 2)

    low, high, target = at(found.low), at(found.high), at(objective.target)
    return Ruler(
        low=low, width=round(max(high - low, 0.4), 2), value=at(found.value), target=target,
        good_from=0.0 if objective.at_most else target, good_width=target if objective.at_most else round(100 - target, 2),
        said=f"{words.value(found)}; target {words.target(objective)}",
    )  # fmt: skip


def _axis(objective: Objective, value: float, low: float, high: float) -> tuple[float, float]:
    """From where to where it is drawn: zero and the target are always on it."""
    ends = (0.0, value, objective.target, min(high, 4 * abs(objective.target)), max(low, -4 * abs(objective.target)))
    room = (max(ends) - min(ends)) * 0.1
    return min(ends), max(ends) + room


routes: Sequence[BaseRoute] = (Route("/objectives", objectives_page, methods=["GET"]),)
