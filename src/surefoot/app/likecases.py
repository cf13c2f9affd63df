"""The memory of like cases: those that wait and those that a general answer resolved, each case in one of the two.

Kept by tenant and feature, read from the store at first use and brought up to date by its changes, a few milliseconds at a
time. Of a subject that was erased, here or by another process, everything has left this memory when ERASED_SECONDS have passed
and its cases were looked at.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from hashlib import sha256
from time import perf_counter
from typing import TypeVar

import msgspec
import structlog

from surefoot.app.caseview import Said, spoken
from surefoot.errors import StoreError, SurefootError
from surefoot.records import Case, CaseEvent
from surefoot.records.case import WAITING
from surefoot.review.clusters import Answers, Waiting
from surefoot.review.differences import Asked
from surefoot.review.leverage import Along, read_along
from surefoot.store import Store

ERASED_SECONDS = 2.0  # how often erased subjects are looked for
WAIT_SECONDS = 0.5  # that a page waits for what is new; reading goes on, and later pages see more
_SLICE_SECONDS = 0.004  # of work in one go
_PAGE = 500
_SKEW_NS = 60_000_000_000  # by which another process's clock may differ
_TOLD = ("accept", "edit", "replace")  # verbs that answer a question
_Got = TypeVar("_Got")

log = structlog.get_logger("surefoot")


class LikeCases:
    """The memory. Made once; `clock` gives UTC nanoseconds."""

    def __init__(self, store: Store, clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self._clock = store, clock
        self._places: dict[tuple[str, str], Place] = {}  # by tenant and feature
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

    @property
    def reading(self) -> bool:
        """Whether not everything was read yet that happened before the last page asked."""
        return self._reading.locked()

    async def ready(self, case: Case) -> Place:
        """Where a case belongs, ready to be asked; up to date as far as can be had within WAIT_SECONDS."""
        if not self._erased_ns:
            self._erased_ns = self._clock()
            self._begin(self._keep_forgetting())
        await asyncio.wait({self._begin(self._read())}, timeout=WAIT_SECONDS)
        place = self._places.setdefault((case.tenant, case.feature), Place())
        await gently(place.waiting.settling())
        await gently(place.answers.settling())
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
                    await self._take_all(self._found(dict.fromkeys(self._noted(changes))))
                    self._last = changes[-1].id
            except StoreError as error:  # pages are served with what is known
                log.warning("like cases cannot be read", error=type(error).__name__)

    async def _read_all(self) -> int:
        newest, answered, after = await self._store.cases.last_change(), dict[str, None](), 0
        while after < newest and (changes := await self._store.cases.changes(after=after, limit=_PAGE)):
            self._noted(changes)
            answered |= {
                each.case_id: None for each in changes if each.kind in ("answered", "proposed") and _general(each)
            }
            after = changes[-1].id
        await self._take_all(self._found(answered))
        place = None
        while cases := await self._store.cases.waiting(states=WAITING, kind="question", limit=_PAGE, after=place):
            await self._take_all(_each(case for case in cases if case.state == "open"))
            place = cases[-1].rank_ns, cases[-1].id
        return newest

    async def _found(self, case_ids: Iterable[str]) -> AsyncIterator[Case]:
        for case_id in case_ids:
            case = await self._store.cases.find(case_id)
            if case is not None:
                yield case

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

    async def _take_all(self, cases: AsyncIterator[Case]) -> None:
        since = perf_counter()
        async for case in cases:
            if case.kind == "question":
                await self._take(case)
            if perf_counter() - since > _SLICE_SECONDS:
                await asyncio.sleep(0)
                since = perf_counter()

    async def _take(self, case: Case) -> None:
        """Put a case where it belongs now. What was answered in bulk speaks for no answer: nobody read it."""
        place, along = self._places.setdefault((case.tenant, case.feature), Place()), self._along.get(case.id, Along())
        waits = case.state == "open"
        speaks = case.state in ("answered", "delivered") and case.general and case.verb in _TOLD and not along.bulk
        if (waits and case.id in place.waiting) or (speaks and case.id in place.answers):
            return
        self._drop(case)
        asked = await self.asked(case) if waits or speaks else None
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
                if case is not None and await self.asked(case) is None:
                    self._drop(case)
                    count += 1
        self._erased_ns = now
        return count

    async def asked(self, case: Case) -> Asked | None:
        """A case as it was asked; None when that is not kept, or no words. Raises StoreError."""
        said = await self.said(case)
        if said is None or not said.turns[-1].text.strip():
            return None
        before = msgspec.json.encode(said.turns[:-1]) if len(said.turns) > 1 else b""
        return Asked(
            id=case.id, text=said.turns[-1].text, attachments=said.attachments,
            before=sha256(before).hexdigest() if before else "",
        )  # fmt: skip

    async def said(self, case: Case) -> Said | None:
        """What was said; None when it is not kept, or cannot be read. Raises StoreError."""
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


class Place:
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


async def _each(cases: Iterable[Case]) -> AsyncIterator[Case]:
    for case in cases:
        yield case


async def gently(work: Iterable[_Got]) -> Sequence[_Got]:
    """What comes of some work; whatever else waits has its turn every few milliseconds."""
    found, since = [], perf_counter()
    for each in work:
        found.append(each)
        if perf_counter() - since > _SLICE_SECONDS:
            await asyncio.sleep(0)
            since = perf_counter()
    return found


def _general(event: CaseEvent) -> bool:
    return event.detail.partition(":")[0].endswith(", general")
