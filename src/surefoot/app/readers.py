"""Readers of a case's events: what happens to it as it happens, as server-sent events with ids."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import msgspec

from surefoot.app.arrivals import KEEP_ALIVE_SECONDS, Arrivals, wait
from surefoot.app.crowd import Crowd
from surefoot.app.told import when
from surefoot.errors import TooManyWaiting
from surefoot.records import Case, CaseEvent
from surefoot.store import Store
from surefoot.wire.sse import COMMENT, event_of

_TOLD = frozenset({"opened", "claimed", "released", "lapsed", "proposed", "answered", "undone", "chained"})


class Readers:
    """Tells cases' events. `most`: connections that a tenant may have now; `told`: what a caller is told of an ended case."""

    def __init__(
        self, store: Store, arrivals: Arrivals, crowd: Crowd, most: Callable[[], int],
        told: Callable[[Case], Awaitable[bytes]],
    ) -> None:  # fmt: skip
        self._store, self._arrivals, self._crowd, self._most, self._told = store, arrivals, crowd, most, told

    async def has_more(self, case: Case, after: int) -> bool:
        """Whether anything happened, or can still happen, after the event of this id."""
        return not case.has_ended or any(event.id > after for event in await self._store.cases.history(case.id))

    def admit(self, case: Case) -> None:
        """See that there is room for one more reader. Raises TooManyWaiting."""
        most = self._most()
        if self._crowd.refuses("events", case.tenant, most):
            raise TooManyWaiting(f"{most} callers of this tenant wait already: ask for the case instead")

    async def events(self, case: Case, after: int) -> AsyncIterator[bytes]:
        """What happens to a case after the event of this id; ends with the event that it has ended. Raises StoreError."""
        with self._crowd.place("events", case.tenant, self._most()) as admitted:
            if not admitted:  # others came while the headers went out
                return
            yield COMMENT
            async with aclosing(self._happening(case, after)) as events:
                async for event in events:
                    yield event

    async def _happening(self, case: Case, after: int) -> AsyncGenerator[bytes, None]:
        async with self._arrivals.place(case.id) as happened:
            while not self._arrivals.ending.is_set():
                happened.clear()
                found = await self._store.cases.get(case.id, tenant=case.tenant)
                if found is None:
                    return
                history = [event for event in await self._store.cases.history(case.id) if event.id > after]
                for event in history:
                    after = event.id
                    if event.kind in _TOLD:
                        yield event_of(_said(event), name=event.kind, id=str(event.id))
                if found.has_ended:
                    yield event_of(msgspec.Raw(await self._told(found)), name=found.state, id=str(after))
                    return
                if not await wait(happened, KEEP_ALIVE_SECONDS):
                    yield COMMENT


def _said(event: CaseEvent) -> dict[str, object]:
    """An event without who did it and why: that is the desk's."""
    return {
        "id": event.id, "object": "case.event", "case": event.case_id, "kind": event.kind, "state": event.state,
        "at": when(event.at_ns),
    }  # fmt: skip
