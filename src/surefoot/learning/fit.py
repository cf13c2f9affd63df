"""Fits one rung's map: features, L2 logistic regression, then Platt or beta below 1,000 labels and Venn-Abers from there.

Nothing is judged by labels it was fitted on: the curve is fitted on scores of lines that did not see the group, and what is
reported of an example comes from the whole procedure, repeated without its group. Labels are counted as `effective` ones where
they stand for unequal shares of the traffic.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.learning.examples import Example
from surefoot.policy import Curve, Input, Map
from surefoot.policy.curve import apply_curve
from surefoot.stats.arrays import Bools, Floats, effective, folds_of, sigmoid
from surefoot.stats.calibration import Beta, Platt, Steps, fit_beta, fit_isotonic, fit_platt, fit_venn_abers
from surefoot.stats.logistic import Logistic, fit_logistic
from surefoot.stats.metrics import group_bootstrap, log_loss, rate

LEAST = 30  # labels below which nothing is fitted
VENN_ABERS_FROM = 1000  # effective labels
_BETA_FROM = 300
_SEEN = 10  # drafts that must have a signal for it to count
_ABSENT = 5  # drafts that must lack it before its absence can be judged
_L2 = (1.0, 3.0, 10.0, 30.0, 100.0)
_L2_ABSENT = 1.0  # at most: what is rarely absent must not be taken for harmless
_L2_UP_TO = 5000  # labels beyond which the penalty hardly matters, so that it is not searched for
_FOLDS = 5
_RUNS = 200  # of the bootstrap
_KNOTS = 25
_CELLS = 50  # of the band of a step curve, with even shares of the labels
_TAIL = 0.05  # on each side of the band


class Fit(Struct, frozen=True, kw_only=True):
    """A fitted map and what the procedure says of the examples when their own group was left out; None: not enough data."""

    map: Map | None
    low: Floats  # shape (n,), cross-fitted; NaN without a map, and where the map cannot judge
    p: Floats


class _Table(Struct, frozen=True):
    """Examples as arrays."""

    x: Floats  # shape (n, columns)
    y: Bools
    weight: Floats
    groups: NDArray[np.str_]

    def at(self, rows: NDArray[Any]) -> _Table:
        """Some of the rows."""
        return _Table(self.x[rows], self.y[rows], self.weight[rows], self.groups[rows])


class _Columns(Struct, frozen=True):
    """Which signals count and how they become columns: scores standardised, then an indicator of absence where needed."""

    names: tuple[str, ...]
    centers: Floats
    scales: Floats
    indicated: tuple[str, ...]

    def of(self, examples: Sequence[Example]) -> tuple[Floats, Bools]:
        """(shape (n, len(names) + len(indicated)), an absent score stands at its center; which rows lack what they need)."""
        scores = _scores(examples, self.names)
        absent = np.isnan(scores)
        standard = np.where(absent, 0.0, (scores - self.centers) / self.scales)
        told = np.array([name in self.indicated for name in self.names], dtype=np.bool_)
        unknown = np.asarray(absent[:, ~told].any(axis=1), dtype=np.bool_)
        return np.hstack([standard, absent[:, told].astype(np.float64)]), unknown

    def penalties(self, l2: float) -> Floats:
        """One for each column."""
        return np.repeat([l2, min(l2, _L2_ABSENT)], [len(self.names), len(self.indicated)])


class _Fitted(Struct, frozen=True):
    columns: _Columns
    line: Logistic
    curve: Curve

    def judged(self, examples: Sequence[Example]) -> tuple[Floats, Floats]:
        """(low, p) of each example, as the map would serve them."""
        x, unknown = self.columns.of(examples)
        ends = np.array([apply_curve(self.curve, z)[:2] for z in self.line.z(x).tolist()]).reshape(-1, 2)
        ends[unknown] = np.nan
        return ends[:, 0], ends[:, 1]


def fit_map(examples: Sequence[Example], *, seed: int = 0) -> Fit:
    """The map of the rung that these drafts came from.

    Args:
        examples: judged drafts of one feature and rung, of the traffic that reached the rung.
        seed: of folds and bootstrap; the same examples and seed give the same map.
    Returns: the map, and cross-fitted (low, p) of each example. Fewer than 30 labels or 5 groups: no map, NaN.
    """
    n = len(examples)
    groups = [example.group for example in examples]
    low, p = np.full(n, np.nan), np.full(n, np.nan)
    if n < LEAST or len(set(groups)) < _FOLDS:
        return Fit(map=None, low=low, p=p)
    kinds = _kinds(effective(np.array([example.weight for example in examples])))
    fold = folds_of(groups, _FOLDS, seed=seed)
    for held in range(_FOLDS):
        inside = fold == held
        rest = [example for example, out in zip(examples, inside, strict=True) if not out]
        mine = [example for example, out in zip(examples, inside, strict=True) if out]
        low[inside], p[inside] = _fitted(rest, kinds, seed).judged(mine)
    whole = _fitted(examples, kinds, seed)
    return Fit(map=_map(whole, n), low=low, p=p)


def _kinds(labels: float) -> tuple[str, ...]:
    """The curves that so many effective labels allow."""
    if labels >= VENN_ABERS_FROM:
        return ("venn-abers",)
    return ("platt", "beta") if labels >= _BETA_FROM else ("platt",)


def _fitted(examples: Sequence[Example], kinds: tuple[str, ...], seed: int) -> _Fitted:
    columns = _columns(examples)
    table = _Table(
        columns.of(examples)[0],
        np.array([example.accepted for example in examples]),
        np.array([example.weight for example in examples]),
        np.array([example.group for example in examples]),
    )
    l2 = columns.penalties(_best_l2(table, columns, seed))
    z = _cross_fitted(table, l2, folds_of(table.groups.tolist(), _FOLDS, seed=seed))
    line = fit_logistic(table.x, table.y, l2=l2, weights=table.weight)
    return _Fitted(columns, line, _curve(z, table, kinds, seed))


def _columns(examples: Sequence[Example]) -> _Columns:
    """Signals that were seen often enough and are not all the same."""
    every = sorted({name for example in examples for name in example.signals})
    scores = _scores(examples, every)
    names, centers, scales, indicated = [], [], [], []
    for place, name in enumerate(every):
        column = scores[:, place]
        there = column[~np.isnan(column)]
        tells_absent = column.size - there.size >= _ABSENT
        varies = there.size >= _SEEN and float(there.std()) > 1e-9
        if not varies and not (there.size >= _SEEN and tells_absent):
            continue
        names.append(name)
        centers.append(float(there.mean()))
        scales.append(float(there.std()) if varies else 1.0)
        if tells_absent:
            indicated.append(name)
    return _Columns(tuple(names), np.array(centers), np.array(scales), tuple(indicated))


def _scores(examples: Sequence[Example], names: Sequence[str]) -> Floats:
    rows = [[example.signals.get(name) for name in names] for example in examples]
    return np.array([[np.nan if score is None else score for score in row] for row in rows], dtype=np.float64).reshape(
        len(examples), len(names)
    )


def _best_l2(table: _Table, columns: _Columns, seed: int) -> float:
    """The penalty with the least cross-fitted log-loss; folds other than those that the curve is fitted on."""
    if not columns.names or table.y.size > _L2_UP_TO:
        return _L2[0]
    fold = folds_of(table.groups.tolist(), _FOLDS, seed=seed + 1)
    losses = [
        log_loss(sigmoid(_cross_fitted(table, columns.penalties(l2), fold)), table.y, weights=table.weight)
        for l2 in _L2
    ]
    return _L2[int(np.argmin(losses))]


def _cross_fitted(table: _Table, l2: Floats, fold: NDArray[np.int64]) -> Floats:
    """Each row's z by a line that did not see its fold."""
    z = np.zeros(table.y.size)
    for held in range(int(fold.max()) + 1):
        inside = fold == held
        rest = table.at(~inside)
        z[inside] = fit_logistic(rest.x, rest.y, l2=l2, weights=rest.weight).z(table.x[inside])
    return z


