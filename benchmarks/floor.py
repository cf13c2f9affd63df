"""The floor: uvicorn and aiohttp forwarding a request and nothing else. `python -m benchmarks.floor PORT UPSTREAM_PORT`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import aiohttp
import msgspec
import uvicorn

Message = MutableMapping[str, Any]
HEADERS = {"content-type": "application/json", "accept-encoding": "gzip, deflate", "authorization": "Bearer x"}


class Forward:
    """Parses both ways, as every gateway has to, and passes on."""

    def __init__(self, upstream_port: int) -> None:
        self._url = f"http://127.0.0.1:{upstream_port}/v1/chat/completions"
        self._session: aiohttp.ClientSession | None = None

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        """Forward one request."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=512, limit_per_host=0),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent",),
            )
        body = (await receive())["body"]
        msgspec.json.decode(body)
        response = await self._session.post(self._url, data=body, headers=HEADERS, allow_redirects=False)
        answer = await response.read()
        response.release()
        msgspec.json.decode(answer)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(
        Forward(int(sys.argv[2])), port=int(sys.argv[1]), http="httptools", loop="uvloop", access_log=False,
        log_level="warning", lifespan="off", ws="none", server_header=False,
    )  # fmt: skip
