"""A vendor to test against: speaks both dialects on loopback and misbehaves on request. `python -m surefoot.providers.testing`.

The `model` of a request says how it behaves: "busy-then-ok", "rate-limited", "server-error", "wrong-request", "refused-key",
"silent", "silent-then-ok", "slow", "half-stream", "garbage", "html", "gzip", "cached", "writes-cache", "tools", "no-usage",
"below-zero", "contradicts" (these of their usage), "mid-error"; any other name answers
"You said: ..." at once, or what `texts` has for it. Every request it got is kept in `seen`.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct

from surefoot.records import Usage
from surefoot.wire import Dialect
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.speech import added
from surefoot.wire.sse import event_of, object_of

USAGE = Usage(input_tokens=120, cached_tokens=20, output_tokens=30)
USAGES = {
    "cached": USAGE,
    "writes-cache": Usage(input_tokens=120, cached_tokens=20, cache_write_tokens=50, output_tokens=30),
}
_STRANGE: Mapping[str, Mapping[str, Mapping[str, object]]] = {  # usage that cannot be, by model and dialect
    "below-zero": {
        "openai": {"prompt_tokens": 120, "completion_tokens": -30},
        "anthropic": {"input_tokens": 120, "output_tokens": -30},
    },
    "contradicts": {
        "openai": {
            "prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 200, "prompt_tokens_details": {"cached_tokens": 500},
            "completion_tokens_details": {"reasoning_tokens": 60},
        },
        "anthropic": {"input_tokens": 120, "output_tokens": 30, "output_tokens_details": {"thinking_tokens": 60}},
    },
}  # fmt: skip
Json = dict[str, Any]


class Seen(Struct, frozen=True, kw_only=True):
    """One request that arrived."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as an object."""
        return msgspec.json.decode(self.body, type=dict[str, Any])


