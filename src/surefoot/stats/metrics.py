"""How good scores and probabilities are: ranking, risk against coverage, calibration. Unknown is NaN, never 0."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Bools, Floats, bools, floats
from surefoot.stats.intervals import Estimate, clopper_pearson

Scores = Sequence[float] | NDArray[Any]
Verdicts = Sequence[bool] | NDArray[Any]


class Bin(Struct, frozen=True):
    """One row of a reliability table: how many, what was claimed, what was right."""

    low: float  # least p in the bin
    high: float
    claimed: float  # mean p
    right: Estimate


def auroc(scores: Scores, accepted: Verdicts) -> float:
    """The chance that a right answer scores above a wrong one, ties counted half; NaN when one kind is missing.

    Source: Mann and Whitney (1947); midranks.
    """
    values, verdicts = _pair(scores, accepted)
    right = int(verdicts.sum())
    wrong = values.size - right
    if not right or not wrong:
        return float("nan")
    ordered = np.sort(values)
    midranks = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2
    return float((midranks[verdicts].sum() - right * (right + 1) / 2) / (right * wrong))


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


def aurc(scores: Scores, accepted: Verdicts) -> float:
    """The area under the risk-coverage curve: the mean share of wrong answers over all depths of delivery; NaN when n = 0.

    Tied scores are delivered in random order, which is what the mean within the tie says.
    Source: Geifman and El-Yaniv (2017), Selective classification for deep neural networks.
    """
    values, verdicts = _pair(scores, accepted)
    if not values.size:
        return float("nan")
    levels, place, counts = np.unique(-values, return_inverse=True, return_counts=True)
    rate = np.bincount(place, weights=~verdicts, minlength=levels.size) / counts
    expected = np.repeat(rate, counts)
    return float((np.cumsum(expected) / np.arange(1, values.size + 1)).mean())


def brier(p: Scores, accepted: Verdicts) -> float:
    """The mean squared distance between probability and verdict; NaN when n = 0. Source: Brier (1950)."""
    values, verdicts = _pair(p, accepted)
    return float(((values - verdicts) ** 2).mean()) if values.size else float("nan")


def log_loss(p: Scores, accepted: Verdicts) -> float:
    """Minus the mean log-likelihood, p kept a millionth away from 0 and 1; NaN when n = 0."""
    values, verdicts = _pair(p, accepted)
    if not values.size:
        return float("nan")
    inner = np.clip(values, 1e-6, 1 - 1e-6)
    return float(-np.where(verdicts, np.log(inner), np.log(1 - inner)).mean())


def ece(p: Scores, accepted: Verdicts, *, bins: int = 15) -> float:
    """Expected calibration error over bins of equal mass: mean distance between claimed and right; NaN when n < bins.

    Always above 0 at finite n: compare it with `ece_perfect`. Equal values are never divided between two bins.
    Source: after Naeini, Cooper and Hauskrecht (2015), AAAI; bins of equal mass are ours.
    """
    values, verdicts = _pair(p, accepted)
    if values.size < bins:
        return float("nan")
    place = _binned(values, bins)
    gap = np.bincount(place, weights=values - verdicts)
    return float(np.abs(gap).sum() / values.size)


def ece_perfect(p: Scores, *, share: float = 0.95, bins: int = 15, runs: int = 400, seed: int = 0) -> float:
    """The quantile of the ECE that a perfect calibrator would show at these very probabilities, simulated; NaN when n < bins.

    An `ece` at or below it gives no reason to doubt the calibration.
    """
    values = floats(p)
    if values.size < bins:
        return float("nan")
    rng = np.random.default_rng(seed)
    place = _binned(values, bins)
    found = [
        np.abs(np.bincount(place, weights=values - (rng.random(values.size) < values))).sum() / values.size
        for _ in range(runs)
    ]
    return float(np.quantile(found, share))


def reliability(p: Scores, accepted: Verdicts, *, bins: int = 10) -> tuple[Bin, ...]:
    """A reliability table over bins of equal mass, lowest first; () when n = 0. Fewer bins when values are tied."""
    values, verdicts = _pair(p, accepted)
    if not values.size:
        return ()
    place = _binned(values, min(bins, values.size))
    rows = []
    for name in np.unique(place):
        inside = place == name
        rate = clopper_pearson(int(verdicts[inside].sum()), int(inside.sum()))
        mine = values[inside]
        rows.append(Bin(float(mine.min()), float(mine.max()), float(mine.mean()), rate))
    return tuple(rows)


def left_after(scores: Scores, accepted: Verdicts, share: float) -> float:
    """The share of wrong answers among those delivered when the riskiest `share` is escalated; NaN when nothing is left.

    Ties at the cut are escalated in random order: the mean of that is taken.
    """
    values, verdicts = _pair(scores, accepted)
    kept = values.size - round(share * values.size)
    if kept <= 0:
        return float("nan")
    levels, place, counts = np.unique(-values, return_inverse=True, return_counts=True)
    rate = np.bincount(place, weights=~verdicts, minlength=levels.size) / counts
    return float(np.repeat(rate, counts)[:kept].mean())


def group_bootstrap(groups: Sequence[str], *, runs: int = 1000, seed: int = 0) -> list[NDArray[np.int64]]:
    """Row numbers of resamples that draw whole groups with replacement; [] when n = 0."""
    if not groups:
        return []
    _, place = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True)
    order = np.argsort(place, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(place))[:-1])
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([members[name] for name in rng.integers(0, len(members), len(members))]) for _ in range(runs)
    ]


def _pair(values: Scores, verdicts: Verdicts) -> tuple[Floats, Bools]:
    array = floats(values)
    return array, bools(verdicts, like=array.size)


def _binned(values: Floats, bins: int) -> NDArray[np.int64]:
    """The bin of every value: quantile ranks, equal values together (by their mean rank)."""
    ordered = np.sort(values)
    middle = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")) / 2
    found = np.minimum((middle * bins / values.size).astype(np.int64), bins - 1)
    return np.unique(found, return_inverse=True)[1].astype(np.int64)
