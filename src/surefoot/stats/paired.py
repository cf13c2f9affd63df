"""Differences of two systems on the same items, and rates, where items of one group do not count as independent.

The variance is taken over groups (Liang and Zeger 1986, Biometrika 73); what it is in excess of independent items is the design
effect (Kish 1965), and exact or score intervals are computed at the effective number of items. So an interval has a width where
no item differs, which a plain standard error denies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, floats
from surefoot.stats.intervals import Estimate, binomial_ends, student

_STEPS = 60  # of the bisection
MOST_ITEMS = 1_000_000  # beyond this nobody waits


class Grouped(Struct, frozen=True, kw_only=True):
    """A mean over items with its interval, standard errors by group. `mean` is None when n = 0; unknown ends are the widest."""

    mean: float | None
    low: float
    high: float
    n: int  # items
    groups: int
    design_effect: float | None  # variance over that of as many independent items; None where it cannot be known
    apart: float  # of differences: the share of items that differ, in [0, 1]; of rates 0


def difference_of(
    differences: Sequence[float], groups: Sequence[str], *, assurance: float = 0.95, samples: int = 1
) -> Grouped:
    """The mean of paired differences with a score interval at the effective number of items.

    Args:
        differences: shape (n,), in [-1, 1]: one score less the other, each in [0, 1], averaged over the samples of an item.
        groups: shape (n,): items that do not count as independent share a name.
        assurance: 1 - alpha of the two-sided interval, in (0, 1).
        samples: how often each item was asked; averaging may make it tell up to so many times as much.
    Returns: (None, -1, 1) when n = 0; the ends are (-1, 1) for fewer than two groups.
    Raises: ValueError for shapes that do not fit or numbers out of range.
    Source: Tango (1998), Statistics in Medicine 17, for one sample of independent items; effective counts are ours.
    """
    values = floats(differences)
    if values.size and np.abs(values).max() > 1:
        raise ValueError("a difference is not in [-1, 1]")
    sums, sizes = _by_group(values, groups)
    n, k = values.size, sums.size
    if n == 0 or k < 2:
        mean = float(values.mean()) if n else None
        return Grouped(mean=mean, low=-1.0, high=1.0, n=n, groups=k, design_effect=None, apart=_apart(values))
    gained, lost = float(values[values > 0].sum()), float(-values[values < 0].sum())
    mean = (gained - lost) / n
    plain = ((gained + lost) / n - mean**2) / n
    effect = _effect(sums, sizes, mean, plain, samples)
    z = student(k - 1, assurance)
    low, high = (_tango(gained / effect, lost / effect, n / effect, z, upper=upper) for upper in (False, True))
    return Grouped(mean=mean, low=low, high=high, n=n, groups=k, design_effect=effect, apart=_apart(values))


def rate_of(scores: Sequence[float], groups: Sequence[str], *, assurance: float = 0.95, samples: int = 1) -> Grouped:
    """The mean of scores in [0, 1] with the exact binomial interval at the effective number of items.

    Args, raises: as `difference_of`.
    Returns: (None, 0, 1) when n = 0; the ends are (0, 1) for fewer than two groups.
    Source: Korn and Graubard (1998), Survey Methodology 24, on Clopper and Pearson (1934).
    """
    values = floats(scores)
    if values.size and (values.min() < 0 or values.max() > 1):
        raise ValueError("a score is not in [0, 1]")
    sums, sizes = _by_group(values, groups)
    n, k = values.size, sums.size
    if n == 0 or k < 2:
        mean = float(values.mean()) if n else None
        return Grouped(mean=mean, low=0.0, high=1.0, n=n, groups=k, design_effect=None, apart=0.0)
    mean = float(values.mean())
    effect = _effect(sums, sizes, mean, mean * (1 - mean) / n, samples)
    effective = n / effect * (student(n - 1, assurance) / student(k - 1, assurance)) ** 2
    low, high = binomial_ends(mean * effective, effective, assurance=assurance)
    return Grouped(mean=mean, low=low, high=high, n=n, groups=k, design_effect=effect, apart=0.0)


def as_estimate(found: Grouped) -> Estimate:
    """The same as an estimate of a rate."""
    return Estimate(estimate=found.mean, low=found.low, high=found.high, n=found.n)


def items_needed(
    effect: float, variance: float, *, assurance: float = 0.95, power: float = 0.8, step: float = 0.0
) -> int | None:
    """How many independent items show an effect: the two-sided interval then leaves the bound out with this power.

    Args:
        effect: distance of the true mean from the bound, either sign.
        variance: of one item's value; of paired differences the share that differs less the squared mean.
        assurance, power: in (0, 1).
        step: by which the sum can change, at least 0: twice so much over the effect is added for its being discrete.
    Returns: None when the effect is 0, or for more than a million.
    Raises: ValueError for a variance below 0 or shares out of range.
    Source: Miller (2024), arXiv 2411.00640, section 5: 865 for 3 points where 10 % of the items differ. The correction for
        discrete values is the leading term of Connor's (1987), Biometrics 43.
    """
    _check(variance, assurance, power)
    if effect == 0:
        return None
    n = (_z(assurance) + NormalDist().inv_cdf(power)) ** 2 * variance / effect**2 + 2 * step / abs(effect)
    return None if n > MOST_ITEMS else max(2, math.ceil(n))


def power_of(n: float, effect: float, variance: float, *, assurance: float = 0.95, step: float = 0.0) -> float:
    """The power of so many independent items, in [0, 1]; 0 when n = 0. Args, raises: as `items_needed`."""
    _check(variance, assurance, 0.5)
    if effect == 0:
        return 0.0
    n -= 2 * step / abs(effect)
    if n <= 0:
        return 0.0
    if variance == 0:
        return 1.0
    return NormalDist().cdf(abs(effect) * math.sqrt(n / variance) - _z(assurance))


def sampling_share(first: Sequence[Sequence[float]], second: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """(variance of an item's difference from asking once, variance of the difference of its means): what repeats could remove.

    Args:
        first, second: for each item the scores of its samples, by system; items with fewer than two of each are left out.
    Returns: None when no item has two samples of both. The first is for one sample of each system; k samples leave a k-th.
    """
    pairs = [(a, b) for a, b in zip(first, second, strict=True) if len(a) > 1 and len(b) > 1]
    if len(pairs) < 2:
        return None
    once = sum(float(np.var(a, ddof=1) + np.var(b, ddof=1)) for a, b in pairs) / len(pairs)
    means = [float(np.mean(a) - np.mean(b)) for a, b in pairs]
    return once, float(np.var(means, ddof=1))


def _by_group(values: Floats, groups: Sequence[str]) -> tuple[Floats, Floats]:
    if len(groups) != values.size:
        raise ValueError(f"expected {values.size} groups, got {len(groups)}")
    if not values.size:
        return np.zeros(0), np.zeros(0)
    place: NDArray[np.intp] = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)[1]
    sizes = np.bincount(place).astype(np.float64)
    return np.bincount(place, weights=values).astype(np.float64), sizes


def _apart(values: Floats) -> float:
    return float(np.abs(values).mean()) if values.size else 0.0


def _effect(sums: Floats, sizes: Floats, mean: float, plain: float, samples: int) -> float:
    """The design effect: never below that of averaged samples; where nothing varies, groups are taken to go alike."""
    n, k = float(sizes.sum()), sums.size
    if plain <= 1e-15:
        return n / k
    grouped = float(((sums - mean * sizes) ** 2).sum()) * k / (k - 1) / n**2
    return max(grouped / plain, 1 / samples)


def _tango(gained: float, lost: float, n: float, z: float, *, upper: bool) -> float:
    """One end of the score interval: where the standardised distance of the mean is z."""
    mean = (gained - lost) / n
    low, high = (mean, 1.0) if upper else (-1.0, mean)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        inside = abs(_score(gained, lost, n, middle)) < z
        if upper:
            low, high = (middle, high) if inside else (low, middle)
        else:
            low, high = (low, middle) if inside else (middle, high)
    return (low + high) / 2


def _score(gained: float, lost: float, n: float, bound: float) -> float:
    """Tango's statistic of "the mean difference is `bound`": the variance is what is likeliest under it."""
    b = (2 * n - gained + lost) * bound - gained - lost
    c = -lost * bound * (1 - bound)
    q = (math.sqrt(max(0.0, b * b - 8 * n * c)) - b) / (4 * n)
    variance = n * (2 * q + bound * (1 - bound))
    distance = gained - lost - n * bound
    if variance <= 0:
        return 0.0 if distance == 0 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def _z(assurance: float) -> float:
    return NormalDist().inv_cdf(1 - (1 - assurance) / 2)


def _check(variance: float, assurance: float, power: float) -> None:
    if variance < 0 or not (0 < assurance < 1 and 0 < power < 1):
        raise ValueError(f"variance {variance}, assurance {assurance}, power {power}")
