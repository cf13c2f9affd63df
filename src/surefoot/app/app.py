"""App: one configuration at work. It runs the page, settles what it cost, and says only what is durable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from time import perf_counter_ns

from surefoot import pipeline
from surefoot.app.access import Access
from surefoot.app.build import Runtime
from surefoot.app.burning import Burning
from surefoot.app.crowd import Crowd
from surefoot.app.desk import Desk
from surefoot.app.directory import cards, feature_for
from surefoot.app.held import Held
from surefoot.app.humanbudget import HumanBudgets
from surefoot.app.keys import KeyRing
from surefoot.app.killswitch import KillSwitch
from surefoot.app.loops import keep
from surefoot.app.metrics import Metrics
from surefoot.app.near import NearCache
from surefoot.app.notify import Notify
from surefoot.app.objectives import Objectives
from surefoot.app.outcomes import Outcomes
from surefoot.app.rates import RateLimits
from surefoot.app.relearning import Relearning
from surefoot.app.repeats import Repeats
from surefoot.app.reply import Note, Reply, StreamReply, delivered, headers_of, held, note_of
from surefoot.app.retention import Retention
from surefoot.app.serving import Serving
from surefoot.app.settle import Outcome
from surefoot.app.settler import Settler
from surefoot.app.shadowcalls import ShadowCalls
from surefoot.app.speaking import Speaking
from surefoot.app.spending import Spending
from surefoot.app.streams import cut_tagged, pass_on
from surefoot.app.telemetry import Telemetry, telemetry_of
from surefoot.app.waiting import Waiting
from surefoot.app.webhooks import Webhooks
from surefoot.config.load import Config
from surefoot.errors import (
    BudgetSpent,
    ContextTooLong,
    NotFound,
    RequestRefused,
    SurefootError,
    UpstreamFailed,
)
from surefoot.pipeline import Passing, Released, Stages
from surefoot.policy import Budgets, Policy
from surefoot.providers.registry import Registry
from surefoot.records import Caller, Case, Decision, NoDraft, Request
from surefoot.store import Store
from surefoot.store.open import open_store
from surefoot.trace import LiveTrace
from surefoot.wire.dialects import DIALECTS

_ORPHAN_NS = 30 * 60 * 1_000_000_000  # longer than any call lasts: its process must be dead


class App:
    """A running gateway, without its wire. Make it with `start`."""

    def __init__(self, config: Config, store: Store) -> None:
        self.store, self.metrics, self.keys = store, Metrics(), KeyRing(store)
        self.rates = RateLimits(store.rates, lambda: self.serving.runtime.rates)
        self.near = NearCache(store, lambda: self.policy.features)
        self.settler = Settler(store, self.metrics, self.rates.ended, self.near)
        self.shadow_calls = ShadowCalls(self.settler)
        self.telemetry = telemetry_of(config.settings.telemetry, self.settler.lost)
        self.settler.on_ended = _watched_by(self.shadow_calls, self.telemetry)
        self.stops, self.access = KillSwitch(store), Access(store)
        repeats = Repeats(store)
        self.human_budgets = HumanBudgets(store)
        self.serving = Serving(config, store, self.settler, self.stops, repeats, self.human_budgets, self.near)
        self.outcomes = Outcomes(store, lambda: self.policy.features)
        self.desk = Desk(store, self.serving)
        self.waiting = Waiting(store, self.serving, self.settler, near=self.near)
        self.webhooks = Webhooks(store, self.serving, self.settler.lost)
        self.held = Held(store, self.serving, self.settler, self.webhooks, repeats, Crowd(self.metrics))
        self.notify = Notify(store, self.serving, self.settler.lost)
        self.retention = Retention(store, self.serving, self.metrics)
        self.spending = Spending(store, self.settler.lost)
        self.relearning = Relearning(store, self.serving, self.settler.lost)
        self.objectives = Objectives(store, lambda: self.config)
        self.burning = Burning(store, self.objectives, self.settler.lost)
        self._loops: list[asyncio.Task[None]] = []

    @classmethod
    async def start(cls, config: Config, *, store: Store | None = None) -> App:
        """Open the store, build the providers, begin the background loops. Raises ConfigError, StoreError."""
        settings = config.settings.store
        store = store or open_store(settings.database, durability=settings.durability, key_file=settings.key_file)
        app = cls(config, store)
        await store.start()
        await app.serving.begin()
        await app.near.refresh()
        app.retention.begin()
        await app.keys.refresh()
        await app.stops.refresh()
        await app.human_budgets.refresh(*app._budgets())
        loops = (
            app.keys.keep_fresh(app.settler.lost), app.stops.keep_fresh(app.settler.lost),
            keep(app._sweep, every_seconds=15, what="orphan sweep", on_lost=app.settler.lost, at_once=True),
            app.serving.keep_learning(), app.webhooks.keep_sending(), app.waiting.keep_delivering(),
            app.waiting.keep_deadlines(), app.notify.keep_telling(), app.retention.keep(),
            app.spending.keep_watching(), app.serving.balances.keep_fresh(app.settler.lost),
            app.relearning.keep_learning(), app.burning.keep_watching(), app.near.keep_fresh(app.settler.lost),
            app.human_budgets.keep_fresh(app._budgets, app.settler.lost),
        )  # fmt: skip
        app._loops = [asyncio.create_task(loop) for loop in loops]
        if app.telemetry is not None:
            app._loops.append(asyncio.create_task(app.telemetry.keep_judging(store)))
        return app

    async def close(self) -> None:
        """End the loops, write what waits, let go of connections."""
        await self.held.close()
        await self.shadow_calls.close()
        for loop in self._loops:
            loop.cancel()
        await asyncio.gather(*self._loops, return_exceptions=True)
        await self.serving.close()
        if self.telemetry is not None:
            await asyncio.to_thread(self.telemetry.close)
        await self.store.close()

    async def reload(self, config: Config) -> None:
        """Serve another configuration from the next request on. Raises ConfigError, and then the old one goes on serving."""
        await self.serving.reload(config)
        self.retention.begin()

    @property
    def config(self) -> Config:
        """The configuration that new requests are served by."""
        return self.serving.runtime.config

    @property
    def policy(self) -> Policy:
        """The policy that new requests are decided by."""
        return self.serving.runtime.policy

    @property
    def registry(self) -> Registry:
        """The models that new requests may ask."""
        return self.serving.runtime.registry

    @property
    def stages(self) -> Stages:
        """The stages that new requests run through."""
        return self.serving.runtime.stages

    def caller(self, key: str | None) -> Caller:
        """Whom a key stands for. Raises NotAuthenticated."""
        return self.keys.caller(key)

    def keyed(self) -> bool:
        """Whether any living key exists; from then on every request needs one."""
        return self.keys.keyed()

    def feature_for(self, caller: Caller, model: str, asked: str) -> str:
        """The feature that a request belongs to. Raises NotFound, NotAllowed."""
        return feature_for(self.policy, self.registry, caller, model, asked)

    def cards(self, caller: Caller) -> list[dict[str, object]]:
        """What `/v1/models` lists for a caller."""
        return cards(self.policy, self.registry, caller)

    async def case(self, caller: Caller, case_id: str) -> Case:
        """A case of the caller's tenant. Raises NotFound."""
        found = await self.store.cases.get(case_id, tenant=caller.tenant)
        if found is None or found.kind != "question":  # an audit is nobody's to poll
            raise NotFound(f"there is no case {case_id!r}")
        return found

    async def answer(self, request: Request) -> Reply:
        """A complete answer; what it left behind is durable before it is returned.

        Raises RequestRefused: the money or the answer is not there; also then everything asked is settled.
        """
        await self.held.admit(request)
        outcome, note = await self._decide(request)
        decision = outcome.decision
        assert decision is not None
        if decision.action == "deliver":
            body = delivered(decision, note)
        else:
            note, text = await self.held.reply(request, note, outcome.holding, self.held.seconds(request, outcome))
            body = held(request, DIALECTS[request.dialect], text, note)
        return Reply(
            status=200, body=body, headers=headers_of(note), request_id=request.id, decision=decision,
            nanodollars=outcome.nanodollars, own_us=outcome.own_us,
        )  # fmt: skip

    async def stream(self, request: Request, *, include_usage: bool) -> StreamReply:
        """An answer in events. Raises RequestRefused before the first byte."""
        await self.held.admit(request)
        runtime, dialect = self.serving.runtime, DIALECTS[request.dialect]
        feature = runtime.policy.features[request.feature]
        if feature.stream == "through":
            began, trace = perf_counter_ns(), LiveTrace()
            passing = await self._guarded(request, runtime, trace, began, pipeline.through)
            if isinstance(passing, Passing):
                return pass_on(self.settler, runtime, passing, trace, include_usage=include_usage, began=began)
            assert isinstance(passing, Decision)
            outcome, note = await self._end(request, runtime, trace, passing, began)
        elif feature.stream == "sentence":
            began, trace = perf_counter_ns(), LiveTrace()
            page = pipeline.by_sentence(request, runtime.policy, runtime.stages, trace)
            first = await self._guarded(request, runtime, trace, began, lambda *_: anext(page))
            if isinstance(first, Released):
                speaking = Speaking(
                    settler=self.settler, held=self.held, runtime=runtime, request=request, trace=trace, began=began,
                    include_usage=include_usage,
                )  # fmt: skip
                return speaking.reply(first, page)
            assert isinstance(first, Decision)
            await page.aclose()
            outcome, note = await self._end(request, runtime, trace, first, began)
        else:
            outcome, note = await self._decide(request)
        decision = outcome.decision
        assert decision is not None
        answer = decision.attempt.answer if decision.attempt and decision.action == "deliver" else None
        if answer is None:
            note, text = await self.held.reply(request, note, outcome.holding, 0.0)
            seconds = self.held.seconds(request, outcome)
            if seconds > 0 and note.decision == "escalate":
                return self.held.stream(request, note, text, seconds, include_usage=include_usage)
            body = held(request, dialect, text, note)
            events: Sequence[bytes] = dialect.cut(body, include_usage=include_usage)
        else:
            events = answer.events or dialect.cut(answer.body, include_usage=include_usage)
        return StreamReply(
            headers=headers_of(note),
            events=_each(cut_tagged(dialect, events, note, include_usage=include_usage)),
            request_id=request.id,
        )

    async def _decide(self, request: Request) -> tuple[Outcome, Note]:
        runtime, began, trace = self.serving.runtime, perf_counter_ns(), LiveTrace()
        decision = await self._guarded(request, runtime, trace, began, pipeline.answer)
        assert isinstance(decision, Decision)
        return await self._end(request, runtime, trace, decision, began)

    async def _guarded(
        self, request: Request, runtime: Runtime, trace: LiveTrace, began: int, verb: pipeline.Verb
    ) -> Decision | Passing | Released:
        """Run a verb of the page; whatever breaks it off, what was asked so far is settled."""
        try:
            return await verb(request, runtime.policy, runtime.stages, trace)
        except RequestRefused as error:
            await self.settler.finish(request, runtime, trace, None, began, error.code)
            raise
        except SurefootError:
            self.settler.finish_later(request, runtime, trace, began, "internal_error")
            raise
        except asyncio.CancelledError:
            self.settler.finish_later(request, runtime, trace, began, "client_closed")
            raise

    async def _end(
        self, request: Request, runtime: Runtime, trace: LiveTrace, decision: Decision, began: int
    ) -> tuple[Outcome, Note]:
        if decision.action == "escalate":
            outcome = await self.held.opened(request, runtime, trace, decision, began)
        else:
            outcome = await self.settler.finish(request, runtime, trace, decision, began)
        if decision.action == "fail":
            raise _failed(decision)
        if runtime.recorder is not None and decision.attempt is not None:
            runtime.recorder.record(request, decision.attempt)
        return outcome, note_of(outcome, decision)

    def _budgets(self) -> tuple[Budgets, Policy]:
        return self.serving.runtime.budgets, self.policy

    async def _sweep(self) -> None:
        """Book what dead replicas left reserved, show commit waits."""
        waits = sorted(self.store.waits_us())
        for name, share in (("0.5", 0.5), ("0.99", 0.99)):
            if waits:
                self.metrics.commit_waits[name] = waits[int(share * (len(waits) - 1))] / 1e6
        await self.store.ledger.settle_orphans(older_than_ns=time.time_ns() - _ORPHAN_NS)