def _curve(z: Floats, table: _Table, kinds: tuple[str, ...], seed: int) -> Curve:
    if "venn-abers" in kinds:
        fitted = fit_venn_abers(z, table.y, weights=table.weight).widened()
        return Curve(kind="venn-abers", p0=_floor(fitted.p0), p1=_ceiling(fitted.p1), band=_step_band(z, table, seed))
    kind = kinds[0] if len(kinds) == 1 else _better(kinds, z, table, seed)
    plain, band = _parametric(kind, z, table), _band(kind, z, table, seed)
    return Curve(kind=kind, a=plain.a, b=plain.b, c=plain.c if isinstance(plain, Beta) else 0.0, band=band)


def _parametric(kind: str, z: Floats, table: _Table) -> Platt | Beta:
    fit = fit_beta if kind == "beta" else fit_platt
    return fit(z, table.y, weights=table.weight)


def _better(kinds: tuple[str, ...], z: Floats, table: _Table, seed: int) -> str:
    """The kind with the least cross-fitted log-loss."""
    fold = folds_of(table.groups.tolist(), _FOLDS, seed=seed + 2)
    losses = []
    for kind in kinds:
        p = np.zeros(z.size)
        for held in range(int(fold.max()) + 1):
            inside = fold == held
            p[inside] = _parametric(kind, z[~inside], table.at(~inside)).p(z[inside])
        losses.append(log_loss(p, table.y, weights=table.weight))
    return kinds[int(np.argmin(losses))]


