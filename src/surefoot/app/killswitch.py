"""The kill switch: which features a person stopped, read again every second by every replica.

A stopped feature asks no model and gives no cached answer: its requests wait for the person, or are refused where the stop says
so and where there is nothing a person could answer (embeddings). Answers that were begun before end as they would have.
When the database does not answer, what was known goes on counting; nothing is delivered meanwhile that is not durable.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping

import structlog

from surefoot.app.loops import keep
from surefoot.errors import BadRequest
from surefoot.records.audit import Stop
from surefoot.store import Store

ALL = "*"
_SECONDS = 1.0  # a stop acts everywhere within this time and one reading

log = structlog.get_logger("surefoot")


class KillSwitch(Mapping[str, Stop]):
    """By feature, the stop that holds for it; a stop of all is the answer for every feature."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stops: dict[str, Stop] = {}

    def __getitem__(self, feature: str) -> Stop:
        found = self._stops.get(ALL) or self._stops.get(feature)
        if found is None:
            raise KeyError(feature)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._stops)

    def __len__(self) -> int:
        return len(self._stops)

    def stopped(self, feature: str) -> Stop | None:
        """The stop that holds for a feature, or None."""
        return self.get(feature)

    async def stop(self, feature: str, *, by: str, reason: str, refuse: bool = False) -> Stop:
        """Stop a feature, or ALL; here at once, elsewhere within a second. Raises BadRequest without a person or a reason."""
        stop = Stop(
            feature=feature,
            at_ns=time.time_ns(),
            by=_said("a person", by),
            reason=_said("a reason", reason),
            refuse=refuse,
        )
        await self._store.audit.stop(stop)
        await self.refresh()
        log.warning("a feature was stopped", feature=feature, by=by)
        return stop

    async def resume(self, feature: str, *, by: str, reason: str) -> bool:
        """Whether there was such a stop; a stop of ALL is ended by its own name. Raises BadRequest as `stop` does."""
        who, why = _said("a person", by), _said("a reason", reason)
        ended = await self._store.audit.resume(feature, by=who, reason=why, at_ns=time.time_ns())
        await self.refresh()
        if ended:
            log.warning("a feature was resumed", feature=feature, by=by)
        return ended

    async def refresh(self) -> None:
        """Read the stops again. Raises StoreError."""
        self._stops = {stop.feature: stop for stop in await self._store.audit.stops()}

    async def keep_fresh(self, on_lost: Callable[[str], None]) -> None:
        """Refresh for ever."""
        await keep(self.refresh, every_seconds=_SECONDS, what="kill switch", on_lost=on_lost)


def _said(what: str, text: str) -> str:
    if not text.strip():
        raise BadRequest(f"a stop is recorded with a person and a reason; {what} is missing")
    return text.strip()
