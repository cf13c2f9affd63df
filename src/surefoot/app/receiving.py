"""A receiver of webhooks, for tests and for trying them: it keeps what it is told and answers as it is asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from aiohttp import web
from msgspec import Struct


class Told(Struct, frozen=True, kw_only=True):
    """One call that arrived."""

    path: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises msgspec.DecodeError."""
        return msgspec.json.decode(self.body, type=dict[str, Any])


class Receiver:
    """Listens on loopback while it is entered. `statuses` are answered in their order, then 200 for ever; port 0 is any."""

    def __init__(
        self, statuses: Sequence[int] = (), *, location: str = "", port: int = 0, retry_after: str = ""
    ) -> None:
        self._statuses = list(statuses)
        self._location, self._port, self._retry_after = location, port, retry_after
        self._arrived = asyncio.Condition()
        self.told: list[Told] = []
        self.url = ""

    async def __aenter__(self) -> Receiver:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *given: object) -> None:
        await self._runner.cleanup()

    async def wait(self, count: int, seconds: float = 20.0) -> list[Told]:
        """The calls, once so many have arrived. Raises TimeoutError."""
        async with asyncio.timeout(seconds), self._arrived:
            await self._arrived.wait_for(lambda: len(self.told) >= count)
            return self.told

    async def _take(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        told = Told(path=request.path, headers=headers, body=await request.read())
        async with self._arrived:
            self.told.append(told)
            self._arrived.notify_all()
        status = self._statuses.pop(0) if self._statuses else 200
        given = {"location": self._location, "retry-after": "" if status < 400 else self._retry_after}
        return web.Response(status=status, headers={name: value for name, value in given.items() if value})
