"""Like cases: those that wait, which one answer may resolve together, and newcomers, which an earlier answer may fit.

A proposal is never an answer: the operator confirms it, member by member or all that differ in nothing. Only answers that were
marked `general` are kept here. A case is offered to the answer whose own cases it is most like, when no other answer comes
near; every case that was resolved teaches what its answer is for, so that offers get better the longer the desk works.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct

from surefoot.review.differences import NONE, Asked, Difference, Facts, differences, facts
from surefoot.review.likeness import Index

# Chosen on the first 30 % of Banking77's stream, see `benchmarks/desk.py`; scores of other texts may lie elsewhere.
OFFERED = 0.07  # lead of the best answer over the next from which on a case is offered
CLEAR = 0.12  # lead from which on no other answer is in question
ALIKE = 0.37  # cosine at which half of the waiting cases that are just so like ask the same; more above it
SIMILAR = 0.30  # cosine at which the most like case answered before asks the same half of the time; more above it
_LEAST = 0.2  # likeness below which nothing is offered
_NEAREST = 3  # cases of an answer that speak for it
_WITNESSES = 5  # cases of an answer of which one must not differ
_LOOKED_AT = 60  # like cases that are looked at
ANOTHER = "another answer"  # the kind of a difference: two answers fit nearly as well
UNSURE = "likeness"  # the kind of a difference: like, but the answer is not known to fit


class Member(Struct, frozen=True):
    """A case that may be resolved together with another, with what the two do not share."""

    case_id: str
    score: float  # cosine in [0, 1]; not a probability
    differences: tuple[Difference, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether nothing was found that differs."""
        return not self.differences


