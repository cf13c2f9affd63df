"""How many connections are held for callers who wait: counted, and at most so many for each tenant.

A held connection is a task and a socket. One tenant's rush must not take them from the others, so that whoever comes beyond
the cap is answered at once and asks again: it loses nothing but comfort.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from surefoot.app.metrics import Metrics


class Crowd:
    """Places for connections of this process. Used from one event loop."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics, self._held = metrics, Counter[str]()

    def refuses(self, kind: str, tenant: str, most: int) -> bool:
        """Whether a tenant has `most` connections already; counted as a refusal then."""
        full = self._held[tenant] >= most
        if full:
            self._metrics.crowded(kind)
        return full

    @contextmanager
    def place(self, kind: str, tenant: str, most: int) -> Iterator[bool]:
        """Whether there is a place for one more of a tenant's connections; it is held while this is entered.

        Args:
            kind: "call" | "stream" | "events", for the metrics.
            most: of one tenant, all kinds together.
        """
        if self.refuses(kind, tenant, most):
            yield False
            return
        self._held[tenant] += 1
        self._metrics.held[kind] += 1
        try:
            yield True
        finally:
            self._metrics.held[kind] -= 1
            self._held[tenant] -= 1
            if not self._held[tenant]:
                del self._held[tenant]
