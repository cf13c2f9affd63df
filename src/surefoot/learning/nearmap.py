"""The map of near questions: from how alike they are to the probability that the same answer is right, learned online.

Answers compete, not questions: what counts is by how much the best answer's nearest questions lead those of the next answer.
One line is fitted for a feature (the pooled prior); an answer's own record moves it, the more labels it has of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.policy.near import INPUTS, NearLine, inputs_of
from surefoot.records import Nearness
from surefoot.stats.logistic import fit_logistic

SPEAKING = 3  # nearest questions of an answer that speak for it
REFIT = 0.1  # share of new labels after which the line is drawn again
FEWEST = 200  # labels below which there is no line
NEWEST = 4000  # labels that a line is drawn from
_PRIOR = 8.0  # labels' worth of the pooled line that an answer's own record has to outweigh


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


class Records:
    """By answer, the verdicts on it less what was believed of them. One thread at a time."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, int]] = {}
        self._right = self._n = 0

    def of(self, answer: str) -> float:
        """In (-1, 1), shrunk by `_PRIOR` labels' worth of the pooled line; 0 of no verdicts."""
        surplus, labels = self._held.get(answer, (0.0, 0))
        return surplus / (labels + _PRIOR)

    def learn(self, answer: str, believed: float | None, right: bool) -> None:
        """A verdict; what was believed is the share of right ones so far where no map was there to say."""
        surplus, labels = self._held.get(answer, (0.0, 0))
        expected = believed if believed is not None else (self._right + 1) / (self._n + 2)
        self._held[answer] = (surplus + right - expected, labels + 1)
        self._right, self._n = self._right + right, self._n + 1


def nearness(near: Near, record: float, vetoed: str = "", *, item: str = "") -> Nearness:
    """A proposal as the journal keeps it; `item` names another of its questions than the nearest, whose body is given."""
    return Nearness(
        answer=near.answer, item=item or near.item, lead=near.lead, score=near.score, nearest=near.nearest,
        support=len(near.items), crowd=near.crowd, record=record, vetoed=vetoed,
    )  # fmt: skip


def fit_near(rows: Sequence[tuple[float, ...]], right: Sequence[bool], *, labels: int) -> NearLine | None:
    """The line through verdicts on proposals that were not served, the newest `NEWEST` of them; None below `FEWEST`.

    Args:
        rows: inputs as `policy.near.inputs_of` gives them, oldest first.
        right: the verdicts.
        labels: how many there were in all, of which these are the newest: the line's version.
    """
    if len(rows) < FEWEST:
        return None
    x, y = np.array(rows[-NEWEST:]), np.array(right[-NEWEST:])
    center, scale = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
    line = fit_logistic((x - center) / scale, y, l2=1.0)
    weight = np.broadcast_to(line.weights, len(INPUTS))
    return NearLine(
        center=tuple(center.tolist()), scale=tuple(scale.tolist()), weight=tuple(weight.tolist()), bias=line.bias,
        labels=labels,
    )  # fmt: skip


class NearMap:
    """P(the answer is right | how near, by how much, its own record) of one feature and context. One thread at a time."""

    def __init__(self) -> None:
        self._x: list[tuple[float, ...]] = []
        self._right: list[bool] = []
        self._line: NearLine | None = None
        self._records = Records()
        self.n = 0

    def inputs(self, near: Near) -> tuple[float, ...]:
        """The line's inputs, in the order of `INPUTS`; the record is what it was before this question."""
        return inputs_of(nearness(near, self._records.of(near.answer)))

    def p(self, inputs: tuple[float, ...]) -> float | None:
        """The probability; None while there are too few labels."""
        return None if self._line is None else self._line.p(inputs)

    def learn(self, near: Near, inputs: tuple[float, ...], right: bool) -> None:
        """A verdict on a proposal that was not served; `inputs` as they were when it was made."""
        self._records.learn(near.answer, self.p(inputs), right)
        self._x.append(inputs)
        self._right.append(right)
        self.n += 1
        if len(self._x) > 2 * NEWEST:
            del self._x[:NEWEST], self._right[:NEWEST]
        if self.n >= max(FEWEST, (self._line.labels if self._line else 0) * (1 + REFIT)):
            self._line = fit_near(self._x, self._right, labels=self.n)
