"""Fits a route model: for each rung, how probably its draft on a question is acceptable, before anything is asked.

Regularised least-squares fits stand side by side, and the mean of them counts: a ridge line over n-grams (what words say), and
kernel ridges in the directions in which the feature's questions differ (what like questions came to) and in their outward form.
Where all rungs were judged on the same questions, the difference of two rungs' fits is the fit of the gain itself, since
all are linear in the verdicts. Difficulty alone is a worse guide: what both rungs get wrong is hard and gains nothing.
Sources: Ong et al. (2024), RouteLLM, arXiv 2406.18665 (metric and task); Deerwester et al. (1990), Indexing by latent semantic
analysis (the directions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from surefoot.learning.fit import LEAST
from surefoot.learning.kernels import FOLDS, KernelFit, Kind, Seen, Told, fit_kernel, gain_error
from surefoot.learning.meaning import MeaningFit, fit_meaning
from surefoot.policy import LearnedFeature
from surefoot.records import Embedded
from surefoot.signals.question import PLACES, WORD_PLACES, Features, features
from surefoot.signals.router import (
    Array,
    Calibration,
    Columns,
    Meaning,
    RouteEstimate,
    RouteModel,
    estimates_of,
    outward,
    weighted,
    write_route,
)
from surefoot.stats.arrays import Floats, folds_of
from surefoot.stats.routing import apgr

_WORDS, _LETTERS = 9216, 7168  # columns at most: the n-grams that are in most questions
_SEEN = 2  # questions that an n-gram must be in
_DIMS = 64
_SHAPING = 4000  # questions from which the directions are taken
_L2_LINE = 24.0
_SPREAD = 1e-6  # of a figure that is the same in all questions
_KINDS = (
    (Kind(l2=15.0), Kind(form=0.1, l2=10.0), Kind(form=0.15, l2=5.0)),
    (Kind(topic=0.0, form=0.1, l2=10.0, marks=500), Kind(topic=0.0, form=0.15, l2=4.0, marks=500)),
)
_STEPS = 40  # of conjugate gradients
_CLOSE = 1e-3


class Asked(Struct, frozen=True, kw_only=True):
    """A question with what became of it on the rungs where somebody judged the draft."""

    text: str
    group: str  # questions of one group are never divided between fitting and testing
    accepted: Mapping[str, bool]  # by rung
    embedded: Embedded | None = None  # the embedder's vector, where one was asked


class RouteFit(Struct, frozen=True, kw_only=True):
    """A fitted model and what the procedure said of each labelled question when its own group was left out."""

    model: RouteModel
    estimates: tuple[tuple[RouteEstimate, ...], ...]  # as the questions came


def with_route(
    found: LearnedFeature, asked: Sequence[Asked], rungs: Sequence[str], models: Mapping[str, tuple[str, ...]]
) -> tuple[LearnedFeature, RouteFit | None]:
    """(what was learned with the route model that these questions teach, the fit); unchanged and None with too few labels.

    Args:
        models: by rung name, what the labels are about.
    """
    fit = fit_route(asked, rungs)
    if fit is None:
        return found, None
    model = replace(fit.model, models={rung: models.get(rung, ()) for rung in fit.model.rungs})
    return replace(found, route=write_route(model), route_labels=model.labels), replace(fit, model=model)


class _Table(Struct, frozen=True):
    columns: Columns
    rarity: Array
    x: Array  # shape (labelled, columns)
    seen: Seen  # of the labelled
    centers: Array  # of the outward form
    spreads: Array
    directions: Array  # shape (columns, dims)


def fit_route(
    asked: Sequence[Asked], rungs: Sequence[str], *, unlabelled: Sequence[str] = (), seed: int = 0
) -> RouteFit | None:
    """The route model of a feature.

    Args:
        asked: labelled questions.
        rungs: cheapest first; those that fewer than 30 questions have a verdict on are left out.
        unlabelled: further questions of the feature, which shape what counts as alike.
        seed: of folds and landmarks; the same questions and seed give the same model.
    Returns: None when fewer than two rungs, 30 questions with a verdict or five groups are there.
    """
    names = [rung for rung in rungs if sum(rung in each.accepted for each in asked) >= LEAST]
    known = [each for each in asked if any(rung in each.accepted for rung in names)]
    if len(names) < 2 or len({each.group for each in known}) < FOLDS:
        return None
    verdicts = np.array([[each.accepted.get(rung, np.nan) for rung in names] for each in known], dtype=np.float32)
    table = _tabled([each.text for each in known], unlabelled, seed)
    there = ~np.isnan(verdicts)
    means = np.nanmean(verdicts, axis=0)
    fold = folds_of([each.group for each in known], FOLDS, seed=seed)
    told = Told(np.where(there, verdicts - means, 0).astype(np.float32), there, fold)
    line, crossed_line = _line(table.x, told)
    fits = _kernels(table.seen, told, crossed_line, seed)
    raw = means + _mean(crossed_line, fits)
    meant = fit_meaning([each.embedded for each in known], table.seen, told, crossed_line, fits, seed=seed)
    steps, scales = _quantised(table.directions)
    calibrations = _calibrated(raw, verdicts)
    estimates = [estimates_of(names, calibrations, row) for row in raw.tolist()]
    meaning = None
    if meant is not None:
        raw[meant.rows] = means + meant.crossed
        meaning = _meaning(meant, raw, verdicts)
        for row in meant.rows.tolist():
            estimates[row] = estimates_of(names, meaning.calibrations, raw[row].tolist())
    model = RouteModel(
        rungs=tuple(names), labels=len(known), columns=_bytes(table.columns, "<i4"), rarity=_bytes(table.rarity, "<f4"),
        directions=steps, direction_scales=scales, form_centers=tuple(table.centers.tolist()),
        form_spreads=tuple(table.spreads.tolist()), kernels=tuple(fit.kernel for fit in fits), meaning=meaning,
        line=_bytes(line, "<f2"), means=tuple(means.tolist()), calibrations=calibrations, apgr=_apgr(raw, verdicts),
    )  # fmt: skip
    return RouteFit(model=model, estimates=tuple(estimates))


def _meaning(meant: MeaningFit, raw: Array, verdicts: Array) -> Meaning:
    """What is kept of the vectors' part, with calibrations of its own."""
    return Meaning(
        embedder=meant.embedder, center=_bytes(meant.center, "<f4"), directions=_bytes(meant.directions, "<f2"),
        kernel=meant.fit.kernel, calibrations=_calibrated(raw[meant.rows], verdicts[meant.rows]),
    )  # fmt: skip


