"""A vendor over HTTP: tries, time-outs, circuit, streams. What differs between vendors is an address and a few headers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from time import perf_counter_ns
from typing import TypeVar, cast

from msgspec.structs import replace

from surefoot.config.schema import ProviderSettings
from surefoot.errors import BadAnswer, Overloaded, ProviderError, Rejected, TimedOut
from surefoot.providers import Abstained, Call, Live, Said
from surefoot.providers.breaker import Breaker
from surefoot.providers.http import AiohttpUpstream, Exchange, ResponseStream, Upstream
from surefoot.providers.imagetokens import illustrated
from surefoot.providers.retry import delay_seconds
from surefoot.providers.tokens import BYTES_PER_TOKEN, estimate
from surefoot.records import Answer, Usage
from surefoot.wire import Dialect, Top
from surefoot.wire.sse import Splitter, data_of, object_of

Got = TypeVar("Got")
_ID_HEADERS = ("x-request-id", "request-id")


class RemoteProvider:
    """What both vendors share. Subclasses say their address, headers and surfaces."""

    kind = ""
    simulated = False
    dialect: Dialect
    paths: Mapping[str, str]  # by surface

    def __init__(self, name: str, settings: ProviderSettings, *, upstream: Upstream | None = None) -> None:
        self.name = name
        self.dialects = frozenset({self.dialect.name})
        self._settings, self.tries = settings, settings.retries + 1
        self._base = self.base_url(settings)
        self._upstream = upstream or AiohttpUpstream(replace(settings, base_url=self._base))
        self._breaker = Breaker(settings.break_after, settings.break_seconds)
        self._headers = {"content-type": "application/json", "accept-encoding": "gzip, deflate", **self.auth(settings)}
        self._headers.update({name.lower(): value for name, value in settings.headers.items()})

    def base_url(self, settings: ProviderSettings) -> str:
        """The address that paths are added to."""
        raise NotImplementedError

    def auth(self, settings: ProviderSettings) -> dict[str, str]:
        """The headers that carry our key."""
        raise NotImplementedError

    async def complete(self, call: Call) -> Said | Abstained:
        """The complete answer; streamed and joined when the caller wants events. Raises ProviderError."""
        if call.request.surface not in self.paths:
            return Abstained(reason=f"provider {self.name} has no {call.request.surface}", kind="unavailable")
        if call.stream and call.request.surface == "chat":
            live = await self.open(call)
            if isinstance(live, Abstained):
                return live
            try:
                async for _ in live.events():
                    pass
            except ProviderError as error:
                usage = live.said().usage  # what was written until then is paid for
                error.input_tokens, error.output_tokens = usage.input_tokens, usage.output_tokens
                error.lost_tokens = live.said().lost_tokens
                raise
            return live.said()
        began = perf_counter_ns()
        exchange = self._exchange(call, stream=False)
        response, attempts, lost = await self._tried(call, exchange, self._upstream.send)
        waited_us = (perf_counter_ns() - began) // 1000
        read = self.dialect.read(response.body)
        usage = _metered(call, read.usage, read.text, self.kind)
        return Said(
            answer=Answer(body=response.body, text=read.text),
            usage=usage,
            model=read.model or call.model,
            finish=read.finish,
            attempts=attempts,
            lost_tokens=lost,
            upstream_us=waited_us,
            upstream_id=_id_of(response.headers) or read.id,
        )

    async def open(self, call: Call) -> Live | Abstained:
        """A streamed answer whose first event has arrived. Raises ProviderError."""
        began = perf_counter_ns()
        exchange = self._exchange(call, stream=True)
        opener = _Opener(self.dialect, call, self._upstream, self._settings.first_token_seconds)
        live, attempts, lost = await self._tried(call, exchange, opener)
        live.begin(attempts, lost, began)
        return live

    async def close(self) -> None:
        """Let go of connections."""
        await self._upstream.close()

    def _exchange(self, call: Call, *, stream: bool) -> Exchange:
        request = call.request
        body = self.dialect.upstream(cast(Top, call.top), model=call.model, stream=stream)
        headers = {**self._headers, **{name: value for name, value in request.headers if name not in self._headers}}
        return Exchange(url=self._base + self.paths[request.surface], headers=headers, body=body)

    async def _tried(
        self, call: Call, exchange: Exchange, verb: Callable[[Exchange], Awaitable[Got]]
    ) -> tuple[Got, int, int]:
        """What the verb gives, after how many tries, and the prompts' tokens of those that may be billed without an answer.

        Raises the last try's ProviderError, which says what all of them may be billed.
        """
        lost = 0
        for attempt in range(1, self.tries + 1):
            self._breaker.admit(self.name)
            try:
                got = await verb(exchange)
            except Rejected:
                self._breaker.worked()
                raise
            except ProviderError as error:
                self._breaker.failed()
                sent = _sent(call, self.kind) if error.worked and call.request.surface != "count_tokens" else 0
                error.input_tokens, error.lost_tokens = sent, lost
                lost += sent
                wait = delay_seconds(error, attempt, call.request.draw)
                if wait is None or attempt == self.tries:
                    raise
                await asyncio.sleep(wait)
            except BaseException:
                self._breaker.left()
                raise
            else:
                self._breaker.worked()
                return got, attempt, lost
        raise AssertionError("the last try returns or raises")


class _Opener:
    """Opens a stream and waits for its first event."""

    def __init__(self, dialect: Dialect, call: Call, upstream: Upstream, first_token_seconds: float) -> None:
        self._dialect, self._call, self._upstream = dialect, call, upstream
        self._first_token_seconds = first_token_seconds

    async def __call__(self, exchange: Exchange) -> RemoteLive:
        stream = await self._upstream.open(exchange)
        live = RemoteLive(self._dialect, self._call, stream)
        try:
            async with asyncio.timeout(self._first_token_seconds):
                await live.first()
        except TimeoutError:
            await stream.close()
            raise TimedOut("no event came in time", status=504, worked=True) from None
        except BaseException:
            await stream.close()
            raise
        return live


class RemoteLive:
    """A vendor's stream: events as they come, and what they amount to."""

    def __init__(self, dialect: Dialect, call: Call, stream: ResponseStream) -> None:
        self._dialect, self._call, self._stream = dialect, call, stream
        self._chunks = stream.chunks()
        self._splitter = Splitter()
        self._waiting: list[bytes] = []
        self._seen: list[bytes] = []
        self._ended = False
        self._attempts, self._lost, self._began, self._first_us = 1, 0, 0, 0

    def begin(self, attempts: int, lost: int, began: int) -> None:
        """Note how many tries it took, what those may be billed that failed, and how long the first event took."""
        self._attempts, self._lost, self._began = attempts, lost, began
        self._first_us = (perf_counter_ns() - began) // 1000

    async def first(self) -> None:
        """Wait for the first event. Raises ProviderError, also when it is an error."""
        async for chunk in self._chunks:
            self._waiting = self._splitter.feed(chunk)
            if self._waiting:
                break
        if not self._waiting:
            raise BadAnswer("the stream ended before its first event", status=502, worked=True)
        if self._dialect.is_error(self._waiting[0]):
            raise _error_of(self._waiting[0])
        if not self._dialect.is_last(self._waiting[0]):
            object_of(self._waiting[0])  # garbage is found out before anything is passed on

    async def events(self) -> AsyncIterator[bytes]:
        """Raw events, the last one included. Raises ProviderError when the stream breaks."""
        is_last, is_error = self._dialect.is_last, self._dialect.is_error
        while True:
            for event in self._waiting:
                if is_error(event):
                    raise _error_of(event)
                self._seen.append(event)
                if is_last(event):
                    self._ended = True
                yield event
                if self._ended:
                    await self._drain()
                    return
            try:
                self._waiting = self._splitter.feed(await anext(self._chunks))
            except StopAsyncIteration:
                raise BadAnswer("the stream broke off before its end", status=502, worked=True) from None

    def said(self) -> Said:
        """What was said so far; usage is estimated when the stream did not come to its end."""
        if self._ended:
            body = self._dialect.join(self._seen)
            read = self._dialect.read(body)
            text, model, finish, usage, answer_id = read.text, read.model, read.finish, read.usage, read.id
        else:
            body, text, model, finish, usage, answer_id = b"", "", self._call.model, "other", None, ""
        written = text if self._ended else b"".join(self._seen).decode("utf-8", "replace")
        usage = _metered(self._call, usage, written, self._dialect.name)
        return Said(
            answer=Answer(body=body, text=text, events=tuple(self._seen)),
            usage=usage,
            model=model or self._call.model,
            finish=finish,
            attempts=self._attempts,
            lost_tokens=self._lost,
            upstream_us=(perf_counter_ns() - self._began) // 1000,
            upstream_id=_id_of(self._stream.headers) or answer_id,
        )

    async def cancel(self) -> None:
        """Close the connection: the vendor stops writing."""
        await self._stream.close()

    async def _drain(self) -> None:
        """Read to the end of the connection's answer, so that it can be used again; whatever follows the end is dropped."""
        try:
            async for _ in self._chunks:
                pass
        except ProviderError:
            await self._stream.close()


