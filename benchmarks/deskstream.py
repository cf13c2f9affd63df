"""The leverage of `benchmarks.desk`: a public set of questions as a stream, where the same intent means the same answer.

Questions come in a seeded order. A queue is kept full; the oldest is answered by hand, and that answer is offered to the
questions that wait beside it and to every one that comes later. What a person confirms unread teaches nothing; what is written,
or confirmed by somebody who reads, does. Thresholds were chosen on the first 30 % of the stream; what is measured is the rest,
beginning with no answer known.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct

from surefoot.review.clusters import Answers, Fit, Waiting
from surefoot.review.differences import Asked
from surefoot.review.likeness import Hit, Index
from surefoot.stats import Estimate, clopper_pearson

SEED, DEVELOPED_ON = 7, 0.3
QUEUE = 200  # cases that wait at once
OFFERS = 12  # waiting cases that are offered with an answer
_FEW = 50  # pairs of a window below which it says nothing
_NAMED = 0.2  # cosine from which on the baselines look at a waiting case
_PLAIN = 0.6  # cosine of the naive baseline; set by hand


class Question(Struct, frozen=True):
    """One question and what its answer is."""

    case: Asked
    intent: str


class Streamed(Struct, frozen=True, kw_only=True):
    """What came of a stream."""

    questions: int
    answers: int  # written by hand
    along: int  # resolved with a waiting one
    again: int  # resolved when they came
    offers: int
    wrong: int  # resolved with an answer to something else

    @property
    def cases_per_answer(self) -> float:
        """Cases resolved by each answer written, wrong ones included."""
        return self.questions / self.answers

    @property
    def wrong_share(self) -> Estimate:
        """Of the cases that another one's answer resolved."""
        return clopper_pearson(self.wrong, self.along + self.again)


class Offers(Protocol):
    """What offers answers that were given."""

    def learn(self, case: Asked, answer: str) -> None:
        """A case was resolved."""

    def fit(self, case: Asked) -> Fit | None:
        """The answer to offer."""


class Same:
    """The naive baseline: the same words, but for case and spaces."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[str, str]] = {}

    def learn(self, case: Asked, answer: str) -> None:
        """The last one counts."""
        self._answers[_bare(case.text)] = answer, case.id

    def fit(self, case: Asked) -> Fit | None:
        """The same question's answer."""
        found = self._answers.get(_bare(case.text))
        return None if found is None else Fit(found[0], 1.0, 1.0, found[1])


class Nearest:
    """The plain baseline: the answer of the most like question, where the cosine is high enough."""

    def __init__(self) -> None:
        self._index, self._answers = Index(), dict[str, str]()

    def learn(self, case: Asked, answer: str) -> None:
        """One more."""
        self._index.add(case.id, case.text)
        self._answers[case.id] = answer

    def fit(self, case: Asked) -> Fit | None:
        """The nearest one's answer."""
        for hit in self._index.search(case.text, limit=1, least=_PLAIN):
            return Fit(self._answers[hit.id], hit.score, hit.score, hit.id)
        return None


