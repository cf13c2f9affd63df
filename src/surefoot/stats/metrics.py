"""How good scores and probabilities are: ranking, risk against coverage, calibration. Unknown is NaN, never 0.

`weights`, shape (n,), above 0, say how many answers of the traffic each label stands for (1 / propensity); None: all the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Bools, Floats, bools, effective, floats, weights_of
from surefoot.stats.intervals import Estimate, binomial_ends, clopper_pearson

Scores = Sequence[float] | NDArray[Any]
Verdicts = Sequence[bool] | NDArray[Any]
Weights = Sequence[float] | NDArray[Any] | None


_BOTH = 10  # verdicts of either kind below which their variance is not trusted


class Bin(Struct, frozen=True):
    """One row of a reliability table: how many, what was claimed, what was right."""

    low: float  # least p in the bin
    high: float
    claimed: float  # mean p
    right: Estimate


def rate(
    hits: Verdicts, *, weights: Weights = None, groups: Sequence[str] | None = None, assurance: float = 0.95,
    by_design: bool = False,
) -> Estimate:  # fmt: skip
    """How often something happens in the traffic that the labels stand for, with an interval; (None, 0, 1) when n = 0.

    Exact (Clopper and Pearson) for equal weights and groups of one. Otherwise the same interval at the effective number of
    labels, the one that would give a plain sample the variance of this weighted and grouped one; it is never above what the
    weights are worth. Where all verdicts are alike the groups' weights alone tell that number. One group says nothing of
    others: its interval is (0, 1).

    Args:
        by_design: let the number be above what the weights are worth, from ten verdicts of either kind on: where hits are
            labelled more often on purpose, that is what the purpose was.
    Source: Korn and Graubard (1998), Confidence intervals for proportions with small expected number of positive counts
        estimated from survey data, Survey Methodology 24, without their correction for few groups.
    """
    verdicts = bools(hits)
    n, weight = verdicts.size, weights_of(weights, verdicts.size)
    place = np.arange(n) if groups is None else np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)[1]
    if n == 0 or (place.max() == n - 1 and np.ptp(weight) == 0):
        return clopper_pearson(int(verdicts.sum()), n, assurance=assurance)
    share = 1.0 if verdicts.all() else float(weight @ verdicts / n)
    totals = np.bincount(place, weights=weight).astype(np.float64)
    if totals.size == 1:
        return Estimate(estimate=share, low=0.0, high=1.0, n=n)
    spread = np.bincount(place, weights=weight * (verdicts - share))
    variance = float(spread @ spread) / n**2
    alike = variance == 0 or share in (0.0, 1.0)
    size = effective(totals) if alike else share * (1 - share) / variance
    if not alike and not (by_design and min(verdicts.sum(), n - verdicts.sum()) >= _BOTH):
        size = min(effective(weight), size)
    low, high = binomial_ends(share * size, size, assurance=assurance)
    return Estimate(estimate=share, low=low, high=high, n=n)


def auroc(scores: Scores, accepted: Verdicts, *, weights: Weights = None) -> float:
    """The chance that a right answer scores above a wrong one, ties counted half; NaN when one kind is missing.

    Source: Mann and Whitney (1947).
    """
    values, verdicts = _pair(scores, accepted)
    if verdicts.all() or not verdicts.any():
        return float("nan")
    weight = weights_of(weights, values.size)
    levels, place = np.unique(values, return_inverse=True)
    right = np.bincount(place, weights=weight * verdicts, minlength=levels.size)
    wrong = np.bincount(place, weights=weight * ~verdicts, minlength=levels.size)
    below = np.cumsum(wrong) - wrong / 2
    return float(right @ below / (right.sum() * wrong.sum()))


def average_precision(scores: Scores, positive: Verdicts) -> float:
    """The area under the precision-recall curve as a sum of steps; NaN without a positive. Higher scores come first."""
    values, verdicts = _pair(scores, positive)
    if not verdicts.any():
        return float("nan")
    order = np.argsort(-values, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(values[order])), values.size - 1)
    hits = np.cumsum(verdicts[order])[ends]
    precision = hits / (ends + 1)
    return float(np.diff(np.append(0, hits)) @ precision / hits[-1])


def aurc(scores: Scores, accepted: Verdicts, *, weights: Weights = None) -> float:
    """The area under the risk-coverage curve: the mean share of wrong answers over all depths of delivery; NaN when n = 0.

    Tied scores are delivered in random order, which is what the mean within the tie says.
    Source: Geifman and El-Yaniv (2017), Selective classification for deep neural networks.
    """
    values, verdicts = _pair(scores, accepted)
    if not values.size:
        return float("nan")
    weight = weights_of(weights, values.size)
    order = np.argsort(-values, kind="stable")
    stands = weight[order]
    expected = stands * _tied_share(-values, ~verdicts, weight)[order]
    return float(stands @ (np.cumsum(expected) / np.cumsum(stands)) / values.size)


def brier(p: Scores, accepted: Verdicts, *, weights: Weights = None) -> float:
    """The mean squared distance between probability and verdict; NaN when n = 0. Source: Brier (1950)."""
    values, verdicts = _pair(p, accepted)
    return float((weights_of(weights, values.size) * (values - verdicts) ** 2).mean()) if values.size else float("nan")


def log_loss(p: Scores, accepted: Verdicts, *, weights: Weights = None) -> float:
    """Minus the mean log-likelihood, p kept a millionth away from 0 and 1; NaN when n = 0."""
    values, verdicts = _pair(p, accepted)
    if not values.size:
        return float("nan")
    inner = np.clip(values, 1e-6, 1 - 1e-6)
    weight = weights_of(weights, values.size)
    return float(-(weight * np.where(verdicts, np.log(inner), np.log(1 - inner))).mean())


def ece(p: Scores, accepted: Verdicts, *, bins: int = 15, weights: Weights = None) -> float:
    """Expected calibration error over bins of equal mass: mean distance between claimed and right; NaN when n < bins.

    Always above 0 at finite n: compare it with `ece_perfect`. Equal values are never divided between two bins; bins hold the
    same number of labels, whatever they stand for.
    Source: after Naeini, Cooper and Hauskrecht (2015), AAAI; bins of equal mass are ours.
    """
    values, verdicts = _pair(p, accepted)
    if values.size < bins:
        return float("nan")
    place = _binned(values, bins)
    gap = np.bincount(place, weights=weights_of(weights, values.size) * (values - verdicts))
    return float(np.abs(gap).sum() / values.size)


def ece_perfect(
    p: Scores, *, share: float = 0.95, bins: int = 15, runs: int = 400, seed: int = 0, weights: Weights = None
) -> float:
    """The quantile of the ECE that a perfect calibrator would show at these very probabilities, simulated; NaN when n < bins.

    An `ece` at or below it gives no reason to doubt the calibration.
    """
    values = floats(p)
    if values.size < bins:
        return float("nan")
    rng = np.random.default_rng(seed)
    place, weight = _binned(values, bins), weights_of(weights, values.size)
    found = [
        np.abs(np.bincount(place, weights=weight * (values - (rng.random(values.size) < values)))).sum() / values.size
        for _ in range(runs)
    ]
    return float(np.quantile(found, share))


def reliability(
    p: Scores, accepted: Verdicts, *, bins: int = 10, weights: Weights = None, groups: Sequence[str] | None = None
) -> tuple[Bin, ...]:
    """A reliability table over bins of equal mass, lowest first; () when n = 0. Fewer bins when values are tied."""
    values, verdicts = _pair(p, accepted)
    if not values.size:
        return ()
    place, weight = _binned(values, min(bins, values.size)), weights_of(weights, values.size)
    names = np.arange(values.size).astype(np.str_) if groups is None else np.asarray(groups, dtype=np.str_)
    rows = []
    for name in np.unique(place):
        inside = place == name
        right = rate(verdicts[inside], weights=weight[inside], groups=names[inside].tolist())
        mine = values[inside]
        claimed = float(np.average(mine, weights=weight[inside]))
        rows.append(Bin(float(mine.min()), float(mine.max()), claimed, right))
    return tuple(rows)


def left_after(scores: Scores, accepted: Verdicts, share: float) -> float:
    """The share of all wrong answers that is still delivered when the riskiest `share` of answers is escalated.

    0 when none is left, 1 - share for scores that say nothing; NaN when nothing was wrong. Ties at the cut are escalated in
    random order: the mean of that is taken.
    """
    values, verdicts = _pair(scores, accepted)
    wrong = int((~verdicts).sum())
    if not wrong:
        return float("nan")
    kept = values.size - round(share * values.size)
    expected = _tied_share(-values, ~verdicts, np.ones(values.size))[np.argsort(-values, kind="stable")]
    return float(expected[:kept].sum() / wrong)


def group_bootstrap(groups: Sequence[str], *, runs: int = 1000, seed: int = 0) -> list[NDArray[np.int64]]:
    """Row numbers of resamples that draw whole groups with replacement; [] when n = 0."""
    if not groups:
        return []
    _, place = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(place))[:-1])
    rng = np.random.default_rng(seed)
    if len(members) == len(groups):  # groups of one: the same draws, without the lists
        return [order[rng.integers(0, len(members), len(members))] for _ in range(runs)]
    return [
        np.concatenate([members[name] for name in rng.integers(0, len(members), len(members))]) for _ in range(runs)
    ]


def _pair(values: Scores, verdicts: Verdicts) -> tuple[Floats, Bools]:
    array = floats(values)
    return array, bools(verdicts, like=array.size)


def _tied_share(levels: Floats, hits: Bools, weight: Floats) -> Floats:
    """For every row, the share of hits among the rows of the same level."""
    place = np.unique(levels, return_inverse=True)[1]
    return np.asarray((np.bincount(place, weights=weight * hits) / np.bincount(place, weights=weight))[place])


def _binned(values: Floats, bins: int) -> NDArray[np.int64]:
    """The bin of every value: quantile ranks, equal values together (by their mean rank)."""
    ordered = np.sort(values)
    middle = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    found = np.minimum((middle * bins / values.size).astype(np.int64), bins - 1)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
