"""Bets on a mean of bounded values that may be looked at after every group of items.

For each side a mixture of fixed bets multiplies its stake by 1 + bet * (sum of a group less its size times the bound). While
the true mean is not beyond the bound that wealth is a supermartingale, whatever the values' distribution, so that it reaches
1 / doubt with a probability of at most `doubt`, at whichever moment somebody looks (Ville 1939). Groups are independent,
items in one are not; they come in an order that does not depend on their values.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, floats

Numbers = Sequence[float] | NDArray[Any]
_SHARES = tuple(0.5**step for step in range(1, 8))  # of the boldest bet that cannot lose everything
_BOLDEST = 1 - 1e-9
_STEPS = 40  # of the bisection


class Bounded(Struct, frozen=True, kw_only=True):
    """What values can be: a mean in [least, most], at most `largest` items in a group."""

    least: float
    most: float
    largest: int = 1


def wealth_above(sums: Numbers, sizes: Numbers, bound: float, of: Bounded) -> float:
    """The logarithm of what betting 1 on "the mean is above `bound`" has become; 0 of nothing.

    Args:
        sums, sizes: shape (k,), by group the sum of its values and how many they are, at most `of.largest`.
        bound: in [of.least, of.most].
    Raises: ValueError for shapes that do not fit, sizes above the largest or a bound out of range.
    Source: Waudby-Smith and Ramdas (2024), JRSS B 86, hedged capital with fixed bets; sums of groups as one value are ours.
    """
    return _wealth(floats(sums), sizes, bound, of, side=1.0)


def wealth_below(sums: Numbers, sizes: Numbers, bound: float, of: Bounded) -> float:
    """The same for "the mean is below `bound`"."""
    return _wealth(floats(sums), sizes, bound, of, side=-1.0)


def certain_ends(sums: Numbers, sizes: Numbers, of: Bounded, *, assurance: float) -> tuple[float, float]:
    """The ends of a confidence sequence for the mean: it is inside at all moments at once, with the assurance.

    Returns: (least, most) of nothing.
    Raises: as `wealth_above`, and ValueError for an assurance out of range.
    """
    if not 0 < assurance < 1:
        raise ValueError(f"assurance {assurance} is not between 0 and 1")
    values = floats(sums)
    if not values.size:
        return of.least, of.most
    needed = -np.log((1 - assurance) / 2)
    mean = min(max(float(values.sum() / np.sum(sizes)), of.least), of.most)
    low, high = of.least, mean
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if _wealth(values, sizes, middle, of, side=1.0) >= needed else (low, middle)
    lowest = low
    low, high = mean, of.most
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _wealth(values, sizes, middle, of, side=-1.0) >= needed else (middle, high)
    return lowest, high


def _wealth(values: Floats, sizes: Numbers, bound: float, of: Bounded, *, side: float) -> float:
    counts = floats(sizes, like=values.size)
    if not of.least <= bound <= of.most:
        raise ValueError(f"bound {bound} is not in [{of.least}, {of.most}]")
    if counts.size and counts.max() > of.largest:
        raise ValueError(f"a group has more than {of.largest} items")
    room = bound - of.least if side > 0 else of.most - bound
    if not values.size or room <= 0:
        return 0.0  # at the end of the range nothing can be bet against it
    bets = np.array((_BOLDEST, *_SHARES)) / (room * of.largest)
    gains = side * (values - bound * counts)
    logs = np.log1p(np.outer(bets, gains)).sum(axis=1)
    return float(np.logaddexp.reduce(logs) - np.log(bets.size))
