"""The cheapest thresholds of a ladder that do not make it less right than its top rung alone.

Without a person the top rung ends the ladder. With a person whose price is known he is one more rung, and the promise about
what is delivered without him is tested on groups that had no part in the search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.learning.examples import Walk
from surefoot.learning.threshold import Cut
from surefoot.policy import Promise
from surefoot.stats.arrays import Bools, Floats
from surefoot.stats.binomial import binomial_p, labels_needed
from surefoot.stats.sequential import CERTIFIED, OPEN

_COMBINED = 2000  # combinations of thresholds tried in all
_MOST = 40  # thresholds tried for one rung, at even shares of its drafts
_NEVER = 2.0  # above every p: the rung is climbed over
_SLACK = (
    1.6448536269514722  # standard errors: less right than the top rung only as far as chance explains at 5 %, one-sided
)
_LEVELS = 12  # accuracies of deliveries between the strictest and the promised one


class Table(Struct, frozen=True):
    """Walks as arrays; rows without a verdict on the top rung's draft are left out."""

    p: Floats  # shape (rungs, n); -1 where nothing judges the draft, so that it is climbed over
    right: Floats  # shape (rungs, n), 0 or 1; 0 where there is no verdict
    there: Bools  # shape (rungs, n): whether there is a draft with a verdict
    nanodollars: Floats  # shape (rungs, n)
    groups: NDArray[np.int64]  # shape (n,)

    @classmethod
    def of(cls, walks: Sequence[Walk], scores: Sequence[Floats]) -> Table:
        """The table of walks, with the p of every rung's drafts."""
        rows = [row for row, walk in enumerate(walks) if walk.drafts and walk.drafts[-1] is not None]
        drafts = [[walks[row].drafts[place] for row in rows] for place in range(len(scores))]
        return cls(
            np.array([np.nan_to_num(column[rows], nan=-1.0) for column in scores]).reshape(len(scores), len(rows)),
            np.array([[float(draft is not None and draft.accepted) for draft in column] for column in drafts]),
            np.array([[draft is not None for draft in column] for column in drafts], dtype=np.bool_),
            np.array([[float(draft.nanodollars) if draft else 0.0 for draft in column] for column in drafts]),
            np.unique([walks[row].group for row in rows], return_inverse=True)[1].astype(np.int64),
        )


class Way(Struct, frozen=True):
    """What becomes of a table's rows at one choice of thresholds."""

    delivered: Bools  # shape (n,): without the person
    right: Floats  # shape (n,): 1 where what is delivered is right; the person is taken to be right
    nanodollars: float


def cheapest(walks: Sequence[Walk], scores: Sequence[Floats]) -> tuple[float, ...]:
    """One threshold a rung for a ladder without a person; the top rung's is 0, since it ends the ladder.

    Among thresholds whose paired difference in accuracy to the top rung is not significantly below 0 (one-sided, 5 %), those
    of the least cost; where none is, every rung below the top is climbed over. Differences are taken between groups' means,
    so that repeats of a question do not look like more evidence.
    Args:
        walks: labelled questions; one without a verdict on its top draft is left out.
        scores: by rung, p of each walk's draft, cross-fitted; NaN where nothing judges it (such a draft is climbed over).
    """
    table = Table.of(walks, scores)
    last = len(scores) - 1
    best, least = (*([_NEVER] * last), 0.0), float("inf")
    if not table.groups.size or last == 0:
        return best
    for choice in _choices(table.p[:last]):
        way = _way(table, (*choice, 0.0), 0.0)
        if way.nanodollars < least and _as_right_as_the_top(table, way):
            best, least = (*choice, 0.0), way.nanodollars
    return best


def cheapest_with_person(
    fitted: tuple[Sequence[Walk], Sequence[Floats]], held: tuple[Sequence[Walk], Sequence[Floats]], promise: Promise,
    *, person_nanodollars: float,
) -> tuple[tuple[float, ...], Cut]:  # fmt: skip
    """(one threshold a rung, how the promise stands at them) for a ladder that ends with a person of a known price.

    On `fitted`, for ever lower accuracies of what is delivered down to the promised one, the cheapest thresholds are found,
    the person's price included; on `held` these are tested in that order, from where `fitted` promises most power, until one
    fails, and the last that passed is taken: no correction for many tests is needed, and the search does not count as a look
    at the labels that certify.
    Args:
        fitted, held: (walks, by rung p of each walk's draft), of disjoint groups.
        person_nanodollars: of one answer; the person is taken to be right.
    Returns: thresholds (0 delivers a rung's drafts as a whole, also where no map judges them: the promise is about the set);
        those that deliver nothing, and a cut "not certified yet", when not even the strictest passes.
    Source: Laufer-Goldshtein, Fisch, Barzilay and Jaakkola (2023), Efficiently controlling multiple risks with Pareto testing,
        ICLR; the fixed sequence as in Learn then Test, arXiv 2110.01052.
    """
    table, tested = Table.of(*fitted), Table.of(*held)
    none = (_NEVER,) * len(fitted[1])
    chosen, found = none, _cut(0, 0, promise)
    for choice in _sequence(table, promise, person_nanodollars, tested.groups.size):
        cut = _cut(*_units(tested, _way(tested, choice, person_nanodollars)), promise)
        if cut.state != CERTIFIED:
            return chosen, cut if chosen == none else found
        chosen, found = choice, cut
    return chosen, found