def questions(folder: Path) -> tuple[Sequence[Question], Sequence[Question]]:
    """(the first 30 % of the stream, the rest)."""
    with gzip.open(folder / "banking77.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    random.Random(SEED).shuffle(rows)
    found = [Question(Asked(id=row["id"], text=row["query"]), row["intent"]) for row in rows]
    cut = int(DEVELOPED_ON * len(found))
    return found[:cut], found[cut:]


def stream(arriving: Sequence[Question], confirm: str, known: Offers | None = None, *, queue: int = QUEUE) -> Streamed:
    """Answer everything.

    Args:
        confirm: "blind" takes every offer, "checked" those in which nothing differs, "read" those that are right.
        known: what offers; None: the product.
    """
    offered = known if known is not None else Answers()
    desk = _Desk(offered, confirm)
    coming = iter(arriving)
    more = True
    while more or desk.open:
        while more and len(desk.open) < queue:
            question = next(coming, None)
            more = question is not None
            if question is not None:
                desk.take(question)
        if desk.open:
            desk.answer_oldest()
    return Streamed(
        questions=len(arriving), answers=desk.answers, along=desk.along, again=desk.again, offers=desk.offers,
        wrong=desk.wrong,
    )  # fmt: skip


def thresholds(trained: Sequence[Question], *, queue: int = QUEUE) -> dict[str, tuple[float, int]]:
    """The likeness from which on half of the cases that are just so like (to 0.05 more) ask the same, with how many were seen.

    "waiting" is of cases beside the one that is answered, "answered" of the most like case that was answered before.
    """
    waiting, answered = Index(), Index()
    intents = {each.case.id: each.intent for each in trained}
    seen: dict[str, list[tuple[float, bool]]] = {"waiting": [], "answered": []}

    def note(name: str, question: Question, hits: Iterable[Hit]) -> None:
        seen[name] += [(hit.score, intents[hit.id] == question.intent) for hit in hits]

    order = deque[Question]()
    for question in trained:
        note("answered", question, answered.search(question.case.text, limit=1))
        waiting.add(question.case.id, question.case.text)
        order.append(question)
        if len(order) > queue:
            oldest = order.popleft()
            waiting.remove(oldest.case.id)
            note("waiting", oldest, waiting.search(oldest.case.text, limit=50))
            answered.add(oldest.case.id, oldest.case.text)
    return {name: (_half(pairs), len(pairs)) for name, pairs in seen.items()}


def _half(pairs: Sequence[tuple[float, bool]]) -> float:
    """The least likeness in hundredths from which on every window of 0.05 is right at least half the time."""
    for hundredth in range(95, -1, -1):
        within = [same for score, same in pairs if hundredth <= 100 * score < hundredth + 5]
        if len(within) >= _FEW and 2 * sum(within) < len(within):
            return (hundredth + 1) / 100
    return 0.0


class _Desk:
    def __init__(self, known: Offers, confirm: str) -> None:
        self._known, self._confirm = known, confirm
        self.open: dict[str, Question] = {}
        self._order: deque[str] = deque()
        self._waiting = Waiting()
        self.answers = self.along = self.again = self.offers = self.wrong = 0

    def take(self, question: Question) -> None:
        """A question comes: an earlier answer resolves it, or it waits."""
        fit = self._known.fit(question.case)
        if fit is not None and self._confirmed(question, fit.answer, fit.clear):
            self.again += 1
            return
        self.open[question.case.id] = question
        self._order.append(question.case.id)
        self._waiting.add(question.case)

    def answer_oldest(self) -> None:
        """Write an answer; give it to whoever waits beside and is offered it."""
        while (oldest := self._order.popleft()) not in self.open:
            pass
        question = self._gone(oldest)
        self.answers += 1
        self._known.learn(question.case, question.intent)
        for other, clear in self._offered(question):
            if self._confirmed(self.open[other], question.intent, clear):
                self.along += 1
                self._gone(other)

    def _offered(self, question: Question) -> list[tuple[str, bool]]:
        if isinstance(self._known, Answers):
            return [
                (member.case_id, member.clear)
                for member in self._waiting.offered(question.case, self._known, limit=OFFERS)
            ]  # fmt: skip
        near = [member.case_id for member in self._waiting.like(question.case, least=_NAMED, limit=OFFERS)]
        fits = [(each, self._known.fit(self.open[each].case)) for each in near]
        return [(each, fit.clear) for each, fit in fits if fit is not None and fit.answer == question.intent]

    def _confirmed(self, question: Question, answer: str, clear: bool) -> bool:
        self.offers += 1
        right = answer == question.intent
        if not {"blind": True, "checked": clear, "read": right}[self._confirm]:
            return False
        self.wrong += not right
        if self._confirm == "read":
            self._known.learn(question.case, answer)
        return True

    def _gone(self, case_id: str) -> Question:
        self._waiting.remove(case_id)
        return self.open.pop(case_id)


def _bare(text: str) -> str:
    return " ".join(text.casefold().split()).strip(" .?!")
