"""The cheapest thresholds of a ladder without a person that do not make it less right than its top rung alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np

from surefoot.learning.examples import Walk
from surefoot.stats.arrays import Floats

_COMBINED = 2000  # combinations of thresholds tried in all
_MOST = 40  # thresholds tried for one rung, at even shares of its drafts
_NEVER = 2.0  # above every p: the rung is climbed over
_SLACK = 1.0  # standard errors by which the accuracy may seem lower


def cheapest(walks: Sequence[Walk], scores: Sequence[Floats]) -> tuple[float, ...]:
    """One threshold a rung; the top rung's is 0, since it ends the ladder.

    Among thresholds whose paired difference in accuracy to the top rung is not below minus its standard error, those of the
    least cost (the one-standard-error rule); where none is, every rung below the top is climbed over. Differences are taken
    between groups' means, so that repeats of a question do not look like more evidence.
    Args:
        walks: labelled questions; one without a verdict on its top draft is left out.
        scores: by rung, p of each walk's draft, cross-fitted; NaN where nothing judges it (such a draft is climbed over).
    Source of the rule: Breiman, Friedman, Olshen and Stone (1984), Classification and Regression Trees, section 3.4.3.
    """
    last = len(scores) - 1
    rows = [row for row, walk in enumerate(walks) if walk.drafts[last] is not None]
    if not rows or last == 0:
        return (*([_NEVER] * last), 0.0)
    groups = np.unique([walks[row].group for row in rows], return_inverse=True)[1]
    best, least = (_NEVER,) * last, float("inf")
    many = min(_MOST, int(_COMBINED ** (1 / last)))
    for choice in product(*(_tried(scores[place][rows], many) for place in range(last))):
        difference, cost = _compare(walks, rows, scores, choice)
        means = np.bincount(groups, weights=difference) / np.bincount(groups)
        error = float(means.std(ddof=1) / np.sqrt(means.size)) if means.size > 1 else float("inf")
        if float(means.mean()) >= -_SLACK * error and cost < least and error < float("inf"):
            best, least = choice, cost
    return (*best, 0.0)


def _tried(p: Floats, many: int) -> list[float]:
    known = p[~np.isnan(p)]
    shares = np.linspace(0, 1, many, endpoint=False)
    return [*sorted({float(value) for value in np.quantile(known, shares)}), _NEVER] if known.size else [_NEVER]


def _compare(
    walks: Sequence[Walk], rows: Sequence[int], scores: Sequence[Floats], choice: Sequence[float]
) -> tuple[Floats, float]:
    """(right by the ladder less right by the top rung, for each row; what the ladder costs)."""
    difference, cost = np.zeros(len(rows)), 0
    for at, row in enumerate(rows):
        drafts = walks[row].drafts
        top = drafts[-1]
        for place, draft in enumerate(drafts):
            cost += draft.nanodollars if draft is not None else 0
            ends = place == len(drafts) - 1 or scores[place][row] >= choice[place]  # NaN reaches nothing
            if ends and draft is not None and top is not None:
                difference[at] = float(draft.accepted) - float(top.accepted)
                break
    return difference, cost
