"""HTTP to the vendors: pooled connections, time-outs for each phase, and a plain error for whatever goes wrong."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from msgspec import Struct

from surefoot.config.schema import ProviderSettings
from surefoot.errors import BadAnswer, ConfigError, Overloaded, ProviderError, Rejected, TimedOut, Unreachable
from surefoot.providers.retry import asked_seconds

MAX_ANSWER_BYTES = 64 * 1024 * 1024
_WRONG_REQUEST = (400, 404, 405, 413, 415, 422)
_REFUSED_KEY = (401, 402, 403)


class Exchange(Struct, frozen=True, kw_only=True):
    """One POST to a provider."""

    url: str
    headers: Mapping[str, str]
    body: bytes


class Response(Struct, frozen=True, kw_only=True):
    """A complete answer."""

    body: bytes
    headers: Mapping[str, str]  # names in any case


class ResponseStream(Protocol):
    """An answer whose head has arrived."""

    headers: Mapping[str, str]

    def chunks(self) -> AsyncIterator[bytes]:
        """Bytes as they come. Raises TimedOut when nothing comes for too long, BadAnswer when it breaks off."""

    async def close(self) -> None:
        """Close the connection: what is left of the answer is not wanted."""


class Upstream(Protocol):
    """How a provider is reached: two methods, so that another HTTP client can take the place of this one."""

    async def send(self, exchange: Exchange) -> Response:
        """The complete answer. Raises ProviderError."""

    async def open(self, exchange: Exchange) -> ResponseStream:
        """The answer as it comes. Raises ProviderError."""

    async def close(self) -> None:
        """Close all connections."""


class AiohttpUpstream:
    """aiohttp behind the two methods; one pool for each provider, made on first use."""

    def __init__(self, settings: ProviderSettings) -> None:
        self._settings = settings
        # Asked once: aiohttp would ask the environment again for every request, each time on another thread.
        self._proxy = settings.proxy or environment_proxy(settings.base_url)
        self._whole = aiohttp.ClientTimeout(
            total=None, sock_connect=settings.connect_seconds, sock_read=settings.first_token_seconds
        )
        self._tls = _tls(settings)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, exchange: Exchange) -> Response:
        """The complete answer, read whole. Raises ProviderError."""
        response = await self._post(exchange)
        try:
            body = await self._read(response)
        finally:
            response.release()
        _expect(response.headers, "json")
        return Response(body=body, headers=response.headers)

    async def open(self, exchange: Exchange) -> ResponseStream:
        """The answer as it comes. Raises ProviderError."""
        response = await self._post(exchange)
        headers = response.headers
        try:
            _expect(headers, "event-stream")
        except BadAnswer:
            response.close()
            raise
        return _Stream(response, headers, self._settings.idle_seconds)

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()

    async def _post(self, exchange: Exchange) -> aiohttp.ClientResponse:
        """The answer's head. A pooled connection that the server had already closed is replaced once, at once."""
        try:
            response = await self._once(exchange)
        except aiohttp.ServerDisconnectedError:
            response = await self._guarded(exchange)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _trouble(error) from error
        if response.status != 200:
            raise await self._refused(response)
        return response

    async def _guarded(self, exchange: Exchange) -> aiohttp.ClientResponse:
        try:
            return await self._once(exchange)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise _trouble(error) from error

    async def _once(self, exchange: Exchange) -> aiohttp.ClientResponse:
        return await self._pool().post(
            exchange.url, data=exchange.body, headers=exchange.headers, proxy=self._proxy, allow_redirects=False
        )

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        try:
            length = response.content_length
            if length is not None and length <= MAX_ANSWER_BYTES:
                return await response.read()
            return await _limited(response)
        except TimeoutError as error:
            response.close()
            raise TimedOut("the answer did not end in time", worked=True) from error
        except (aiohttp.ClientError, OSError) as error:
            response.close()
            raise BadAnswer(f"the answer broke off: {type(error).__name__}", worked=True) from error

    async def _refused(self, response: aiohttp.ClientResponse) -> ProviderError:
        """The error for a status other than 200."""
        try:
            body = await self._read(response)
        except ProviderError:
            body = b""
        finally:
            response.release()
        status, headers = response.status, response.headers
        text = f"the provider answered {status}"
        if status in _REFUSED_KEY:
            return Unreachable(f"the provider refused our key ({status})", status=502)
        if status in _WRONG_REQUEST or headers.get("x-should-retry") == "false":
            kind = Rejected if status < 500 and status not in (408, 409, 429) else Overloaded
            return kind(text, status=status, body=body)
        if status >= 500 or status in (408, 409, 429):
            return Overloaded(text, status=status, body=body, retry_after=asked_seconds(headers))
        return BadAnswer(text, status=502)

    def _pool(self) -> aiohttp.ClientSession:
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=settings.connections, limit_per_host=0, ssl=self._tls, keepalive_timeout=30, ttl_dns_cache=60
                ),
                timeout=self._whole,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent",),
                trust_env=False,
                auto_decompress=True,
                read_bufsize=2**17,
            )
        return self._session