def _error_of(event: bytes) -> ProviderError:
    data = data_of(event)
    overloaded = b"overloaded" in data or b"rate_limit" in data
    return Overloaded(
        "the provider reported an error in its stream", status=529 if overloaded else 502, body=data[:4096]
    )  # fmt: skip


def _estimated(call: Call, text: str, kind: str) -> Usage:
    return Usage(input_tokens=_sent(call, kind), output_tokens=estimate(text), estimated=True)


def _sent(call: Call, kind: str) -> int:
    """Estimated tokens of a prompt, its images by their size."""
    size = illustrated(call.request.body, cast(Top, call.top))
    if size is None:
        return estimate(call.request.body)
    return -(-size.text // BYTES_PER_TOKEN) + size.image_tokens(kind, call.model)


def _metered(call: Call, usage: Usage | None, text: str, kind: str) -> Usage:
    """The usage as billed. What nobody said is estimated: no chat is asked without tokens, and no text is written without."""
    guess = _estimated(call, text, kind)
    if usage is None:
        return guess
    sent, generated = usage.input_tokens > 0 or call.request.surface != "chat", usage.output_tokens > 0 or not text
    if sent and generated:
        return usage
    input_tokens = usage.input_tokens if sent else guess.input_tokens
    output_tokens = usage.output_tokens if generated else guess.output_tokens
    return replace(usage, input_tokens=input_tokens, output_tokens=output_tokens, estimated=True)


def _id_of(headers: Mapping[str, str]) -> str:
    return next((headers[name] for name in _ID_HEADERS if name in headers), "")
