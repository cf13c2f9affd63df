"""The map of near questions: from how alike they are to the probability that the same answer is right, learned online.

Answers compete, not questions: what counts is by how much the best answer's nearest questions lead those of the next answer.
One line is fitted for a feature (the pooled prior); an answer's own record moves it, the more labels it has of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.stats.arrays import Floats, sigmoid
from surefoot.stats.logistic import Logistic, fit_logistic

SPEAKING = 3  # nearest questions of an answer that speak for it
_REFIT = 0.1  # share of new labels after which the line is drawn again
_FEWEST = 200  # labels below which there is no line
_NEWEST = 4000  # labels that a line is drawn from
_PRIOR = 8.0  # labels' worth of the pooled line that an answer's own record has to outweigh
INPUTS = ("lead", "score", "nearest", "support", "crowd", "record")


class Near(Struct, frozen=True, kw_only=True):
    """The answer that is proposed to a question, with what speaks for it."""

    answer: str  # the answer's id
    item: str  # id of its nearest question
    items: tuple[str, ...]  # its questions among the neighbours, nearest first
    lead: float  # over the next answer, in [0, 1]
    score: float  # mean cosine of its `SPEAKING` nearest questions, missing ones 0
    nearest: float  # cosine of the nearest
    crowd: int  # answers among the neighbours


def compete(neighbours: Sequence[tuple[str, str, float]]) -> Near | None:
    """The answer whose nearest questions are most like one; None of no neighbours.

    Args:
        neighbours: (item, answer, cosine), nearest first; answers that say the same have one id.
    """
    held: dict[str, list[tuple[str, float]]] = {}
    for item, answer, cosine in neighbours:
        held.setdefault(answer, []).append((item, cosine))
    ranked = sorted(
        ((sum(cosine for _, cosine in found[:SPEAKING]) / SPEAKING, answer) for answer, found in held.items()),
        key=lambda each: -each[0],
    )
    if not ranked:
        return None
    score, answer = ranked[0]
    found = held[answer]
    return Near(
        answer=answer, item=found[0][0], items=tuple(item for item, _ in found), crowd=len(held),
        lead=score - (ranked[1][0] if len(ranked) > 1 else 0.0), score=score, nearest=found[0][1],
    )  # fmt: skip


class NearMap:
    """P(the answer is right | how near, by how much, its own record) of one feature and context. One thread at a time."""

    def __init__(self) -> None:
        self._x: list[tuple[float, ...]] = []
        self._right: list[bool] = []
        self._line: Logistic | None = None
        self._center: Floats = np.zeros(len(INPUTS))
        self._scale: Floats = np.ones(len(INPUTS))
        self._drawn_from = 0
        self._record: dict[str, tuple[float, int]] = {}  # answer -> (verdicts less what was believed, labels)
        self.n = 0

    def inputs(self, near: Near) -> tuple[float, ...]:
        """The line's inputs, in the order of `INPUTS`; the record is what it was before this question."""
        surplus, labels = self._record.get(near.answer, (0.0, 0))
        return (
            math.sqrt(max(near.lead, 0.0)), near.score, near.nearest, math.log1p(len(near.items)), math.log1p(near.crowd),
            surplus / (labels + _PRIOR),
        )  # fmt: skip

    def p(self, inputs: tuple[float, ...]) -> float | None:
        """The probability; None while there are too few labels."""
        if self._line is None:
            return None
        rows = (np.array([inputs]) - self._center) / self._scale
        return float(sigmoid(self._line.z(rows))[0])

    def learn(self, near: Near, inputs: tuple[float, ...], right: bool) -> None:
        """A verdict on a proposal that was not served; `inputs` as they were when it was made."""
        believed = self.p(inputs)
        surplus, labels = self._record.get(near.answer, (0.0, 0))
        expected = believed if believed is not None else (sum(self._right) + 1) / (len(self._right) + 2)
        self._record[near.answer] = (surplus + right - expected, labels + 1)
        self._x.append(inputs)
        self._right.append(right)
        self.n += 1
        if len(self._x) > 2 * _NEWEST:
            del self._x[:_NEWEST], self._right[:_NEWEST]
        if self.n >= max(_FEWEST, self._drawn_from * (1 + _REFIT)):
            self._draw()

    def _draw(self) -> None:
        rows = np.array(self._x[-_NEWEST:])
        right = np.array(self._right[-_NEWEST:])
        self._center, self._scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-6)
        self._line = fit_logistic((rows - self._center) / self._scale, right, l2=1.0)
        self._drawn_from = self.n