def _sequence(table: Table, promise: Promise, person_nanodollars: float, rows: int) -> list[tuple[float, ...]]:
    """The path from where its own labels say that a test on so many rows has most power."""
    path = list(_path(table, promise, person_nanodollars))
    doubts = []
    for choice in path:
        n, wrong = _units(table, _way(table, choice, person_nanodollars))
        scale = rows / table.groups.size
        doubts.append(binomial_p(round(wrong * scale), max(round(n * scale), 1), 1 - promise.accuracy))
    return path[int(np.argmin(doubts)) :] if path else []


def _path(table: Table, promise: Promise, person_nanodollars: float) -> Iterator[tuple[float, ...]]:
    """Choices from the strictest accuracy of deliveries to the promised one, each once; dearer steps are left out."""
    if not table.groups.size:
        return
    ways = [(choice, _way(table, choice, person_nanodollars)) for choice in _choices(table.p)]
    kept = [
        (choice, way, float(way.right[way.delivered].mean()))
        for choice, way in ways
        if way.delivered.any() and _as_right_as_the_top(table, way)
    ]
    least = float("inf")
    for level in np.linspace(1.0, promise.accuracy, _LEVELS):
        enough = [(way.nanodollars, choice) for choice, way, accuracy in kept if accuracy >= level]
        if enough and min(enough)[0] < least:
            least, choice = min(enough)
            yield choice


def _choices(p: Floats) -> Iterator[tuple[float, ...]]:
    """Combinations of thresholds, a rung that is never delivered from among them; one that nothing judges: whole or never."""
    many = max(2, min(_MOST, int(_COMBINED ** (1 / len(p)))))
    return product(*(_tried(column[column >= 0], many) for column in p))


def _tried(p: Floats, many: int) -> list[float]:
    shares = np.linspace(0, 1, many, endpoint=False)
    return [*sorted({float(value) for value in np.quantile(p, shares)}), _NEVER] if p.size else [0.0, _NEVER]


def _way(table: Table, choice: Sequence[float], person_nanodollars: float) -> Way:
    """Every row climbs until a draft reaches its rung's threshold; what none delivers goes to the person."""
    climbing = np.ones(table.groups.size, dtype=np.bool_)
    right, cost = np.ones(climbing.size), 0.0
    for place, threshold in enumerate(choice):
        cost += float(table.nanodollars[place][climbing].sum())
        reached = (table.p[place] >= threshold) | (threshold <= 0)
        ends = climbing & table.there[place] & reached
        right[ends] = table.right[place][ends]
        climbing &= ~ends
    return Way(~climbing, right, cost + person_nanodollars * float(climbing.sum()))


def _as_right_as_the_top(table: Table, way: Way) -> bool:
    """Whether the mean over groups of (right by this way less right by the top rung) is not significantly below 0."""
    difference = way.right - table.right[-1]
    means = np.bincount(table.groups, weights=difference) / np.bincount(table.groups)
    if means.size < 2:
        return False
    error = float(means.std(ddof=1) / np.sqrt(means.size))
    return float(means.mean()) >= -_SLACK * error


def _units(table: Table, way: Way) -> tuple[int, int]:
    """(groups with a delivery, those with a wrong one)."""
    groups, place = np.unique(table.groups[way.delivered], return_inverse=True)
    wrong = np.bincount(place, weights=1 - way.right[way.delivered], minlength=groups.size)
    return int(groups.size), int((wrong > 0).sum())


def _cut(n: int, wrong: int, promise: Promise) -> Cut:
    passed = n > 0 and binomial_p(wrong, n, 1 - promise.accuracy) <= 1 - promise.assurance
    needed = labels_needed(wrong, n, accuracy=promise.accuracy, assurance=promise.assurance)
    return Cut(
        threshold=None, state=CERTIFIED if passed else OPEN, accuracy=1 - wrong / n if n else None, n=n, wrong=wrong,
        labels_needed=0 if passed else needed,
    )  # fmt: skip