class Fit(Struct, frozen=True):
    """A general answer that an open case seems to ask for."""

    answer: str  # the answer's id: that of the case it was given to first
    score: float  # mean likeness to the answer's nearest cases, in [0, 1]
    lead: float  # over the next best answer, in [0, 1]
    case_id: str  # of the nearest cases that the answer resolved, the one that differs in the least
    differences: tuple[Difference, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether nothing was found that differs."""
        return not self.differences


class Waiting:
    """The open cases of one tenant and feature, by likeness; holds tens of thousands. One thread at a time."""

    def __init__(self, cases: Iterable[Asked] = ()) -> None:
        self._index = Index()
        self._cases: dict[str, Asked] = {}
        for each in cases:
            self.add(each)

    def __len__(self) -> int:
        return len(self._cases)

    def __contains__(self, case_id: str) -> bool:
        return case_id in self._cases

    def add(self, case: Asked) -> None:
        """A case waits; one of the same id goes."""
        self._index.add(case.id, case.text)
        self._cases[case.id] = case

    def remove(self, case_id: str) -> bool:
        """Whether such a case was waiting."""
        self._index.remove(case_id)
        return self._cases.pop(case_id, None) is not None

    def like(self, case: Asked, *, least: float = ALIKE, limit: int = 50) -> Iterator[Member]:
        """The waiting cases that are like one, most like first, each with its differences, as they are asked for.

        Args:
            case: the one that is answered; it is not among them.
            least: likeness from which on a case is named.
            limit: how many at most.
        """
        mine = facts(case)
        hits = [hit for hit in self._index.search(case.text, limit=limit + 1, least=least) if hit.id != case.id]
        for hit in hits[:limit]:
            if hit.id in self._cases:  # it may have left since
                yield Member(hit.id, hit.score, differences(mine, facts(self._cases[hit.id])))

    def offered(self, case: Asked, answers: Answers, *, limit: int = 50) -> Iterator[Member]:
        """The waiting cases to offer with an answer that was just given to a case, as they are asked for: those like it that
        no other answer fits better. Call `answers.learn` with the case first; none when the answer is not among them.
        """
        answer, mine = answers.answer_of(case.id), facts(case)
        if answer is None:
            return
        for hit in self._index.search(case.text, limit=limit, least=_LEAST):
            other = self._cases.get(hit.id)  # it may have left since
            fit = answers.fit(other) if other is not None and hit.id != case.id else None
            if other is not None and fit is not None and fit.answer == answer:
                yield Member(hit.id, hit.score, _as_seen_from(mine, other, fit))

    def proposed(self, case: Asked, answers: Answers, *, limit: int = 50) -> Iterator[Member]:
        """First what is `offered`, then the others that are plainly like the case, which for that are not clear."""
        found = set()
        for member in self.offered(case, answers, limit=limit):
            found.add(member.case_id)
            yield member
        for member in self.like(case, limit=limit):
            if member.case_id not in found:
                yield Member(member.case_id, member.score, (*member.differences, Difference(UNSURE, NONE, NONE)))

    def settling(self) -> Iterator[None]:
        """As `Index.settling`."""
        return self._index.settling()


class Near(Struct, frozen=True):
    """A general answer to a like question."""

    answer: str  # the answer's id
    case_id: str  # of the cases that it resolved, the most like one
    score: float  # cosine in [0, 1]; not a probability


class Answers:
    """General answers of one tenant and feature, by the cases that each has resolved. One thread at a time."""

    def __init__(self) -> None:
        self._index = Index()
        self._facts: dict[str, Facts] = {}
        self._answer: dict[str, str] = {}  # case -> answer

    def __contains__(self, case_id: str) -> bool:
        return case_id in self._answer

    def __len__(self) -> int:
        return len(set(self._answer.values()))

    def learn(self, case: Asked, answer: str) -> None:
        """A case was resolved by a general answer, in its own words or together with another case."""
        self._index.add(case.id, case.text)
        self._facts[case.id] = facts(case)
        self._answer[case.id] = answer

    def forget(self, case_id: str) -> bool:
        """Whether the case spoke for an answer; it does no longer: undone, erased, or found wrong."""
        self._index.remove(case_id)
        self._facts.pop(case_id, None)
        return self._answer.pop(case_id, None) is not None

    def settling(self) -> Iterator[None]:
        """As `Index.settling`."""
        return self._index.settling()

    def near(self, case: Asked, *, least: float = SIMILAR, limit: int = 3) -> Sequence[Near]:
        """The answers whose cases are most like one, each with its nearest case, most like first; () when none is."""
        found: dict[str, Near] = {}
        for hit in self._index.search(case.text, limit=_LOOKED_AT, least=least):
            if hit.id != case.id:
                found.setdefault(self._answer[hit.id], Near(self._answer[hit.id], hit.id, hit.score))
        return tuple(found.values())[:limit]

    def answer_of(self, case_id: str) -> str | None:
        """The answer that resolved a case; None when none of these did."""
        return self._answer.get(case_id)

    def fit(self, case: Asked) -> Fit | None:
        """The answer to offer to a case, with what speaks against it; None when none comes near or two are as near."""
        hits = [hit for hit in self._index.search(case.text, limit=_LOOKED_AT) if hit.id != case.id]
        best: dict[str, list[tuple[float, str]]] = {}
        for hit in hits:
            best.setdefault(self._answer[hit.id], []).append((hit.score, hit.id))
        ranked = sorted(((_mean(found), answer) for answer, found in best.items()), reverse=True)
        if not ranked or ranked[0][0] < _LEAST:
            return None
        score, answer = ranked[0]
        lead = score - ranked[1][0] if len(ranked) > 1 else score
        if lead < OFFERED:
            return None
        mine = facts(case)
        known = [(case_id, differences(self._facts[case_id], mine)) for _, case_id in best[answer][:_WITNESSES]]
        nearest, found = min(known, key=lambda each: len(each[1]))
        if lead < CLEAR:
            found = (*found, Difference(ANOTHER, answer, ranked[1][1] if len(ranked) > 1 else "-"))
        return Fit(answer, score, lead, nearest, found)


def _as_seen_from(mine: Facts, other: Asked, fit: Fit) -> tuple[Difference, ...]:
    """What a person is told who looks at one case of the answer: what differs from that one, not from some other witness."""
    if fit.clear:
        return ()
    contested = tuple(each for each in fit.differences if each.kind == ANOTHER)
    return (*differences(mine, facts(other)), *contested) or fit.differences


def _mean(found: Sequence[tuple[float, str]]) -> float:
    """Of the nearest cases; where an answer has fewer, the missing ones count as unlike: few cases say little."""
    return sum(score for score, _ in found[:_NEAREST]) / _NEAREST