def _kernels(seen: Seen, told: Told, line: Array, seed: int) -> list[KernelFit]:
    """A kernel of topic and form and one of form alone: of each the kind whose gains, with the line's, err least.

    An error of p would choose the outward form for telling difficulty.
    """
    found: list[KernelFit] = []
    for kinds in _KINDS:
        fits = [fit_kernel(seen, told, kind, seed=seed) for kind in kinds]
        found.append(min(fits, key=lambda fit: gain_error(_mean(line, [*found, fit]), told)))
    return found


def _mean(line: Array, fits: Sequence[KernelFit]) -> Array:
    """The mean of the line's values and the kernels'."""
    return np.asarray((line + sum(fit.crossed for fit in fits)) / (1 + len(fits)), dtype=np.float32)


def _tabled(texts: Sequence[str], unlabelled: Sequence[str], seed: int) -> _Table:
    """What the labelled questions are in numbers; which n-grams count and what makes questions alike, all of them say."""
    labelled = [features(text) for text in texts]
    every = labelled + [features(text) for text in unlabelled]
    seen = np.bincount(np.concatenate([each.places for each in every]), minlength=PLACES)
    kept = np.sort(np.concatenate([_most(seen, 0, WORD_PLACES, _WORDS), _most(seen, WORD_PLACES, PLACES, _LETTERS)]))
    columns = np.full(PLACES, -1, dtype=np.int32)
    columns[kept] = np.arange(kept.size, dtype=np.int32)
    rarity = (np.log((1 + len(every)) / (1 + seen[kept])) + 1).astype(np.float32)
    form = np.array([each.form for each in labelled])
    chosen = np.random.default_rng(seed).permutation(len(every))[:_SHAPING]
    shaping = _dense([every[row] for row in chosen], columns, rarity)
    directions = _directions(shaping, seed)
    del shaping
    x, centers, spreads = _dense(labelled, columns, rarity), form.mean(axis=0), form.std(axis=0) + _SPREAD
    topic = x @ directions
    topic /= np.maximum(np.linalg.norm(topic, axis=1, keepdims=True), 1e-9)
    return _Table(
        columns, rarity, x, Seen(topic, outward(form, centers, spreads)), centers, spreads, directions
    )  # fmt: skip


def _most(seen: NDArray[np.int64], start: int, end: int, most: int) -> NDArray[np.int64]:
    """The places of a range that are in most questions, and in two at least."""
    places = start + np.argsort(-seen[start:end], kind="stable")[:most]
    return places[seen[places] >= _SEEN]


