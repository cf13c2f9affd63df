"""Coming in and going out: log-in, one-time links, one's own password."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from surefoot.errors import BadRequest, LoginRefused, NotAllowed
from surefoot.records.person import SAID
from surefoot.server.console.csrf import SESSION, VISITOR, cookie
from surefoot.server.console.pages import current, form, found, local_path, page, people_of, redirect, refusal, require


async def login_page(request: Request) -> Response:
    """The form; who is logged in already goes on."""
    onward = local_path(request.query_params.get("next", ""))
    if found(request) is not None:
        return redirect(onward)
    said = "You were logged off because nothing happened for a while." if "away" in request.query_params else ""
    if "welcome" in request.query_params:
        said = "Your password is set. Log in with it."
    return page(
        request, "login.html", next=onward, name=request.query_params.get("name", "")[:64], said=said, bad=False
    )


async def login(request: Request) -> Response:
    """Let somebody in: always with a new session, whatever cookie came along."""
    sent = form(request)
    name, onward = sent.get("name", "")[:200], local_path(sent.get("next", ""))
    try:
        token = await people_of(request).login(name, sent.get("password", ""), replaces=request.scope["state"]["token"])
    except LoginRefused as error:
        said = error.message[0].upper() + error.message[1:] + "."
        told = page(request, "login.html", status=error.status, next=onward, name=name[:64], said=said, bad=True)
        if error.wait_seconds:
            told.status_code = 429
            told.headers["retry-after"] = str(error.wait_seconds)
        return told
    _set(request, SESSION, token)
    _set(request, VISITOR, "")
    return redirect(onward)


async def logout(request: Request) -> Response:
    """End the session."""
    await _leave(request)
    return redirect("/login")


async def welcome_page(request: Request) -> Response:
    """What a one-time link opens. Looking does not use it up: mail programs look too."""
    return await _welcome(request, "")


async def welcome(request: Request) -> Response:
    """Use a link: choose a password, or become the first manager."""
    sent = form(request)
    if sent.get("password", "") != sent.get("again", ""):
        return await _welcome(request, "The two passwords are not the same.")
    try:
        name = await people_of(request).staff.accept(
            request.path_params["token"],
            sent.get("password", ""),
            name=sent.get("name", ""),
            shown=sent.get("shown", ""),
        )
    except BadRequest as error:
        return await _welcome(request, _sentence(error.message))
    except NotAllowed as error:
        return refusal(request, 403, _sentence(error.message))
    return redirect(f"/login?welcome=1&name={name}")


async def _welcome(request: Request, said: str) -> Response:
    link = await people_of(request).staff.invited(request.path_params["token"])
    if link is None:
        return refusal(request, 403, "This link was used or is too old. Ask for another one.")
    sent = form(request)
    return page(
        request, "welcome.html", status=400 if said else 200, first=link.purpose == "first", account=link.account, said=said,
        name=sent.get("name", ""), shown=sent.get("shown", ""),
    )  # fmt: skip


@require("see")
async def account(request: Request) -> Response:
    """One's own account."""
    said = "Your password is changed." if "changed" in request.query_params else ""
    return _account(request, said, bad=False)


@require("see")
async def password(request: Request) -> Response:
    """Choose another password: the person's sessions end, and this browser gets a new one."""
    sent, people, person = form(request), people_of(request), current(request)
    new = sent.get("password", "")
    if new != sent.get("again", ""):
        return _account(request, "The two passwords are not the same.", bad=True)
    try:
        await people.choose_password(person, sent.get("old", ""), new)
    except (BadRequest, LoginRefused) as error:
        return _account(request, _sentence(error.message), bad=True)
    _set(request, SESSION, await people.login(person.name, new))
    return redirect("/account?changed=1")


@require("see")
async def here(request: Request) -> Response:
    """Somebody works on a page without sending anything: asking keeps the session alive."""
    return JSONResponse({"person": current(request).name})


def _account(request: Request, said: str, *, bad: bool) -> Response:
    acts = [words for act, words in SAID.items() if current(request).may(act)]
    return page(request, "account.html", status=400 if bad else 200, said=said, bad=bad, acts=acts)


async def _leave(request: Request) -> None:
    token = request.scope["state"]["token"]
    if token:
        await people_of(request).logout(token)
    _set(request, SESSION, "")


def _set(request: Request, name: str, value: str) -> None:
    state = request.scope["state"]
    state["set_cookies"].append(cookie(name, value, secure=state["secure"]))


def _sentence(message: str) -> str:
    return message[:1].upper() + message[1:].rstrip(".") + "."


routes: Sequence[BaseRoute] = (
    Route("/login", login_page, methods=["GET"]),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/welcome/{token}", welcome_page, methods=["GET"]),
    Route("/welcome/{token}", welcome, methods=["POST"]),
    Route("/account", account, methods=["GET"]),
    Route("/account/password", password, methods=["POST"]),
    Route("/account/here", here, methods=["POST"]),
)
