"""What a provider has probably cached: beginnings of prompts that were sent before, and how often they come again."""

from __future__ import annotations

from collections import OrderedDict

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

    def rate(self, feature: str) -> float | None:
        """[0, 1]: how often a prefix of the feature comes again in time; None below 20 sights."""
        sights, repeats = self._rates.get(feature, (0, 0))
        return repeats / (sights + _PRIOR) if sights >= _LEAST else None
