"""What lies near a case: the general answer that it seems to ask for, like answers, and the waiting cases that are like it.

Kept in memory by tenant and feature: cases that wait, and those that a general answer resolved, each case in one of the two.
Read from the store at first use and brought up to date by its changes, a few milliseconds at a time. Answers that are for one
person are never shown beside another's case. What is shown is read anew from the content; of a subject that was erased, here
or by another process, everything has left this memory when ERASED_SECONDS have passed and its cases were looked at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from hashlib import sha256
from time import perf_counter
from typing import TypeVar

import msgspec
import structlog
from msgspec import Struct

from surefoot.app.caseview import Cover, Said, spoken
from surefoot.errors import StoreError, SurefootError
from surefoot.records import Case, CaseEvent
from surefoot.records.case import WAITING
from surefoot.review.clusters import Answers, Member, Waiting
from surefoot.review.differences import Asked, Difference
from surefoot.review.leverage import Along, read_along
from surefoot.store import Store

ERASED_SECONDS = 2.0  # how often erased subjects are looked for
WAIT_SECONDS = 0.5  # that a page waits for what is new; reading goes on, and later pages see more
_SLICE_SECONDS = 0.004  # of work in one go
_PAGE = 500
_SKEW_NS = 60_000_000_000  # by which another process's clock may differ
_TOLD = ("accept", "edit", "replace")  # verbs that answer a question
_SHOWN = 240  # characters of a question
_Got = TypeVar("_Got")

log = structlog.get_logger("surefoot")


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
    """Like cases. Made once; asked by pages. `clock` gives UTC nanoseconds."""

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self._clock = store, clock
        self._places: dict[tuple[str, str], _Place] = {}  # by tenant and feature
        self._along: dict[str, Along] = {}  # general answers that were written for another case
        self._of: dict[str, dict[str, None]] = {}  # subject -> its cases in memory
        self._last: int | None = None  # the newest change that was read
        self._reading = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._erased_ns = 0

    def close(self) -> None:
        """Read no more."""
        for task in self._tasks:
            task.cancel()

    async def members(self, case: Case, *, limit: int = 50) -> Sequence[tuple[Case, Member]]:
        """The waiting cases of the same role that an answer to this one may answer too, most like first. Raises StoreError.

        Of a case with a general answer first those that no other answer fits better; of any other those plainly like it.
        """
        place, asked = await self._ready(case), await self._asked(case)
        if asked is None:
            return ()
        if case.id in place.answers:
            found = await _gently(place.waiting.proposed(asked, place.answers, limit=limit))
        else:
            found = await _gently(place.waiting.like(asked, limit=limit))
        cases = [(await self._store.cases.find(member.case_id), member) for member in found]
        return tuple((other, member) for other, member in cases if other is not None and _joins(other, case))

    async def alike(self, case: Case, *, limit: int = 50) -> Sequence[Alike]:
        """As `members`, with what they ask; without those whose question is not kept. Raises StoreError."""
        told = [(other, member, await self.question(other)) for other, member in await self.members(case, limit=limit)]
        return tuple(Alike(case=other, member=member, question=said) for other, member, said in told if said)

    async def fitting(self, case: Case) -> Proposal | None:
        """The delivered general answer that a case seems to ask for; None when none comes near. Raises StoreError."""
        place, asked = await self._ready(case), await self._asked(case)
        fit = place.answers.fit(asked) if asked is not None else None
        past = None if fit is None else await self._past(fit.case_id, fit.score)
        return None if fit is None or past is None else Proposal(past=past, differences=fit.differences)

    async def past(self, case: Case, *, limit: int = 3) -> Sequence[Past]:
        """Delivered general answers to like questions of the same tenant and feature, most like first. Raises StoreError."""
        place, asked = await self._ready(case), await self._asked(case)
        near = place.answers.near(asked, limit=limit) if asked is not None else ()
        found = [await self._past(each.case_id, each.score) for each in near]
        return tuple(each for each in found if each is not None)

    async def question(self, case: Case) -> str:
        """What a case asks, masked and in one line; "" when it is not kept. Raises StoreError."""
        said = await self._said(case)
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

    async def _ready(self, case: Case) -> _Place:
        """Where a case belongs, up to date as far as can be had within WAIT_SECONDS."""
        if not self._erased_ns:
            self._erased_ns = self._clock()
            self._begin(self._keep_forgetting())
        await asyncio.wait({self._begin(self._read())}, timeout=WAIT_SECONDS)
        place = self._places.setdefault((case.tenant, case.feature), _Place())
        await _gently(place.waiting.settling())
        await _gently(place.answers.settling())
        return place

    def _begin(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _read(self) -> None:
        """Read what has changed; at first everything that waits or was answered for everybody."""
        async with self._reading:
            try:
                if self._last is None:
                    self._last = await self._read_all()
                while changes := await self._store.cases.changes(after=self._last, limit=_PAGE):
                    await self._take_all(dict.fromkeys(self._noted(changes)))
                    self._last = changes[-1].id
            except StoreError as error:  # pages are served with what is known
                log.warning("like cases cannot be read", error=type(error).__name__)

    async def _read_all(self) -> int:
        newest, answered, after = await self._store.cases.last_change(), dict[str, None](), 0
        while after < newest and (changes := await self._store.cases.changes(after=after, limit=_PAGE)):
            self._noted(changes)
            answered |= {each.case_id: None for each in changes if each.kind in ("answered", "proposed") and _general(each)}
            after = changes[-1].id
        await self._take_all(answered)
        place = None
        while cases := await self._store.cases.waiting(states=WAITING, kind="question", limit=_PAGE, after=place):
            await self._take_all({case.id: None for case in cases if case.state == "open"})
            place = cases[-1].rank_ns, cases[-1].id
        return newest

    def _noted(self, changes: Sequence[CaseEvent]) -> Sequence[str]:
        """The cases that changed. How a general answer was given stands in its event only."""
        for each in changes:
            if each.kind in ("answered", "proposed"):
                along = read_along(each.detail)
                if along.case_id and _general(each):
                    self._along[each.case_id] = along
                else:
                    self._along.pop(each.case_id, None)
        return [each.case_id for each in changes]

    async def _take_all(self, case_ids: Iterable[str]) -> None:
        since = perf_counter()
        for case_id in case_ids:
            case = await self._store.cases.find(case_id)
            if case is not None and case.kind == "question":
                await self._take(case)
            if perf_counter() - since > _SLICE_SECONDS:
                await asyncio.sleep(0)
                since = perf_counter()

    async def _take(self, case: Case) -> None:
        """Put a case where it belongs now. What was answered in bulk speaks for no answer: nobody read it."""
        place, along = self._places.setdefault((case.tenant, case.feature), _Place()), self._along.get(case.id, Along())
        waits = case.state == "open"
        speaks = case.state in ("answered", "delivered") and case.general and case.verb in _TOLD and not along.bulk
        if (waits and case.id in place.waiting) or (speaks and case.id in place.answers):
            return
        self._drop(case)
        asked = await self._asked(case) if waits or speaks else None
        if asked is None:
            return
        self._of.setdefault(case.subject, {})[case.id] = None
        if waits:
            place.waiting.add(asked)
        else:
            place.answers.learn(asked, place.answer_id(case, along))

    def _drop(self, case: Case) -> None:
        place = self._places[case.tenant, case.feature]
        place.waiting.remove(case.id)
        place.answers.forget(case.id)
        mine = self._of.get(case.subject, {})
        mine.pop(case.id, None)
        if not mine:
            self._of.pop(case.subject, None)

    async def _keep_forgetting(self) -> None:
        while True:
            await asyncio.sleep(ERASED_SECONDS)
            try:
                await self.forget_erased()
            except StoreError as error:  # looked for again in a moment, from the same time on
                log.warning("erased subjects cannot be looked for", error=type(error).__name__)

    async def forget_erased(self) -> int:
        """Drop the cases of subjects that were erased since the last look; returns how many. Raises StoreError.

        A minute more is looked at, so that neither another clock nor a case that was just being read hides one.
        """
        now, since_ns = self._clock(), self._erased_ns - _SKEW_NS
        rows = await self._store.audit.events(kind="subject.erased", since_ns=since_ns, limit=100_000)
        count = 0
        for subject in {row.event.on for row in rows}:
            for case_id in tuple(self._of.get(subject, ())):
                case = await self._store.cases.find(case_id)
                if case is not None and await self._asked(case) is None:
                    self._drop(case)
                    count += 1
        self._erased_ns = now
        return count

    async def _asked(self, case: Case) -> Asked | None:
        """A case as it was asked; None when that is not kept, or no words."""
        said = await self._said(case)
        if said is None or not said.turns[-1].text.strip():
            return None
        before = msgspec.json.encode(said.turns[:-1]) if len(said.turns) > 1 else b""
        return Asked(
            id=case.id, text=said.turns[-1].text, attachments=said.attachments,
            before=sha256(before).hexdigest() if before else "",
        )  # fmt: skip

    async def _said(self, case: Case) -> Said | None:
        entry = await self._store.journal.get(case.request_id)
        content = await self._store.journal.content(case.request_id) if entry is not None else None
        if entry is None or content is None:
            return None
        try:
            return spoken(entry, content)
        except StoreError:
            raise
        except (SurefootError, msgspec.MsgspecError) as error:  # a body that only its provider understood
            log.warning("a case's question cannot be read", case=case.id, error=type(error).__name__)
            return None


class _Place:
    """The cases of one tenant and feature."""

    def __init__(self) -> None:
        self.waiting, self.answers = Waiting(), Answers()
        self._by_text: dict[bytes, str] = {}  # digest of an answer -> its id

    def answer_id(self, case: Case, along: Along) -> str:
        """Which answer a case got: the one it was written along with, else the one with the same words, else its own.

        An edit of an answer counts as that answer: the two must not compete for the same questions.
        """
        words = sha256(" ".join((case.answer or "").split()).encode()).digest()
        given = self.answers.answer_of(along.case_id) or self._by_text.get(words) or case.id
        self._by_text.setdefault(words, given)
        return given


async def _gently(work: Iterable[_Got]) -> Sequence[_Got]:
    """What comes of some work; whatever else waits has its turn every few milliseconds."""
    found, since = [], perf_counter()
    for each in work:
        found.append(each)
        if perf_counter() - since > _SLICE_SECONDS:
            await asyncio.sleep(0)
            since = perf_counter()
    return found


def _joins(other: Case, case: Case) -> bool:
    return (other.state, other.kind, other.role) == ("open", "question", case.role)


def _general(event: CaseEvent) -> bool:
    return event.detail.partition(":")[0].endswith(", general")
