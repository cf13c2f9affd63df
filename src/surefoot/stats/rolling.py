"""Is the rate within its limit, over a window that rolls on, however often it is looked at?

A certificate looks back to the first label; an objective looks back over a window, and labels leave it as others come. What is
staked on each bet multiplies over the labels in the window. For as long as one window lasts, every window that is looked at
holds one fixed moment, the one where the first of them ended. Left of it the product runs backwards in time, right of it
forwards; both are non-negative martingales or shrink on average when the limit is not kept, so each ever exceeds x with
probability at most 1 / x (Ville), whatever the moments of looking, and they do not depend on each other. A product of two such
exceeds x with probability at most (1 + ln x) / x: with labels that are independent of each other and a rate that stays on its
side of the limit, that bounds the chance that any look of a window-long stretch is mistaken. At a single look the rate may
change within the window as it likes: the product's mean is largest when it does not (the means' inequality), so that the
bound 1 / x holds for its average.

Source: Ville (1939); betting as in Waudby-Smith and Ramdas (2024), JRSS B 86; the two-sided product is ours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats
from surefoot.stats.sequential import Rows, excess_bets, grown, kept_bets, rows_of

_MOST = 100_000  # labels: beyond this nobody waits


class Rolled(Struct, frozen=True, kw_only=True):
    """p-values of both sides, each valid at every look of a window-long stretch, and what is still needed."""

    kept_p: float  # of "the limit is not kept"; 1 when n = 0
    exceeded_p: float  # of "it is kept"
    n: int
    labels_needed: int | None  # more, until one side is told, on average; 0: it is told; None: unknown, or over 100,000


def rolled(
    wrong: Sequence[bool] | NDArray[Any], weights: Sequence[float] | NDArray[Any], *, limit: float, doubt: float,
    counts: Sequence[int] | NDArray[Any] | None = None,
) -> Rolled:  # fmt: skip
    """Test a rate in the present window against its limit.

    Args:
        wrong: shape (n,), one verdict a group.
        weights: shape (n,), in (0, 1]: the least propensity in the window over this label's own. Propensities must not hang on
            verdicts.
        limit: in (0, 1).
        doubt: in (0, 1): a side is told when its p-value is at most this.
        counts: shape (n,), how many labels each row stands for.
    Raises: ValueError for shapes that do not fit or numbers out of range.
    """
    if not 0 < doubt < 1:
        raise ValueError(f"doubt {doubt} is not between 0 and 1")
    rows = rows_of(wrong, weights, counts)
    (kept, kept_stakes), (excess, excess_stakes) = kept_bets(limit), excess_bets(limit)
    kept_p = _p(grown(rows, -np.array(kept), limit), kept_stakes)
    exceeded_p = _p(grown(rows, np.array(excess), limit), excess_stakes)
    needed = 0 if min(kept_p, exceeded_p) <= doubt else _needed(rows, limit, doubt)
    return Rolled(kept_p=kept_p, exceeded_p=exceeded_p, n=int(rows.count.sum()), labels_needed=needed)


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for their number: told at a level, the chance that any of them is mistaken is at most that level.

    Whatever their dependence; and since smaller p-values never tell less, p-values that hold at every look stay so.
    Source: Holm (1979), Scandinavian Journal of Statistics 6.
    """
    found, worst = [1.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        worst = max(worst, min(1.0, (len(p) - rank) * p[place]))
        found[place] = worst
    return found


def _p(logs: Floats, stakes: Sequence[float]) -> float:
    """The least over the bets, each with its share of the doubt."""
    found = [(1 + log) * math.exp(-log) / stake for log, stake in zip(logs.tolist(), stakes, strict=True) if log > 0]
    return min(1.0, *found) if found else 1.0


def _needed(rows: Rows, limit: float, doubt: float) -> int | None:
    """How many more until a bet is won, if they are wrong as often as those so far and carry full weight."""
    rate = rows.rate
    if rate == limit:
        return None
    more = Rows(np.array([0.0, 1.0]), np.ones(2), np.array([1 - rate, rate]))
    bets, stakes = kept_bets(limit) if rate < limit else excess_bets(limit)
    sign = -1.0 if rate < limit else 1.0
    so_far, growth = grown(rows, sign * np.array(bets), limit), grown(more, sign * np.array(bets), limit)
    bars = np.array([_bar(doubt * stake) for stake in stakes])
    wins = growth > 0
    if not wins.any():
        return None
    fewest = float(np.min((bars[wins] - so_far[wins]) / growth[wins]))
    return max(1, math.ceil(fewest)) if fewest <= _MOST else None


def _bar(doubt: float) -> float:
    """ln x where (1 + ln x) / x is the doubt."""
    low, high = 0.0, 800.0
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 + middle) * math.exp(-middle) > doubt else (low, middle)
    return high
