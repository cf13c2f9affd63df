"""Fits one rung's map: features, L2 logistic regression, then Platt or beta below 1,000 labels and Venn-Abers from there.

Nothing is judged by labels it was fitted on: the line's scores are cross-fitted by group, the curve is fitted on those, and
the probabilities that are reported come from a curve that did not see the group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.learning.examples import Example
from surefoot.policy import Curve, Input, Map
from surefoot.policy.curve import apply_curve
from surefoot.stats.arrays import Bools, Floats, folds_of
from surefoot.stats.calibration import Steps, fit_beta, fit_platt, fit_venn_abers
from surefoot.stats.intervals import clopper_pearson
from surefoot.stats.logistic import Logistic, fit_logistic
from surefoot.stats.metrics import group_bootstrap, log_loss

LEAST = 30  # labels below which nothing is fitted
VENN_ABERS_FROM = 1000  # labels
_BETA_FROM = 300
_SEEN = 10  # drafts that must have (or lack) a signal for it to count
_L2 = (1.0, 3.0, 10.0, 30.0, 100.0)
_FOLDS = 5
_RUNS = 200  # of the bootstrap
_KNOTS = 25
_TAIL = 0.05  # on each side of the band


class Fit(Struct, frozen=True, kw_only=True):
    """A fitted map and what it says of the examples when their own group was left out; None: not enough data."""

    map: Map | None
    low: Floats  # shape (n,), cross-fitted; NaN without a map
    p: Floats


class _Table(Struct, frozen=True):
    """Examples as arrays."""

    x: Floats  # shape (n, columns)
    y: Bools
    weight: Floats
    groups: tuple[str, ...]


class _Columns(Struct, frozen=True):
    """Which signals count and how they become columns: scores standardised, then an indicator of absence where needed."""

    names: tuple[str, ...]
    centers: Floats
    scales: Floats
    indicated: tuple[str, ...]

    def of(self, examples: Sequence[Example]) -> Floats:
        """Shape (n, len(names) + len(indicated)); an absent score stands at its center."""
        scores = _scores(examples, self.names)
        absent = np.isnan(scores)
        standard = np.where(absent, 0.0, (scores - self.centers) / self.scales)
        places = [self.names.index(name) for name in self.indicated]
        return np.hstack([standard, absent[:, places].astype(np.float64)])


def fit_map(examples: Sequence[Example], *, seed: int = 0) -> Fit:
    """The map of the rung that these drafts came from.

    Args:
        examples: judged drafts of one feature and rung, of the traffic that reached the rung.
        seed: of folds and bootstrap; the same examples and seed give the same map.
    Returns: the map, and cross-fitted (low, p) of each example. Fewer than 30 labels or 5 groups: no map, NaN.
    """
    n = len(examples)
    groups = tuple(example.group for example in examples)
    if n < LEAST or len(set(groups)) < _FOLDS:
        return Fit(map=None, low=np.full(n, np.nan), p=np.full(n, np.nan))
    columns = _columns(examples)
    table = _Table(
        columns.of(examples),
        np.array([example.accepted for example in examples]),
        np.array([example.weight for example in examples]),
        groups,
    )
    l2 = _best_l2(table, seed)
    fold = folds_of(groups, _FOLDS, seed=seed)
    z = _cross_fitted(table, l2, fold)
    line = fit_logistic(table.x, table.y, l2=l2, weights=list(table.weight))
    curve = _curve(z, table, seed)
    low, p = _reported(z, table, fold, seed)
    return Fit(map=_map(line, columns, curve, n), low=low, p=p)


def _columns(examples: Sequence[Example]) -> _Columns:
    """Signals that were seen often enough and are not all the same."""
    every = sorted({name for example in examples for name in example.signals})
    scores = _scores(examples, every)
    names, centers, scales, indicated = [], [], [], []
    for place, name in enumerate(every):
        column = scores[:, place]
        there = column[~np.isnan(column)]
        absent = column.size - there.size
        varies = there.size >= _SEEN and float(there.std()) > 1e-9
        if not varies and not (there.size >= _SEEN and absent >= _SEEN):
            continue
        names.append(name)
        centers.append(float(there.mean()))
        scales.append(float(there.std()) if varies else 1.0)
        if absent:
            indicated.append(name)
    return _Columns(tuple(names), np.array(centers), np.array(scales), tuple(indicated))


def _scores(examples: Sequence[Example], names: Sequence[str]) -> Floats:
    rows = [[example.signals.get(name) for name in names] for example in examples]
    return np.array([[np.nan if score is None else score for score in row] for row in rows]).reshape(
        len(examples), len(names)
    )


def _best_l2(table: _Table, seed: int) -> float:
    """The penalty with the least cross-fitted log-loss; folds other than those that are reported."""
    if not table.x.shape[1]:
        return _L2[0]
    fold = folds_of(table.groups, _FOLDS, seed=seed + 1)
    losses = [log_loss(1 / (1 + np.exp(-_cross_fitted(table, l2, fold))), table.y) for l2 in _L2]
    return _L2[int(np.argmin(losses))]


def _cross_fitted(table: _Table, l2: float, fold: NDArray[np.int64]) -> Floats:
    """Each row's z by a line that did not see its fold."""
    z = np.zeros(table.y.size)
    for held in range(int(fold.max()) + 1):
        inside = fold == held
        line = fit_logistic(table.x[~inside], table.y[~inside], l2=l2, weights=list(table.weight[~inside]))
        z[inside] = line.z(table.x[inside])
    return z


