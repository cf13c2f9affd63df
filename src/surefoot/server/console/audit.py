"""The auditor's page: what happened, whether it was altered; and the page where features are stopped."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.killswitch import ALL
from surefoot.errors import BadRequest, ChainBroken, TrailBroken
from surefoot.records.audit import AuditEvent, AuditRow
from surefoot.server.console.pages import app_of, current, form, page, redirect, require
from surefoot.store.audit import in_words

SHOWN = 200  # events on a page
EXPORTED = 1_000_000
KINDS = ("case.", "access.", "label.", "revision.", "feature.", "account.", "key.", "subject.", "notice.", "trail.")


@require("trail")
async def trail_page(request: Request) -> Response:
    """Events, newest first, as far as the filter lets them through."""
    return await _trail(request)


@require("trail")
async def verify(request: Request) -> Response:
    """The same page, with what a walk along every chain found."""
    store = app_of(request).store
    try:
        requests, events = await store.journal.verify(), await store.audit.verify()
    except (ChainBroken, TrailBroken) as error:
        return await _trail(request, said=f"Altered: {error}", bad=True)
    return await _trail(request, said=f"{requests} requests and {events} events verify; nothing is altered or missing.")


@require("trail")
async def export(request: Request) -> Response:
    """Events as JSON lines, oldest first. The export is an event itself."""
    app = app_of(request)
    await app.store.audit.add(
        AuditEvent(kind="trail.exported", by=current(request).name, detail=str(request.url.query))
    )
    rows = await _events(request, EXPORTED)
    body = b"".join(msgspec.json.encode(row) + b"\n" for row in reversed(rows))
    name = f"surefoot-audit-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.jsonl"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "no-store"}
    return Response(body, media_type="application/x-ndjson", headers=headers)


@require("switch")
async def stops_page(request: Request) -> Response:
    """Every feature, and which of them are stopped."""
    return await _stops(request)


@require("switch")
async def switch(request: Request) -> Response:
    """Stop a feature, or let it go on."""
    app, sent, by = app_of(request), form(request), current(request).name
    feature, reason = sent.get("feature", ""), sent.get("reason", "")
    try:
        if sent.get("do") == "resume":
            await app.stops.resume(feature, by=by, reason=reason)
        elif feature == ALL or feature in app.policy.features:
            await app.stops.stop(feature, by=by, reason=reason, refuse=sent.get("refuse") == "yes")
        else:
            raise BadRequest(f"there is no feature {feature!r}")
    except BadRequest as error:
        return await _stops(request, said=error.message)
    return redirect("/console/stops")


async def _trail(request: Request, *, said: str = "", bad: bool = False) -> Response:
    rows, given = await _events(request, SHOWN), {name: _asked(request, name) for name in ("kind", "by", "on")}
    return page(
        request, "audit/trail.html", rows=[_line(row) for row in rows], given=given, kinds=KINDS, said=said, bad=bad,
        most=SHOWN, query=request.url.query,
    )  # fmt: skip


async def _stops(request: Request, *, said: str = "") -> Response:
    app = app_of(request)
    await app.stops.refresh()
    own = {stop.feature: stop for stop in await app.store.audit.stops()}
    names = [ALL, *sorted({*app.policy.features, *own} - {ALL})]
    found = [(name, own.get(name), _time(own[name].at_ns) if name in own else "") for name in names]
    return page(request, "audit/stops.html", status=400 if said else 200, features=found, every=ALL, said=said)


async def _events(request: Request, limit: int) -> Sequence[AuditRow]:
    kind, by, on = (_asked(request, name) for name in ("kind", "by", "on"))
    return await app_of(request).store.audit.events(kind=kind, by=by, on=on, limit=limit)


def _asked(request: Request, name: str) -> str:
    return request.query_params.get(name, "").strip()


def _line(row: AuditRow) -> dict[str, str]:
    event = row.event
    place = f"{row.chain}/{row.position}"
    return {
        "time": _time(event.at_ns), "by": event.by, "kind": event.kind, "on": event.on, "detail": in_words(event),
        "place": place, "hash": row.hash,
    }  # fmt: skip


def _time(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M:%S} UTC".replace(" ", "\u00a0")


routes: Sequence[BaseRoute] = (
    Route("/console/audit", trail_page, methods=["GET"]),
    Route("/console/audit/verify", verify, methods=["POST"]),
    Route("/console/audit/export", export, methods=["GET"]),
    Route("/console/stops", stops_page, methods=["GET"]),
    Route("/console/stops", switch, methods=["POST"]),
)
