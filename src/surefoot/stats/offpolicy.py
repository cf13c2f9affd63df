"""What another policy would be worth, from a log of one that drew lots: weighted, doubly robust, as means and as ratios.

Each row has the propensity with which its value could be seen; `seen` says whether it was. An unseen row stands in the frame
with the prediction of it and nothing else. Where no lot could have shown a value (propensity 0) nothing here helps: such rows
are not identifiable, and whoever calls must leave them out and say so.

Intervals are empirical likelihood with the scale of Student's t: they follow skewed costs and rare errors, where the normal
one fails, and stay within the values' range. Where fewer than `FEW` values differ from the rest they are binomial at the
effective number of rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, effective, floats, folds_of
from surefoot.stats.intervals import binomial_ends, student

FEW = 5  # values of the rarer kind below which a likelihood has too little to go by
_FOLDS = 5
_STEPS = 60  # of a bisection
_NEWTON = 40
_FLAT = 1e-12

Given = Sequence[float] | NDArray[Any]


class Worth(Struct, frozen=True, kw_only=True):
    """A mean or ratio with its 95 % interval. All None where nothing was seen, the interval where one group was."""

    estimate: float | None
    low: float | None
    high: float | None
    n: int  # rows that were seen
    effective_n: float  # (sum of weights)² / sum of their squares over what was seen; 0 when n = 0


NOTHING = Worth(estimate=None, low=None, high=None, n=0, effective_n=0.0)


class Sampled(Struct, frozen=True):
    """Rows of which some are seen by lot. `weight` is 1 / propensity where seen, else 0: its mean is 1 but for chance."""

    seen: NDArray[np.bool_]  # shape (n,)
    weight: Floats  # shape (n,), at least 1 where seen
    group: NDArray[np.int64]  # shape (n,): rows of one group are one unit

    @classmethod
    def of(
        cls, seen: Sequence[bool] | NDArray[Any], propensities: Given, groups: Sequence[str] | None = None
    ) -> Sampled:
        """Rows with the chance of each to be seen, in (0, 1]. Raises ValueError for other chances and shapes."""
        there = np.asarray(seen, dtype=np.bool_)
        share = floats(propensities, like=there.size)
        if share.size and not 0 < share.min() <= share.max() <= 1:
            raise ValueError("a propensity must be above 0 and at most 1: what no lot could show is not identifiable")
        place = np.arange(share.size) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        return cls(there, np.where(there, 1 / share, 0.0), place.astype(np.int64))

    def __len__(self) -> int:
        return int(self.seen.size)

    def controls(self, *predictions: Floats) -> Floats:
        """Columns of mean 0, shape (n, 1 + k): chance's part in the weights alone, and times each prediction."""
        surplus = self.weight - 1
        return np.column_stack([surplus, *(surplus * each for each in predictions)])


def horvitz_thompson(values: Given, rows: Sampled, *, rate: bool = False) -> Worth:
    """The mean over all rows, each seen value standing for 1 / propensity of them; the values of unseen rows are not read.

    Source: Horvitz and Thompson (1952).
    """
    return ratio(rows.weight * _masked(values, rows), np.ones(len(rows)), rows, rate=rate)


def hajek(values: Given, rows: Sampled, *, rate: bool = False) -> Worth:
    """The same with the weights' own sum below the line: never outside the values, and narrower where they are alike.

    Source: Hájek (1971), comment on Basu.
    """
    return ratio(rows.weight * _masked(values, rows), rows.weight, rows, rate=rate)


