"""How a request comes to its end: counted, settled, committed. Money and audit fail closed, counting fails open."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from time import perf_counter_ns

import structlog

from surefoot.app.build import Runtime
from surefoot.app.metrics import Metrics
from surefoot.app.near import NearCache
from surefoot.app.settle import Outcome, commit_of, settle
from surefoot.records import Decision, Draft, Request
from surefoot.store import Store
from surefoot.trace import LiveTrace

log = structlog.get_logger("surefoot")


class Settler:
    """Writes what requests leave behind, each in one commit."""

    def __init__(
        self, store: Store, metrics: Metrics, on_tokens: Callable[[str, int], None] = lambda request_id, tokens: None,
        near: NearCache | None = None,
    ) -> None:  # fmt: skip
        self._store, self._metrics, self._on_tokens, self._near = store, metrics, on_tokens, near
        self.on_ended: Callable[[Outcome, Runtime], None] = lambda outcome, runtime: None  # once an end is durable

    async def finish(
        self,
        request: Request,
        runtime: Runtime,
        trace: LiveTrace,
        decision: Decision | None,
        began: int,
        error: str = "",
        waiting: str = "",
    ) -> Outcome:
        """Settle and commit; durable when it returns. Raises StoreError: then the caller must not be told otherwise.

        `waiting` is the case that this escalation joins instead of opening one of its own; the outcome's, when another
        replica opened one for the same question meanwhile.
        """
        outcome = self._outcome(request, runtime, trace, decision, began, error, waiting)
        # A caller that leaves now cancels this wait, not the writing: the record is already queued.
        found = await self._commit(outcome, runtime)
        self.on_ended(outcome, runtime)
        if outcome.case_id is not None and found != outcome.case_id:  # another replica was asked the same just now
            return replace(outcome, waiting=found)
        return outcome

    def finish_later(self, request: Request, runtime: Runtime, trace: LiveTrace, began: int, error: str) -> None:
        """Settle and commit without waiting: the caller is gone, the bill is not."""
        outcome = self._outcome(request, runtime, trace, None, began, error)
        self._commit(outcome, runtime).add_done_callback(self._committed)

    def lost(self, what: str) -> None:
        """Count something that failed open."""
        self._metrics.lost(what)

    def repeated(self, feature: str, model: str, agreement: float | None) -> None:
        """Count a second answer, by whether it means the same as the one that went out."""
        self._metrics.repeated(feature, model, agreement)

    def lost_reservation(self, error: BaseException) -> None:
        """A reservation that nobody waits for was not written; the settlement that follows fails closed."""
        self.lost("reservation")
        log.error("a reservation was not written", error=type(error).__name__)

    def _outcome(
        self, request: Request, runtime: Runtime, trace: LiveTrace, decision: Decision | None, began: int, error: str,
        waiting: str = "",
    ) -> Outcome:  # fmt: skip
        waited = sum(attempt.draft.upstream_us for attempt in trace.attempts)
        own_us = max(0, (perf_counter_ns() - began) // 1000 - waited)
        outcome = Outcome(
            request=request,
            feature=runtime.policy.features[request.feature],
            policy=runtime.policy.version,
            edition=runtime.policy.editions[request.feature],
            trace=trace,
            settlements=settle(request, trace.attempts, trace.judged, runtime.calls.abandoned(request.id)),
            decision=decision,
            error=error,
            own_us=own_us,
            baseline=runtime.baselines.get(request.feature),
            waiting=waiting,
            asked=self._near.take(request) if self._near is not None else None,
            embedded=runtime.embedder.taken(request.id) if runtime.embedder is not None else None,
        )
        self._metrics.ended(outcome.feature.name, trace.attempts, outcome.settlements)
        if outcome.feature.route is not None:
            for attempt in trace.attempts:
                if isinstance(attempt.draft, Draft):
                    runtime.latencies.remember(outcome.feature.name, attempt.draft)
        if request.shadow_of:  # it is not the caller's, nor on the way of its session
            return outcome
        calls = (*(call for attempt in trace.attempts for call in attempt.priced), *trace.judged)
        self._on_tokens(request.id, sum(call.usage.input_tokens + call.usage.output_tokens for call in calls))
        if outcome.feature.route is not None:
            for attempt in trace.attempts:
                if isinstance(attempt.draft, Draft):
                    runtime.warmth.remember(request, attempt.draft.rung, attempt.draft.usage.input_tokens)
        if decision is not None:
            self._metrics.decided(outcome.feature.name, request.surface, decision, own_us)
        return outcome

    def _commit(self, outcome: Outcome, runtime: Runtime) -> asyncio.Future[str]:
        request = outcome.request
        return self._store.commit(
            commit_of(
                outcome,
                pseudonym=self._store.pseudonym(request.subject),
                keep_content=runtime.config.settings.store.content,
                epoch=self._store.cache.epoch(request.caller.tenant, request.feature),
                budgets=runtime.budgets,
            )
        )

    def _committed(self, done: asyncio.Future[str]) -> None:
        if not done.cancelled() and (error := done.exception()) is not None:
            self.lost("commit")
            log.error("a settlement was not written", error=type(error).__name__)
