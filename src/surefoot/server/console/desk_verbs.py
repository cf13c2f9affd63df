"""What is done at the desk. Each verb is a plain form; whatever is refused keeps the text on the page and says why."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from surefoot.app.access import LONGEST as LONGEST_REASON
from surefoot.app.caseview import LONGEST, Clean, clean, identifiers_in, uncovered
from surefoot.errors import BadRequest, LoginRefused, NotAllowed
from surefoot.records import Case
from surefoot.records.case import VERBS, WITH_PASSWORD, Signed
from surefoot.review.leverage import along_with, is_edit
from surefoot.server.console.desk_case import (
    Shown,
    Trouble,
    fence_of,
    found_case,
    path_of,
    seconds_of,
    show,
    too_late,
    view_of,
)
from surefoot.server.console.desk_room import asks_password, desk_of
from surefoot.server.console.desk_words import SNOOZES
from surefoot.server.console.pages import app_of, current, form, people_of, redirect, require

MEANING = "I answer for what this says"
APPROVED = "I have read it and it may go"
_NOTE = 2000  # characters
_LOST = Trouble(
    "You do not hold this case any more.",
    "Its lease ended, somebody else has it, or it was answered from another window. Nothing was sent; your text is below.",
)
_VERDICTS = {"accepted": "accept", "edited": "edit", "wrong": "reject"}


@require("answer")
async def claim(request: Request) -> Response:
    """Take a case."""
    case = await found_case(request)
    try:
        held = await desk_of(request).claim(case.id, by=current(request))
    except NotAllowed as error:
        return await show(request, case, Shown(status=403, error=Trouble("Not now.", _sentence(error.message))))
    if held is None:
        trouble = Trouble("Somebody was faster.", "This case is not open any more.")
        return await show(request, await found_case(request), Shown(status=409, error=trouble))
    return redirect(path_of(case))


@require("assign")
async def take(request: Request) -> Response:
    """Take a case from whoever has it."""
    case = await found_case(request)
    if await desk_of(request).reassign(case.id, by=current(request), to=current(request).name) is None:
        return await show(request, case, Shown(status=409, error=Trouble("Too late.", "Nobody holds this case now.")))
    return redirect(path_of(case))


@require("answer")
async def answer(request: Request) -> Response:
    """Accept, edit, replace, reject, ask back."""
    case, sent = await found_case(request), form(request)
    verb, general = sent.get("verb", ""), bool(sent.get("general"))
    if verb not in VERBS:
        raise BadRequest("Choose what to do.", param="verb")
    view = await view_of(request, case)
    given = clean(view.draft if verb == "accept" else sent.get("text", ""))
    kept = Shown(text=None if verb == "accept" else given.text, verb=verb, general=general)
    wrong = _wrong(verb, given, draft=view.draft, general=general)
    named = identifiers_in(view, given.text) if general else ()
    if named:
        wrong = Trouble("This cannot be for everybody.", f"It names what belongs to one person: {', '.join(named)}.")
    if wrong is not None:
        return await show(request, case, _with(kept, 413 if len(given.text) > LONGEST else 422, wrong))
    if verb == "edit" and given.text == view.draft.strip():
        verb = "accept"  # nothing was edited
    signed = await signed_of(request, case, await _meaning(request, case, given.text))
    if isinstance(signed, Trouble):
        return await show(request, case, _with(kept, 403, signed))
    done = await desk_of(request).answer(
        case.id, by=current(request), fence=_fence(request), verb=verb, text=uncovered(view, given.text), general=general,
        signed=signed, seconds=seconds_of(request),
    )  # fmt: skip
    if not done:
        return await show(request, await found_case(request), _with(kept, 409, _LOST))
    return redirect(path_of(case) + (f"?removed={given.removed}" if given.removed else ""))


@require("judge")
async def judge(request: Request) -> Response:
    """A verdict on an audited answer."""
    case, sent = await found_case(request), form(request)
    verb = _VERDICTS.get(sent.get("verdict", ""))
    given = clean(sent.get("text", ""))
    kept = Shown(text=given.text, draft=True)
    if verb is None:
        return await show(
            request, case, _with(kept, 422, Trouble("Choose a verdict.", "Right, right after an edit, or wrong."))
        )
    if len(given.text) > LONGEST:
        return await show(request, case, _with(kept, 413, _too_long(given)))
    signed = await signed_of(request, case, MEANING)
    if isinstance(signed, Trouble):
        return await show(request, case, _with(kept, 403, signed))
    view = await view_of(request, case)
    done = await desk_of(request).answer(
        case.id, by=current(request), fence=_fence(request), verb=verb, text=uncovered(view, given.text), general=False,
        signed=signed, seconds=seconds_of(request),
    )  # fmt: skip
    if not done:
        return await show(request, await found_case(request), _with(kept, 409, _LOST))
    return redirect("/desk?told=judged")


@require("approve")
async def approve(request: Request) -> Response:
    """Let another person's answer go."""
    case = await found_case(request)
    signed = await signed_of(request, case, APPROVED)
    if isinstance(signed, Trouble):
        return await show(request, case, Shown(status=403, error=signed))
    if not await desk_of(request).approve(
        case.id, by=current(request), fence=_fence(request), signed=signed, seconds=seconds_of(request)
    ):
        return await too_late(request)
    return redirect(path_of(case))


@require("approve")
async def disapprove(request: Request) -> Response:
    """Give another person's answer back."""
    case, note = await found_case(request), clean(form(request).get("note", "")).text[:_NOTE]
    if not await desk_of(request).disapprove(case.id, by=current(request), note=note, seconds=seconds_of(request)):
        return await too_late(request)
    return redirect("/desk?told=released")