def _watched_by(shadow_calls: ShadowCalls, telemetry: Telemetry | None) -> Callable[[Outcome, Runtime], None]:
    """What follows once a request is durable."""

    def ended(outcome: Outcome, runtime: Runtime) -> None:
        if telemetry is not None:
            telemetry.ended(outcome)
        shadow_calls.ended(outcome, runtime)

    return ended


def _failed(decision: Decision) -> RequestRefused:
    attempt = decision.attempt
    if attempt is not None and isinstance(attempt.draft, NoDraft) and attempt.draft.kind == "too_long":
        return ContextTooLong(attempt.draft.reason, param="messages")
    limit = attempt.draft.limit if attempt is not None and isinstance(attempt.draft, NoDraft) else None
    if limit is not None:
        return BudgetSpent(
            limit.scope, spent=0, limit=limit.limit_nanodollars, resets_at_ns=limit.resets_at_ns, window=limit.window,
            message=decision.verdict.reason,
        )  # fmt: skip
    status = getattr(decision.verdict, "status", 502)
    body = attempt.error_body if attempt else b""
    return UpstreamFailed(decision.verdict.reason, status=status, body=body, retry=status in (408, 409, 429, 503, 529))


async def _each(events: Sequence[bytes]) -> AsyncIterator[bytes]:
    for event in events:
        yield event
