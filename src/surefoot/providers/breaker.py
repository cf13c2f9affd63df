"""A circuit for each provider: after failures in a row it is left alone for a while, then probed by one request."""

from __future__ import annotations

import time
from collections.abc import Callable

from surefoot.errors import Unreachable


class Breaker:
    """Closed, open or half-open. A request that the provider rejects as wrong is no failure of the provider."""

    def __init__(self, after: int, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._after, self._seconds, self._clock = after, seconds, clock
        self._failures = 0
        self._open_until = 0.0
        self._probing = False

    def admit(self, name: str) -> None:
        """Let a call through. Raises Unreachable while the circuit is open, or half-open and already probed."""
        if not self._after or self._failures < self._after:
            return
        if self._probing or self._clock() < self._open_until:
            raise Unreachable(f"the circuit of provider {name} is open after {self._failures} failures in a row")
        self._probing = True

    def worked(self) -> None:
        """The provider answered: the circuit closes."""
        self._failures, self._probing = 0, False

    def failed(self) -> None:
        """The provider failed: one more in a row."""
        self._failures += 1
        self._probing = False
        self._open_until = self._clock() + self._seconds

    def left(self) -> None:
        """The caller left before the provider could answer: nothing was learnt."""
        self._probing = False
