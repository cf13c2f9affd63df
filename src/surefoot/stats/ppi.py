"""A rate from few human labels and a judge's scores on everything: the judge makes it narrower, never biased."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Bools, Floats, floats
from surefoot.stats.metrics import rate

_LEAST = 2  # labels below which no variance can be estimated
_BOTH = 10  # labels of either kind below which neither the judge's worth nor a normal interval can be trusted
_Z = 1.959963984540054  # of 95 % of a normal distribution


class Corrected(Struct, frozen=True, kw_only=True):
    """A rate with its 95 % interval. Everything is None and the interval (0, 1) below two labels."""

    estimate: float | None
    low: float
    high: float
    n: int  # human labels
    judged: int  # answers the judge scored
    judge_alone: float | None  # what the judge says by itself: biased by nobody knows how much
    tuning: float  # how much the judge counts: 0 not at all, 1 fully
    effective_n: float | None  # labels that would give the same interval without the judge


class Moments(Struct, frozen=True, kw_only=True):
    """What is known of the judge's scores of all answers, where only their sums were kept."""

    n: int
    mean: float  # 0 when n = 0
    variance: float  # with n - 1; 0 below two

    @classmethod
    def of(cls, scores: Floats) -> Moments:
        """The moments of scores."""
        n = scores.size
        return cls(n=n, mean=float(scores.mean()) if n else 0.0, variance=float(scores.var(ddof=1)) if n > 1 else 0.0)

    @classmethod
    def counted(cls, counts: Mapping[float, int]) -> Moments:
        """The moments of a histogram: how many answers have each score."""
        n = sum(counts.values())
        mean = sum(score * count for score, count in counts.items()) / n if n else 0.0
        squares = sum((score - mean) ** 2 * count for score, count in counts.items())
        return cls(n=n, mean=mean, variance=squares / (n - 1) if n > 1 else 0.0)


def ppi_rate(
    wrong: Sequence[float] | NDArray[Any], judged: Sequence[float] | NDArray[Any],
    all_judged: Sequence[float] | NDArray[Any] | Moments, *, propensities: Sequence[float] | NDArray[Any] | None = None,
) -> Corrected:  # fmt: skip
    """The rate of wrong answers, tuned so that a useless judge does no harm.

    Args:
        wrong: shape (n,), 1 where a person said wrong, else 0.
        judged: shape (n,), the judge's score of wrongness for the same answers.
        all_judged: shape (N,), its scores for all answers, the labelled ones among them. Were they not, the interval would be a
            little too wide. Or their moments.
        propensities: shape (n,), in (0, 1], how probable it was that each was labelled; None: all the same.
    Returns: lambda * mean(judge on all) + weighted mean(wrong - lambda * judge on the labelled), cut to [0, 1]. With fewer
        than ten labels of either kind the labels stand alone, with their exact binomial interval: few wrong answers tell
        neither what the judge is worth nor a variance, and none at all would look like certainty.
    Raises: ValueError for shapes that do not fit, or propensities out of range.
    Source: Angelopoulos, Duchi and Zrnic (2023), PPI++, arXiv 2311.01453, with labels among all; weights by Horvitz and
        Thompson, normalised (Hajek).
    """
    labels = floats(wrong)
    mine = floats(judged, like=labels.size)
    every = all_judged if isinstance(all_judged, Moments) else Moments.of(floats(all_judged))
    share = np.ones(labels.size) if propensities is None else floats(propensities, like=labels.size)
    if labels.size and not 0 < share.min() <= share.max() <= 1:
        raise ValueError("a propensity must be above 0 and at most 1")
    alone = every.mean if every.n else None
    if labels.size < _LEAST:
        return Corrected(
            estimate=None, low=0.0, high=1.0, n=labels.size, judged=every.n, judge_alone=alone, tuning=0.0,
            effective_n=None,
        )  # fmt: skip
    fails = labels > 0
    if every.n < _LEAST or min(fails.sum(), (~fails).sum()) < _BOTH:
        return _labels_alone(fails, 1 / share, every, alone)
    weight = (1 / share) / (1 / share).sum()
    tuning = _tuned(labels, mine, every, weight)
    rectifier = labels - tuning * mine
    estimate = tuning * every.mean + float(weight @ rectifier)
    shared = max(0.0, _covariance(mine, rectifier, weight)) / every.n  # a labelled answer is in both means
    spread = tuning**2 * every.variance / every.n + _variance(rectifier, weight) + 2 * tuning * shared
    half = _Z * math.sqrt(spread)
    return Corrected(
        estimate=min(1.0, max(0.0, estimate)),
        low=max(0.0, estimate - half),
        high=min(1.0, estimate + half),
        n=labels.size,
        judged=every.n,
        judge_alone=alone,
        tuning=tuning,
        effective_n=labels.size * _variance(labels, weight) / spread if spread > 0 else None,
    )


def _labels_alone(fails: Bools, weight: Floats, every: Moments, alone: float | None) -> Corrected:
    found = rate(fails, weights=weight)
    return Corrected(
        estimate=found.estimate, low=found.low, high=found.high, n=fails.size, judged=every.n, judge_alone=alone,
        tuning=0.0, effective_n=float(fails.size),
    )  # fmt: skip


def _covariance(one: Floats, other: Floats, weight: Floats) -> float:
    return float(weight @ ((one - float(weight @ one)) * (other - float(weight @ other))))


def _variance(values: Floats, weight: Floats) -> float:
    """Of a weighted mean (Hajek's, linearised)."""
    centered = values - float(weight @ values)
    return float((weight**2) @ (centered**2)) * values.size / (values.size - 1)


def _tuned(labels: Floats, mine: Floats, every: Moments, weight: Floats) -> float:
    """The weight of the judge with the least variance of the estimate, between 0 and 1."""
    square = weight * weight
    centered = mine - float(weight @ mine)
    worth = float(square @ (centered * (labels - float(weight @ labels)))) - _covariance(mine, labels, weight) / every.n
    own = float(square @ (centered**2))
    total = own + every.variance / every.n - 2 * _covariance(mine, mine, weight) / every.n
    return float(np.clip(worth / total, 0.0, 1.0)) if total > 1e-9 * own else 0.0
