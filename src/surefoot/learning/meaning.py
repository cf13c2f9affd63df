"""What an embedder's vectors add to a route model: a kernel that compares meanings too, where it errs less than words alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from surefoot.learning.fit import LEAST
from surefoot.learning.kernels import FOLDS, KernelFit, Seen, Told, fit_kernel, gain_error
from surefoot.records import Embedded
from surefoot.signals.embedding import unpacked
from surefoot.signals.router import Array

_DIRECTIONS = 64
_WEIGHTS = (0.7, 1.4)  # how much the vector counts beside the directions of words; chosen by the gain's error


class MeaningFit(Struct, frozen=True):
    """A kernel over meanings."""

    embedder: str
    center: Array  # shape (dimensions,)
    directions: Array  # shape (dimensions, kept)
    rows: Array  # which questions have a vector, as numbers in ascending order
    fit: KernelFit
    crossed: Array  # shape (rows, rungs): the mean of all parts, this one in the place of the first kernel


def fit_meaning(
    embedded: Sequence[Embedded | None], seen: Seen, told: Told, line: Array, fits: Sequence[KernelFit], *, seed: int
) -> MeaningFit | None:
    """The kernel that takes the first one's place where a question has a vector of the embedder that was asked last.

    Args:
        embedded: by question, oldest first.
        seen, told: of all questions.
        line, fits: the other parts, cross-fitted.
    Returns: None with too few vectors, and where words alone err less.
    """
    names = [each.embedder for each in embedded if each is not None]
    if not names:
        return None
    rows = np.array([row for row, each in enumerate(embedded) if each is not None and each.embedder == names[-1]])
    mine = Told(told.centered[rows], told.there[rows], told.fold[rows])
    if (mine.there.sum(axis=0) < LEAST).any() or np.unique(mine.fold).size < FOLDS:
        return None
    vectors = np.array([unpacked(each.vector) for each in (embedded[row] for row in rows) if each is not None])
    center = vectors.mean(axis=0)
    directions = np.linalg.svd(vectors - center, full_matrices=False)[2][:_DIRECTIONS].T
    directions = np.ascontiguousarray(directions).astype("<f2").astype(np.float32)  # as they are kept
    meaning = (vectors - center) @ directions
    meaning /= np.maximum(np.linalg.norm(meaning, axis=1, keepdims=True), 1e-9)
    part = Seen(seen.topic[rows], seen.form[rows], np.asarray(meaning, dtype=np.float32))
    first, others = fits[0].kind, sum((fit.crossed[rows] for fit in fits[1:]), line[rows])
    kinds = [replace(first, meaning=weight) for weight in _WEIGHTS]
    kinds.append(replace(first, topic=0.0, meaning=1.0))
    found = []
    for kind in kinds:
        fit = fit_kernel(part, mine, kind, seed=seed)
        crossed = np.asarray((others + fit.crossed) / (1 + len(fits)), dtype=np.float32)
        found.append((gain_error(crossed, mine), fit, crossed))
    error, fit, crossed = min(found, key=lambda each: each[0])
    if error >= gain_error((others + fits[0].crossed[rows]) / (1 + len(fits)), mine):
        return None
    return MeaningFit(names[-1], center, directions, rows, fit, crossed)
