"""The operator's desk: the queue with its live updates, the shift's hand-over, and the way to each case."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from surefoot.errors import BadRequest, NotAllowed
from surefoot.records.case import WAITING
from surefoot.server.console import desk_alike, desk_case, desk_verbs
from surefoot.server.console.desk_feed import event_of
from surefoot.server.console.desk_pages import CONSTANT, SHOWS, SIZE, Filters, counted, row_of
from surefoot.server.console.desk_room import desk_of, people_roles, roles_seen, room_of, urgency_of
from surefoot.server.console.desk_words import SECOND, span
from surefoot.server.console.pages import app_of, current, form, page, people_of, redirect, require

_LATE_LOOKED_AT = 1000  # cases at the head of the queue that are counted as late or not
_NOTE = 2000  # characters


@require("see")
async def queue(request: Request) -> Response:
    """The queue, the most urgent case first."""
    return await _queue(request, "desk/queue.html")


@require("see")
async def rows(request: Request) -> Response:
    """The queue's rows alone, which a page that is open puts in the place of its own."""
    return await _queue(request, "desk/rows.html")


@require("see")
async def events(request: Request) -> Response:
    """What happens to cases, as server-sent events; a browser that comes back says which it saw last."""
    seen = request.headers.get("last-event-id") or request.query_params.get("after", "")
    after = int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 19 else 0
    who, token = current(request).name, request.scope["state"].get("token")
    feed, people = room_of(request).feed, people_of(request)

    async def told() -> AsyncIterator[bytes]:
        yield b"retry: 2000\n\n"
        async for found in feed.follow(after):
            if not found and await people.current(token, acts=False) is None:
                return  # logged off since: nothing more is told
            yield b"".join(event_of(each, who) for each in found) or b": \n\n"

    return StreamingResponse(
        told(), media_type="text/event-stream", headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )  # fmt: skip


@require("answer")
async def take_next(request: Request) -> Response:
    """The next case for whoever asks."""
    try:
        claim = await desk_of(request).next(by=current(request))
    except NotAllowed as error:
        return await _queue(request, "desk/queue.html", error={"title": "Not now.", "text": f"{error.message}."})
    if claim is None:
        return redirect("/desk?told=none")
    return redirect(f"/desk/cases/{claim.case.id}")


@require("answer")
async def shift(request: Request) -> Response:
    """What I hold, to be handed over."""
    mine = await app_of(request).store.cases.waiting(states=("claimed",), by=current(request).name, limit=1000)
    near, now = room_of(request).neighbours, time.time_ns()
    await app_of(request).access.listed(current(request), [case.id for case in mine])
    shown = [
        {
            "id": case.id, "question": await near.question(case) or case.id, "feature": case.feature,
            "waits": span((now - case.opened_at_ns) / SECOND),
        }
        for case in mine
    ]  # fmt: skip
    return page(request, "desk/shift.html", status=200, mine=shown, error=None, notice="", **CONSTANT)


@require("answer")
async def hand_over(request: Request) -> Response:
    """Give back everything I hold, with a note."""
    note = form(request).get("note", "").strip()
    if len(note) > _NOTE:
        raise BadRequest(f"A note has at most {_NOTE} characters.")
    who, cases = current(request), app_of(request).store.cases
    for case in await cases.waiting(states=("claimed",), by=who.name, limit=1000):
        await desk_of(request).release(case.id, by=who, fence=case.fence, note=note)
    return redirect("/desk?told=shift")


async def _queue(request: Request, template: str, error: Mapping[str, str] | None = None) -> Response:
    asked, person = request.query_params, current(request)
    show = asked.get("show", "")
    filters = Filters(
        role=asked.get("role", "")[:64], feature=asked.get("feature", "")[:64],
        show=show if show in dict(SHOWS) else "",
    )  # fmt: skip
    app, room, now, seen = app_of(request), room_of(request), time.time_ns(), roles_seen(request)
    last = await app.store.cases.last_change()  # before the rows: what happens meanwhile is told again, never left out
    after, first = _after(asked.get("after", "")), _number(asked.get("first", "1"))
    cases = await app.store.cases.waiting(
        roles=_roles(filters, seen), feature=filters.feature or None, states=_states(filters),
        kind="audit" if filters.show == "audit" else None, by=person.name if filters.show == "mine" else None,
        limit=SIZE + 1, after=after,
    )  # fmt: skip
    more, cases = len(cases) > SIZE, cases[:SIZE]
    await app.access.listed(person, [case.id for case in cases])
    shown = [
        row_of(case, await room.neighbours.question(case), urgency_of(request, case, now), who=person.name, now_ns=now)
        for case in cases
    ]
    mine = await app.store.cases.waiting(states=("claimed",), by=person.name, limit=1000)
    head = await app.store.cases.waiting(roles=seen, limit=_LATE_LOOKED_AT)
    late = sum(0 < (case.deadline_ns or case.due_at_ns) < now for case in head)
    here = filters.query(after=asked.get("after", ""), first=asked.get("first", ""))
    return page(
        request,
        template,
        rows=shown,
        filters=filters,
        roles=people_roles(request) if seen is None else sorted(seen),
        features=sorted(app.policy.features),
        shows=SHOWS,
        size=SIZE,
        first=first,
        counts=counted(await app.store.cases.tally(), seen, mine=len(mine), late=late),
        before_url=f"/desk?{filters.query()}" if after else "",
        after_url=f"/desk?{filters.query(after=_cursor(cases), first=str(first + SIZE))}" if more else "",
        fragment_url=f"/desk/rows?{here}",
        events_url=f"/desk/events?after={last}",
        last_event=last,
        notice=_TOLD.get(asked.get("told", ""), ""),
        error=error,
        status=200 if error is None else 403,
        **CONSTANT,
    )


_TOLD = {
    "none": "No case waits for you right now.",
    "shift": "Handed over. Your cases are back in the queue, with your note.",
    "released": "Given back to the queue.",
    "judged": "Your verdict is kept.",
}


def _states(filters: Filters) -> Sequence[str]:
    return {"mine": ("claimed",), "open": ("open",), "proposed": ("proposed",)}.get(filters.show, WAITING)


def _roles(filters: Filters, seen: Sequence[str] | None) -> Sequence[str] | None:
    """The roles whose cases are shown: the one that is asked for, as far as it may be seen."""
    if not filters.role:
        return seen
    return [filters.role] if seen is None or filters.role in seen else []


def _cursor(cases: Sequence[object]) -> str:
    last = cases[-1]
    return f"{last.rank_ns}.{last.id}"  # type: ignore[attr-defined]


def _after(text: str) -> tuple[int, str] | None:
    """The place in the queue that an address names; None for the beginning."""
    rank, _, name = text.partition(".")
    return (int(rank), name) if name and rank.isascii() and rank.isdecimal() and len(rank) < 19 else None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1


routes: Sequence[BaseRoute] = (
    Route("/desk", queue),
    Route("/desk/rows", rows),
    Route("/desk/events", events),
    Route("/desk/next", take_next, methods=["POST"]),
    Route("/desk/shift", shift),
    Route("/desk/shift", hand_over, methods=["POST"]),
    *desk_case.routes,
    *desk_verbs.routes,
    *desk_alike.routes,
)
