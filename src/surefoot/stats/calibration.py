"""From a score to a probability: Platt, beta, isotonic and Venn-Abers. All take exchangeable labels for granted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import EDGE, Bools, Floats, bools, effective, floats, sigmoid, weights_of
from surefoot.stats.logistic import newton, penalised_loss

_SAME = 1e-9  # scores that differ by less, for their size, are one score


class Platt(Struct, frozen=True):
    """p = sigmoid(a * z + b), a >= 0: a better score is never worth less."""

    a: float
    b: float

    def p(self, z: NDArray[Any]) -> Floats:
        """Probabilities of scores on the logit scale, shape (n,)."""
        return sigmoid(self.a * np.asarray(z, dtype=np.float64) + self.b)


class Beta(Struct, frozen=True):
    """p = sigmoid(a ln s - b ln(1 - s) + c) with s = sigmoid(z) and a, b >= 0."""

    a: float
    b: float
    c: float

    def p(self, z: NDArray[Any]) -> Floats:
        """Probabilities of scores on the logit scale, shape (n,)."""
        return sigmoid(_beta_columns(np.asarray(z, dtype=np.float64)) @ np.array([self.a, self.b, self.c]))


class Steps(Struct, frozen=True):
    """A non-decreasing step function: `values[i]` from `starts[i]` on; below the first start, the first value."""

    starts: Floats
    values: Floats

    def at(self, z: NDArray[Any]) -> Floats:
        """The values at scores, shape (n,)."""
        place = np.searchsorted(self.starts, np.asarray(z, dtype=np.float64), side="right") - 1
        return np.asarray(self.values[np.maximum(place, 0)])


class VennAbers(Struct, frozen=True):
    """Two step functions: isotonic fits with the test point taken as wrong (p0) and as right (p1); p0 <= p1."""

    p0: Steps
    p1: Steps

    def p(self, z: NDArray[Any]) -> Floats:
        """One probability out of two, p1 / (1 - p0 + p1): minimax for the log-loss."""
        low, high = self.p0.at(z), self.p1.at(z)
        return np.clip(high / (1 - low + high), low, high)

    def widened(self, parts: int = 10_000) -> VennAbers:
        """The same with p0 rounded down and p1 up to multiples of 1 / parts: never more sure, and at most parts + 1 steps.

        A bar that is such a multiple itself is reached by the same scores as before.
        """
        below = np.floor(np.nextafter(self.p0.values * parts, np.inf)) / parts
        above = np.ceil(np.nextafter(self.p1.values * parts, -np.inf)) / parts
        return VennAbers(_compact(Steps(self.p0.starts, below)), _compact(Steps(self.p1.starts, above)))


def fit_platt(
    z: Sequence[float] | NDArray[Any],
    accepted: Sequence[bool] | NDArray[Any],
    *,
    weights: Sequence[float] | NDArray[Any] | None = None,
) -> Platt:
    """Platt's sigmoid on scores of the logit scale, with his smoothed targets, so that few labels never say 0 or 1.

    Args:
        z: shape (n,), scores on the logit scale.
        accepted: shape (n,), verdicts.
        weights: shape (n,), above 0; only their ratios count.
    Returns: the map; a flat one at the smoothed rate when the scores do not tell right from wrong; (0, 0) when n = 0.
    Raises: ValueError for shapes that do not fit or values that are not finite.
    Source: Platt (1999), Probabilistic outputs for support vector machines; targets (N+ + 1)/(N+ + 2) and 1/(N- + 2), with
        N+ and N- as effective numbers of labels where weights differ: a label that stands for twenty is one label.
    """
    scores = floats(z)
    verdicts = bools(accepted, like=scores.size)
    weight = weights_of(weights, scores.size)
    if scores.size == 0:
        return Platt(0.0, 0.0)
    targets = _platt_targets(verdicts, weight)
    rate = float(weight @ targets / weight.sum())
    flat = float(np.log(rate / (1 - rate)))
    center, scale = float(scores.mean()), float(scores.std())
    if scale <= _SAME * max(1.0, abs(center)):
        return Platt(0.0, flat)
    columns = np.column_stack([(scores - center) / scale, np.ones(scores.size)])
    slope, bias = newton(columns, targets, weight, np.array([1e-6, 0.0]), np.array([0.0, flat]))
    if slope <= 0:
        return Platt(0.0, flat)
    return Platt(float(slope / scale), float(bias - slope * center / scale))


def fit_beta(
    z: Sequence[float] | NDArray[Any],
    accepted: Sequence[bool] | NDArray[Any],
    *,
    weights: Sequence[float] | NDArray[Any] | None = None,
) -> Beta:
    """Beta calibration on scores of the logit scale: two slopes, so that the ends may bend differently.

    Slopes below 0 are not allowed, so that the map stays monotone: where the best line has one, the best of those with a
    slope of 0 stands. Args, n = 0 and errors as `fit_platt`; targets are smoothed in the same way.
    Source: Kull, Silva Filho and Flach (2017), Beta calibration, AISTATS.
    """
    scores = floats(z)
    verdicts = bools(accepted, like=scores.size)
    weight = weights_of(weights, scores.size)
    if scores.size == 0:
        return Beta(0.0, 0.0, 0.0)
    targets, columns = _platt_targets(verdicts, weight), _beta_columns(scores)
    penalty, best, least = np.array([1e-6, 1e-6, 0.0]), np.zeros(3), np.inf
    for kept in ([0, 1, 2], [0, 2], [1, 2], [2]):
        line = np.zeros(3)
        line[kept] = newton(columns[:, kept], targets, weight, penalty[kept], line[kept])
        loss = penalised_loss(columns, targets, weight, penalty, line)
        if line[:2].min() >= 0 and loss < least:
            best, least = line, loss
        if kept == [0, 1, 2] and least < np.inf:
            break
    return Beta(*(float(value) for value in best))


def fit_isotonic(
    z: Sequence[float] | NDArray[Any],
    accepted: Sequence[bool] | NDArray[Any],
    *,
    weights: Sequence[float] | NDArray[Any] | None = None,
) -> Steps:
    """The non-decreasing function of the score that is nearest to the verdicts in squares.

    Returns: one step for each pool of scores; n = 0 raises ValueError, since nothing can be said then.
    Source: pool adjacent violators, Ayer et al. (1955), Annals of Mathematical Statistics 26.
    """
    scores = floats(z)
    verdicts = bools(accepted, like=scores.size)
    if scores.size == 0:
        raise ValueError("isotonic regression of nothing")
    starts, sums, counts = _tied(scores, verdicts, weights_of(weights, scores.size))
    values = _pooled(sums, counts)
    keep = np.append(True, values[1:] > values[:-1])
    return Steps(starts[keep], values[keep])


def fit_venn_abers(
    z: Sequence[float] | NDArray[Any],
    accepted: Sequence[bool] | NDArray[Any],
    *,
    weights: Sequence[float] | NDArray[Any] | None = None,
) -> VennAbers:
    """The inductive Venn-Abers predictor as two step functions of the score.

    For every distinct score the isotonic fit is what the whole sample gives with one more point at that score: p0 with
    it wrong, p1 with it right. A score between two known ones takes p0 from the one below and p1 from the one above, which
    is where the added point would be pooled. With weights the added point counts for what a draft of the traffic, not of the
    labels, stands for on average, sum w^2 / sum w: labels that are few for what they stand for leave a wider interval.
    Returns: the two tables; n = 0 raises ValueError.
    Source: Vovk, Petej and Fedorova (2015), Large-scale probabilistic predictors with and without guarantees of validity;
        values by the greatest convex minorant of the cumulative sum diagram.
    """
    scores = floats(z)
    verdicts = bools(accepted, like=scores.size)
    if scores.size == 0:
        raise ValueError("Venn-Abers of nothing")
    weight = weights_of(weights, scores.size)
    added = scores.size / effective(weight)
    starts, sums, counts = _tied(scores, verdicts, weight)
    left, right = _stacks(sums, counts), _stacks(-sums[::-1], counts[::-1])[::-1]
    below, above = np.zeros(starts.size), np.zeros(starts.size)
    for place in range(starts.size):
        pools = (left[place], right[place])
        below[place] = _with_one(sums[place], counts[place] + added, *pools)
        above[place] = _with_one(sums[place] + added, counts[place] + added, *pools)
    below, above = (
        np.maximum.accumulate(below),
        np.maximum.accumulate(above),
    )  # sums in another order differ in the last bit
    floor = Steps(np.append(-np.inf, starts), np.append(0.0, below))
    ceiling = Steps(np.append(-np.inf, np.nextafter(starts, np.inf)), np.append(above, 1.0))
    return VennAbers(_compact(floor), _compact(ceiling))


def _platt_targets(verdicts: Bools, weight: Floats) -> Floats:
    right, wrong = effective(weight[verdicts]), effective(weight[~verdicts])
    return np.where(verdicts, (right + 1) / (right + 2), 1 / (wrong + 2))


def _beta_columns(z: Floats) -> Floats:
    inner = np.clip(sigmoid(z), EDGE, 1 - EDGE)
    return np.column_stack([np.log(inner), -np.log(1 - inner), np.ones(inner.size)])


def _tied(scores: Floats, verdicts: Bools, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """(distinct scores ascending, sum of verdicts at each, weight at each)."""
    starts, place = np.unique(scores, return_inverse=True)
    sums = np.bincount(place, weights=weight * verdicts, minlength=starts.size)
    counts = np.bincount(place, weights=weight, minlength=starts.size)
    return starts, np.asarray(sums, dtype=np.float64), np.asarray(counts, dtype=np.float64)


def _pooled(sums: Floats, counts: Floats) -> Floats:
    """The isotonic values at each distinct score."""
    pools: list[list[float]] = []  # [sum, weight, how many scores]
    for total, count in zip(sums.tolist(), counts.tolist(), strict=True):
        pools.append([total, count, 1])
        while len(pools) > 1 and pools[-2][0] * pools[-1][1] >= pools[-1][0] * pools[-2][1]:
            last = pools.pop()
            pools[-1] = [pools[-1][0] + last[0], pools[-1][1] + last[1], pools[-1][2] + last[2]]
    return np.repeat([total / count for total, count, _ in pools], [int(many) for *_, many in pools])


class _Pool(Struct, frozen=True):
    """The last pool of an isotonic fit and, behind it, the pools before."""

    total: float
    count: float
    before: _Pool | None


def _stacks(sums: Floats, counts: Floats) -> list[_Pool | None]:
    """The pools of the isotonic fit of everything before each place; they share their tails."""
    found: list[_Pool | None] = [None]
    top: _Pool | None = None
    for total, count in zip(sums.tolist(), counts.tolist(), strict=True):
        while top is not None and top.total * count >= total * top.count:
            total, count, top = total + top.total, count + top.count, top.before
        top = _Pool(total, count, top)
        found.append(top)
    return found[:-1]


def _with_one(total: float, count: float, left: _Pool | None, right: _Pool | None) -> float:
    """The isotonic value of a place, given its own sum and count and the fits on both sides (the right one negated)."""
    merged = True
    while merged:
        merged = False
        while left is not None and left.total * count >= total * left.count:
            total, count, left, merged = total + left.total, count + left.count, left.before, True
        while right is not None and -right.total * count <= total * right.count:
            total, count, right, merged = total - right.total, count + right.count, right.before, True
    return total / count


def _compact(steps: Steps) -> Steps:
    keep = np.append(True, steps.values[1:] > steps.values[:-1])
    return Steps(steps.starts[keep], steps.values[keep])
