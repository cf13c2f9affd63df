"""Fits a route model: for each rung, how probably its draft on a question is acceptable, before anything is asked.

Two regularised least-squares fits stand side by side: a ridge line over n-grams (what words say), and a kernel ridge in the
directions in which the feature's questions differ (what like questions came to). Where all rungs were judged on the same
questions, the difference of two rungs' fits is the fit of the gain itself, since both are linear in the verdicts. Difficulty
alone is a worse guide: what both rungs get wrong is hard and gains nothing.
Sources: Ong et al. (2024), RouteLLM, arXiv 2406.18665 (metric and task); Deerwester et al. (1990), Indexing by latent semantic
analysis (the directions); Williams and Seeger (2001), Using the Nystrom method to speed up kernel machines (the landmarks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from surefoot.learning.fit import LEAST
from surefoot.policy import LearnedFeature
from surefoot.signals.question import PLACES, WORD_PLACES, Features, features
from surefoot.signals.router import (
    Array,
    Calibration,
    Columns,
    RouteEstimate,
    RouteModel,
    estimates_of,
    weighted,
    write_route,
)
from surefoot.stats.arrays import Floats, folds_of
from surefoot.stats.routing import apgr

_WORDS, _LETTERS = 9216, 7168  # columns at most: the n-grams that are in most questions
_SEEN = 2  # questions that an n-gram must be in
_DIMS = 128
_SHAPING = 4000  # questions from which the directions are taken
_MARKS = 2000
_L2_LINE = 24.0
_KINDS = ((0.0, 15.0), (0.1, 10.0), (0.2, 5.0))  # (how much the outward form counts, L2): chosen by the gain's error
_NUDGE = 1e-3  # keeps the landmarks' equations regular
_FOLDS = 5
_STEPS = 40  # of conjugate gradients
_CLOSE = 1e-3


class Asked(Struct, frozen=True, kw_only=True):
    """A question with what became of it on the rungs where somebody judged the draft."""

    text: str
    group: str  # questions of one group are never divided between fitting and testing
    accepted: Mapping[str, bool]  # by rung


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
    form: Array  # shape (labelled, len(FORM))
    centers: Array
    spreads: Array
    directions: Array  # shape (columns, dims)


class _Near(Struct, frozen=True):
    """The kernel ridge that was chosen."""

    form_counts: float
    landmarks: Array
    likeness: Array  # shape (marks, rungs)
    crossed: Array  # shape (labelled, rungs): without the question's own fold
    error: float


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
    if len(names) < 2 or len({each.group for each in known}) < _FOLDS:
        return None
    verdicts = np.array([[each.accepted.get(rung, np.nan) for rung in names] for each in known], dtype=np.float32)
    table = _tabled([each.text for each in known], unlabelled, seed)
    there = ~np.isnan(verdicts)
    means = np.nanmean(verdicts, axis=0)
    centered = np.where(there, verdicts - means, 0).astype(np.float32)
    fold = folds_of([each.group for each in known], _FOLDS, seed=seed)
    line, line_crossed = _line(table.x, centered, there, fold)
    near = min((_near(table, kind, centered, there, fold, seed) for kind in _KINDS), key=lambda each: each.error)
    raw = means + (line_crossed + near.crossed) / 2
    steps, scales = _quantised(table.directions)
    first, gains = _calibrated(raw, verdicts)
    model = RouteModel(
        rungs=tuple(names), labels=len(known), columns=_bytes(table.columns, "<i4"), rarity=_bytes(table.rarity, "<f4"),
        directions=steps, direction_scales=scales, form_centers=tuple(table.centers.tolist()),
        form_scales=tuple((near.form_counts / table.spreads).tolist()), landmarks=_bytes(near.landmarks, "<f2"),
        likeness=_bytes(near.likeness, "<f4"), line=_bytes(line, "<f2"), means=tuple(means.tolist()), p=first, gains=gains,
        apgr=_apgr(raw, verdicts),
    )  # fmt: skip
    return RouteFit(model=model, estimates=tuple(estimates_of(model, row) for row in raw.tolist()))


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
    return _Table(
        columns, rarity, _dense(labelled, columns, rarity), form, form.mean(axis=0), form.std(axis=0) + 1e-6, directions
    )


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


def _line(x: Array, centered: Array, there: NDArray[np.bool_], fold: NDArray[np.int64]) -> tuple[Array, Array]:
    """(weights of shape (columns, rungs), cross-fitted values of shape (n, rungs)) of the ridge line.

    All folds and rungs are solved side by side, in the space of the questions, by conjugate gradients.
    """
    rungs = centered.shape[1]
    inside = [there] + [there & (fold != held)[:, None] for held in range(_FOLDS)]
    mask = np.hstack(inside).astype(np.float32)
    target = np.tile(centered, (1, _FOLDS + 1)) * mask
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
    for held in range(_FOLDS):
        rows = fold == held
        crossed[rows] = x[rows] @ weights[:, (held + 1) * rungs : (held + 2) * rungs]
    return weights[:, :rungs], crossed


def _near(
    table: _Table, kind: tuple[float, float], centered: Array, there: NDArray[np.bool_], fold: NDArray[np.int64], seed: int
) -> _Near:  # fmt: skip
    """Kernel ridge on landmarks drawn from the labelled questions, with its cross-fitted squared error."""
    form_counts, l2 = kind
    seen = table.x @ table.directions
    seen /= np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), 1e-9)
    seen = np.hstack([seen, (table.form - table.centers) * (form_counts / table.spreads)]).astype(np.float32)
    marks = seen[np.random.default_rng(seed + 1).permutation(len(seen))[:_MARKS]]
    marks = marks.astype("<f2").astype(np.float32)  # as they are kept
    alike, between = _alike(seen, marks), l2 * _alike(marks, marks)
    between[np.diag_indices_from(between)] += _NUDGE
    crossed = np.zeros_like(centered)
    likeness = np.zeros((len(marks), centered.shape[1]), dtype=np.float32)
    for rung in range(centered.shape[1]):
        mine = there[:, rung]
        squares, sums = alike[mine].T @ alike[mine], alike[mine].T @ centered[mine, rung]
        likeness[:, rung] = np.linalg.solve(squares + between, sums)
        for held in range(_FOLDS):
            out, rows = mine & (fold == held), fold == held
            part = alike[out]
            weights = np.linalg.solve(
                squares - part.T @ part + between, sums - part.T @ centered[out, rung]
            )  # fmt: skip
            crossed[rows, rung] = alike[rows] @ weights
    return _Near(form_counts, marks, likeness, crossed, _gain_error(crossed, centered, there))


def _gain_error(crossed: Array, centered: Array, there: NDArray[np.bool_]) -> float:
    """Mean squared error of the gains over the first rung; of the verdicts themselves where no question has two."""
    both = there[:, :1] & there[:, 1:]
    off = crossed - centered
    gains = (off[:, 1:] - off[:, :1])[both]
    return float((gains**2).mean()) if gains.size else float((off[there] ** 2).mean())


def _alike(one: Array, other: Array) -> Array:
    """exp(-squared distance) of every pair."""
    lengths = (one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1)
    return np.asarray(np.exp(2 * (one @ other.T) - lengths), dtype=np.float32)


def _calibrated(raw: Array, verdicts: Array) -> tuple[Calibration, tuple[Calibration, ...]]:
    """(of the first rung, of each further rung's gain over it)."""
    first = _least_squares(raw[:, 0], verdicts[:, 0])
    gains = []
    for rung in range(1, raw.shape[1]):
        both = ~np.isnan(verdicts[:, [0, rung]]).any(axis=1)
        gain = verdicts[:, rung] - verdicts[:, 0]
        enough = int(both.sum()) >= LEAST
        gains.append(_least_squares(raw[:, rung] - raw[:, 0], gain) if enough else Calibration())
    return first, tuple(gains)


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
