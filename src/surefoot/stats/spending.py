"""How many wrong answers were served at most, when only answers that were withheld by lot are ever judged.

A proposal that passes the gate is served with probability 1 - explore, and nobody learns whether it was right; with
probability `explore` it is withheld, the model answers, and then it is known. Whatever the proposals are and whoever chooses
them, each wrong one is as likely to be seen as the lot says. With S wrong ones served and X wrong ones seen, exp(b S - a X)
is a supermartingale for every a > 0 with (1 - explore) e^b + explore e^-a = 1, and so is a mixture over a; by Ville's
inequality it stays below 1 / (1 - assurance) for ever with the assurance. That bounds S by X at all times at once.

Nothing is assumed of the questions, the map, its calibration, or that tomorrow is like today: only that lots are fair and not
known to who asks, that a label is wrong with no more than `label_error`, and that labels of withheld ones are not missing by
their outcome. Source: Ville (1939); the mixture as in Howard, Ramdas, McAuliffe, Sekhon (2021), Annals of Statistics 49; the
pair (a, b) is ours.
"""

from __future__ import annotations

import math

_BOLDNESS = (8.0, 1.4, 0.7, 0.35, 0.18, 0.09)  # the values of a: for none seen, a few, ... hundreds
_STAKES = (0.4, 0.12, 0.12, 0.12, 0.12, 0.12)  # most on the first, which lets a cache begin early
_MOST = 1 << 40


class Spending:
    """The account of one bound: by the number of wrong proposals seen, how many were served at most."""

    def __init__(self, explore: float, *, assurance: float = 0.95, label_error: float = 0.0) -> None:
        """Open an account.

        Args:
            explore: probability in (0, 1) that a proposal is withheld and judged; the same for all that this account counts.
            assurance: in (0, 1).
            label_error: in [0, 1): at most this share of labels says "right" of a wrong proposal. Those that say "wrong" of a
                right one only make the bound larger.
        Raises: ValueError when one of them is out of range.
        """
        if not (0 < explore < 1 and 0 < assurance < 1 and 0 <= label_error < 1):
            raise ValueError("explore and assurance lie between 0 and 1, label_error in [0, 1)")
        self.explore = explore
        seen = explore * (1 - label_error)
        self._bets = [(a, math.log((1 - seen * math.exp(-a) - (explore - seen)) / (1 - explore))) for a in _BOLDNESS]
        self._needed = -math.log(1 - assurance)
        self._known: dict[int, int] = {}

    def most_served_wrong(self, seen_wrong: int) -> int:
        """With the assurance, at every time at once, no more than this many wrong ones were served.

        Raises: ValueError for a number below 0.
        """
        if seen_wrong < 0:
            raise ValueError(f"{seen_wrong} were seen")
        if seen_wrong not in self._known:
            low, high = 0, 1
            while self._possible(high, seen_wrong):
                low, high = high, high * 2
                if high > _MOST:
                    raise ValueError(f"explore {self.explore} is too small to bound anything")
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if self._possible(middle, seen_wrong) else (low, middle)
            self._known[seen_wrong] = low
        return self._known[seen_wrong]

    def _possible(self, served: int, seen: int) -> bool:
        logs = [math.log(stake) + b * served - a * seen for stake, (a, b) in zip(_STAKES, self._bets, strict=True)]
        most = max(logs)
        return most + math.log(sum(math.exp(each - most) for each in logs)) < self._needed
