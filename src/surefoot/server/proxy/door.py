"""The door: body and headers in, a Request out. The clock is read and the lot is drawn here, once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from surefoot.config.schema import Server
from surefoot.errors import BadRequest, BodyTooLarge, BodyTooSlow, NotAllowed, SurefootError
from surefoot.records import Caller, Request
from surefoot.server.ports import Gateway
from surefoot.server.proxy.attribution import normal
from surefoot.server.proxy.waiting import wait_of
from surefoot.wire import Parsed
from surefoot.wire.dialects import DIALECTS

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

_KEYS = ("x-api-key", "api-key", "x-litellm-api-key", "x-bf-vk")
_YES = ("1", "true", "yes")
_FORWARDED = ("anthropic-version", "anthropic-beta", "openai-beta")  # these change the answer; nothing else goes on
LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})


class ClientLeft(SurefootError):
    """The caller hung up before its request was whole; nothing is left behind."""


def headers_of(scope: Scope) -> dict[str, str]:
    """The request's headers, names in lower case; the last of several wins. Raises BadRequest for control characters."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        if b"\r" in value or b"\n" in value or b"\0" in value:
            raise BadRequest("a header holds a line break")
        headers[name.decode("latin-1")] = value.decode("latin-1")
    return headers


async def read_body(receive: Receive, headers: Mapping[str, str], settings: Server) -> bytes:
    """The whole body. Raises BodyTooLarge (before reading, where the length is told), BodyTooSlow, ClientLeft."""
    length = headers.get("content-length", "")
    if length.isdigit() and int(length) > settings.max_body_bytes:
        raise BodyTooLarge(f"the body is longer than {settings.max_body_bytes} bytes")
    task, slow = asyncio.current_task(), False

    def late() -> None:
        nonlocal slow
        slow = True
        if task is not None:
            task.cancel()

    # A bare timer: most bodies are there with their headers, and asyncio.timeout costs more than reading them.
    timer = asyncio.get_running_loop().call_later(settings.body_seconds, late)
    try:
        return await _whole(receive, settings.max_body_bytes)
    except asyncio.CancelledError:
        if slow and task is not None:
            task.uncancel()
            raise BodyTooSlow("the body did not arrive in time") from None
        raise
    finally:
        timer.cancel()


async def _whole(receive: Receive, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft("the caller left")
        part: bytes = message.get("body", b"")
        size += len(part)
        if size > most:
            raise BodyTooLarge(f"the body is longer than {most} bytes")
        if not message.get("more_body"):
            return b"".join((*parts, part)) if parts else part
        parts.append(part)


def key_of(headers: Mapping[str, str]) -> str | None:
    """The key, from whichever header carries one; None without any."""
    bearer = headers.get("authorization", "")
    if bearer[:7].lower() == "bearer " and bearer[7:].strip():
        return bearer[7:].strip()
    return next((headers[name].strip() for name in _KEYS if headers.get(name, "").strip()), None)


def caller_of(gateway: Gateway, headers: Mapping[str, str], settings: Server) -> Caller:
    """Whom a request comes from. Raises NotAuthenticated; NotAllowed when keyless and not plainly local."""
    if gateway.keyed():
        return gateway.caller(key_of(headers))
    check_local(headers, settings)
    return gateway.caller(None)


def check_local(headers: Mapping[str, str], settings: Server) -> None:
    """Without keys, only loopback names are served, and no page of another origin: a rebound name does not get in.

    Raises: NotAllowed.
    """
    allowed = (*LOOPBACK, *settings.allowed_hosts)
    if name_of(headers.get("host", "")) not in allowed:
        raise NotAllowed("without a key only loopback host names are served; make one with `surefoot key create`")
    origin = headers.get("origin")
    if origin is not None and name_of(origin.partition("://")[2]) not in allowed:
        raise NotAllowed("without a key no other origin is served")


def name_of(host: str) -> str:
    """A host without its port."""
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.rpartition(":")[0] if host.count(":") == 1 else host


def request_id() -> str:
    """A new id, ordered by time: "req_" and 26 characters."""
    return f"req_{time.time_ns():016x}{os.urandom(5).hex()}"


def enter(
    gateway: Gateway, body: bytes, headers: Mapping[str, str], *, dialect: str, surface: str, id: str, settings: Server
) -> tuple[Request, Parsed]:
    """The Request that a body and its headers are. Raises RequestRefused in all its kinds."""
    caller = caller_of(gateway, headers, settings)
    parsed = DIALECTS[dialect].parse(body, surface=surface)
    feature = gateway.feature_for(caller, parsed.model, headers.get("x-surefoot-feature") or parsed.feature)
    forwarded = tuple((name, headers[name]) for name in _FORWARDED if name in headers)
    request = Request(
        id=id,
        at_ns=time.time_ns(),
        draw=os.urandom(16).hex(),
        dialect=dialect,
        surface=surface,
        caller=caller,
        feature=feature,
        model=parsed.model,
        stream=parsed.stream and surface == "chat",
        body=body,
        headers=forwarded,
        attribution=normal(parsed.attribution, headers),
        context=parsed.context,
        top=parsed.top,
        max_output_tokens=parsed.max_output_tokens,
        choices=parsed.choices,
        has_tools=parsed.has_tools,
        wait=wait_of(parsed, headers),
        debug=headers.get("x-surefoot-debug", "").strip().lower() in _YES,
    )
    return request, parsed
