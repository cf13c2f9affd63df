"""The console as one ASGI application: its pages, its files, the guard before them."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from surefoot.app import App
from surefoot.app.people import People
from surefoot.config.schema import Server
from surefoot.errors import RequestRefused
from surefoot.server.console import (
    accounts,
    audit,
    auth,
    charts,
    climbs,
    confidence,
    desk,
    evidence,
    incidents,
    money,
    objectives,
    policies,
    prompts,
    staffing,
    today,
    whatif,
)
from surefoot.server.console.csrf import Guard
from surefoot.server.console.pages import refusal

_STATIC = Path(__file__).parent / "static"
_PATHS = (
    "/account",
    "/confidence",
    "/console",
    "/desk",
    "/evidence",
    "/incidents",
    "/login",
    "/logout",
    "/money",
    "/objectives",
    "/policies",
    "/prompts",
    "/requests",
    "/static",
    "/today",
    "/welcome",
    "/whatif",
)


class Console:
    """The console over an application and its people."""

    def __init__(self, app: App, people: People, settings: Server) -> None:
        files = Mount("/static", _Files(directory=_STATIC))
        self._served = Starlette(
            routes=[
                *auth.routes,
                *accounts.routes,
                *audit.routes,
                *staffing.routes,
                *money.routes,
                *objectives.routes,
                *prompts.routes,
                *desk.routes,
                *today.routes,
                *confidence.routes,
                *incidents.routes,
                *evidence.routes,
                *policies.routes,
                *whatif.routes,
                *charts.routes,
                *climbs.routes,
                files,
            ],
            middleware=[Middleware(Guard, people=people, settings=settings)],
            exception_handlers={HTTPException: _http, RequestRefused: _refused},
        )
        self._served.state.app, self._served.state.people = app, people

    def release(self) -> None:
        """Let go of pages that listen: the process ends."""
        room = getattr(self._served.state, "room", None)
        if room is not None:
            room.close()

    def takes(self, path: str) -> bool:
        """Whether a path is the console's: one of its places or something within."""
        return path.startswith(_PATHS) and any(path == place or path.startswith(f"{place}/") for place in _PATHS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""
        await self._served(scope, receive, send)


class _Files(StaticFiles):
    """Our own files; a browser asks each time whether they changed."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a file."""

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"cache-control", b"no-cache")]
            await send(message)

        await super().__call__(scope, receive, tell)


async def _http(request: Request, error: Exception) -> Response:
    """Nothing there, or not by this method."""
    assert isinstance(error, HTTPException)
    said = {404: "There is nothing at this address.", 405: "This address does not take that."}
    return refusal(request, error.status_code, said.get(error.status_code, error.detail), error.headers)


async def _refused(request: Request, error: Exception) -> Response:
    """Refused on purpose, with the reason."""
    assert isinstance(error, RequestRefused)
    return refusal(request, error.status, error.message)