def doubly_robust(values: Given, predictions: Given, rows: Sampled, *, rate: bool = False) -> Worth:
    """The mean over all rows: unbiased by the propensities whatever is predicted, narrower the better it is.

    What chance put into the weights is taken out by regression on columns whose mean is known to be 0 (the weights' surplus,
    and that times the prediction), so that a useless prediction costs nothing. With the coefficient 1 it would be
    mean(q) + mean(w (y - q)).
    Args:
        predictions: shape (n,), of rows seen or not, made without the row's own value (`cross_fitted`).
        rate: whether values are in [0, 1].
    Source: Robins, Rotnitzky and Zhao (1994); Dudik, Langford and Li (2011), arXiv 1103.4601; the coefficient after
        Angelopoulos, Duchi and Zrnic (2023), arXiv 2311.01453.
    """
    controls = rows.controls(floats(predictions, like=len(rows)))
    return ratio(rows.weight * _masked(values, rows), np.ones(len(rows)), rows, controls=controls, rate=rate)


def ratio(
    numerator: Given, denominator: Given, rows: Sampled, *, controls: Floats | None = None, rate: bool = False,
    carries: Given | None = None,
) -> Worth:  # fmt: skip
    """mean(numerator) / mean(denominator) with an interval for other rows like these; groups are one unit each.

    Args:
        numerator: shape (n,), weights included, 0 where nothing was seen.
        denominator: shape (n,), likewise; ones for a mean.
        controls: shape (n, k), columns whose mean is known to be 0: what they explain is taken out.
        rate: whether the ratio is in [0, 1].
        carries: shape (n,), the weights of the rows that say something; default: `rows.weight`.
    """
    carried = rows.weight if carries is None else floats(carries, like=len(rows))
    weights = carried[carried > 0]
    top, below = floats(numerator, like=len(rows)), floats(denominator, like=len(rows))
    if not weights.size or not below.any():
        return NOTHING
    totals = by_group(carried, rows)
    size = effective(totals[totals > 0])
    tops, belows = by_group(top, rows), by_group(below, rows)
    if controls is not None and controls.shape[1]:
        known = np.column_stack([by_group(column, rows) for column in controls.T])
        tops, belows = _adjusted(tops, known), _adjusted(belows, known)
    whole = float(belows.sum())
    if whole <= 0:
        return NOTHING
    estimate = float(tops.sum()) / whole
    low, high = _ends(tops, belows, estimate, size, rate=rate)
    if rate:
        estimate = min(1.0, max(0.0, estimate))
    return Worth(estimate=estimate, low=low, high=high, n=weights.size, effective_n=effective(weights))


def by_group(values: Floats, rows: Sampled) -> Floats:
    """Sums of the groups."""
    return np.bincount(rows.group, weights=values).astype(np.float64)


def cross_fitted(
    values: Given, rows: Sampled, strata: NDArray[Any], *, folds: int = _FOLDS, seed: int = 0
) -> Floats:  # fmt: skip
    """For each row the weighted mean of what was seen in its stratum in the other folds; shape (n,).

    A stratum that the other folds did not see takes the mean of all that they saw, and 0 where they saw nothing: a
    prediction may be bad, it must only be made without the row's own group.
    """
    known = _masked(values, rows)
    place = np.unique(strata, return_inverse=True)[1]
    fold = folds_of([str(each) for each in rows.group], folds, seed=seed) if len(rows) else np.zeros(0, np.int64)
    count = int(place.max()) + 1 if place.size else 0
    found = np.zeros(len(rows))
    for each in range(folds):
        weight = np.where(fold != each, rows.weight, 0.0)
        sums, sizes = (np.bincount(place, weights=part, minlength=count) for part in (weight * known, weight))
        mean = float(sums.sum() / sizes.sum()) if sizes.sum() > 0 else 0.0
        means = np.where(sizes > 0, sums / np.where(sizes > 0, sizes, 1.0), mean)
        mine = fold == each
        found[mine] = means[place[mine]]
    return found


def _masked(values: Given, rows: Sampled) -> Floats:
    """Seen values, 0 elsewhere: what stands at an unseen row is never read, it may be NaN."""
    array = np.asarray(values, dtype=np.float64)
    if array.shape != rows.seen.shape:
        raise ValueError(f"expected {len(rows)} values, got shape {array.shape}")
    return floats(np.where(rows.seen, array, 0.0))


