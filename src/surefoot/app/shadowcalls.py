"""Shadow calls: another rung is asked after the answer went out, to learn what it would have said, or the same once more, to
learn how its answers vary. Nobody is given it.

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
from surefoot.evals.variation import means_same
from surefoot.policy import repeat_call, shadow_call
from surefoot.records import Attempt, Draft, ShadowCall, Try
from surefoot.replay import repeat_id, shadow_id
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
        """A request's end is durable: ask another rung, or the same once more, in a moment, where its lots say so."""
        feature, draw = outcome.feature, outcome.request.draw
        wanted = feature.vary or (feature.route is not None and feature.route.shadow)
        if not wanted or not _is_answered(outcome):
            return
        assert outcome.decision is not None
        assert outcome.decision.attempt is not None
        asked = {attempt.draft.rung for attempt in outcome.trace.attempts}
        again = repeat_call(feature, outcome.decision.attempt.draft.rung, asked, draw)
        for chosen in (shadow_call(feature, asked, draw), again):
            if chosen is not None:
                self._begin(outcome, runtime, chosen)

    def _begin(self, outcome: Outcome, runtime: Runtime, chosen: ShadowCall) -> None:
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
        name = (repeat_id if chosen.again else shadow_id)(outcome.request.id)
        request = replace(
            outcome.request, id=name, shadow_of=outcome.request.id, again=chosen.again, stream=False, debug=False
        )  # fmt: skip
        rung = next(rung for rung in outcome.feature.ladder if rung.name == chosen.rung)
        before = tuple(
            attempt
            for attempt in outcome.trace.attempts
            if attempt.answer is not None and attempt.draft.rung != chosen.rung
        )
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
        against, agreement = _compared(decision.attempt, trace, again=chosen.again)
        trace.compared(against, agreement)
        await self._settler.finish(request, runtime, trace, None, began, error)
        last = trace.attempts[-1].draft if trace.attempts else None
        if chosen.again and isinstance(last, Draft):
            self._settler.repeated(outcome.feature.name, last.model, agreement)

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


def _compared(delivered: Attempt, trace: LiveTrace, *, again: bool) -> tuple[str, float | None]:
    """(rung of the answer that it is compared with, how far they agree; None when nothing can be compared).

    Of the same rung's second answer it is whether both mean the same: 1 or 0.
    """
    said = trace.attempts[-1].answer if trace.attempts else None
    if said is None or delivered.answer is None:
        return delivered.draft.rung, None
    if again:
        same = means_same(delivered.answer.text, said.text)
        return delivered.draft.rung, None if same is None else float(same)
    return delivered.draft.rung, likeness(delivered.answer.text, said.text)
