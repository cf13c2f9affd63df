"""What a provider has probably cached: beginnings of prompts that were sent before, and how often they come again."""

from __future__ import annotations

from collections import OrderedDict
from math import sqrt

TTL_NS = 300 * 1_000_000_000  # five minutes: how long providers keep a prefix at least
_MOST = 20_000  # prefixes that are remembered
_LEAST = 20  # sights of a feature's prefixes before a rate means anything
_PRIOR = 4.0  # sights without a repetition that every rate begins with


class Prefixes:
    """Prefixes by digest with the moment they were last sent. One for the process, lost with it: that costs money only."""

    def __init__(self) -> None:
        self._sent: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._rates: dict[str, tuple[int, int]] = {}  # feature -> (sights, of those within the time of an earlier one)

    def seen(self, feature: str, digest: str, at_ns: int) -> bool:
        """Whether a prefix was sent within the last five minutes; from now on it was sent at `at_ns`."""
        key = (feature, digest)
        before = self._sent.pop(key, None)
        self._sent[key] = max(at_ns, before or 0)
        if len(self._sent) > _MOST:
            self._sent.popitem(last=False)
        again = before is not None and abs(at_ns - before) <= TTL_NS
        sights, repeats = self._rates.get(feature, (0, 0))
        self._rates[feature] = (sights + 1, repeats + again)
        return again

    def sent(self, turns: str, digest: str, at_ns: int) -> None:
        """A conversation came to a turn whose prefix is `digest`. Sent again unchanged, by a retry, it is the same turn."""
        key = (turns, digest)
        before = self._sent.pop(key, None)
        self._sent[key] = max(at_ns, before or 0)
        if len(self._sent) > _MOST:
            self._sent.popitem(last=False)
        if before is None or abs(at_ns - before) > TTL_NS:
            sights, repeats = self._rates.get(turns, (0, 0))
            self._rates[turns] = (sights + 1, repeats)

    def went_on(self, turns: str, digest: str, at_ns: int) -> None:
        """The conversation of a turn goes on; counted once, and only within five minutes."""
        before = self._sent.pop((turns, digest), None)
        if before is not None and abs(at_ns - before) <= TTL_NS:
            sights, repeats = self._rates.get(turns, (0, 0))
            self._rates[turns] = (sights, repeats + 1)

    def rate(self, feature: str) -> float | None:
        """[0, 1]: how often a prefix (or a turn) comes again in time, less one standard error; None below 20 sights.

        Chance alone shall not let a mark be set that does not pay.
        """
        sights, repeats = self._rates.get(feature, (0, 0))
        if sights < _LEAST:
            return None
        n = sights + _PRIOR
        rate = min(1.0, repeats / n)
        return max(0.0, rate - sqrt(rate * (1 - rate) / n))