class _Stream:
    """A stream in the making. One timer watches for silence; events only note the time."""

    def __init__(self, response: aiohttp.ClientResponse, headers: Mapping[str, str], idle_seconds: float) -> None:
        self._response, self.headers, self._idle = response, headers, idle_seconds
        self._loop = asyncio.get_running_loop()
        self._last, self._silent = self._loop.time(), False
        self._timer = self._loop.call_later(idle_seconds, self._look)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Bytes as they come."""
        content = self._response.content
        try:
            while chunk := await content.readany():
                self._last = self._loop.time()
                yield chunk
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            self._response.close()
            if self._silent or isinstance(error, TimeoutError):
                raise TimedOut(f"nothing came for {self._idle:g} s", status=504, worked=True) from error
            raise BadAnswer(f"the stream broke off: {type(error).__name__}", status=502, worked=True) from error
        finally:
            self._timer.cancel()
        if self._silent:
            raise TimedOut(f"nothing came for {self._idle:g} s", status=504, worked=True)
        self._response.release()

    async def close(self) -> None:
        """Close the connection."""
        self._timer.cancel()
        self._response.close()

    def _look(self) -> None:
        """Close a connection that has been silent for too long; else look again when it might have been."""
        left = self._last + self._idle - self._loop.time()
        if left <= 0:
            self._silent = True
            self._response.close()
            return
        self._timer = self._loop.call_later(left, self._look)


def environment_proxy(url: str) -> str | None:
    """The proxy that the environment names for an address; None without one, or where it is to be bypassed."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    parts, size = [], 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_ANSWER_BYTES:
            response.close()
            raise BadAnswer(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
        parts.append(part)
    return b"".join(parts)


def _trouble(error: Exception) -> ProviderError:
    """What went wrong before an answer began, without the address's secrets."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return TimedOut("no connection was made in time", status=504)
    if isinstance(error, TimeoutError):
        return TimedOut("no answer began in time", status=504, worked=True)
    if isinstance(error, aiohttp.ClientConnectorError | OSError):
        return Unreachable(f"no connection: {type(error).__name__}", status=502)
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ClientResponseError):
        return BadAnswer(f"not HTTP as it should be: {type(error).__name__}", status=502)
    return Unreachable(f"the connection broke: {type(error).__name__}", status=502)


def _expect(headers: Mapping[str, str], kind: str) -> None:
    """Raises BadAnswer for another content type: a proxy's page, or JSON where a stream was asked for."""
    given = headers.get("content-type", "")
    if kind not in given:
        raise BadAnswer(f"the answer is {given.partition(';')[0] or 'untyped'}, not {kind}", status=502)


def _tls(settings: ProviderSettings) -> ssl.SSLContext | bool:
    if not settings.ca_file:
        return True
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"ca_file {settings.ca_file} cannot be read: {type(error).__name__}") from error
