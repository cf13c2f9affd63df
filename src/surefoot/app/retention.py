"""Retention: content that is older than the configuration keeps it is destroyed, a pass an hour, in whatever replica.

What is destroyed is a key, so that the content cannot be read wherever a copy of it lies. Journal, ledger, labels and trail
stay. Keys are used for a day, so that old content goes without the new: content lives for at most a day longer than configured.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from surefoot.app.loops import keep
from surefoot.app.metrics import Metrics
from surefoot.app.serving import Serving
from surefoot.records import Expired
from surefoot.store import Store

EVERY_SECONDS = 3600.0
_PAGE = 500  # keys in one transaction
_DAY_NS = 86_400_000_000_000


class Retention:
    """Destroys what is too old. `clock` gives UTC nanoseconds."""

    def __init__(
        self, store: Store, serving: Serving, metrics: Metrics, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._store, self._serving, self._metrics, self._clock = store, serving, metrics, clock

    def begin(self) -> None:
        """Rotate keys from now on, where content is not kept for ever. Follows each change of the configuration."""
        self._store.rotate_keys(_DAY_NS if self._days() else 0)

    async def keep(self) -> None:
        """For ever: one pass an hour, the first at once."""
        lost = self._metrics.lost
        await keep(self.look, every_seconds=EVERY_SECONDS, what="retention", on_lost=lost, at_once=True)

    async def look(self) -> Expired:
        """One pass; what it destroyed, nothing where content is kept for ever. Raises StoreError."""
        self.begin()
        days, keys, contents = self._days(), 0, 0
        while days:
            done = await self._store.journal.expire(before_ns=self._clock() - days * _DAY_NS, limit=_PAGE)
            keys, contents = keys + done.keys, contents + done.contents
            self._metrics.expired(done.contents)
            if done.keys < _PAGE:
                break
        return Expired(keys=keys, contents=contents)

    def _days(self) -> int:
        return self._serving.runtime.config.settings.store.retention_days
