"""The page of what probabilities are worth: reliability drawn, coverage, promises, the error of what is delivered.

It shows what `surefoot confidence` prints, from the same store; figures bear their n and 95 % interval.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app import cachewords
from surefoot.app.cachereport import NearReport, near_report
from surefoot.app.confidence import FeatureTrust, RungTrust, trust
from surefoot.app.learn import served
from surefoot.app.standings import told
from surefoot.errors import BadRequest
from surefoot.learning.fit import LEAST
from surefoot.records.units import DAY_NS
from surefoot.server.console import charts
from surefoot.server.console.pages import app_of, page, require
from surefoot.stats import Estimate
from surefoot.stats.metrics import Bin
from surefoot.stats.sequential import OPEN

BACK: Mapping[str, tuple[str, int]] = {
    "1d": ("day", 1), "7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90),
}  # fmt: skip
UNKNOWN = "not enough data"
_NAMED = {"configured": "configured by hand, not fitted", "cache": "the p that a hit entered with"}


class Row(Struct, frozen=True):
    """A figure as a row of a table."""

    name: str
    value: str
    interval: str = "–"
    n: str = "–"
    note: str = ""


class RungView(Struct, frozen=True, kw_only=True):
    """A rung's map beside what labels say."""

    name: str
    map: str
    rows: Sequence[Row]
    drawn: str  # reliability as a figure; "" without one
    bins: Sequence[Row]


class FeatureView(Struct, frozen=True, kw_only=True):
    """A feature."""

    name: str
    mode: str
    rows: Sequence[Row]
    rungs: Sequence[RungView]
    near: tuple[str, Sequence[tuple[str, str]]] | None  # (title, lines) of its near cache; None without one
    incidents: int
    requests: str  # the address of the requests behind the figures


@require("report")
async def confidence_page(request: Request) -> Response:
    """One feature or all of them, over a time that is asked for."""
    app, given = app_of(request), _given(request)
    since_ns = time.time_ns() - BACK[given["since"]][1] * DAY_NS
    names = [given["feature"]] if given["feature"] else sorted(app.policy.features)
    async with _turn(request):  # the journal of the time is read: once at a time
        now = await served(app.store, app.config)
        found = [await trust(app.store, now, name, since_ns=since_ns) for name in names]
        near = {name: await near_report(app.store, now.policy, name) for name in names}
    number = now.revision.number if now.revision is not None else 0
    return page(
        request, "confidence/confidence.html", given=given, back=BACK, features=sorted(app.policy.features),
        shown=[_feature(each, near[each.feature], given) for each in found], policy=now.policy.version,
        left_out=now.left_out, unknown=UNKNOWN,
        serving=f"revision {number}" if number else "the configuration alone",
    )  # fmt: skip


def _given(request: Request) -> dict[str, str]:
    query = request.query_params
    given = {"since": query.get("since", "30d"), "feature": query.get("feature", "")}
    known: Mapping[str, Sequence[str]] = {"since": list(BACK), "feature": ["", *app_of(request).policy.features]}
    for name, value in given.items():
        if value not in known[name]:
            raise BadRequest(f"There is no {name} {value[:60]!r}; there are {', '.join(filter(None, known[name]))}.")
    return given


def _turn(request: Request) -> asyncio.Lock:
    state = request.app.state
    if not hasattr(state, "confidence_turn"):
        state.confidence_turn = asyncio.Lock()
    return cast("asyncio.Lock", state.confidence_turn)


def _feature(found: FeatureTrust, near: NearReport | None, given: Mapping[str, str]) -> FeatureView:
    error = found.error
    held = f"{error.withheld} of them held back for want of a certificate" if error.withheld else ""
    ppi = "" if error.effective_n is None else f", worth {error.effective_n:.0f} labels alone"
    rows = [
        Row("Delivered", str(error.deliveries), n=str(found.requests), note=held),
        _share("Wrong of these", error.wrong, f"{error.method}{ppi}; blind labels" if error.wrong.n else "no blind label"),
    ]
    if error.judge_alone is not None:
        rows.append(Row("What the judge alone would say", f"{error.judge_alone:.1%}", note="not corrected by people"))
    if found.promise is not None and found.standing is not None:
        asked, stands = found.promise, found.standing
        words = told(stands) if stands.state == OPEN else stands.state
        rows.append(
            Row(
                "Promise", words, f"at least {stands.at_least:.1%} right" if stands.n else "–", str(stands.n),
                f"at least {asked.accuracy:.0%} right of what is delivered, at {asked.assurance:.0%}, whenever it is looked at",
            )
        )  # fmt: skip
    if found.compression is not None:
        harm = found.compression
        value = f"below {harm.upper:.1%}" if harm.n else UNKNOWN
        rows.append(
            Row("Harm of compression", value, n=str(harm.n), note="stopped itself" if harm.stopped else "at every look")
        )
    return FeatureView(
        name=found.feature, mode=found.mode, rows=rows, rungs=[_rung(each) for each in found.rungs],
        near=None if near is None else (cachewords.title(near), list(cachewords.lines(near))),
        incidents=len([each for each in found.incidents if each.id not in found.acknowledged]),
        requests="/money/requests?" + urlencode({"by": "feature", "since": given["since"], "group": found.feature}),
    )  # fmt: skip


