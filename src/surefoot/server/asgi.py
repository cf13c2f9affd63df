"""The application that uvicorn runs: routes by a table, speaks the caller's dialect, never says more than is durable."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar

import msgspec
import structlog

from surefoot import __version__
from surefoot.config.schema import Server
from surefoot.errors import (
    BudgetSpent,
    NotFound,
    RateLimited,
    RequestRefused,
    StoreError,
    SurefootError,
    UpstreamFailed,
)
from surefoot.records import Request
from surefoot.records.rate import RateState
from surefoot.server.failure import where
from surefoot.server.ports import Gateway
from surefoot.server.proxy import door, outcomes, rates, waiting
from surefoot.server.proxy.litellm import litellm_headers
from surefoot.server.routes import Route, dialect_of, find
from surefoot.wire import Dialect
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import tag_body

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = Iterable[tuple[str, str]]

_JSON = (b"content-type", b"application/json")
_SSE = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
_PATIENCE_SECONDS = 0.2  # a request that lasts longer is watched for its caller leaving
_SOON_SECONDS = 3600  # a budget that resets within so long says after how many seconds
Got = TypeVar("Got")
log = structlog.get_logger("surefoot")


class Console(Protocol):
    """What serves people: an ASGI application with paths of its own."""

    def takes(self, path: str) -> bool:
        """Whether a path is the console's."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request."""


class Wire:
    """The ASGI application over a gateway."""

    def __init__(self, gateway: Gateway, settings: Server, console: Console | None = None) -> None:
        self._gateway, self._settings, self._console = gateway, settings, console

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request; other kinds of connection are closed."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        if self._console is not None and self._console.takes(scope["path"]):
            await self._console(scope, receive, send)
            return
        await _Exchange(self._gateway, self._settings, scope, receive, send).run()


