"""The page of what everything costs and earns: what `surefoot ledger` prints, and the requests behind each figure."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from urllib.parse import urlencode

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from surefoot.app.money import Asked, dollars, memo, requests, stated
from surefoot.errors import BadRequest
from surefoot.ledger.exports import RequestLine, csv_text, request_row, rows_of
from surefoot.ledger.statement import GROUPINGS, Line, shown
from surefoot.records.units import DAY_NS, day_of, day_text
from surefoot.server.console.pages import app_of, page, require

BACK: Mapping[str, tuple[str, int]] = {
    "1d": ("today", 1), "7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90), "all": ("everything", 0),
}  # fmt: skip
SHOWN = 200  # requests on the page behind a figure; the download has them all
_CHUNK = 500


class Row(Struct, frozen=True, kw_only=True):
    """A group, in words."""

    name: str
    link: str  # to the requests behind it
    requests: str
    tokens: str
    cost: str
    estimated: str
    human: str
    revenue: str
    margin: str
    loss: bool  # whether it earns something, and less than it costs


@require("report")
async def money_page(request: Request) -> Response:
    """Cost, revenue and margin by one grouping, over a time that is asked for."""
    app, asked, given = app_of(request), _asked(request), _given(request)
    found = await stated(app.store, given["by"], asked)
    features = [each for name, each in sorted(app.policy.features.items()) if asked.feature in ("", name)]
    rows = [_row(line, given) for line in found.lines]
    return page(
        request, "money/money.html", given=given, back=BACK, groupings=list(GROUPINGS), features=sorted(app.policy.features),
        rows=rows, total=_row(found.total, given), estimated=found.total.estimated_nanodollars != 0,
        human=found.total.human_nanodollars != 0, memo=memo(found.total, features), n=f"{found.total.requests:,}",
        first=day_text(asked.since_day) if asked.since_ns else "", export="/money/export?" + urlencode(given),
    )  # fmt: skip


@require("report")
async def requests_page(request: Request) -> Response:
    """The requests behind a figure."""
    app, given = app_of(request), _given(request)
    asked = _asked(request, grouped=True)
    await app.store.flush()
    found = [each async for each in requests(app.store, asked, limit=SHOWN + 1)]
    group = shown(given["by"], request.query_params.get("group", ""))
    return page(
        request, "money/requests.html", given=given, group=group, rows=[_request(each) for each in found[:SHOWN]],
        more=len(found) > SHOWN, most=SHOWN, back="/money?" + urlencode(given),
        export="/money/requests/export?" + urlencode({**given, "group": request.query_params.get("group", "")}),
    )  # fmt: skip


@require("report")
async def export(request: Request) -> Response:
    """A statement as CSV."""
    given = _given(request)
    found = await stated(app_of(request).store, given["by"], _asked(request))
    return Response(csv_text(rows_of(found)), media_type="text/csv", headers=_named(f"ledger-by-{given['by']}.csv"))


@require("report")
async def export_requests(request: Request) -> Response:
    """The requests behind a figure as CSV, all of them."""
    store, asked = app_of(request).store, _asked(request, grouped=True)
    await store.flush()

    async def parts() -> AsyncIterator[str]:
        rows, header = [], True
        async for each in requests(store, asked):
            rows.append(request_row(each))
            if len(rows) == _CHUNK:
                yield csv_text(rows, header=header)
                rows, header = [], False
        yield csv_text(rows, header=header)

    return StreamingResponse(parts(), media_type="text/csv", headers=_named("requests.csv"))


def _given(request: Request) -> dict[str, str]:
    """What is asked for, as it stands in the address. Raises BadRequest for what does not exist."""
    query = request.query_params
    given = {"by": query.get("by", "feature"), "since": query.get("since", "30d"), "feature": query.get("feature", "")}
    known: Mapping[str, Sequence[str]] = {
        "by": list(GROUPINGS), "since": list(BACK), "feature": ["", *app_of(request).policy.features],
    }  # fmt: skip
    for name, value in given.items():
        if value not in known[name]:
            raise BadRequest(f"There is no {name} {value[:60]!r}; there are {', '.join(filter(None, known[name]))}.")
    return given


def _asked(request: Request, *, grouped: bool = False) -> Asked:
    given = _given(request)
    days = BACK[given["since"]][1]
    since_ns = (day_of(time.time_ns()) + 1 - days) * DAY_NS if days else 0
    group = (given["by"], request.query_params.get("group", "")) if grouped else None
    return Asked(since_ns=since_ns, feature=given["feature"], group=group)


def _row(line: Line, given: Mapping[str, str]) -> Row:
    margin = line.margin_nanodollars
    return Row(
        name=shown(given["by"], line.group), link="/money/requests?" + urlencode({**given, "group": line.group}),
        requests=f"{line.requests:,}", tokens=f"{line.tokens:,}", cost=dollars(line.nanodollars),
        estimated=dollars(line.estimated_nanodollars), human=dollars(line.human_nanodollars),
        revenue=dollars(line.revenue_nanodollars), margin=dollars(margin), loss=margin < 0 and line.earnings > 0,
    )  # fmt: skip


def _request(each: RequestLine) -> dict[str, str]:
    baseline = each.baseline_nanodollars
    return {
        "id": each.request_id, "at": each.at[:19].replace("T", " "), "feature": each.feature, "customer": each.customer,
        "outcome": each.outcome, "by": each.rung or "nobody", "prompt": each.prompt or "no instructions",
        "cost": dollars(each.line.nanodollars), "revenue": dollars(each.line.revenue_nanodollars),
        "margin": dollars(each.line.margin_nanodollars), "baseline": "not known" if baseline is None else dollars(baseline),
    }  # fmt: skip


def _named(file: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{file}"'}


routes: Sequence[BaseRoute] = (
    Route("/money", money_page, methods=["GET"]),
    Route("/money/export", export, methods=["GET"]),
    Route("/money/requests", requests_page, methods=["GET"]),
    Route("/money/requests/export", export_requests, methods=["GET"]),
)
