"""Exact intervals for rates, without scipy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct

_STEPS = 200  # of the bisection: more than the bits of a double
_TINY = 1e-300


class Estimate(Struct, frozen=True, kw_only=True):
    """A rate with its interval. `estimate` is None and the interval (0, 1) when n = 0: nothing is known."""

    estimate: float | None
    low: float
    high: float
    n: int


def clopper_pearson(hits: int, n: int, *, assurance: float = 0.95) -> Estimate:
    """The exact two-sided interval for a binomial rate.

    Args:
        hits: how often it happened, 0 <= hits <= n.
        n: how often it could have.
        assurance: 1 - alpha, in (0, 1).
    Returns: the rate and its interval; (None, 0, 1) when n = 0.
    Raises: ValueError when hits or assurance are out of range.
    Source: Clopper and Pearson (1934), Biometrika 26; ends as quantiles of beta distributions.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits in {n} trials")
    if not 0 < assurance < 1:
        raise ValueError(f"assurance {assurance} is not between 0 and 1")
    if n == 0:
        return Estimate(estimate=None, low=0.0, high=1.0, n=0)
    low, high = binomial_ends(hits, n, assurance=assurance)
    return Estimate(estimate=hits / n, low=low, high=high, n=n)


def binomial_ends(hits: float, n: float, *, assurance: float = 0.95) -> tuple[float, float]:
    """The ends of Clopper and Pearson's interval, 0 <= hits <= n and n above 0; effective numbers need not be whole."""
    tail = (1 - assurance) / 2
    low = 0.0 if hits <= 0 else _beta_quantile(tail, hits, n - hits + 1)
    high = 1.0 if hits >= n else _beta_quantile(1 - tail, hits + 1, n - hits)
    return low, high


def quantile(values: Sequence[float], share: float) -> float | None:
    """The empirical quantile (nearest rank from below); None of nothing."""
    if not values:
        return None
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Mean(Struct, frozen=True, kw_only=True):
    """A mean with its interval. `low` and `high` are None below two values, `value` is None of none: nothing is known."""

    value: float | None
    low: float | None
    high: float | None
    n: int


def mean_of(values: Sequence[float], *, assurance: float = 0.95) -> Mean:
    """The mean and its two-sided interval by Student's t: wide for few values, without a width when all are the same.

    Raises: ValueError when the assurance is not in (0, 1).
    Source: Student (1908), Biometrika 6; the quantile from the beta distribution, DLMF 8.17.
    """
    if not 0 < assurance < 1:
        raise ValueError(f"assurance {assurance} is not between 0 and 1")
    n = len(values)
    if n < 2:
        return Mean(value=values[0] if n else None, low=None, high=None, n=n)
    mean = math.fsum(values) / n
    variance = math.fsum((value - mean) ** 2 for value in values) / (n - 1)
    width = student(n - 1, assurance) * math.sqrt(variance / n)
    return Mean(value=mean, low=mean - width, high=mean + width, n=n)


def student_tail(t: float, freedom: int) -> float:
    """P(T > t) of Student's t with `freedom` >= 1. Source: DLMF 8.17, by the beta distribution of freedom / (freedom + t²)."""
    half = _beta_cdf(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return half if t >= 0 else 1 - half


@lru_cache(1024)
def student(freedom: float, assurance: float = 0.95) -> float:
    """The two-sided quantile of Student's t, freedom above 0: freedom / (freedom + t²) is beta distributed."""
    x = _beta_quantile(1 - assurance, freedom / 2, 0.5)
    return math.sqrt(freedom * (1 - x) / x)


def _beta_quantile(share: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if _beta_cdf(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta_cdf(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function. Source: DLMF 8.17.22, continued fraction by Lentz's method."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # the fraction converges quickly only below the mean
        return 1 - _beta_fraction(1 - x, b, a)
    return _beta_fraction(x, a, b)


def _beta_fraction(x: float, a: float, b: float) -> float:
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x) - math.log(a)
    )
    c, d = 1.0, 1 / _away(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 10_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d, c = 1 / _away(1 + even * d), _away(1 + even / c)
        fraction *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d, c = 1 / _away(1 + odd * d), _away(1 + odd / c)
        fraction *= d * c
        if abs(d * c - 1) < 1e-15:
            break
    return front * fraction


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
