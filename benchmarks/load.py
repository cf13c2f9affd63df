"""An upstream and a load generator on raw asyncio protocols, each a process of its own: `python -m benchmarks.load MODE ...`.

up PORT [CHUNKS] [GAP_MS]     an OpenAI-shaped upstream; streams CHUNKS events, GAP_MS apart, when the body asks for it
lg URL_PORT PATH CONNECTIONS SECONDS RATE KEY STREAM     closed loop when RATE is 0, else that many a second; prints JSON
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

import uvloop

COMPLETION = json.dumps(
    {
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_790_000_000, "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0, "finish_reason": "stop", "logprobs": None,
                "message": {"role": "assistant", "refusal": None, "content": "The capital of France is Paris. " * 4},
            }
        ],
        "usage": {"prompt_tokens": 120, "completion_tokens": 26, "total_tokens": 146},
    }
).encode()  # fmt: skip
CHUNK = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "gpt-4o-mini"}


def _chunk(**fields: object) -> bytes:
    data = b"data: " + json.dumps({**CHUNK, **fields}).encode() + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(data), data)


FIRST = _chunk(choices=[{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
TOKEN = _chunk(choices=[{"index": 0, "delta": {"content": " token"}, "finish_reason": None}])
LAST = (
    _chunk(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
    + _chunk(choices=[], usage={"prompt_tokens": 120, "completion_tokens": 50, "total_tokens": 170})
    + b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"
)
PLAIN = (
    b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(COMPLETION) + COMPLETION
)
STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


class Upstream(asyncio.Protocol):
    """Answers every request on a connection, one after the other."""

    def __init__(self, chunks: int, gap_seconds: float) -> None:
        self._chunks, self._gap, self._data = chunks, gap_seconds, b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        """Answer once the request is whole."""
        self._data += data
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        start = lower.find(b"content-length:")
        length = int(lower[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
        if len(rest) < length:
            return
        self._data = b""
        assert self._transport is not None
        if b'"stream":true' in rest:
            self._transport.write(STREAM_HEAD + FIRST)
            asyncio.get_running_loop().create_task(self._stream(self._transport))
        else:
            self._transport.write(PLAIN)

    async def _stream(self, transport: asyncio.Transport) -> None:
        for _ in range(self._chunks):
            if self._gap:
                await asyncio.sleep(self._gap)
            transport.write(TOKEN)
        transport.write(LAST)


class Client(asyncio.Protocol):
    """Sends a request, waits for its whole answer."""

    def __init__(self) -> None:
        self.done: asyncio.Future[tuple[float, int]] | None = None
        self.transport: asyncio.Transport | None = None
        self._data, self._first, self._size = b"", 0.0, 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self.transport = transport  # type: ignore[assignment]

    def ask(self, request: bytes) -> asyncio.Future[tuple[float, int]]:
        """(time of the first content event or answer byte, bytes of events counted as ` token`) once the answer is whole."""
        self._data, self._first = b"", 0.0
        self.done = asyncio.get_running_loop().create_future()
        assert self.transport is not None
        self.transport.write(request)
        return self.done

    def data_received(self, data: bytes) -> None:
        """Look for the end of the answer."""
        self._data += data
        if not self._first and (b"data:" in data or b"content-length" in data.lower()):
            self._first = time.perf_counter()
        head, found, rest = self._data.partition(b"\r\n\r\n")
        if not found or self.done is None:
            return
        lower = head.lower()
        start = lower.find(b"content-length:")
        whole = rest.endswith(b"0\r\n\r\n")
        if start >= 0:
            whole = len(rest) >= int(lower[start + 15 :].split(b"\r\n", 1)[0])
        if whole and not self.done.done():
            ok = head.startswith(b"HTTP/1.1 200")
            self.done.set_result((self._first, rest.count(b'" token"') if ok else -1))

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that will not come."""
        if self.done is not None and not self.done.done():
            self.done.set_result((time.perf_counter(), -1))


async def upstream(port: int, chunks: int, gap_ms: float) -> None:
    """Serve until killed."""
    server = await asyncio.get_running_loop().create_server(
        lambda: Upstream(chunks, gap_ms / 1000), "127.0.0.1", port, backlog=2048
    )
    await server.serve_forever()


async def generate(port: int, path: str, connections: int, seconds: float, rate: float, key: str, stream: bool) -> None:
    """Send requests for so long and print what came of them."""
    loop = asyncio.get_running_loop()
    clients = [(await loop.create_connection(Client, "127.0.0.1", port))[1] for _ in range(connections)]
    latencies: list[float] = []
    firsts: list[float] = []
    bad = tokens = 0
    until = time.perf_counter() + seconds
    lot = random.Random(1)

    async def work(client: Client, number: int) -> None:
        nonlocal bad, tokens
        count = 0
        while time.perf_counter() < until:
            if rate:
                await asyncio.sleep(lot.expovariate(rate / connections))
            count += 1
            began = time.perf_counter()
            first, said = await client.ask(_request(port, path, key, stream, f"{number}-{count}-{began}"))
            latencies.append(time.perf_counter() - began)
            firsts.append(first - began)
            bad += said < 0
            tokens += max(0, said)

    await asyncio.gather(*(work(client, number) for number, client in enumerate(clients)))
    latencies.sort()
    firsts.sort()
    print(json.dumps({
        "n": len(latencies), "bad": bad, "tokens": tokens, "p50": _at(latencies, 0.5), "p99": _at(latencies, 0.99),
        "first50": _at(firsts, 0.5), "first99": _at(firsts, 0.99),
    }))  # fmt: skip


def _request(port: int, path: str, key: str, stream: bool, nonce: str) -> bytes:
    """A request of about 630 bytes that no cache has seen."""
    content = f"[{nonce}] " + "Which city is the capital of France, and on which river does it lie? " * 5
    body = json.dumps(
        {
            "model": "chat", "temperature": 0.2, "max_tokens": 200, **({"stream": True} if stream else {}),
            "messages": [
                {"role": "system", "content": "You are a helpful assistant. Answer in one or two sentences."},
                {"role": "user", "content": content},
            ],
        },
        separators=(",", ":"),
    ).encode()  # fmt: skip
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n".encode()
    return head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _at(values: list[float], share: float) -> float | None:
    return values[int(share * (len(values) - 1))] if values else None


def main() -> None:
    """Run one of the two."""
    mode, *rest = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if mode == "up":
            runner.run(upstream(int(rest[0]), int(rest[1]), float(rest[2])))
        else:
            port, path, connections, seconds, rate, key, stream = rest
            runner.run(generate(int(port), path, int(connections), float(seconds), float(rate), key, stream == "1"))


if __name__ == "__main__":
    main()
