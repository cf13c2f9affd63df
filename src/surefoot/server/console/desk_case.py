"""A case's page: the conversation, the draft, why it is here, and the form that suits who looks and what state it is in."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from surefoot.app.access import LONGEST as LONGEST_REASON
from surefoot.app.caseview import LONGEST, CaseView, case_view, covered
from surefoot.app.desk import HEARTBEAT_SECONDS
from surefoot.app.neighbours import Past
from surefoot.errors import NotFound
from surefoot.records import Case
from surefoot.records.person import Person
from surefoot.review.differences import counted
from surefoot.server.console.desk_pages import (
    CONSTANT,
    answer_of,
    delivered_words,
    events_of,
    gauge_of,
    head_of,
    heading_of,
    verbs_for,
)
from surefoot.server.console.desk_room import (
    bar_of,
    handbook_of,
    people_roles,
    role_of,
    roles_seen,
    room_of,
    urgency_of,
)
from surefoot.server.console.desk_words import SNOOZES, STATES, clock, left, words_of
from surefoot.server.console.pages import app_of, current, form, page, require

_THREAD = 5  # earlier cases of a person that are named
_DAY_SECONDS = 86_400


class Trouble(Struct, frozen=True):
    """Why something was not done, for a page."""

    title: str
    text: str


class Shown(Struct, frozen=True, kw_only=True):
    """What a page shows beside the case itself."""

    status: int = 200
    error: Trouble | None = None
    notice: str = ""
    text: str | None = None  # what somebody wrote, which stays on the page; None: what was saved
    verb: str = ""
    general: bool = False
    revealed: Mapping[str, str] | None = None
    draft: bool = False  # whether a hidden draft is shown
    past: str = ""  # the case whose answer is put into the box


@require("see")
async def case_page(request: Request) -> Response:
    """A case."""
    case = await found_case(request)
    asked = request.query_params
    return await show(
        request, case, Shown(draft=asked.get("draft") == "1", notice=_notice(asked), past=asked.get("as", "")[:200])
    )


_TOLD = {"undone": "Taken back: nothing was delivered."}


def _notice(asked: Mapping[str, str]) -> str:
    """What just happened, as the address says; numbers only, so that nobody can put words on the page."""

    def number(name: str) -> int:
        text = asked.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0

    parts = [_TOLD.get(asked.get("told", ""), "")]
    if number("removed"):
        parts.append(f"{number('removed')} control characters were taken out of your text.")
    if number("also") or number("gone"):
        parts.append(f"{number('also')} like {'case was' if number('also') == 1 else 'cases were'} answered too.")
    if number("gone"):
        parts.append(f"{number('gone')} went to somebody else meanwhile.")
    return " ".join(filter(None, parts))


async def found_case(request: Request) -> Case:
    """The case that an address names. Raises NotFound."""
    case = await app_of(request).store.cases.find(request.path_params["case_id"])
    roles = roles_seen(request)
    if case is None or (roles is not None and case.role not in roles):
        raise NotFound("There is no such case for you.")
    return case


def path_of(case: Case) -> str:
    """The address of a case's page."""
    return f"/desk/cases/{case.id}"


def seconds_of(request: Request) -> float | None:
    """How long the page was looked at, as its script counted; None without one, and then the time since the claim counts."""
    text = form(request).get("seconds", "")
    seconds = int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0
    return float(seconds) if 0 < seconds <= _DAY_SECONDS else None


async def too_late(request: Request) -> Response:
    """The case as it is now, with word that it has changed."""
    trouble = Trouble("Too late.", "The case has changed meanwhile; this is how it is now.")
    return await show(request, await found_case(request), Shown(status=409, error=trouble))


async def view_of(request: Request, case: Case) -> CaseView:
    """What is shown of a case."""
    return await case_view(app_of(request).store, case, handbook=handbook_of(request, case), bar=bar_of(request, case))


async def show(request: Request, case: Case, shown: Shown) -> Response:
    """The page of a case as it is now."""
    person, now = current(request), time.time_ns()
    store = app_of(request).store
    last = await store.cases.last_change()
    await app_of(request).access.seen(person, case.id)
    view = await view_of(request, case)
    hidden = case.kind == "audit" and case.state != "judged" and not shown.draft
    if hidden or case.state == "proposed":
        view = replace(view, draft="", pieces=())
    fence = fence_of(case, person)
    fits, past = await _proposed(request, case)
    used = next((each for each in (fits, *past) if each is not None and each.id == shown.past and fence), None)
    if used is not None:
        shown = replace(shown, text=used.answer, verb="replace")
    written = shown.text if shown.text is not None else covered(view, case.autosave or "")
    context = {
        "case": case,
        "view": view,
        "masks": sorted(view.hidden),
        "fence": fence,
        "beat_seconds": int(HEARTBEAT_SECONDS),
        "heading": heading_of(view),
        "short": heading_of(view)[:40],
        "audit": case.kind == "audit",
        "draft_hidden": hidden,
        "draft_title": "Draft" if case.kind == "question" else "The answer to judge",
        "no_draft": _no_draft(case),
        "can_claim": fence is None and case.state == "open" and person.may("answer"),
        "can_take": case.state == "claimed" and case.claimed_by != person.name and person.may("assign"),
        "holder": _holder(case, person, now),
        "kept_text": shown.text or "",
        "text": written or (view.draft if shown.verb in ("", "edit") and case.kind == "question" else ""),
        "saved": "Saved earlier." if case.autosave and shown.text is None else "",
        "note": case.note or "",
        "verbs": verbs_for(view),
        "verb": shown.verb or _first_verb(view, written),
        "general": shown.general,
        "longest": LONGEST,
        "signs": f"You sign as {person.shown}: “I answer for what this says.”",
        "snoozes": SNOOZES,
        "other_roles": [role for role in people_roles(request) if role != case.role],
        "gauge": gauge_of(view.why.confidence, view.why.bar) if view.why is not None else None,
        "fits": fits,
        "past": past,
        "used": used.id if used is not None else form(request).get("past", "")[:200],
        "came_with": counted(view.attachments) if view.attachments else "",
        "longest_reason": LONGEST_REASON,
        "canned": list(role_of(request, case).canned.items()),
        "thread": await _thread(request, case),
        "events": events_of(await store.cases.history(case.id), blind=view.why is None and case.state != "judged"),
        "answer": answer_of(case, covered(view, case.answer or "")),
        "undo": _undo(case, person, now),
        "delivered": delivered_words(case),
        "alike": len(await room_of(request).neighbours.members(case)) if _offers(case, fence) else 0,
        "events_url": f"/desk/events?after={last}",
        "error": shown.error,
        "notice": shown.notice,
        "revealed": shown.revealed,
    }  # fmt: skip
    head = head_of(
        case, safe_default=role_of(request, case).safe_default, priority=urgency_of(request, case, now),
        who=person.name, now_ns=now,
    )  # fmt: skip
    return page(request, "desk/case.html", status=shown.status, **context, **head, **CONSTANT)


