"""The guard before every page: host and origin, the session, the form's token, the headers of every answer."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hmac import compare_digest
from hmac import new as hmac
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl

import structlog
from starlette.datastructures import ImmutableMultiDict
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from surefoot.app.people import People
from surefoot.config.schema import Server
from surefoot.errors import BadRequest, NotAllowed, RequestRefused, StoreError
from surefoot.server.console.pages import LOGGED_OFF, refusal
from surefoot.server.failure import where
from surefoot.server.proxy import door

SESSION, VISITOR = "surefoot", "surefoot-visitor"  # the cookies; with the prefix __Host- where they are secure
_SECURE = "__Host-"
_SAFE = ("GET", "HEAD")
_MOST_FIELDS = 5000  # a form that confirms a thousand cases has a few fields for each
_HEADERS = (
    (b"content-security-policy",
     b"default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
     # Styles that plotly's script sets: an empty one, and the one by which it probes how images are drawn. No others.
     b"style-src 'self' 'unsafe-hashes' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' "
     b"'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='; "
     b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)  # fmt: skip

log = structlog.get_logger("surefoot")


class Guard:
    """ASGI middleware. Whatever lies behind it knows `state.who`, `state.csrf` and `state.form`."""

    def __init__(self, app: ASGIApp, *, people: People, settings: Server) -> None:
        self._app, self._people, self._settings = app, people, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or say why not."""
        request = Request(scope)
        secure = not is_local(request.headers.get("host", "")) or scope.get("scheme") == "https"
        scope["state"] = {**scope.get("state", {}), "secure": secure, "set_cookies": []}
        began = False

        async def tell(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                message["headers"] = _dressed(message["headers"], scope["state"], secure=secure)
            await send(message)

        try:
            refused, receive = await self._admit(request, scope, receive)
            if refused is None:
                await self._app(scope, receive, tell)
                return
        except door.ClientLeft:
            return
        except RequestRefused as error:
            refused = _refused(request, error.status, error.message)
        except StoreError as error:
            log.error("a page could not be made durable", error=type(error).__name__)
            refused = _refused(request, 500, "This could not be written down, so it has not happened. Try again.")
        except Exception as error:
            log.error("a page failed", page=_place(scope["path"]), error=type(error).__name__, where=where(error))
            refused = _refused(request, 500, "The page failed. What went wrong is in the log.")
        if not began:
            await refused(scope, receive, tell)

    async def _admit(self, request: Request, scope: Scope, receive: Receive) -> tuple[Response | None, Receive]:
        """(why not, what the body is read from). Raises RequestRefused."""
        headers = door.headers_of(scope)
        check_host(headers, self._settings)
        cookies, state = cookies_of(headers), scope["state"]
        token = cookies.get(name_of(SESSION, secure=state["secure"]))
        state["token"] = token
        state["who"] = await self._people.current(token, acts=not listens(headers))
        if state["who"] is None:
            token = cookies.get(name_of(VISITOR, secure=state["secure"]))
            if not token or len(token) != 43:
                token = secrets.token_urlsafe(32)
                if request.method in _SAFE:
                    state["set_cookies"].append(cookie(VISITOR, token, secure=state["secure"]))
        state["csrf"] = hmac(token.encode(), b"csrf", "sha256").hexdigest() if token else ""
        if request.method in _SAFE:
            return None, receive
        check_origin(headers)
        body = await door.read_body(receive, headers, self._settings)
        state["form"] = form = fields(headers, body)
        sent = headers.get("x-csrf-token") or form.get("csrf", "")
        if not compare_digest(sent.encode("utf-8", "replace"), str(state["csrf"]).encode()):
            if state["who"] is None and cookies.get(name_of(SESSION, secure=state["secure"])):
                return refusal(request, 401, LOGGED_OFF), receive
            said = (
                "This form is out of date, or your browser sent no cookie (without HTTPS only this machine is served)."
            )
            return refusal(request, 403, f"{said} Go back, load the page again, and repeat it."), receive
        return None, _replayed(body, receive)


def check_host(headers: Mapping[str, str], settings: Server) -> None:
    """Only loopback names and `server.allowed_hosts` are served: a rebound name does not get in. Raises NotAllowed."""
    host = headers.get("host", "")
    if not is_local(host) and door.name_of(host) not in settings.allowed_hosts:
        raise NotAllowed("This host name is not served; name it in server.allowed_hosts.")


def check_origin(headers: Mapping[str, str]) -> None:
    """What changes something comes from a page of ours. Raises NotAllowed."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site", "same-origin")
    if (origin is not None and origin.partition("://")[2] != headers.get("host")) or site not in (
        "same-origin",
        "none",
    ):
        raise NotAllowed("This came from another site and was not done.")


def is_local(host: str) -> bool:
    """Whether a Host header names this machine itself."""
    return door.name_of(host) in door.LOOPBACK


def listens(headers: Mapping[str, str]) -> bool:
    """Whether a page only listens: that keeps nobody logged in."""
    return "x-surefoot-background" in headers or headers.get("accept", "").startswith("text/event-stream")


def cookies_of(headers: Mapping[str, str]) -> dict[str, str]:
    """The cookies that a browser sent; none when the header cannot be read."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(headers.get("cookie", "")).items()}
    except CookieError:
        return {}


def name_of(cookie: str, *, secure: bool) -> str:
    """A cookie's full name."""
    return f"{_SECURE}{cookie}" if secure else cookie


def cookie(name: str, value: str, *, secure: bool) -> str:
    """A Set-Cookie header: for this host only, out of scripts' reach, not sent along from other sites; "" ends it."""
    parts = [f"{name_of(name, secure=secure)}={value}", "Path=/", "HttpOnly", "SameSite=Lax"]
    return "; ".join(parts + (["Secure"] if secure else []) + ([] if value else ["Max-Age=0"]))


def fields(headers: Mapping[str, str], body: bytes) -> ImmutableMultiDict[str, str]:
    """The fields of a urlencoded form; none of any other body. Raises BadRequest."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        return ImmutableMultiDict()
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS)
    except ValueError as error:  # also what is not UTF-8
        raise BadRequest("The form cannot be read.") from error
    return ImmutableMultiDict(pairs)


def _dressed(
    headers: list[tuple[bytes, bytes]], state: Mapping[str, object], *, secure: bool
) -> list[tuple[bytes, bytes]]:
    """An answer's headers with ours."""
    named = {name.lower() for name, _ in headers}
    out = [*headers, *(pair for pair in _HEADERS if pair[0] not in named)]
    if b"cache-control" not in named:
        out.append((b"cache-control", b"no-store"))
    if secure:
        out.append((b"strict-transport-security", b"max-age=31536000"))
    cookies = state["set_cookies"]
    assert isinstance(cookies, list)
    return out + [(b"set-cookie", each.encode("latin-1")) for each in cookies]


def _place(path: str) -> str:
    """A path as the log may show it: what follows /welcome/ is a secret."""
    return "/" + path.split("/")[1]


def _refused(request: Request, status: int, message: str) -> Response:
    """A plain refusal, which needs nothing that may be broken."""
    return PlainTextResponse(f"{message}\n", status)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body that was read already, then whatever comes."""
    left = [body]

    async def again() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return again
