"""What happened to cases, to whoever looks: one reader of the store for all open pages, and nothing missed on the way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import msgspec
import structlog

from surefoot.errors import StoreError
from surefoot.records import CaseEvent
from surefoot.store import Store

LOOK_SECONDS = 0.25
KEEP_ALIVE_SECONDS = 15.0
_PAGE = 500

log = structlog.get_logger("surefoot")


class Feed:
    """Follows the changes of all cases. The store is asked only while somebody follows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: set[asyncio.Event] = set()
        self._looking: asyncio.Task[None] | None = None
        self._ended = False

    def end(self) -> None:
        """Let every follower go: the process ends, and nobody is waited for."""
        self._ended = True
        for each in self._listeners:
            each.set()

    async def follow(self, after: int) -> AsyncIterator[Sequence[CaseEvent]]:
        """Events with an id above `after`, oldest first, as they come; () now and then, so that a lost listener is noticed.

        Ids grow in the order in which events become visible: who comes back with the last id it saw misses nothing.
        """
        news = asyncio.Event()
        self._listeners.add(news)
        self._look()
        try:
            while not self._ended:
                news.clear()  # before reading: what comes after it is read next time
                found = await self._store.cases.changes(after=after, limit=_PAGE)
                if found:
                    after = found[-1].id
                    yield found
                    continue
                try:
                    if not self._ended:
                        await asyncio.wait_for(news.wait(), KEEP_ALIVE_SECONDS)
                except TimeoutError:
                    yield ()
        finally:
            self._listeners.discard(news)

    def _look(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        """Wake the listeners when there is something new, until nobody listens."""
        last = -1
        while self._listeners:
            try:
                newest = await self._store.cases.last_change()
            except StoreError as error:
                log.warning("changes of cases cannot be read", error=type(error).__name__)
                newest = last
            if newest != last:
                last = newest
                for each in self._listeners:
                    each.set()
            await asyncio.sleep(LOOK_SECONDS)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """An event as pages read it: no content, no name."""

    case: str
    kind: str
    state: str
    mine: bool


def event_of(event: CaseEvent, who: str) -> bytes:
    """A server-sent event; its id is what a browser sends back when it reconnects."""
    told = Told(case=event.case_id, kind=event.kind, state=event.state, mine=event.by == who)
    return b"id: %d\nevent: case\ndata: %s\n\n" % (event.id, msgspec.json.encode(told))