def fence_of(case: Case, person: Person) -> int | None:
    """What a person's form bears: of a claim that it holds, or of an answer that it may decide on as the second person."""
    mine = case.state == "claimed" and case.claimed_by == person.name
    second = case.state == "proposed" and case.answered_by != person.name and person.may("approve")
    return case.fence if mine or second else None


def _offers(case: Case, fence: int | None) -> bool:
    """Whether like cases are looked for: while it is answered, and right after."""
    return case.kind == "question" and (fence is not None or case.state in ("answered", "delivered")) and bool(
        case.state == "claimed" or (case.general and case.verb in ("accept", "edit", "replace"))
    )  # fmt: skip


def _first_verb(view: CaseView, written: str) -> str:
    """The draft is edited when there is one and nothing else was begun."""
    return "edit" if view.draft and (not written or _begins_alike(view.draft, written)) else "replace"


def _begins_alike(draft: str, written: str) -> bool:
    return draft[:20] == written[:20]


def _no_draft(case: Case) -> str:
    if case.state == "proposed":
        return "Hidden: the second person decides on the answer, not on what the machine thought of it."
    return "No model was asked." if case.red_flag else "There is no draft in words."


def _holder(case: Case, person: Person, now_ns: int) -> str:
    if case.state == "claimed" and case.claimed_by != person.name:
        back = left(case.lease_until_ns, now_ns)
        return f"{case.claimed_by} has this case; it comes back to the queue in {back} unless they go on."
    if case.state == "proposed" and case.answered_by == person.name:
        return "Your answer waits for a second person. You cannot approve it yourself."
    if case.state == "open" and case.snoozed_until_ns > now_ns:
        return f"Snoozed for another {left(case.snoozed_until_ns, now_ns)}."
    return ""


def _undo(case: Case, person: Person, now_ns: int) -> Mapping[str, int] | None:
    """How long an answer can still be taken back by its author; None when it cannot."""
    mine = case.answered_by == person.name or case.approved_by == person.name
    if case.state != "answered" or not mine:
        return None
    seconds = max(0, -(-(case.deliver_at_ns - now_ns) // 1_000_000_000))
    return {"seconds": seconds, "until_ms": case.deliver_at_ns // 1_000_000, "fence": case.fence}


class Earlier(Struct, frozen=True, kw_only=True):
    """A general answer to a like question, as a page shows it."""

    id: str  # of the case that was answered
    question: str
    answer: str
    who: str
    when: str
    likeness: str
    differences: tuple[str, ...] = ()


async def _proposed(request: Request, case: Case) -> tuple[Earlier | None, Sequence[Earlier]]:
    """(the answer that a case seems to ask for, other answers to like questions)."""
    if case.kind == "audit" or case.state not in ("open", "claimed"):
        return None, ()
    near = room_of(request).neighbours
    fit, found = await near.fitting(case), await near.past(case)
    fits = (
        None if fit is None else _earlier(fit.past, [words_of(each, mine="that question") for each in fit.differences])
    )
    past = [_earlier(each) for each in found if fits is None or each.answer != fits.answer]
    others = [each.id for each in (fits, *past) if each is not None]
    if others:
        await app_of(request).access.seen(current(request), case.id, "alike", others=others)
    return fits, past


def _earlier(past: Past, differences: Sequence[str] = ()) -> Earlier:
    return Earlier(
        id=past.case_id, question=past.question, answer=past.answer, who=past.by, when=clock(past.at_ns),
        likeness=f"{past.score:.0%}", differences=tuple(differences),
    )  # fmt: skip


async def _thread(request: Request, case: Case) -> Sequence[Mapping[str, str]]:
    """This person's other cases, newest first; none of an audit, whose reviewer needs no more than the answer."""
    if case.kind == "audit":
        return ()
    near = room_of(request).neighbours
    roles = roles_seen(request)
    found = [each for each in await near.thread(case, limit=_THREAD) if roles is None or each.role in roles]
    if found:
        await app_of(request).access.seen(current(request), case.id, "thread")
    return [
        {
            "id": each.id, "question": await near.question(each) or each.id, "when": clock(each.opened_at_ns),
            "state": STATES.get(each.state, each.state),
        }
        for each in found
    ]  # fmt: skip


routes: Sequence[BaseRoute] = (Route("/desk/cases/{case_id}", case_page),)