def _adjusted(values: Floats, controls: Floats) -> Floats:
    """Values less what columns of known mean 0 explain of them; the mean of the columns is taken out of the values' mean."""
    centered = controls - controls.mean(axis=0)
    useful = centered.std(axis=0) > _FLAT * (1 + np.abs(controls).max(axis=0))
    if not useful.any() or values.size <= 2 * (1 + int(useful.sum())):
        return values
    slope = np.linalg.lstsq(centered[:, useful], values - values.mean(), rcond=None)[0]
    left: Floats = values - controls[:, useful] @ slope
    return left


def _ends(
    tops: Floats, belows: Floats, estimate: float, size: float, *, rate: bool
) -> tuple[float | None, float | None]:
    """The ends of the interval; None where one group was seen."""
    if tops.size < 2 or size <= 1:
        return (0.0, 1.0) if rate else (None, None)
    residual = tops - estimate * belows
    spread = math.sqrt(float(residual @ residual)) / float(belows.sum())
    if rate and (rarer := _rarer(tops, belows)) < FEW:
        inside = min(1.0, max(0.0, estimate))
        fitted = inside * (1 - inside) / spread**2 if spread > 0 and rarer else size
        counted = max(1.0, min(size, fitted))
        return binomial_ends(inside * counted, counted)
    if spread <= _FLAT * (1 + abs(estimate)):
        return estimate, estimate
    reach = student(max(1.0, size - 1)) ** 2
    low = _end(tops, belows, estimate, -spread, reach)
    high = _end(tops, belows, estimate, spread, reach)
    return (max(0.0, low), min(1.0, high)) if rate else (low, high)


def _rarer(tops: Floats, belows: Floats) -> int:
    """Of groups that say something: how many say yes, or no, whichever are fewer."""
    says = np.abs(belows) > _FLAT
    share = tops[says] / belows[says]
    return int(min((share > 0.5).sum(), (share <= 0.5).sum()))


def _end(tops: Floats, belows: Floats, estimate: float, step: float, reach: float) -> float:
    """Where the empirical likelihood ratio reaches its limit on one side, by doubling and bisection."""
    inside, outside = estimate, estimate + 2 * step
    for _ in range(_STEPS):
        if _ratio_at(tops - outside * belows) > reach:
            break
        inside, outside = outside, outside + 2 * (outside - estimate)
    for _ in range(_STEPS):
        middle = (inside + outside) / 2
        if abs(outside - inside) < 1e-4 * abs(step):
            break
        inside, outside = (inside, middle) if _ratio_at(tops - middle * belows) > reach else (middle, outside)
    return (inside + outside) / 2


def _ratio_at(scores: Floats) -> float:
    """-2 log of the empirical likelihood ratio that the scores' mean is 0; infinite outside of their hull.

    Source: Owen (1988), Biometrika 75; Newton's method on the dual with his pseudo-logarithm, which is finite everywhere.
    """
    if not scores.min() < 0 < scores.max():
        return math.inf
    scale = float(np.abs(scores).max())
    score = scores[scores != 0] / scale
    floor = 1 / scores.size
    tilt = 0.0
    for _ in range(_NEWTON):
        weight = 1 + tilt * score
        small = weight < floor
        slope = np.where(small, 2 / floor - weight / floor**2, 1 / np.where(small, 1.0, weight))
        curve = np.where(small, 1 / floor**2, slope**2)
        move = float((slope * score).sum() / (curve * score**2).sum())
        tilt += move
        if abs(move) <= 1e-9 * (1 + abs(tilt)):
            break
    weight = 1 + tilt * score
    small = weight < floor
    logs = np.where(
        small,
        math.log(floor) - 1.5 + 2 * weight / floor - 0.5 * (weight / floor) ** 2,
        np.log(np.where(small, 1.0, weight)),
    )  # fmt: skip
    return 2 * float(logs.sum())
