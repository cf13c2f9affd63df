"""The evidence pack: a page that prints well, and the same as JSON. Each look is an event of the trail."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot import __version__
from surefoot.app.confidence import FeatureTrust
from surefoot.app.evidencepack import Alarm, Pack, evidence_pack
from surefoot.app.standings import told
from surefoot.errors import BadRequest
from surefoot.records.audit import AuditEvent
from surefoot.records.units import DAY_NS
from surefoot.server.console.objectives import line
from surefoot.server.console.pages import app_of, current, page, require
from surefoot.stats import Estimate
from surefoot.stats.sequential import OPEN

BACK: Mapping[str, tuple[str, int]] = {"7d": ("7 days", 7), "30d": ("30 days", 30), "90d": ("90 days", 90)}
UNKNOWN = "not enough data"


@require("trail")
async def evidence_page(request: Request) -> Response:
    """The pack as a page; `?as=json` is the same for machines."""
    app, days = app_of(request), _days(request)
    now_ns = time.time_ns()
    pack = await evidence_pack(
        app.store, app.config, app.objectives, version=__version__, since_ns=now_ns - days * DAY_NS, now_ns=now_ns
    )
    await app.store.audit.add(
        AuditEvent(kind="trail.evidence", by=current(request).name, detail=f"the last {days} days")
    )
    if request.query_params.get("as") == "json":
        name = f"surefoot-evidence-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
        headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
        body = msgspec.json.format(msgspec.json.encode(pack), indent=1)
        return Response(body, media_type="application/json", headers=headers)
    return page(
        request, "evidence/evidence.html", pack=pack, back=BACK, since=request.query_params.get("since", "30d"), when=_when,
        by=current(request), features=[_feature(each) for each in pack.features], objectives=_objectives(pack),
        heads=[(f"{each.trail} {each.chain}", each.position, each.hash) for each in pack.integrity.heads],
        changes=[(_when(each.at_ns), each.by, each.kind, each.on, each.detail) for each in pack.changes],
        alarms=[_alarm(each) for each in pack.alarms],
    )  # fmt: skip


def _days(request: Request) -> int:
    given = request.query_params.get("since", "30d")
    if given not in BACK:
        raise BadRequest(f"There is no since {given[:60]!r}; there are {', '.join(BACK)}.")
    return BACK[given][1]


def _feature(found: FeatureTrust) -> dict[str, object]:
    promise = "none is made"
    if found.promise is not None and found.standing is not None:
        state = told(found.standing) if found.standing.state == OPEN else found.standing.state
        asked = f"at least {found.promise.accuracy:.0%} right, at {found.promise.assurance:.0%}"
        promise = f"{asked}: {state} (n = {found.standing.n})"
    return {
        "name": found.feature, "mode": found.mode, "requests": found.requests, "delivered": found.error.deliveries,
        "wrong": _share(found.error.wrong), "method": found.error.method, "promise": promise, "audit": f"{found.audit:.1%}",
        "rungs": [(rung.rung, rung.map, rung.bar, rung.labels, _share(rung.right)) for rung in found.rungs],
    }  # fmt: skip


def _objectives(pack: Pack) -> list[tuple[str, str, str, str]]:
    rows = []
    for found in pack.objectives:
        told_ = line(found.whole, pack.at_ns, name=found.whole.objective.name)
        rows.append((found.whole.objective.feature, told_.name, told_.state, told_.value))
    return rows


def _alarm(each: Alarm) -> tuple[str, ...]:
    found = each.incident
    seen = ", ".join(f"{one.by} ({one.note})" for one in each.acknowledged) or "nobody"
    return _when(found.at_ns), found.kind, found.feature, found.rung or "–", seen


def _share(rate: Estimate) -> str:
    if rate.estimate is None:
        return f"{UNKNOWN} (n = {rate.n})"
    return f"{rate.estimate:.1%} ({rate.low:.1%} to {rate.high:.1%}, n = {rate.n})"


def _when(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M}"


routes: Sequence[BaseRoute] = (Route("/evidence", evidence_page, methods=["GET"]),)
