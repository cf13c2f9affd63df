"""Fits a classifier of messages from labelled rows: what an admit rule's `classifier` is made of.

Nothing is judged by messages it was fitted on: probabilities are cross-fitted by group, and the threshold that a fold is
measured at comes from the other folds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.errors import DataError
from surefoot.signals.classifier import DIMS, TextClassifier, hashed
from surefoot.stats.arrays import Bools, Floats, folds_of, sigmoid
from surefoot.stats.intervals import Estimate, clopper_pearson
from surefoot.stats.logistic import newton
from surefoot.stats.metrics import log_loss

_FOLDS = 5
_L2 = (10.0, 3.0, 1.0, 0.3)  # from strong to weak: each line begins where the one before ended
_ROOM = 1e-9  # for shares such as 0.95 * 20, which are not quite whole
_NOTHING = 1e-10  # of the largest eigenvalue: below it a direction is noise


class Message(Struct, frozen=True, kw_only=True):
    """One labelled message."""

    text: str
    group: str  # messages of one group are never divided between fitting and testing
    positive: bool


class FittedClassifier(Struct, frozen=True, kw_only=True):
    """A classifier and how it did on messages whose groups it had not seen."""

    classifier: TextClassifier
    recall: Estimate  # of the positive messages, the share that matches
    false_alarms: Estimate  # of the others
    wanted: float  # the recall that the threshold was chosen for
    l2: float


def fit_classifier(messages: Sequence[Message], *, recall: float = 0.95, seed: int = 0) -> FittedClassifier:
    """L2 logistic regression on hashed words and word pairs, with the highest threshold that reaches a recall.

    Args:
        messages: labelled, both kinds among them.
        recall: share of positive messages that shall match, in (0, 1]; reached on the cross-fitted probabilities, so that a
            new message is about as likely to match.
        seed: of the folds.
    Returns: the classifier fitted on everything; recall and false alarms are measured fold by fold, at thresholds that
        did not see the fold. Their intervals are exact for independent messages and too narrow where groups are large.
    Raises: DataError when positive or other messages come from fewer than five groups: nothing could be measured.
        ValueError when recall is not in (0, 1].
    """
    if not 0 < recall <= 1:
        raise ValueError(f"recall {recall} is not in (0, 1]")
    for positive, kind in ((True, "positive"), (False, "other")):
        groups = {message.group for message in messages if message.positive == positive}
        if len(groups) < _FOLDS:
            raise DataError(f"{kind} messages come from {len(groups)} groups; at least {_FOLDS} are needed to measure")
    y = np.array([message.positive for message in messages])
    x, columns = _table(messages)
    fold = _folds(messages, seed)
    fits = _cross_fitted(x, y, fold)
    l2 = min(_L2, key=lambda each: log_loss(fits[each], y))
    p = fits[l2]
    hit = _matched(p, y, fold, recall)
    weights, bias = _lines(x, y, (l2,))[0]
    kept = {int(place): float(weight) for place, weight in zip(columns, weights, strict=True) if weight != 0}
    return FittedClassifier(
        classifier=TextClassifier(
            bias=bias, weights=kept, threshold=_threshold(p, y, recall), labels=len(messages), dims=DIMS
        ),
        recall=clopper_pearson(int(hit[y].sum()), int(y.sum())),
        false_alarms=clopper_pearson(int(hit[~y].sum()), int((~y).sum())),
        wanted=recall,
        l2=l2,
    )


def _table(messages: Sequence[Message]) -> tuple[Floats, list[int]]:
    """(indicators of shape (n, places that occur), those places in order)."""
    places = [hashed(message.text) for message in messages]
    columns = sorted(frozenset[int]().union(*places))
    at = {place: column for column, place in enumerate(columns)}
    x = np.zeros((len(messages), len(columns)))
    for row, found in enumerate(places):
        x[row, [at[place] for place in found]] = 1.0
    return x, columns


def _folds(messages: Sequence[Message], seed: int) -> Floats:
    """The fold of every message; groups with a positive message are dealt out apart, so that every fold has some."""
    with_positive = {message.group for message in messages if message.positive}
    fold = np.zeros(len(messages))
    for having in (True, False):
        rows = [row for row, message in enumerate(messages) if (message.group in with_positive) == having]
        if rows:
            fold[rows] = folds_of([messages[row].group for row in rows], _FOLDS, seed=seed)
    return fold


def _cross_fitted(x: Floats, y: Bools, fold: Floats) -> dict[float, Floats]:
    """By penalty, the p of every message from the folds that it is not in."""
    p = {l2: np.zeros(y.size) for l2 in _L2}
    for held in range(_FOLDS):
        inside = fold == held
        for l2, (weights, bias) in zip(_L2, _lines(x[~inside], y[~inside], _L2), strict=True):
            p[l2][inside] = sigmoid(x[inside] @ weights + bias)
    return p


def _lines(x: Floats, y: Bools, penalties: Sequence[float]) -> list[tuple[Floats, float]]:
    """(weights, bias) of the L2-penalised line at each penalty; both verdicts must be there.

    The best weights are a sum of rows, so that with more columns than rows the line is sought in the space that the rows
    span: the same solution, at the cost of the rows. Source: the representer theorem, Kimeldorf and Wahba (1971).
    """
    span = _span(x) if x.shape[1] > x.shape[0] else None
    rows = x if span is None else x @ span.T
    n, d = rows.shape
    wide = np.hstack([rows, np.ones((n, 1))])
    line = np.append(np.zeros(d), np.log(y.sum() / (n - y.sum())))
    found = []
    for l2 in penalties:
        line = newton(wide, y.astype(np.float64), np.ones(n), np.append(np.full(d, l2), 0.0), line)
        found.append((line[:d] if span is None else line[:d] @ span, float(line[d])))
    return found


def _span(x: Floats) -> Floats:
    """An orthonormal basis of what the rows span, one direction a row."""
    size, turn = np.linalg.eigh(x @ x.T)
    real = size > _NOTHING * max(float(size[-1]), 1.0)
    return np.asarray((turn[:, real] / np.sqrt(size[real])).T @ x, dtype=np.float64)


def _threshold(p: Floats, y: Bools, recall: float) -> float:
    """A p that at least the wanted share of positive messages reaches, and as few others as that allows.

    It lies halfway between the others that stay below and the positive messages just above them: recall that costs no false
    alarm is taken.
    """
    positives = np.sort(p[y])[::-1]
    wanted = positives[math.ceil(recall * positives.size - _ROOM) - 1]
    below = float(np.max(p[~y], where=p[~y] < wanted, initial=0.0))
    return (below + float(positives[positives > below].min())) / 2


def _matched(p: Floats, y: Bools, fold: Floats, recall: float) -> Bools:
    hit = np.zeros(y.size, dtype=np.bool_)
    for held in range(_FOLDS):
        inside = fold == held
        hit[inside] = p[inside] >= _threshold(p[~inside], y[~inside], recall)
    return hit