class _Exchange:
    """One request and its answer."""

    __slots__ = (
        "_dialect",
        "_gateway",
        "_headers",
        "_id",
        "_rate",
        "_receive",
        "_scope",
        "_send",
        "_settings",
        "_started",
        "_surface",
    )

    def __init__(self, gateway: Gateway, settings: Server, scope: Scope, receive: Receive, send: Send) -> None:
        self._gateway, self._settings, self._scope = gateway, settings, scope
        self._receive, self._send = receive, send
        self._id = door.request_id()
        self._dialect: Dialect = DIALECTS["openai"]
        self._headers: dict[str, str] = {}
        self._surface = "other"
        self._started = False
        self._rate: RateState | None = None

    async def run(self) -> None:
        """Route and answer; whatever goes wrong is said in the caller's dialect."""
        path = self._scope["path"]
        found = find(path)
        try:
            self._headers = door.headers_of(self._scope)
            route, rest = found if found else (None, "")
            self._dialect = DIALECTS[dialect_of(path, route, "anthropic-version" in self._headers)]
            await self._routed(route, rest, path)
        except door.ClientLeft:
            return
        except RequestRefused as error:
            await self._refuse(error.status, error.code, error.message, error)
        except StoreError:
            log.error("a request could not be made durable", request_id=self._id)
            await self._refuse(500, "not_durable", "the answer could not be made durable and is withheld", None)
        except SurefootError as error:
            log.error("a request failed", request_id=self._id, error=type(error).__name__)
            await self._refuse(500, "internal_error", "the gateway failed; the request id names it in the log", None)
        except Exception as error:
            name, place = type(error).__name__, where(error)
            log.error("a request failed unexpectedly", request_id=self._id, error=name, where=place)
            await self._refuse(500, "internal_error", "the gateway failed; the request id names it in the log", None)

    async def _routed(self, route: Route | None, rest: str, path: str) -> None:
        if route is None:
            raise NotFound(f"there is nothing at {path}")
        if self._scope["method"] != route.method:
            await self._body(
                405, self._error(405, "method_not_allowed", f"use {route.method}"), (("allow", route.method),)
            )
            return
        match route.handler:
            case "ask":
                self._surface = route.surface
                await self._ask(route)
            case "outcomes":
                self._surface = route.surface
                await self._outcomes()
            case "health":
                await self._body(200, msgspec.json.encode({"name": "surefoot", "version": __version__, "status": "ok"}))
            case "metrics":
                await self._metrics()
            case "case" | "withdraw":
                await self._case(rest, withdraw=route.handler == "withdraw")
            case "case_events":
                await self._while_here(self._events(rest), 0.0)
            case _:
                await self._models(rest)

    async def _ask(self, route: Route) -> None:
        body = await door.read_body(self._receive, self._headers, self._settings)
        request, parsed = door.enter(
            self._gateway, body, self._headers, dialect=self._dialect.name, surface=route.surface, id=self._id,
            settings=self._settings,
        )  # fmt: skip
        try:
            await self._gateway.rates.admit(request)
        finally:
            self._rate = self._gateway.rates.state(request)
        if not request.stream:
            reply = await self._while_here(self._gateway.answer(request), _PATIENCE_SECONDS)
            if reply is not None:
                await self._body(reply.status, reply.body, self._also(request, reply.headers, reply.own_us))
            return
        await self._while_here(self._stream(request, include_usage=parsed.include_usage), 0.0)

    async def _stream(self, request: Request, *, include_usage: bool) -> None:
        """Events as they come. An error before the first byte is a plain answer, after it an event."""
        reply = await self._gateway.stream(request, include_usage=include_usage)
        self._gateway.metrics.seen(self._surface, 200)
        await self._flow(reply.events, self._also(request, reply.headers, None))

    def _also(self, request: Request, headers: Headers, own_us: int | None) -> Headers:
        """The headers of an answer, with LiteLLM's where they are wanted."""
        if not self._settings.litellm_headers:
            return headers
        return (*headers, *litellm_headers(headers, request_id=self._id, group=request.model, own_us=own_us))

    async def _flow(self, events: AsyncIterator[bytes], headers: Headers) -> None:
        await self._start(200, headers, _SSE)
        try:
            async for event in events:
                await self._send({"type": "http.response.body", "body": event, "more_body": True})
        finally:
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _while_here(self, work: Awaitable[Got], patience_seconds: float) -> Got | None:
        """Do the work until the caller leaves; then it is cancelled. Short work is not watched: a watch costs a task."""
        task = asyncio.current_task()
        loop = asyncio.get_running_loop()
        watches: list[asyncio.Task[None]] = []
        left = False

        async def watch() -> None:
            nonlocal left
            while (await self._receive())["type"] != "http.disconnect":
                pass
            left = True
            if task is not None:
                task.cancel()

        timer = loop.call_later(patience_seconds, lambda: watches.append(loop.create_task(watch())))
        try:
            return await work
        except asyncio.CancelledError:
            if left and task is not None:
                task.uncancel()
                return None
            raise
        finally:
            timer.cancel()
            for each in watches:
                each.cancel()

    async def _outcomes(self) -> None:
        caller = door.caller_of(self._gateway, self._headers, self._settings)
        self._gateway.outcomes.admit(caller)
        reports, listed = outcomes.parse(await door.read_body(self._receive, self._headers, self._settings))
        told = await self._gateway.outcomes.report(caller, reports)
        await self._body(200, outcomes.answer(told, reports, listed=listed))

    async def _metrics(self) -> None:
        """For loopback and for key holders only."""
        client = self._scope.get("client")
        if client is None or client[0] not in ("127.0.0.1", "::1"):
            door.caller_of(self._gateway, self._headers, self._settings)
        text = self._gateway.metrics.text()
        await self._start(200, (), ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),), len(text))
        await self._send({"type": "http.response.body", "body": text})

    async def _models(self, name: str) -> None:
        cards = self._gateway.cards(door.caller_of(self._gateway, self._headers, self._settings))
        if not name:
            await self._body(200, self._dialect.models(cards))
            return
        card = next((card for card in cards if card["id"] == name), None)
        if card is None:
            raise NotFound(f"the model {name!r} does not exist or is not offered here", param="model")
        await self._body(200, self._dialect.model(card))

    async def _case(self, case_id: str, *, withdraw: bool) -> None:
        case = await self._gateway.case(door.caller_of(self._gateway, self._headers, self._settings), case_id)
        if withdraw:
            case = await self._gateway.held.withdraw(case)
        headers = waiting.headers_of(case, self._gateway.held.retry_after(case))
        await self._body(200, await self._gateway.held.told(case), headers)

    async def _events(self, case_id: str) -> None:
        """What happens to a case as it happens; 204 tells a reader that has everything not to come again."""
        case = await self._gateway.case(door.caller_of(self._gateway, self._headers, self._settings), case_id)
        after = waiting.resumed(self._headers)
        if not await self._gateway.held.readers.has_more(case, after):
            self._gateway.metrics.seen(self._surface, 204)
            await self._start(204, (), ())
            await self._send({"type": "http.response.body", "body": b""})
            return
        self._gateway.held.readers.admit(case)
        self._gateway.metrics.seen(self._surface, 200)
        await self._flow(self._gateway.held.readers.events(case, after), (("x-surefoot-case", case.id),))

    async def _refuse(self, status: int, code: str, message: str, error: RequestRefused | None) -> None:
        """The dialect's error, with the status and what to do about it; after the first byte there is nothing left to say."""
        if self._started:
            log.error("an answer broke off", request_id=self._id, code=code)
            event = self._dialect.error_event(status=status, code=code, message=message, request_id=self._id)
            with contextlib.suppress(RuntimeError):
                await self._send({"type": "http.response.body", "body": event, "more_body": False})
            return
        headers: list[tuple[str, str]] = [("x-surefoot-decision", "refuse")]
        body = self._error(status, code, message, error.param if error else None)
        if isinstance(error, UpstreamFailed):
            headers = [("x-surefoot-decision", "fail")]
            if error.body.lstrip().startswith(b"{") and b'"error"' in error.body:
                note = {"request_id": self._id, "decision": "fail", "code": code}
                body = tag_body(error.body, msgspec.json.encode(note))
        elif error is not None:
            headers.append(("x-should-retry", "true" if error.retry else "false"))
        if isinstance(error, RateLimited):
            headers.append(("retry-after", str(error.wait_seconds)))
        if isinstance(error, BudgetSpent) and error.resets_at_ns is not None:
            resets = datetime.fromtimestamp(error.resets_at_ns // 1_000_000_000, UTC)
            headers.append(("x-surefoot-budget-resets", resets.strftime("%Y-%m-%dT%H:%M:%SZ")))
            seconds = -(-max(0, error.resets_at_ns - time.time_ns()) // 1_000_000_000)
            if seconds <= _SOON_SECONDS:
                headers.append(("retry-after", str(seconds)))
        await self._body(status, body, headers)

    def _error(self, status: int, code: str, message: str, param: str | None = None) -> bytes:
        body = self._dialect.error(status=status, code=code, message=message, param=param, request_id=self._id)
        return tag_body(body, msgspec.json.encode({"request_id": self._id, "decision": "refuse", "code": code}))

    async def _body(self, status: int, body: bytes, headers: Headers = ()) -> None:
        self._gateway.metrics.seen(self._surface, status)
        await self._start(status, headers, (_JSON,), len(body))
        await self._send({"type": "http.response.body", "body": body})

    async def _start(
        self, status: int, headers: Headers, fixed: Iterable[tuple[bytes, bytes]], length: int | None = None
    ) -> None:
        """Both SDKs' request ids, always."""
        own = self._id.encode()
        out = [*fixed, (b"x-request-id", own), (b"request-id", own)]
        if self._rate is not None:
            headers = (*headers, *rates.headers_of(self._rate, self._dialect.name, time.time_ns()))
        out += [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]
        if length is not None:
            out.append((b"content-length", b"%d" % length))
        self._started = True
        await self._send({"type": "http.response.start", "status": status, "headers": out})
