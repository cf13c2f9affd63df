"""The page of policies: what serves, what was learned, what it would change, and two persons who let it serve."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.learn import served
from surefoot.app.promotion import (
    Difference,
    Proposal,
    approve,
    decline,
    differences,
    name_of,
    previous,
    promote,
    proposals,
    propose,
    shadows,
)
from surefoot.app.standings import told
from surefoot.errors import BadRequest, NotAllowed, NotFound
from surefoot.records import Revision
from surefoot.server.console.pages import app_of, current, form, page, redirect, require

SHOWN = 50  # revisions; the newest


class Row(Struct, frozen=True, kw_only=True):
    """A revision in words."""

    number: int
    name: str
    learned: str
    note: str
    state: str
    serves: bool
    proposal: Proposal | None
    mine: bool  # whether who looks proposed it


@require("report")
async def policies_page(request: Request) -> Response:
    """What serves, and every revision."""
    return await _page(request)


@require("report")
async def difference_page(request: Request) -> Response:
    """What a revision would change against what serves."""
    app, number = app_of(request), _number(request.path_params["number"])
    if number and await app.store.revisions.get(number) is None:
        raise BadRequest(f"There is no revision {number}.")
    now, then = await served(app.store, app.config), await served(app.store, app.config, number)
    found = differences(now.policy, then.policy)
    seen = await shadows(app.store, then, now)
    return page(
        request, "policies/difference.html", name=name_of(number), rows=found, serving=now.policy.version,
        would=then.policy.version, left_out=then.left_out, features=sorted({each.feature for each in found}), of=_of,
        shadows=[
            (name, each.requests, each.delivers, each.unknown, told(each.standing), each.standing.n)
            for name, each in sorted(seen.items())
        ],
    )  # fmt: skip


@require("switch")
async def act(request: Request) -> Response:
    """Propose, approve, decline; or go back to what served before, which one person may."""
    app, sent, by = app_of(request), form(request), current(request).name
    done: Awaitable[object]
    match sent.get("do"):
        case "propose":
            done = propose(app.store, _number(sent.get("number", "")), by=by, note=sent.get("note", ""))
        case "approve":
            done = approve(app.store, app.config, _number(sent.get("number", "")), by=by)
        case "decline":
            done = decline(app.store, _number(sent.get("number", "")), by=by)
        case "rollback":
            done = _rollback(request, by)
        case _:
            raise BadRequest("That is nothing to do here.")
    try:
        await done
    except (BadRequest, NotAllowed, NotFound) as error:
        return await _page(request, said=error.message)
    return redirect("/policies")


async def _rollback(request: Request, by: str) -> None:
    """Back at once: what is safe is what served before. The trail keeps who."""
    app = app_of(request)
    number = await previous(app.store)
    await propose(app.store, number, by=by, note="back to what served before")
    await promote(app.store, app.config, number)


async def _page(request: Request, *, said: str = "") -> Response:
    app, who = app_of(request), current(request)
    now, found, waiting = await served(app.store, app.config), await app.store.revisions.all(), await proposals(app.store)
    promotions = await app.store.revisions.promotions()
    rows = [_row(each, waiting.get(each.number), who.name) for each in sorted(found, key=lambda each: -each.number)[:SHOWN]]
    return page(
        request, "policies/policies.html", status=400 if said else 200, said=said, rows=rows, more=len(found) > SHOWN,
        serving=name_of(now.revision.number if now.revision is not None else 0), version=now.policy.version,
        left_out=now.left_out, may=who.may("switch"), back=bool(promotions), none=waiting.get(0), me=who.name,
    )  # fmt: skip


def _row(each: Revision, proposal: Proposal | None, who: str) -> Row:
    state = "candidate"
    if each.promoted_at_ns:
        state = f"{'serves since' if each.serving else 'served from'} {_when(each.promoted_at_ns)}"
    return Row(
        number=each.number, name=name_of(each.number), learned=_when(each.at_ns), note=each.note, state=state,
        serves=each.serving, proposal=proposal, mine=proposal is not None and proposal.by == who,
    )  # fmt: skip


def _of(rows: Sequence[Difference], feature: str) -> list[Difference]:
    return [row for row in rows if row.feature == feature]


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise BadRequest("A revision has a number.")
    return int(text)


def _when(at_ns: int) -> str:
    return f"{datetime.fromtimestamp(at_ns / 1e9, UTC):%Y-%m-%d %H:%M}"


routes: Sequence[BaseRoute] = (
    Route("/policies", policies_page, methods=["GET"]),
    Route("/policies", act, methods=["POST"]),
    Route("/policies/{number}", difference_page, methods=["GET"]),
)