def _dense(found: Sequence[Features], columns: Columns, rarity: Array) -> Array:
    x = np.zeros((len(found), rarity.size), dtype=np.float32)
    for row, each in enumerate(found):
        mine, weights = weighted(each, columns, rarity)
        x[row, mine] = weights
    return x


def _directions(x: Array, seed: int) -> Array:
    """The leading right singular vectors, as columns.

    Source: Halko, Martinsson and Tropp (2011), Finding structure with randomness, SIAM Review 53 (one power iteration).
    """
    dims = min(_DIMS, *x.shape)
    drawn = np.random.default_rng(seed).standard_normal((x.shape[1], min(dims + 10, *x.shape))).astype(np.float32)
    basis = np.linalg.qr(x @ drawn)[0]
    basis = np.linalg.qr(x @ (x.T @ basis))[0]
    turned = np.linalg.svd(basis.T @ x, full_matrices=False)[2]
    return np.ascontiguousarray(turned[:dims].T)


def _line(x: Array, told: Told) -> tuple[Array, Array]:
    """(weights of shape (columns, rungs), cross-fitted values of shape (n, rungs)) of the ridge line.

    All folds and rungs are solved side by side, in the space of the questions, by conjugate gradients.
    """
    centered, there, fold = told.centered, told.there, told.fold
    rungs = centered.shape[1]
    inside = [there] + [there & (fold != held)[:, None] for held in range(FOLDS)]
    mask = np.hstack(inside).astype(np.float32)
    target = np.tile(centered, (1, FOLDS + 1)) * mask
    found, left = np.zeros_like(target), target.copy()
    step, size = left.copy(), np.einsum("nr,nr->r", left, left)
    goal = _CLOSE**2 * np.maximum(size, 1e-12)
    for _ in range(_STEPS):
        moved = mask * (x @ (x.T @ step)) + _L2_LINE * step
        length = size / np.maximum(np.einsum("nr,nr->r", step, moved), 1e-12)
        found += length * step
        left -= length * moved
        after = np.einsum("nr,nr->r", left, left)
        if (after <= goal).all():
            break
        step = left + (after / np.maximum(size, 1e-12)) * step
        size = after
    weights = x.T @ found
    crossed = np.zeros_like(centered)
    for held in range(FOLDS):
        rows = fold == held
        crossed[rows] = x[rows] @ weights[:, (held + 1) * rungs : (held + 2) * rungs]
    return weights[:, :rungs], crossed


def _calibrated(raw: Array, verdicts: Array) -> tuple[Calibration, ...]:
    """Of the first rung, then of each further rung's gain over it."""
    found = [_least_squares(raw[:, 0], verdicts[:, 0])]
    for rung in range(1, raw.shape[1]):
        both = ~np.isnan(verdicts[:, [0, rung]]).any(axis=1)
        gain = verdicts[:, rung] - verdicts[:, 0]
        enough = int(both.sum()) >= LEAST
        found.append(_least_squares(raw[:, rung] - raw[:, 0], gain) if enough else Calibration())
    return tuple(found)


def _least_squares(raw: Array, told: Array) -> Calibration:
    """A slope below 0 says that nothing was learned: then everybody gets the mean."""
    x, y = raw[~np.isnan(told)].astype(np.float64), told[~np.isnan(told)].astype(np.float64)
    spread = float(((x - x.mean()) ** 2).sum())
    slope = max(0.0, float(((x - x.mean()) * (y - y.mean())).sum()) / spread) if spread > 0 else 0.0
    return Calibration(bias=float(y.mean() - slope * x.mean()), slope=slope)


def _apgr(raw: Array, verdicts: Array) -> float | None:
    both = ~np.isnan(verdicts[:, [0, -1]]).any(axis=1)
    gain: Floats = (raw[both, -1] - raw[both, 0]).astype(np.float64)
    weak, strong = verdicts[both, 0] > 0, verdicts[both, -1] > 0
    found = apgr(gain, weak, strong)
    return None if np.isnan(found) else found


def _quantised(directions: Array) -> tuple[bytes, bytes]:
    """(int8 steps, their size in each direction): a direction is known to a part in 127 of its largest weight."""
    scales = np.maximum(np.abs(directions).max(axis=0), 1e-12) / 127
    return np.round(directions / scales).astype(np.int8).tobytes(), _bytes(scales, "<f4")


def _bytes(array: NDArray[np.generic], kind: str) -> bytes:
    return array.astype(kind).tobytes()
