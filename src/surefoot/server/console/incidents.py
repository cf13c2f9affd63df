"""The page of alarms: what rang, what the figures were before and after, what changed with it, and who has seen to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app import incidents
from surefoot.app.incidents import Acknowledged
from surefoot.app.spending import told
from surefoot.errors import BadRequest, NotFound
from surefoot.ledger.changes import CAUSES
from surefoot.ledger.surge import KIND as SPEND
from surefoot.records import Incident
from surefoot.server.console.pages import app_of, current, form, page, redirect, require

SHOWN = 100
_WHERE = {"model": "model", "prompt": "prompt", "tenant": "customer", "edition": "rules"}


class View(Struct, frozen=True, kw_only=True):
    """An alarm in words."""

    id: str
    at: str
    kind: str
    feature: str
    rung: str
    text: str
    rates: Sequence[tuple[str, str, str, str]]  # name, value, interval, n
    changed: Sequence[tuple[str, str, str, str]]  # what, which, before, after
    seen: Sequence[Acknowledged]


@require("report")
async def incidents_page(request: Request) -> Response:
    """Alarms, newest first."""
    return await _page(request)


@require("switch")
async def acknowledge(request: Request) -> Response:
    """Somebody has seen to an alarm; the trail keeps who and how."""
    sent = form(request)
    try:
        await incidents.acknowledge(
            app_of(request).store, sent.get("id", ""), by=current(request).name, note=sent.get("note", "")
        )
    except (BadRequest, NotFound) as error:
        return await _page(request, said=error.message)
    return redirect("/incidents")


async def _page(request: Request, *, said: str = "") -> Response:
    app = app_of(request)
    feature = request.query_params.get("feature", "")
    found = sorted(await app.store.incidents.all(feature=feature or None), key=lambda each: -each.at_ns)
    seen = await incidents.acknowledgements(app.store) if found else {}
    return page(
        request, "incidents/incidents.html", status=400 if said else 200, said=said, feature=feature, most=SHOWN,
        features=sorted(app.policy.features), more=len(found) > SHOWN, may=current(request).may("switch"), when=_minute,
        shown=[_view(each, seen.get(each.id, ())) for each in found[:SHOWN]],
    )  # fmt: skip


def _view(each: Incident, seen: Sequence[Acknowledged]) -> View:
    detail: dict[str, Any] = msgspec.json.decode(each.detail)
    if each.kind == SPEND:
        text, rates, changed = told(each)[0], _spent(detail), _causes(detail.get("since_a_week_ago"))
    else:
        text, rates, changed = _drift(detail), _rates(detail), tuple(_changed(detail.get("changed", ())))
    return View(
        id=each.id, at=_minute(each.at_ns), kind=each.kind, feature=each.feature, rung=each.rung, text=text, rates=rates,
        changed=changed, seen=seen,
    )  # fmt: skip


def _drift(detail: Mapping[str, Any]) -> str:
    limit = detail.get("limit")
    return "" if limit is None else f"more wrong answers than the {limit:.1%} that were allowed"


def _rates(detail: Mapping[str, Any]) -> Sequence[tuple[str, str, str, str]]:
    rows = []
    for name in ("before", "after"):
        rate = detail.get(name, {})
        if rate.get("wrong") is not None:
            rows.append((f"wrong {name}", f"{rate['wrong']:.1%}", _between(rate), str(rate["n"])))
    return rows


def _between(rate: Mapping[str, Any]) -> str:
    low, high = rate.get("low"), rate.get("high")
    return "–" if low is None or high is None else f"{low:.1%} to {high:.1%}"


def _changed(rows: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, str, str, str]]:
    """What moved between the labels before and after: shares of models, prompts, customers and rules, and means of signals."""
    for row in rows:
        what = str(row.get("what", ""))
        if "share_before" in row:
            before, after = f"{row['share_before']:.0%} of labels", f"{row['share_after']:.0%}"
        else:
            before, after = f"mean {row.get('mean_before', 0):.2f}", f"{row.get('mean_after', 0):.2f}"
        yield _WHERE.get(what, what), str(row.get("value", "")), before, after


def _spent(detail: Mapping[str, Any]) -> Sequence[tuple[str, str, str, str]]:
    names = {"spent_nanodollars": "spent", "expected_nanodollars": "expected", "limit_nanodollars": "alarm above"}
    return [(name, f"{detail[key] / 1e9:,.2f} USD", "–", "–") for key, name in names.items() if key in detail]


def _causes(change: Mapping[str, Any] | None) -> Sequence[tuple[str, str, str, str]]:
    if change is None:
        return ()
    words = {"tokens": "tokens per request"}
    return [(words.get(cause, cause), f"{change[cause] / 1e9:+,.2f} USD", "", "") for cause in CAUSES if change.get(cause)]


def _minute(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M}"


routes: Sequence[BaseRoute] = (
    Route("/incidents", incidents_page, methods=["GET"]),
    Route("/incidents", acknowledge, methods=["POST"]),
)
