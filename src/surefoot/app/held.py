"""Callers who wait for a person: held connections, streams that stay alive, events of a case, and the same question again.

A case is a row; nothing here holds it. Whoever leaves, or outlives its patience, finds it again under its id.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing

import msgspec

from surefoot.app.arrivals import KEEP_ALIVE_SECONDS, Arrivals, wait
from surefoot.app.build import Runtime
from surefoot.app.crowd import Crowd
from surefoot.app.readers import Readers
from surefoot.app.repeats import Repeats
from surefoot.app.reply import Note, StreamReply, headers_of
from surefoot.app.serving import Serving
from surefoot.app.settle import Outcome, case_id
from surefoot.app.settler import Settler
from surefoot.app.times import ask_again_after
from surefoot.app.told import answered, told
from surefoot.app.webhooks import UNCONFIGURED, Webhooks
from surefoot.config.schema import FeatureSettings
from surefoot.errors import BadRequest
from surefoot.records import Case, Decision, Request, Usage
from surefoot.store import Store
from surefoot.trace import LiveTrace
from surefoot.wire.fields import answer_id
from surefoot.wire.speech import speech

_AGAIN_SECONDS = 5.0  # a case is looked at this often, whatever was seen of it
_MARGIN = 0.1  # of the client's own time-out, and at least a second: the answer must still travel


class Held:
    """What is done for callers while their cases wait."""

    def __init__(
        self, store: Store, serving: Serving, settler: Settler, webhooks: Webhooks, repeats: Repeats, crowd: Crowd
    ) -> None:
        self._crowd = crowd
        self._store, self._serving, self._settler, self.webhooks = store, serving, settler, webhooks
        self._repeats, self._arrivals = repeats, Arrivals(store)
        self.readers = Readers(store, self._arrivals, crowd, self._most, self.told)
        self._turns: dict[tuple[str, str], asyncio.Event] = {}  # who opens a case for which question right now
        self._opening: set[asyncio.Task[Outcome]] = set()

    async def admit(self, request: Request) -> None:
        """Before anything is asked: whether the caller can wait as it wants to. Raises BadRequest."""
        if request.wait.webhook:
            await self.webhooks.admit(request)
        elif request.wait.manner == "webhook" and not self._settings(request.feature).webhook:
            raise BadRequest(
                "name the address: surefoot.webhook, or `webhook` of the feature", param="surefoot.webhook"
            )

    def manner(self, request: Request) -> str:
        """How this caller waits: as it says, else as its feature says."""
        if request.wait.webhook and not request.wait.manner:
            return "webhook"
        return request.wait.manner or self._settings(request.feature).wait

    def seconds(self, request: Request, outcome: Outcome | None = None) -> float:
        """How long its connection may be held; 0 where it is not. Never longer than the client itself would wait.

        A red flag is never held: what it says to the caller is urgent.
        """
        urgent = outcome is not None and outcome.red_flag
        if urgent or self.manner(request) != "held" or self._arrivals.ending.is_set():
            return 0.0
        most = float(self._settings(request.feature).held_seconds)
        patience = request.wait.timeout_seconds
        if patience is None or request.stream:  # in a stream every sign of life begins the time-out anew
            return most
        return max(0.0, min(most, patience - max(1.0, patience * _MARGIN)))

    async def opened(
        self, request: Request, runtime: Runtime, trace: LiveTrace, decision: Decision, began: int
    ) -> Outcome:
        """Settle an escalation: its case is opened, or the one of the same question joined; its webhook is registered first.

        A caller that leaves meanwhile leaves all of it behind. Raises StoreError.
        """
        task = asyncio.create_task(self._open(request, runtime, trace, decision, began))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)
        return await asyncio.shield(task)

    async def reply(self, request: Request, note: Note, holding: str, seconds: float) -> tuple[Note, str]:
        """(note, text) of what an escalated request is told: a person's answer, else the holding text. Raises StoreError."""
        spent = max(0, time.time_ns() - request.at_ns) / 1e9
        left = max(0.0, seconds - spent)
        if note.case is None or (not left and note.case == case_id(request)):  # its own case, just opened
            return note, holding
        case = await self.until_ended(note.case, request.caller.tenant, left)
        return (note, holding) if case is None or case.told is None else (answered(note, case), case.told)

    def stream(self, request: Request, note: Note, holding: str, seconds: float, *, include_usage: bool) -> StreamReply:
        """A held connection's stream. Its headers go out before anybody has answered."""
        pending = msgspec.structs.replace(note, decision="pending")
        events = self.spoken(request, note, holding, seconds, include_usage=include_usage)
        return StreamReply(headers=headers_of(pending), events=events, request_id=request.id)

    async def _open(
        self, request: Request, runtime: Runtime, trace: LiveTrace, decision: Decision, began: int
    ) -> Outcome:
        """One after the other for the same question, so that the second finds the first one's case."""
        question = trace.question
        key = (question.fingerprint if question is not None else request.id, request.subject)
        before, mine = self._turns.get(key), asyncio.Event()
        self._turns[key] = mine
        try:
            if before is not None:
                await before.wait()
            waiting = question.waiting if question is not None else ""
            if question is not None and not waiting and request.wait.joins:
                waiting = await self._repeats.find(request, question.fingerprint)
            url = await self.webhooks.register(request, waiting or case_id(request))
            wait = msgspec.structs.replace(request.wait, manner=self.manner(request), webhook=url)
            asked = msgspec.structs.replace(request, wait=wait)
            outcome = await self._settler.finish(asked, runtime, trace, decision, began, waiting=waiting)
            if url and outcome.case_id is not None and outcome.case_id != (waiting or case_id(request)):
                await self.webhooks.register(request, outcome.case_id)  # the other one has no case and is never due
            if question is not None:
                self._repeats.note(question, request.subject)
            return outcome
        finally:
            mine.set()
            if self._turns.get(key) is mine:
                del self._turns[key]

    async def until_ended(self, case_id: str, tenant: str, seconds: float) -> Case | None:
        """The case once it has ended; None when it has not within so many seconds. Raises StoreError."""
        async with aclosing(self.beats(case_id, tenant, seconds, every=seconds, kind="call")) as beats:
            async for case in beats:
                if case is not None:
                    return case
        return None

    async def beats(
        self, case_id: str, tenant: str, seconds: float, *, every: float | None = None, kind: str = "stream"
    ) -> AsyncGenerator[Case | None, None]:
        """None every so many seconds, then the case when it has ended; ends without it when the time is over.

        The time is over at once where the tenant has as many connections as it may have.
        """
        if seconds <= 0:
            case = await self._store.cases.get(case_id, tenant=tenant)
            if case is not None and case.has_ended:
                yield case
            return
        with self._crowd.place(kind, tenant, self._most()) as admitted:
            patience = seconds if admitted else 0.0
            async with aclosing(self._beats(case_id, tenant, patience, every)) as beats:
                async for case in beats:
                    yield case

    async def _beats(
        self, case_id: str, tenant: str, seconds: float, every: float | None
    ) -> AsyncGenerator[Case | None, None]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        every = KEEP_ALIVE_SECONDS if every is None else every
        beat = loop.time() + every
        async with self._arrivals.place(case_id) as happened:
            while True:
                happened.clear()
                case = await self._store.cases.get(case_id, tenant=tenant)
                if case is not None and case.has_ended:
                    yield case
                    return
                now = loop.time()
                if case is None or now >= ends or self._arrivals.ending.is_set():
                    return
                if now >= beat:
                    yield None
                    beat = now + every
                await wait(happened, min(ends, beat, now + _AGAIN_SECONDS) - now)

    async def said(
        self, request: Request, note: Note, holding: str, seconds: float
    ) -> AsyncGenerator[tuple[Note, str] | None, None]:
        """None whenever a sign of life is due, then (note, text): a person's answer, else the holding text."""
        end = note, holding
        async with aclosing(self.beats(note.case or "", request.caller.tenant, seconds)) as beats:
            async for case in beats:
                if case is None:
                    yield None
                elif case.told is not None:
                    end = answered(note, case), case.told
        yield end

    async def spoken(
        self, request: Request, note: Note, holding: str, seconds: float, *, include_usage: bool
    ) -> AsyncIterator[bytes]:
        """The stream of a held connection: its beginning at once, signs of life, then the answer or the holding text."""
        ours = speech(
            request.dialect, model=request.model, id=answer_id(request), created=request.at_ns // 1_000_000_000
        )
        for event in ours.begin(msgspec.json.encode(msgspec.structs.replace(note, decision="pending"))):
            yield event
        yield ours.alive()
        async with aclosing(self.said(request, note, holding, seconds)) as parts:
            async for part in parts:
                if part is None:
                    yield ours.alive()
                    continue
                note, text = part
                yield ours.say(text)
        for event in ours.end(msgspec.json.encode(note), finish="stop", usage=Usage(), include_usage=include_usage):
            yield event

    async def told(self, case: Case) -> bytes:
        """What the caller is told of its case, as JSON. Raises StoreError."""
        return await told(self._store, case, retry_after=self.retry_after(case))

    def retry_after(self, case: Case) -> int:
        """Seconds after which to ask for a case again, as its role says; longer while nobody is there."""
        feature = self._serving.runtime.policy.features.get(case.feature)
        return ask_again_after(case, feature.person_of(case.role), now_ns=time.time_ns()) if feature else 60

    async def withdraw(self, case: Case) -> Case:
        """The case, withdrawn if nobody has answered it; what it is now. Raises StoreError."""
        await self._store.cases.withdraw(case.id, tenant=case.tenant, at_ns=time.time_ns())
        return await self._store.cases.get(case.id, tenant=case.tenant) or case

    def release(self) -> None:
        """Let everybody go: the process ends. Held callers get the holding answer and find their case again."""
        self._arrivals.release()

    async def close(self) -> None:
        """Let everybody go and stop looking."""
        await self._arrivals.close()

    def _most(self) -> int:
        return self._serving.runtime.config.settings.server.held_per_tenant

    def _settings(self, feature: str) -> FeatureSettings:
        return self._serving.runtime.config.settings.features.get(feature, UNCONFIGURED)
