"""Kernel ridge regression on landmarks: what like questions came to, for several rungs side by side, with cross-fitting.

Source: Williams and Seeger (2001), Using the Nystrom method to speed up kernel machines (the landmarks).
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.signals.router import Array, Kernel, parts

FOLDS = 5
_NUDGE = 1e-3  # keeps the landmarks' equations regular


class Seen(Struct, frozen=True):
    """What kernels compare, one row a question."""

    topic: Array  # shape (n, dims)
    form: Array  # shape (n, figures), in spreads
    meaning: Array | None = None  # shape (n, kept)


class Told(Struct, frozen=True):
    """What is to be found again: verdicts less their rung's mean, 0 where there is none."""

    centered: Array  # shape (n, rungs)
    there: NDArray[np.bool_]  # shape (n, rungs)
    fold: NDArray[np.int64]  # shape (n,)


class Kind(Struct, frozen=True, kw_only=True):
    """A kernel before it is fitted."""

    topic: float = 1.0
    form: float = 0.0
    meaning: float = 0.0
    l2: float
    marks: int = 2000  # landmarks at most


class KernelFit(Struct, frozen=True):
    """A fitted kernel."""

    kind: Kind
    kernel: Kernel
    crossed: Array  # shape (n, rungs): what each question is worth, said without its own fold


def fit_kernel(seen: Seen, told: Told, kind: Kind, *, seed: int) -> KernelFit:
    """The ridge of a kind on landmarks that are drawn from the questions with a verdict."""
    weights = Kernel(topic=kind.topic, form=kind.form, meaning=kind.meaning, landmarks=b"", likeness=b"")
    x = parts(weights, seen.topic, seen.form, seen.meaning)
    judged = np.flatnonzero(told.there.any(axis=1))
    marks = x[np.random.default_rng(seed + 1).permutation(judged)[: kind.marks]]
    marks = marks.astype("<f2").astype(np.float32)  # as they are kept
    near, between = alike(x, marks), kind.l2 * alike(marks, marks)
    between[np.diag_indices_from(between)] += _NUDGE
    worth = np.zeros((len(marks), told.centered.shape[1]), dtype=np.float32)
    crossed = np.zeros_like(told.centered)
    for rungs in _together(told.there):
        mine = told.there[:, rungs[0]]
        own = told.centered[:, rungs]
        squares, sums = near[mine].T @ near[mine], near[mine].T @ own[mine]
        worth[:, rungs] = np.linalg.solve(squares + between, sums)
        for held in range(FOLDS):
            rows = told.fold == held
            part = near[mine & rows]
            without = np.linalg.solve(squares - part.T @ part + between, sums - part.T @ own[mine & rows])
            crossed[np.ix_(rows, rungs)] = near[rows] @ without
    kernel = Kernel(
        topic=kind.topic, form=kind.form, meaning=kind.meaning, landmarks=marks.astype("<f2").tobytes(),
        likeness=worth.astype("<f4").tobytes(),
    )  # fmt: skip
    return KernelFit(kind, kernel, crossed)


def gain_error(crossed: Array, told: Told) -> float:
    """Mean squared error of the gains over the first rung; of the verdicts themselves where no question has two."""
    both = told.there[:, :1] & told.there[:, 1:]
    off = crossed - told.centered
    gains = (off[:, 1:] - off[:, :1])[both]
    return float((gains**2).mean()) if gains.size else float((off[told.there] ** 2).mean())


def alike(one: Array, other: Array) -> Array:
    """exp(-squared distance) of every pair."""
    lengths = (one * one).sum(axis=1)[:, None] + (other * other).sum(axis=1)
    return np.asarray(np.exp(np.minimum(2 * (one @ other.T) - lengths, 0)), dtype=np.float32)


def _together(there: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """The rungs that were judged on the same questions, side by side: one factorisation serves them all."""
    found: dict[bytes, list[int]] = {}
    for rung in range(there.shape[1]):
        found.setdefault(there[:, rung].tobytes(), []).append(rung)
    return [np.array(rungs, dtype=np.int64) for rungs in found.values()]
