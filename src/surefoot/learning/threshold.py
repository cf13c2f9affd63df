"""The threshold of a promise: Learn-then-Test by the fixed-sequence test, over the deliveries of a whole ladder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.learning.examples import Walk
from surefoot.policy import Promise
from surefoot.stats.arrays import Bools, Floats
from surefoot.stats.binomial import binomial_p, labels_needed
from surefoot.stats.sequential import CERTIFIED, OPEN

_STEPS = 40  # thresholds tested at most, at even shares of what the ladder would deliver
_START = 60  # deliveries at the strictest threshold: fewer have little power, see docs/decisions/0010-promises.md
_SLACK = 0.25  # of a standard error, by which a stricter start may look less promising than the best


class Cut(Struct, frozen=True, kw_only=True):
    """The loosest threshold that is certified, or why there is none yet."""

    threshold: float | None  # p from which on a draft is delivered, on every rung
    state: str  # CERTIFIED | OPEN
    accuracy: float | None  # among deliveries at the threshold, or at the strictest one tested
    n: int  # deliveries that carry a verdict there, one a group
    wrong: int
    labels_needed: int | None  # further deliveries with a verdict; 0 when certified, None: nobody knows


class _Table(Struct, frozen=True):
    """Walks as arrays: what is delivered at a threshold is a comparison."""

    p: Floats  # shape (walks, rungs); NaN where there is no draft, no verdict or nothing that judges
    wrong: Bools
    group: NDArray[np.int64]
    groups: int

    def delivered(self, threshold: float) -> tuple[int, int]:
        """(groups with a delivery, those with a wrong one)."""
        over = self.p >= threshold
        rows = np.flatnonzero(over.any(axis=1))
        wrong = self.wrong[rows, over[rows].argmax(axis=1)]
        there, bad = np.zeros(self.groups, dtype=np.bool_), np.zeros(self.groups, dtype=np.bool_)
        there[self.group[rows]] = True
        bad[self.group[rows[wrong]]] = True
        return int(there.sum()), int(bad.sum())


def certify_threshold(
    walks: Sequence[Walk],
    scores: Sequence[Floats],
    promise: Promise,
    *,
    start_at: float,
    pilot: tuple[Sequence[Walk], Sequence[Floats]] | None = None,
) -> Cut:
    """Test ever looser thresholds until one fails; the last that passed keeps the promise with its assurance.

    H(t): among what the ladder delivers at t, more than 1 - accuracy is wrong. Which thresholds are tested and where they
    start is fixed by scores and by the pilot before any verdict of `walks` is looked at; p-values are exact binomial tails;
    the sequence stops at the first that is not significant, so that no correction for many thresholds is needed. A group of
    walks is one unit, wrong when any of its deliveries is.
    Args:
        walks: labelled questions that no map was fitted on.
        scores: by rung, p of each walk's draft; NaN is climbed over.
        promise: what is to be kept.
        start_at: the bar of rule (A): what is said of the need for labels when nothing can be tested.
        pilot: other groups' walks and cross-fitted scores, those that fitted the maps. Their verdicts say where the test has
            most power: it starts there, or at a stricter threshold that looks as good. Without one it starts at the strictest.
    Source: Angelopoulos et al. (2021), Learn then Test, arXiv 2110.01052; the start by a pilot is ours.
    """
    limit, doubt = 1 - promise.accuracy, 1 - promise.assurance
    table = _table(walks, scores)
    found = Cut(
        threshold=None, state=OPEN, accuracy=None, n=0, wrong=0,
        labels_needed=labels_needed(0, 0, accuracy=promise.accuracy, assurance=promise.assurance),
    )  # fmt: skip
    for threshold in _sequence(table, _table(*pilot) if pilot is not None else None, limit, start_at):
        n, wrong = table.delivered(threshold)
        passed = n > 0 and binomial_p(wrong, n, limit) <= doubt
        if passed or found.n == 0:
            needed = labels_needed(wrong, n, accuracy=promise.accuracy, assurance=promise.assurance)
            found = Cut(
                threshold=threshold if passed else None,
                state=CERTIFIED if passed else OPEN,
                accuracy=1 - wrong / n if n else None,
                n=n,
                wrong=wrong,
                labels_needed=needed,
            )
        if not passed:
            break
    return found


def _table(walks: Sequence[Walk], scores: Sequence[Floats]) -> _Table:
    there = np.array([[draft is not None for draft in walk.drafts] for walk in walks], dtype=np.bool_)
    there = there.reshape(len(walks), len(scores))
    wrong = np.array([[draft is not None and not draft.accepted for draft in walk.drafts] for walk in walks], np.bool_)
    p = np.column_stack([*scores]) if len(scores) else np.zeros((len(walks), 0))
    names, group = np.unique(np.array([walk.group for walk in walks], dtype=np.str_), return_inverse=True)
    return _Table(np.where(there, p, np.nan), wrong.reshape(there.shape), _whole(group), names.size)


def _whole(places: NDArray[Any]) -> NDArray[np.int64]:
    return places.reshape(-1).astype(np.int64)


def _sequence(table: _Table, pilot: _Table | None, limit: float, start_at: float) -> list[float]:
    """Thresholds from strict to loose, by the best p of each question; they never depend on a verdict of the table."""
    reached = np.array([np.nanmax(row, initial=0.0) for row in table.p])
    reached = reached[reached > 0]
    if not reached.size:
        return [start_at]
    ordered = np.sort(reached)[::-1]
    first = min(_START, ordered.size) - 1
    places = np.unique(np.linspace(first, ordered.size - 1, _STEPS).astype(int))
    grid = sorted({float(ordered[place]) for place in places}, reverse=True)
    return grid[_start(grid, table, pilot, limit) :] if pilot is not None else grid


def _start(grid: Sequence[float], table: _Table, pilot: _Table, limit: float) -> int:
    """Where the pilot expects the clearest result, in standard errors; a stricter one that is as good, give or take, wins."""
    clear, noise = [], []
    for threshold in grid:
        n = table.delivered(threshold)[0]
        seen, wrong = pilot.delivered(threshold)
        rate = (wrong + limit) / (seen + 1)
        clear.append((limit - rate) * (n / (limit * (1 - limit))) ** 0.5)
        noise.append((n / (seen + 1)) ** 0.5)
    best = int(np.argmax(clear))
    return next(place for place, each in enumerate(clear) if each >= clear[best] - _SLACK * noise[best])
