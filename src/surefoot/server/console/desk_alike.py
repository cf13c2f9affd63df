"""One answer for many: the waiting questions offered with it, what each differs in, and giving it to the confirmed ones."""

from __future__ import annotations

import time
from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.caseview import covered, identifiers_in
from surefoot.app.neighbours import Alike
from surefoot.records import Case
from surefoot.review.clusters import Member
from surefoot.server.console.desk_case import Trouble, found_case, path_of, seconds_of, too_late, view_of
from surefoot.server.console.desk_pages import CONSTANT
from surefoot.server.console.desk_room import desk_of, room_of
from surefoot.server.console.desk_verbs import MEANING, signed_of
from surefoot.server.console.desk_words import words_of
from surefoot.server.console.pages import app_of, current, form, page, redirect, require

_HOUR_MS = 3_600_000


@require("answer")
async def alike_page(request: Request) -> Response:
    """The waiting questions that an answer may answer too."""
    case = await found_case(request)
    return await _show(request, case, await room_of(request).neighbours.alike(case))


@require("answer")
async def answer_alike(request: Request) -> Response:
    """Give an answer to the confirmed ones, or with `all` to those that differ in nothing. One that is gone hurts no other."""
    case, sent, person = await found_case(request), form(request), current(request)
    if case.answered_by != person.name or case.answer is None:
        return await too_late(request)
    offered = await room_of(request).neighbours.alike(case)
    trouble = await _refused(request, case)
    bulk = bool(sent.get("all")) and desk_of(request).batch.may_be_bulk(case)
    clear = [each.case.id for each in offered if each.member.clear]
    confirmed = clear if bulk else sent.getlist("member")
    if trouble is None and not confirmed:
        trouble = Trouble("Nothing is confirmed.", "Tick the questions that your answer answers.")
    if trouble is not None:
        return await _show(request, case, offered, trouble)
    signed = await signed_of(request, case, MEANING)
    if isinstance(signed, Trouble):
        return await _show(request, case, offered, signed)
    measured = seconds_of(request)
    told = await desk_of(request).batch.answer(
        case.id, [each for each in confirmed if each in clear], by=person, signed=signed, bulk=bulk,
        seconds=_since_shown(request) if measured is None else measured, estimated=measured is None,
    )  # fmt: skip
    gone = len(set(confirmed)) - len(told)
    return redirect(f"{path_of(case)}?also={len(told)}" + (f"&gone={gone}" if gone else ""))


async def _refused(request: Request, case: Case) -> Trouble | None:
    """Why an answer is given to nobody else; None when it may be."""
    if not case.general:
        return Trouble("Your answer is for one person.", "Only a general answer is given to others.")
    if identifiers_in(await view_of(request, case), case.answer or ""):
        return Trouble("Your answer is for one person.", "It names what belongs to them.")
    return None


async def _show(request: Request, case: Case, offered: Sequence[Alike], trouble: Trouble | None = None) -> Response:
    near, access, sent = room_of(request).neighbours, app_of(request).access, form(request)
    await access.seen(current(request), case.id)
    if offered:
        await access.seen(current(request), case.id, "alike", others=[each.case.id for each in offered])
    mine, answer = await near.question(case), covered(await view_of(request, case), case.answer or "")
    members = [
        {
            "id": each.case.id,
            "fits": each.member.clear,
            "confirmed": each.case.id in sent.getlist("member"),
            "parts": parts_of(mine, each.question),
            "words": words_for(each.member),
            "differences": [words_of(difference) for difference in each.member.differences],
        }
        for each in sorted(offered, key=lambda each: not each.member.clear)
    ]  # fmt: skip
    may = case.answered_by == current(request).name and await _refused(request, case) is None
    return page(
        request, "desk/alike.html", status=200 if trouble is None else 422, case=case, question=mine, answer=answer,
        members=members, clear=sum(each.member.clear for each in offered), bulk=desk_of(request).batch.may_be_bulk(case),
        may=may, error=trouble, notice="", spent=sent.get("seconds", "") or "0",
        shown_ms=sent.get("shown", "") or str(time.time_ns() // 1_000_000), **CONSTANT,
    )  # fmt: skip


def _since_shown(request: Request) -> float | None:
    """Seconds since the page was shown, where no script counted; None when the form does not say, or says nonsense."""
    text = form(request).get("shown", "")
    shown_ms = int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
    spent_ms = time.time_ns() // 1_000_000 - shown_ms
    return spent_ms / 1000 if 0 < spent_ms <= _HOUR_MS else None


def parts_of(mine: str, other: str) -> Sequence[tuple[bool, str]]:
    """Another question cut where it says something else: (whether it differs, whole words), to be joined by blanks."""
    known = {word.strip(".,;:!?").casefold() for word in mine.split()}
    parts: list[tuple[bool, str]] = []
    for word in other.split():
        differs = word.strip(".,;:!?").casefold() not in known
        if parts and parts[-1][0] == differs:
            parts[-1] = (differs, f"{parts[-1][1]} {word}")
        else:
            parts.append((differs, word))
    return parts


def words_for(member: Member) -> str:
    """How like a member is, and what was compared."""
    if member.differences:
        return f"{member.score:.0%} alike"
    return f"{member.score:.0%} alike; no other number, name, date, negation or attachment"


routes: Sequence[BaseRoute] = (
    Route("/desk/cases/{case_id}/alike", alike_page),
    Route("/desk/cases/{case_id}/alike", answer_alike, methods=["POST"]),
)