@require("answer")
async def release(request: Request) -> Response:
    """Give back, snooze, hand over."""
    case, sent = await found_case(request), form(request)
    note, seconds = clean(sent.get("note", "")).text, sent.get("snooze", "0")
    if len(note) > _NOTE:
        raise BadRequest(f"A note has at most {_NOTE} characters.")
    snooze = int(seconds) if seconds in {str(each) for each, _ in SNOOZES} else 0
    done = await desk_of(request).release(
        case.id, by=current(request), fence=_fence(request), role=sent.get("role", ""), note=note, snooze_seconds=snooze
    )
    return redirect("/desk?told=released") if done else await too_late(request)


@require("answer")
async def undo(request: Request) -> Response:
    """Take an answer back before it is delivered."""
    case = await found_case(request)
    if await desk_of(request).undo(case.id, by=current(request), fence=_fence(request)) is None:
        return await too_late(request)
    return redirect(path_of(case) + "?told=undone")


@require("answer")
async def heartbeat(request: Request) -> Response:
    """Hold on to a case: 204, or 409 when the claim is lost."""
    case = await found_case(request)
    held = await desk_of(request).heartbeat(case.id, by=current(request), fence=_fence(request))
    return Response(status_code=204) if held else _lost()


@require("answer")
async def autosave(request: Request) -> Response:
    """Keep what is being written: 204; 409 when the claim is lost, 413 when it is too long."""
    case, given = await found_case(request), clean(form(request).get("text", ""))
    if len(given.text) > LONGEST:
        return JSONResponse({"error": {"message": _too_long(given).text, "status": 413}}, 413)
    kept = fence_of(case, current(request)) == _fence(request) and await desk_of(request).autosave(
        case.id, fence=_fence(request), text=given.text
    )
    return Response(status_code=204) if kept else _lost()


@require("reveal")
async def uncover(request: Request) -> Response:
    """Show one identifier to whoever says why; that is recorded before anything is shown."""
    case, sent = await found_case(request), form(request)
    name, reason = sent.get("name", ""), clean(sent.get("reason", "")).text
    view = await view_of(request, case)
    if name not in view.hidden:
        raise BadRequest("There is no such identifier here.", param="name")
    if not reason or len(reason) > LONGEST_REASON:
        trouble = Trouble("Say why.", f"A reason is needed, of at most {LONGEST_REASON} characters.")
        return await show(request, case, Shown(status=422, error=trouble))
    await app_of(request).access.reveal(current(request), case.id, name, reason)
    return await show(request, case, Shown(revealed={"name": name, "value": view.hidden[name]}))


def _wrong(verb: str, given: Clean, *, draft: str, general: bool) -> Trouble | None:
    """Why a text cannot be sent with a verb; None when it can."""
    if verb in ("accept", "edit") and not draft:
        return Trouble("There is no draft.", "Write your own answer instead.")
    if len(given.text) > LONGEST:
        return _too_long(given)
    if not given.text and verb != "reject":
        return Trouble("There is nothing to send.", "Write something first, or put the case aside.")
    if general and verb in ("ask", "reject"):
        return Trouble("This is for one person.", "What asks back or declines is not given to anybody else.")
    return None


def _too_long(given: Clean) -> Trouble:
    return Trouble(
        "This is too long.",
        f"It has {len(given.text):,} characters, at most {LONGEST:,} can be sent. Nothing was sent.",
    )


def _with(shown: Shown, status: int, trouble: Trouble) -> Shown:
    return Shown(
        status=status, error=trouble, text=shown.text, verb=shown.verb, general=shown.general, draft=shown.draft
    )  # fmt: skip


async def signed_of(request: Request, case: Case, meaning: str) -> Signed | Trouble:
    """How the person signs, or why it is not signed: nothing was done then, and what was written stays on the page."""
    if not asks_password(request, case):
        return Signed(meaning=meaning)
    try:
        await people_of(request).prove(current(request).name, form(request).get("password", ""))
    except LoginRefused as error:
        said = "The password is wrong" if not error.wait_seconds else _sentence(error.message).rstrip(".")
        return Trouble("This is not signed.", f"{said}. Nothing was sent.")
    return Signed(meaning=meaning, how=WITH_PASSWORD)


async def _meaning(request: Request, case: Case, text: str) -> str:
    """What signing means; with the earlier case whose general answer it is, word for word or edited."""
    name = form(request).get("past", "")
    past = await app_of(request).store.cases.find(name) if name else None
    if past is None or not past.general or past.told is None or not is_edit(text, past.told):
        return MEANING
    if (past.tenant, past.feature) != (case.tenant, case.feature):
        return MEANING
    before, edited = past.answered_at_ns <= case.opened_at_ns, past.told.strip() != text.strip()
    return f"{MEANING}, {along_with(past.id, before=before, edited=edited)}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _lost() -> Response:
    return JSONResponse({"error": {"message": _LOST.title, "status": 409}}, 409)


def _fence(request: Request) -> int:
    """The fence that a form bears; -1, which nothing has, when it bears none."""
    text = form(request).get("fence", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1


def _post(path: str, handler: object) -> Route:
    return Route(f"/desk/cases/{{case_id}}/{path}", handler, methods=["POST"])  # type: ignore[arg-type]


routes: Sequence[BaseRoute] = (
    _post("claim", claim),
    _post("take", take),
    _post("answer", answer),
    _post("judge", judge),
    _post("approve", approve),
    _post("disapprove", disapprove),
    _post("release", release),
    _post("undo", undo),
    _post("heartbeat", heartbeat),
    _post("autosave", autosave),
    _post("reveal", uncover),
)