def _rung(found: RungTrust) -> RungView:
    beside = "" if found.bar_counts else "; does not count beside B"
    learned = "none was learned" if found.threshold is None else f"p of at least {found.threshold:.3f}"
    missing = f"{found.labels_needed} more for a map ({LEAST})" if found.labels_needed else ""
    rows = [
        Row("Threshold A", f"lower end of p of at least {found.bar:.2f}", note=f"per answer{beside}"),
        Row("Threshold B", learned, note="for the promise"),
        _share("Delivers", found.coverage, "of the drafts that reached it, by the present rules"),
        Row("Labels", str(found.labels), note=missing),
        _share("Right", found.right, "of all labelled drafts"),
    ]
    measures, bins = found.measures, tuple[Bin, ...]()
    if measures is not None and measures.n:
        bins = measures.bins
        older = f"{found.older} labels are older than the map, which may have seen them" if found.older else ""
        perfect = measures.ece_perfect_p95
        rows += [
            Row("ECE", _number(measures.ece), n=str(measures.n), note=f"a perfect map stays below {_number(perfect)} here"),
            Row("Brier score", _number(measures.brier), n=str(measures.n), note=older),
            Row("AUROC", _number(measures.auroc), n=str(measures.n), note="how well it tells right from wrong"),
            _share("Right above A", measures.right_at_bar, "of the labelled drafts above the bar"),
        ]
    return RungView(
        name=found.rung, map=_NAMED.get(found.map, found.map), rows=rows, bins=[_bin(each) for each in bins],
        drawn=_drawn(bins) if bins else "",
    )  # fmt: skip


def _drawn(bins: Sequence[Bin]) -> str:
    """What was claimed against what was right, with its interval; on the line both are the same."""
    known = [each for each in bins if each.right.estimate is not None]
    right = [each.right.estimate or 0.0 for each in known]
    points = {
        "type": "scatter", "mode": "markers", "name": "labels", "x": [each.claimed for each in known], "y": right,
        "marker": {"color": "--accent", "size": 9},
        "error_y": {
            "type": "data", "symmetric": False, "color": "--accent", "thickness": 2,
            "array": [each.right.high - value for each, value in zip(known, right, strict=True)],
            "arrayminus": [value - each.right.low for each, value in zip(known, right, strict=True)],
        },
        "text": [f"n = {each.right.n}" for each in known],
        "hovertemplate": "claimed %{x:.2f}, right %{y:.2f}, %{text}<extra></extra>",
    }  # fmt: skip
    line = {
        "type": "scatter", "mode": "lines", "name": "as claimed", "x": [0, 1], "y": [0, 1], "hoverinfo": "skip",
        "line": {"color": "--edge", "dash": "dot", "width": 1.5},
    }  # fmt: skip
    axis = {"range": [0, 1.02], "tickformat": ".0%"}
    return charts.figure(
        [line, points], xaxis={**axis, "title": {"text": "claimed"}}, yaxis={**axis, "title": {"text": "right"}},
        showlegend=False, margin={"t": 10, "r": 10, "b": 45, "l": 55},
    )  # fmt: skip


def _bin(each: Bin) -> Row:
    right = each.right
    value = UNKNOWN if right.estimate is None else f"{right.estimate:.1%}"
    return Row(f"{each.claimed:.1%}", value, f"{right.low:.1%} to {right.high:.1%}", str(right.n))


def _share(name: str, rate: Estimate, note: str) -> Row:
    if rate.estimate is None:
        return Row(name, UNKNOWN, n=str(rate.n), note=note)
    return Row(name, f"{rate.estimate:.1%}", f"{rate.low:.1%} to {rate.high:.1%}", str(rate.n), note)


def _number(value: float) -> str:
    return UNKNOWN if math.isnan(value) else f"{value:.3f}"


routes: Sequence[BaseRoute] = (Route("/confidence", confidence_page, methods=["GET"]),)
