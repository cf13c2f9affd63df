"""Shadow calls: another rung is asked after the answer went out, to learn what it would have said. Nobody is given it.

The request's own lot chooses, so that the chance is known; money is set aside as for every call, and booked on a rung of its
own. What comes of it is journaled under an id of its own, with draft and evidence, or counted as lost: it never makes a caller
or the end of the process wait.
"""

from __future__ import annotations

import asyncio
from time import perf_counter_ns

import structlog
from msgspec.structs import replace

from surefoot import pipeline
from surefoot.app.build import Runtime
from surefoot.app.settle import Outcome
from surefoot.app.settler import Settler
from surefoot.errors import RequestRefused, SurefootError
from surefoot.policy import shadow_call
from surefoot.records import Attempt, ShadowCall, Try
from surefoot.replay import shadow_id
from surefoot.signals.likeness import likeness
from surefoot.trace import LiveTrace

AFTER_SECONDS = 0.05  # so that the answer's own bytes go out first
_AT_ONCE = 4
_MOST = 200  # that wait or run; what comes beyond is lost
_LOST = "shadow call"

log = structlog.get_logger("surefoot")


class ShadowCalls:
    """Asks beside the requests."""

    def __init__(self, settler: Settler, *, after_seconds: float = AFTER_SECONDS) -> None:
        self._settler, self._after_seconds = settler, after_seconds
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._running: set[asyncio.Task[None]] = set()
        self._open = True

    @property
    def running(self) -> int:
        """How many wait or run."""
        return len(self._running)

    def ended(self, outcome: Outcome, runtime: Runtime) -> None:
        """A request's end is durable: ask another rung in a moment, where its lot says so."""
        if outcome.feature.route is None or not outcome.feature.route.shadow or not _is_answered(outcome):
            return
        asked = {attempt.draft.rung for attempt in outcome.trace.attempts}
        chosen = shadow_call(outcome.feature, asked, outcome.request.draw)
        if chosen is None:
            return
        if not self._open or len(self._running) >= _MOST:
            self._settler.lost(_LOST)
            return
        task = asyncio.create_task(self._ask(outcome, runtime, chosen))
        self._running.add(task)
        task.add_done_callback(self._done)

    async def settled(self) -> None:
        """Wait until none waits or runs."""
        while self._running:
            await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """Break off what runs: what was asked is settled, what waits is lost. No provider is waited for."""
        self._open = False
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _ask(self, outcome: Outcome, runtime: Runtime, chosen: ShadowCall) -> None:
        await asyncio.sleep(self._after_seconds)
        async with self._room:
            await self._asked(outcome, runtime, chosen)

    async def _asked(self, outcome: Outcome, runtime: Runtime, chosen: ShadowCall) -> None:
        """Run the page's fourth verb, and journal what came of it, whatever that is."""
        question, decision = outcome.trace.question, outcome.decision
        assert question is not None
        assert decision is not None
        assert decision.attempt is not None
        request = replace(
            outcome.request, id=shadow_id(outcome.request.id), shadow_of=outcome.request.id, stream=False, debug=False
        )
        rung = next(rung for rung in outcome.feature.ladder if rung.name == chosen.rung)
        before = tuple(attempt for attempt in outcome.trace.attempts if attempt.answer is not None)
        trace, began, error = LiveTrace(), perf_counter_ns(), ""
        trace.asked_before(question)
        try:
            tried = Try(request=request, question=question, rung=rung)
            await pipeline.shadow(tried, chosen, before, outcome.feature, runtime.stages, trace)
        except asyncio.CancelledError:
            self._settler.finish_later(request, runtime, trace, began, "broken_off")
            raise
        except RequestRefused as refused:
            error = refused.code
        except SurefootError as failed:
            error = "internal_error"
            log.warning("a shadow call failed", error=type(failed).__name__)
        trace.compared(*_compared(decision.attempt, trace))
        await self._settler.finish(request, runtime, trace, None, began, error)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if task.cancelled():
            self._settler.lost(_LOST)
        elif (error := task.exception()) is not None:
            self._settler.lost(_LOST)
            log.error("a shadow call was lost", error=type(error).__name__)


def _is_answered(outcome: Outcome) -> bool:
    """Whether a model or the cache gave an answer to compare with; where a person stopped the feature no model is asked."""
    decision, question = outcome.decision, outcome.trace.question
    if outcome.request.shadow_of or decision is None or decision.attempt is None or question is None:
        return False
    return question.surface == "chat" and not question.stopped and decision.attempt.answer is not None


def _compared(delivered: Attempt, trace: LiveTrace) -> tuple[str, float | None]:
    """(rung of the answer that it is compared with, how far they agree; None when nothing can be compared)."""
    said = trace.attempts[-1].answer if trace.attempts else None
    if said is None or delivered.answer is None:
        return delivered.draft.rung, None
    return delivered.draft.rung, likeness(delivered.answer.text, said.text)
