"""The threshold of a promise: Learn-then-Test by the fixed-sequence test, over the deliveries of a whole ladder."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.learning.examples import Walk
from surefoot.policy import Promise
from surefoot.stats.arrays import Floats
from surefoot.stats.binomial import binomial_p, labels_needed

_STEPS = 40  # thresholds tested at most, at even shares of what the ladder would deliver
_START = 60  # deliveries at the strictest threshold: fewer have little power, see docs/decisions/0009


class Cut(Struct, frozen=True, kw_only=True):
    """The loosest threshold that is certified, or why there is none yet."""

    threshold: float | None  # p from which on a draft is delivered, on every rung
    state: str  # "certified" | "not certified yet"
    accuracy: float | None  # among deliveries at the threshold, or at the strictest one tested
    n: int  # deliveries that carry a verdict there, one a group
    wrong: int
    labels_needed: int | None  # further deliveries with a verdict; 0 when certified, None: nobody knows


def certify_threshold(walks: Sequence[Walk], scores: Sequence[Floats], promise: Promise, *, start_at: float) -> Cut:
    """Test ever looser thresholds until one fails; the last that passed keeps the promise with its assurance.

    H(t): among what the ladder delivers at t, more than 1 - accuracy is wrong. Thresholds are fixed by the scores before any
    verdict is looked at; p-values are exact binomial tails; the sequence stops at the first that is not significant, so that
    no correction for many thresholds is needed. A group of walks is one unit, wrong when any of its deliveries is.
    Args:
        walks: labelled questions that no map was fitted on.
        scores: by rung, p of each walk's draft; NaN is climbed over.
        start_at: the bar of rule (A): what is said of the need for labels when nothing can be tested.
    Source: Angelopoulos et al. (2021), Learn then Test, arXiv 2110.01052.
    """
    limit, doubt = 1 - promise.accuracy, 1 - promise.assurance
    reached = np.array([np.nanmax([column[row] for column in scores], initial=0.0) for row in range(len(walks))])
    found = Cut(
        threshold=None, state="not certified yet", accuracy=None, n=0, wrong=0,
        labels_needed=labels_needed(0, 0, accuracy=promise.accuracy, assurance=promise.assurance),
    )  # fmt: skip
    for threshold in _grid(reached[reached > 0], start_at):
        n, wrong = _delivered(walks, scores, threshold)
        passed = n > 0 and binomial_p(wrong, n, limit) <= doubt
        if passed or found.n == 0:
            found = Cut(
                threshold=threshold if passed else None,
                state="certified" if passed else "not certified yet",
                accuracy=1 - wrong / n if n else None,
                n=n,
                wrong=wrong,
                labels_needed=0
                if passed
                else labels_needed(wrong, n, accuracy=promise.accuracy, assurance=promise.assurance),
            )
        if not passed:
            break
    return found


def _grid(reached: Floats, start_at: float) -> list[float]:
    """Thresholds from strict to loose, by the best p of each question; they never depend on a verdict."""
    if not reached.size:
        return [start_at]
    ordered = np.sort(reached)[::-1]
    first = min(_START, ordered.size) - 1
    places = np.unique(np.linspace(first, ordered.size - 1, _STEPS).astype(int))
    return sorted({float(ordered[place]) for place in places}, reverse=True)


def _delivered(walks: Sequence[Walk], scores: Sequence[Floats], threshold: float) -> tuple[int, int]:
    """(groups with a delivery that carries a verdict, those with a wrong one) at a threshold."""
    units: dict[str, bool] = {}
    for row, walk in enumerate(walks):
        for draft, column in zip(walk.drafts, scores, strict=True):
            if draft is not None and column[row] >= threshold:
                units[walk.group] = units.get(walk.group, False) or not draft.accepted
                break
    return len(units), sum(units.values())
