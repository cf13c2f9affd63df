"""What lies near a case: the general answer that it seems to ask for, like answers, and the waiting cases that are like it.

Answers that are for one person are never shown beside another's case. What is shown is read anew from the content, so that
whoever was erased is gone from it at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from surefoot.app.caseview import Cover
from surefoot.app.likecases import LikeCases, gently
from surefoot.records import Case
from surefoot.review.clusters import Member
from surefoot.review.differences import Difference
from surefoot.store import Store

_SHOWN = 240  # characters of a question


class Past(Struct, frozen=True, kw_only=True):
    """A general answer that was delivered to a like question. The question is masked; a general answer names nobody."""

    case_id: str
    question: str
    answer: str
    by: str
    at_ns: int
    score: float  # likeness in [0, 1]; not a probability


class Proposal(Struct, frozen=True, kw_only=True):
    """The general answer that a case seems to ask for, with what speaks against it."""

    past: Past
    differences: tuple[Difference, ...]


class Alike(Struct, frozen=True, kw_only=True):
    """A waiting case that is like another."""

    case: Case
    member: Member
    question: str  # masked


class Neighbours:
    """Like cases, as pages ask for them. Made once; `clock` gives UTC nanoseconds."""

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self.memory = store, LikeCases(store, clock)

    async def members(self, case: Case, *, limit: int = 50) -> Sequence[tuple[Case, Member]]:
        """The waiting cases of the same role that an answer to this one may answer too, most like first. Raises StoreError.

        Of a case with a general answer first those that no other answer fits better; of any other those plainly like it.
        """
        place, asked = await self.memory.ready(case), await self.memory.asked(case)
        if asked is None:
            return ()
        if case.id in place.answers:
            found = await gently(place.waiting.proposed(asked, place.answers, limit=limit))
        else:
            found = await gently(place.waiting.like(asked, limit=limit))
        cases = [(await self._store.cases.find(member.case_id), member) for member in found]
        return tuple((other, member) for other, member in cases if other is not None and _joins(other, case))

    async def alike(self, case: Case, *, limit: int = 50) -> Sequence[Alike]:
        """As `members`, with what they ask; without those whose question is not kept. Raises StoreError."""
        told = [(other, member, await self.question(other)) for other, member in await self.members(case, limit=limit)]
        return tuple(Alike(case=other, member=member, question=said) for other, member, said in told if said)

    async def fitting(self, case: Case) -> Proposal | None:
        """The delivered general answer that a case seems to ask for; None when none comes near. Raises StoreError."""
        place, asked = await self.memory.ready(case), await self.memory.asked(case)
        fit = place.answers.fit(asked) if asked is not None else None
        past = None if fit is None else await self._past(fit.case_id, fit.score)
        return None if fit is None or past is None else Proposal(past=past, differences=fit.differences)

    async def past(self, case: Case, *, limit: int = 3) -> Sequence[Past]:
        """Delivered general answers to like questions of the same tenant and feature, most like first. Raises StoreError."""
        place, asked = await self.memory.ready(case), await self.memory.asked(case)
        near = place.answers.near(asked, limit=limit) if asked is not None else ()
        found = [await self._past(each.case_id, each.score) for each in near]
        return tuple(each for each in found if each is not None)

    async def question(self, case: Case) -> str:
        """What a case asks, masked and in one line; "" when it is not kept. Raises StoreError."""
        said = await self.memory.said(case)
        text = "" if said is None else said.turns[-1].text
        return " ".join(Cover.over((text,)).text(text).split())[:_SHOWN]

    async def thread(self, case: Case, *, limit: int) -> Sequence[Case]:
        """The same person's other cases, newest first; () when the question names no end user. Raises StoreError."""
        content = await self._store.journal.content(case.request_id)
        if content is None or not content.attribution.end_user:
            return ()
        found = await self._store.cases.thread(case.subject, limit=limit + 1)
        return tuple(each for each in found if each.id != case.id)[:limit]

    async def _past(self, case_id: str, score: float) -> Past | None:
        """What was answered; None until it is delivered, and of an erased subject."""
        case = await self._store.cases.find(case_id)
        if case is None or case.told is None or not case.general:
            return None
        return Past(
            case_id=case.id, question=await self.question(case), answer=case.told, by=case.answered_by,
            at_ns=case.delivered_at_ns, score=score,
        )  # fmt: skip


def _joins(other: Case, case: Case) -> bool:
    return (other.state, other.kind, other.role) == ("open", "question", case.role)
