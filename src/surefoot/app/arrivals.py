"""Wakes those who wait for a case: one reader of the store's changes for however many wait."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import structlog

from surefoot.errors import StoreError
from surefoot.store import Store

KEEP_ALIVE_SECONDS = 15.0  # between two signs of life; usual proxies give up after 60
LOOK_SECONDS = 0.2  # how soon a change is seen, whichever process made it
_PAGE = 1000

log = structlog.get_logger("surefoot")


class Arrivals:
    """Places of those who wait. The store is read only while there is one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._places: dict[str, set[asyncio.Event]] = {}
        self._looking: asyncio.Task[None] | None = None
        self._last = 0
        self.ending = asyncio.Event()  # set when the process ends: whoever waits gives up at once

    @contextlib.asynccontextmanager
    async def place(self, case_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set whenever something happens to the case. Raises StoreError."""
        if self._looking is None or self._looking.done():
            self._last = await self._store.cases.last_change()
            self._looking = asyncio.create_task(self._look())
        mine = asyncio.Event()
        self._places.setdefault(case_id, set()).add(mine)
        try:
            yield mine
        finally:
            here = self._places[case_id]
            here.discard(mine)
            if not here:
                del self._places[case_id]

    async def close(self) -> None:
        """Wake everybody and stop looking."""
        self.release()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def release(self) -> None:
        """Tell everybody that the process ends."""
        self.ending.set()
        for case_id in list(self._places):
            self._wake(case_id)

    async def _look(self) -> None:
        """Read changes while anybody waits."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if not self._places:
                return
            try:
                while changes := await self._store.cases.changes(after=self._last, limit=_PAGE):
                    self._last = changes[-1].id
                    for change in changes:
                        self._wake(change.case_id)
            except StoreError as error:  # they wait on; each looks for itself now and then
                log.warning("changes of cases could not be read", error=type(error).__name__)

    def _wake(self, case_id: str) -> None:
        for event in self._places.get(case_id, ()):
            event.set()


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Whether the event came within so many seconds."""
    try:
        async with asyncio.timeout(max(0.0, seconds)):
            await event.wait()
    except TimeoutError:
        return False
    return True