def _reported(z: Floats, table: _Table, fold: NDArray[np.int64], seed: int) -> tuple[Floats, Floats]:
    """(low, p) of each row by a curve that did not see its fold."""
    low, p = np.zeros(z.size), np.zeros(z.size)
    for held in range(int(fold.max()) + 1):
        inside = fold == held
        kept = _Table(
            table.x[~inside], table.y[~inside], table.weight[~inside],
            tuple(group for group, out in zip(table.groups, ~inside, strict=True) if out),
        )  # fmt: skip
        curve = _curve(z[~inside], kept, seed)
        for row in np.flatnonzero(inside):
            low[row], p[row], _ = apply_curve(curve, float(z[row]))
    return low, p


def _curve(z: Floats, table: _Table, seed: int) -> Curve:
    if table.y.size >= VENN_ABERS_FROM:
        fitted = fit_venn_abers(z, table.y, weights=list(table.weight))
        return Curve(kind="venn-abers", p0=_floor(fitted.p0), p1=_ceiling(fitted.p1))
    kind = "beta" if table.y.size >= _BETA_FROM and _beta_is_better(z, table, seed) else "platt"
    plain = _parametric(kind, z, table.y, table.weight)
    return Curve(kind=kind, a=plain.a, b=plain.b, c=plain.c, band=_band(kind, z, table, seed))


def _parametric(kind: str, z: Floats, y: Bools, weight: Floats) -> Curve:
    if kind == "beta":
        beta = fit_beta(z, y, weights=list(weight))
        return Curve(kind=kind, a=beta.a, b=beta.b, c=beta.c)
    platt = fit_platt(z, y, weights=list(weight))
    return Curve(kind=kind, a=platt.a, b=platt.b)


def _beta_is_better(z: Floats, table: _Table, seed: int) -> bool:
    fold = folds_of(table.groups, _FOLDS, seed=seed + 2)
    losses = {}
    for kind in ("platt", "beta"):
        p = np.zeros(z.size)
        for held in range(_FOLDS):
            inside = fold == held
            curve = _parametric(kind, z[~inside], table.y[~inside], table.weight[~inside])
            p[inside] = _p_of(curve)(z[inside])
        losses[kind] = log_loss(p, table.y)
    return losses["beta"] < losses["platt"]


def _p_of(curve: Curve) -> Callable[[Floats], Floats]:
    return lambda z: np.array([apply_curve(curve, float(each))[1] for each in z])


def _band(kind: str, z: Floats, table: _Table, seed: int) -> tuple[tuple[float, float, float], ...]:
    """(z, low, high) from resampled groups, 5 % left out on each side; both ends only rise.

    Labels of one kind only resample to themselves: there the exact binomial interval stands instead.
    """
    knots = np.unique(np.quantile(z, np.linspace(0, 1, _KNOTS)))
    right = int(table.y.sum())
    if right in (0, table.y.size):
        rate = clopper_pearson(right, table.y.size, assurance=1 - 2 * _TAIL)
        return tuple((float(knot), rate.low, rate.high) for knot in knots)
    curves = []
    for rows in group_bootstrap(table.groups, runs=_RUNS, seed=seed):
        curves.append(_p_of(_parametric(kind, z[rows], table.y[rows], table.weight[rows]))(knots))
    low = np.maximum.accumulate(np.quantile(curves, _TAIL, axis=0))
    high = np.maximum.accumulate(np.quantile(curves, 1 - _TAIL, axis=0))
    return tuple((float(knot), float(below), float(above)) for knot, below, above in zip(knots, low, high, strict=True))


def _floor(steps: Steps) -> tuple[tuple[float, float], ...]:
    """(z from which on, value), without the start at minus infinity: below the first the value is 0."""
    pairs = zip(steps.starts.tolist(), steps.values.tolist(), strict=True)
    return tuple((start, value) for start, value in pairs if np.isfinite(start))


def _ceiling(steps: Steps) -> tuple[tuple[float, float], ...]:
    """(z up to which, value): a step ends where the next one begins; above the last the value is 1."""
    ends = np.nextafter(steps.starts[1:], -np.inf)
    return tuple((float(end), float(value)) for end, value in zip(ends, steps.values[:-1], strict=True))


def _map(line: Logistic, columns: _Columns, curve: Curve, labels: int) -> Map:
    absent: dict[str, Any] = dict(zip(columns.indicated, line.weights[len(columns.names) :].tolist(), strict=True))
    inputs = tuple(
        Input(signal=name, center=float(center), scale=float(scale), weight=float(weight), absent=absent.get(name))
        for name, center, scale, weight in zip(
            columns.names, columns.centers, columns.scales, line.weights, strict=False
        )
    )
    return Map(kind="fitted", bias=line.bias, inputs=inputs, curve=curve, labels=labels)
