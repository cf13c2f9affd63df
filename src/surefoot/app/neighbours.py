"""What lies near a case: waiting questions that one answer may answer too, and general answers that were given before.

Kept in memory by tenant and feature, read from the store at first use and brought up to date by its changes. Answers that are
for one person are never shown beside another's case. What is shown is read anew from the content, so that whoever was erased
is gone from here as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec
import structlog
from msgspec import Struct

from surefoot.app.caseview import Cover, spoken
from surefoot.errors import StoreError, SurefootError
from surefoot.records import Case
from surefoot.records.case import WAITING
from surefoot.review.clusters import Member, Waiting
from surefoot.review.differences import Asked
from surefoot.review.likeness import Index
from surefoot.store import Store

_PAGE = 200
_ALIKE = 0.35  # cosine from which on a waiting question is named; chosen by eye on the clinic's messages
_PAST = 0.2  # and an earlier answer
_ENDED = ("answered", "delivered", "expired", "withdrawn")
_FIRST_SECONDS = 0.5  # that a page waits for the first reading; it goes on, and later pages see more
_SHOWN = 240  # characters of a question

log = structlog.get_logger("surefoot")


class Past(Struct, frozen=True, kw_only=True):
    """A general answer that was given to a like question. The question is masked; a general answer names nobody."""

    case_id: str
    question: str
    answer: str
    by: str
    at_ns: int
    score: float  # cosine in [0, 1]


class Alike(Struct, frozen=True, kw_only=True):
    """A waiting case that is like another."""

    case: Case
    member: Member
    question: str  # masked


class Neighbours:
    """Like cases. Made once; asked by pages."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: dict[tuple[str, str], Waiting] = {}
        self._past: dict[tuple[str, str], Index] = {}
        self._subjects: dict[tuple[str, str], dict[str, None]] = {}  # (tenant, pseudonym) -> case ids, oldest first
        self._last = -1  # nothing was read yet
        self._reading = asyncio.Lock()
        self._first: asyncio.Task[None] | None = None

    async def alike(self, case: Case, *, limit: int = 50) -> Sequence[Alike]:
        """Waiting questions of the same tenant, feature and role that are like a case's, most like first. Raises StoreError."""
        await self._refresh()
        asked, waiting = await self._asked(case), self._waiting.get(_place(case))
        if asked is None or waiting is None:
            return ()
        found = []
        for member in waiting.like(asked, least=_ALIKE, limit=limit):
            other = await self._store.cases.find(member.case_id)
            if other is None or other.state != "open" or other.kind != "question" or other.role != case.role:
                continue
            said = await self.question(other)
            if said:
                found.append(Alike(case=other, member=member, question=said))
        return tuple(found)

    async def past(self, case: Case, *, limit: int = 3) -> Sequence[Past]:
        """General answers to like questions of the same tenant and feature, most like first. Raises StoreError."""
        await self._refresh()
        asked, index = await self._asked(case), self._past.get(_place(case))
        if asked is None or index is None:
            return ()
        found: dict[str, Past] = {}
        for hit in index.search(asked.text, limit=4 * limit + 1, least=_PAST):
            other = await self._store.cases.find(hit.id) if hit.id != case.id else None
            if other is None or other.answer is None or not other.general:
                continue
            if other.answer not in found:
                found[other.answer] = Past(
                    case_id=other.id, question=await self.question(other), answer=other.answer, by=other.answered_by,
                    at_ns=other.delivered_at_ns, score=hit.score,
                )  # fmt: skip
        return tuple(found.values())[:limit]

    async def question(self, case: Case) -> str:
        """What a case asks, masked and in one line; "" when it is not kept. Raises StoreError."""
        text = await self._text(case)
        return " ".join(Cover.over((text,)).text(text).split())[:_SHOWN]

    async def thread(self, case: Case, *, limit: int) -> Sequence[Case]:
        """The same person's other cases, newest first; () when the question names no end user. Raises StoreError."""
        await self._refresh()
        content = await self._store.journal.content(case.request_id)
        if content is None or not content.attribution.end_user:
            return ()
        names = [each for each in self._subjects.get((case.tenant, case.subject), {}) if each != case.id]
        found = [await self._store.cases.find(each) for each in names[: -limit - 1 : -1]]
        return tuple(each for each in found if each is not None)

    async def _refresh(self) -> None:
        """Read what has changed; at first everything, for which nobody waits long."""
        if self._first is None:
            self._first = asyncio.create_task(self._begin())
        if not self._first.done():
            await asyncio.wait({self._first}, timeout=_FIRST_SECONDS)
            if not self._first.done():
                return
        if self._first.exception() is not None:
            self._first = None
            return
        async with self._reading:
            while changes := await self._store.cases.changes(after=self._last, limit=_PAGE):
                for case_id in dict.fromkeys(change.case_id for change in changes):
                    case = await self._store.cases.find(case_id)
                    if case is not None:
                        await self._take(case)
                self._last = changes[-1].id

    async def _begin(self) -> None:
        newest = await self._store.cases.last_change()
        for states in (WAITING, _ENDED):
            await self._walk(states)
        self._last = newest

    async def _walk(self, states: Sequence[str]) -> None:
        after = None
        while cases := await self._store.cases.waiting(states=states, limit=_PAGE, after=after):
            for case in cases:
                await self._take(case)
            after = cases[-1].rank_ns, cases[-1].id

    async def _take(self, case: Case) -> None:
        """Put a case where it belongs now."""
        waiting = self._waiting.setdefault(_place(case), Waiting())
        past = self._past.setdefault(_place(case), Index())
        if case.kind == "question":
            self._subjects.setdefault((case.tenant, case.subject), {})[case.id] = None
        waits = case.state == "open" and case.kind == "question"
        told = case.state == "delivered" and case.general and case.verb != "ask"
        asked = await self._asked(case) if waits or told else None
        if not waits or asked is None:
            waiting.remove(case.id)
        elif case.id not in waiting:
            waiting.add(asked)
        if not told or asked is None:
            past.remove(case.id)
        elif case.id not in past:
            past.add(asked.id, asked.text)

    async def _asked(self, case: Case) -> Asked | None:
        text = await self._text(case)
        return Asked(id=case.id, text=text) if text.strip() else None

    async def _text(self, case: Case) -> str:
        entry = await self._store.journal.get(case.request_id)
        content = await self._store.journal.content(case.request_id) if entry is not None else None
        if entry is None or content is None:
            return ""
        try:
            return spoken(entry, content).turns[-1].text
        except StoreError:
            raise
        except (SurefootError, msgspec.MsgspecError) as error:  # a body that only its provider understood
            log.warning("a case's question cannot be read", case=case.id, error=type(error).__name__)
            return ""


def _place(case: Case) -> tuple[str, str]:
    return case.tenant, case.feature
