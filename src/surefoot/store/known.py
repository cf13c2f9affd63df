"""What an exact cache may hold: a bounded set of fingerprints, so that a sure miss costs no look-up."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable

LIMIT = 200_000


class Known:
    """Fingerprints in the order they were learnt; the oldest are forgotten first. Safe between threads.

    A forgotten fingerprint is a miss that need not have been one: it costs money, never a wrong answer.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._stamps: dict[str, int] = {}
        self._clock = itertools.count(1)
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._stamps)

    def stamp(self, fingerprint: str) -> int:
        """When it was learnt last, as a number that grows; 0 when it is not known."""
        return self._stamps.get(fingerprint, 0)

    def add(self, fingerprints: Iterable[str]) -> None:
        """Learn fingerprints, the newest last."""
        with self._lock:
            for fingerprint in fingerprints:
                self._stamps.pop(fingerprint, None)
                self._stamps[fingerprint] = next(self._clock)
            while len(self._stamps) > self._limit:
                del self._stamps[next(iter(self._stamps))]

    def drop(self, fingerprint: str, stamp: int) -> None:
        """Forget a fingerprint, unless it was learnt again since `stamp`."""
        with self._lock:
            if self._stamps.get(fingerprint) == stamp:
                del self._stamps[fingerprint]