class ScriptedUpstream:
    """A loopback server; `async with ScriptedUpstream() as upstream: upstream.url`."""

    def __init__(
        self, *, port: int = 0, chunks: int = 3, gap_seconds: float = 0.0, texts: Mapping[str, str] | None = None,
        vector: Callable[[str], Sequence[float]] = lambda text: (0.1, 0.2),
    ) -> None:  # fmt: skip
        self.url = ""
        self.seen: list[Seen] = []
        self.left = 0  # callers that hung up before their answer was whole
        self._port, self._chunks, self._gap = port, chunks, gap_seconds
        self._texts = dict(texts or {})  # what a model says, by its name
        self._vector = vector  # the embedding of a text
        self._tries: dict[str, int] = {}
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> ScriptedUpstream:
        app = web.Application(client_max_size=2**26)
        for path in ("/v1/chat/completions", "/v1/embeddings", "/v1/messages", "/v1/messages/count_tokens"):
            app.router.add_post(path, self._serve)
        self._runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        seen = Seen(
            path=request.path, headers={k.lower(): v for k, v in request.headers.items()}, body=await request.read()
        )
        self.seen.append(seen)
        asked = seen.json
        model = str(asked.get("model"))
        dialect = DIALECTS["anthropic" if "messages" in request.path else "openai"]
        try:
            if found := await self._misbehave(model, dialect, asked):
                return found
            if request.path.endswith("embeddings"):
                return _json(_embeddings(model, asked, self._vector))
            if request.path.endswith("count_tokens"):
                return _json({"input_tokens": 42})
            return await self._answer(request, dialect, asked, model)
        except (asyncio.CancelledError, ConnectionResetError):
            self.left += 1
            raise

    async def _misbehave(self, model: str, dialect: Dialect, asked: Json) -> web.StreamResponse | None:
        """The answer of a model that does not behave; None for one that does."""
        self._tries[model] = self._tries.get(model, 0) + 1
        if model == "busy-then-ok" and self._tries[model] % 2:
            return _error(dialect, 503, {"retry-after-ms": "5"})
        statuses = {"rate-limited": 429, "server-error": 500, "wrong-request": 400, "refused-key": 401}
        if model in statuses:
            return _error(dialect, statuses[model], {"retry-after": "60"} if model == "rate-limited" else {})
        if model == "silent" or (model == "silent-then-ok" and self._tries[model] % 2):
            await asyncio.sleep(3600)
        if model == "slow":
            await asyncio.sleep(0.5)
        if model == "garbage":
            kind = "text/event-stream" if asked.get("stream") else "application/json"
            return web.Response(body=b"data: {not json\n\n", headers={"content-type": kind})
        if model == "html":
            return web.Response(text="<html>a proxy speaks</html>", content_type="text/html")
        return None

    async def _answer(self, request: web.Request, dialect: Dialect, asked: Json, model: str) -> web.StreamResponse:
        body = _body(dialect, asked, model, self._texts.get(model))
        headers = {"x-request-id": f"up-{len(self.seen)}", "request-id": f"up-{len(self.seen)}"}
        if not asked.get("stream"):
            if model == "gzip":
                packed = gzip.compress(body)
                headers |= {"content-encoding": "gzip", "content-type": "application/json"}
                return web.Response(body=packed, headers=headers)
            return web.Response(body=body, content_type="application/json", headers=headers)
        response = web.StreamResponse(headers={**headers, "content-type": "text/event-stream"})
        await response.prepare(request)
        async for event in self._events(dialect, body, asked, model):
            await response.write(event)
        return response

    async def _events(self, dialect: Dialect, body: bytes, asked: Json, model: str) -> AsyncIterator[bytes]:
        wants_usage = bool((asked.get("stream_options") or {}).get("include_usage"))
        events = list(dialect.cut(body, include_usage=wants_usage))
        texts = [place for place, event in enumerate(events) if added(dialect.name, event)]
        for place in texts[:1]:
            events[place : place + 1] = _pieces(events[place], self._chunks)
        if model == "half-stream":
            events = events[: len(events) // 2]
        if model == "mid-error":
            events[2:] = [dialect.error_event(status=529, code="overloaded", message="overloaded")]
        for event in events:
            yield event
            if self._gap:
                await asyncio.sleep(self._gap)


def _pieces(event: bytes, chunks: int) -> list[bytes]:
    """A text event as several, whose texts join to the same."""
    payload: Json = object_of(event)
    name = event.partition(b"\n")[0].removeprefix(b"event: ").decode() if event.startswith(b"event: ") else ""
    delta: Json = payload["delta"] if "delta" in payload else payload["choices"][0]["delta"]
    field = "text" if "text" in delta else "content"
    text: str = delta[field]
    size = -(-len(text) // chunks)
    pieces = []
    for start in range(0, len(text), size):
        delta[field] = text[start : start + size]
        pieces.append(event_of(payload, name=name))
    return pieces


def _body(dialect: Dialect, asked: Json, model: str, text: str | None) -> bytes:
    top = {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in asked.items()}
    query, _ = dialect.question(top)
    if model == "tools" and asked.get("tools"):
        return _tool_body(dialect, asked)
    usage = USAGES.get(model, Usage(input_tokens=120, output_tokens=30))
    body = dialect.compose(
        f"You said: {query}" if text is None else text, model=model, id="up-1", created=1_790_000_000, usage=usage
    )
    if model in _STRANGE:
        return msgspec.json.encode({**msgspec.json.decode(body), "usage": _STRANGE[model][dialect.name]})
    if model == "no-usage":
        return msgspec.json.encode({k: v for k, v in msgspec.json.decode(body).items() if k != "usage"})
    return body


def _tool_body(dialect: Dialect, asked: Json) -> bytes:
    """A call of the first tool."""
    body: Json = msgspec.json.decode(
        dialect.compose("", model="tools", id="up-1", created=1_790_000_000, usage=USAGE), type=dict[str, Any]
    )
    tool, given = asked["tools"][0], {"city": "Paris"}
    if dialect.name == "anthropic":
        body["content"] = [{"type": "tool_use", "id": "toolu_1", "name": tool["name"], "input": given}]
        body["stop_reason"] = "tool_use"
        return msgspec.json.encode(body)
    arguments = msgspec.json.encode(given).decode()
    call = {"id": "call_1", "type": "function", "function": {"name": tool["function"]["name"], "arguments": arguments}}
    message = {"role": "assistant", "content": None, "refusal": None, "annotations": [], "tool_calls": [call]}
    body["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "tool_calls"}]
    return msgspec.json.encode(body)


def _embeddings(model: str, asked: Json, vector: Callable[[str], Sequence[float]]) -> Json:
    texts = [asked["input"]] if isinstance(asked["input"], str) else asked["input"]
    data = [{"object": "embedding", "index": n, "embedding": list(vector(text))} for n, text in enumerate(texts)]
    usage: Mapping[str, object] = (
        _STRANGE[model]["openai"] if model in _STRANGE else {"prompt_tokens": 5, "total_tokens": 5}
    )
    return {"object": "list", "data": data, "model": model} | ({} if model == "no-usage" else {"usage": usage})


def _error(dialect: Dialect, status: int, headers: Mapping[str, str]) -> web.Response:
    body = dialect.error(status=status, code="scripted", message="scripted trouble")
    return web.Response(status=status, body=body, content_type="application/json", headers=dict(headers))


def _json(value: object) -> web.Response:
    return web.Response(body=msgspec.json.encode(value), content_type="application/json")


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--chunks", type=int, default=3)
    parser.add_argument("--gap", type=float, default=0.0, help="seconds between two events")
    given = parser.parse_args()
    async with ScriptedUpstream(port=given.port, chunks=given.chunks, gap_seconds=given.gap) as upstream:
        print(upstream.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main())