def _band(kind: str, z: Floats, table: _Table, seed: int) -> tuple[tuple[float, float, float], ...]:
    """(z, low, high) from resampled groups, 5 % left out on each side; both ends only rise.

    Labels of one kind only resample to themselves: there the exact binomial interval stands instead.
    """
    knots = np.unique(np.quantile(z, np.linspace(0, 1, _KNOTS)))
    if table.y.all() or not table.y.any():
        known = rate(table.y, weights=table.weight, groups=table.groups.tolist(), assurance=1 - 2 * _TAIL)
        return tuple((float(knot), known.low, known.high) for knot in knots)
    resampled = group_bootstrap(table.groups.tolist(), runs=_RUNS, seed=seed)
    curves = [_parametric(kind, z[rows], table.at(rows)).p(knots) for rows in resampled]
    return _ends(knots, curves, table)


def _step_band(z: Floats, table: _Table, seed: int) -> tuple[tuple[float, float, float], ...]:
    """As `_band`, of isotonic fits: p0 and p1 say how far one more label moves the curve, not how far off it may be."""
    edges = np.unique(np.quantile(z, np.linspace(0, 1, _CELLS + 1)[1:-1]))
    cell = np.unique(np.searchsorted(edges, z, side="right"), return_inverse=True)[1].astype(np.float64)
    places = np.arange(int(cell.max()) + 1)
    knots = np.bincount(cell.astype(np.int64), weights=z) / np.bincount(cell.astype(np.int64))
    curves = [
        fit_isotonic(cell[rows], table.y[rows], weights=table.weight[rows]).at(places)
        for rows in group_bootstrap(table.groups.tolist(), runs=_RUNS, seed=seed)
    ]
    return _ends(knots, curves, table)


def _ends(knots: Floats, curves: Sequence[Floats], table: _Table) -> tuple[tuple[float, float, float], ...]:
    """The band of resampled curves, shape (runs, knots): never more sure than so many labels of one kind would make us.

    Labels that the scores part cleanly resample to the same curve, which says nothing of what was not seen.
    """
    alike = np.ones(table.y.size, dtype=np.bool_)
    most = rate(alike, weights=table.weight, groups=table.groups.tolist(), assurance=1 - 2 * _TAIL).low
    low = np.minimum(np.maximum.accumulate(np.quantile(curves, _TAIL, axis=0)), most)
    high = np.maximum(np.maximum.accumulate(np.quantile(curves, 1 - _TAIL, axis=0)), 1 - most)
    return tuple((float(knot), float(below), float(above)) for knot, below, above in zip(knots, low, high, strict=True))


def _floor(steps: Steps) -> tuple[tuple[float, float], ...]:
    """(z from which on, value), without the start at minus infinity: below the first the value is 0."""
    pairs = zip(steps.starts.tolist(), steps.values.tolist(), strict=True)
    return tuple((start, value) for start, value in pairs if np.isfinite(start))


def _ceiling(steps: Steps) -> tuple[tuple[float, float], ...]:
    """(z up to which, value): a step ends where the next one begins; above the last the value is 1."""
    ends = np.nextafter(steps.starts[1:], -np.inf)
    return tuple((float(end), float(value)) for end, value in zip(ends, steps.values[:-1], strict=True))


def _map(fitted: _Fitted, labels: int) -> Map:
    columns, weights = fitted.columns, fitted.line.weights.tolist()
    absent = dict(zip(columns.indicated, weights[len(columns.names) :], strict=True))
    inputs = tuple(
        Input(signal=name, center=float(center), scale=float(scale), weight=weight, absent=absent.get(name))
        for name, center, scale, weight in zip(columns.names, columns.centers, columns.scales, weights, strict=False)
    )
    return Map(kind="fitted", bias=fitted.line.bias, inputs=inputs, curve=fitted.curve, labels=labels)
