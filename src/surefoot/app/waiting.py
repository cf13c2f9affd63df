"""What happens to waiting cases by themselves: leases lapse, undo windows end, deadlines pass.

At a deadline the next role is asked, with a deadline of its own; behind the last one the declared safe default happens. It is
begun by a claim like a person's, so that of several replicas one works it out, and another takes over when that one dies.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from time import perf_counter_ns

import msgspec
import structlog
from msgspec.structs import replace

from surefoot import pipeline
from surefoot.app.caseview import draft_of
from surefoot.app.loops import keep
from surefoot.app.near import NearCache
from surefoot.app.proposals import answer_id
from surefoot.app.serving import Serving
from surefoot.app.settler import Settler
from surefoot.app.times import times_of
from surefoot.errors import BadRequest, RequestRefused, SurefootError
from surefoot.policy import Feature, Policy
from surefoot.records import CacheEntry, Caller, Case, Claim, Content, Decision, JournalEntry, Request, Usage
from surefoot.records.case import PERSON
from surefoot.stages.nearby import Open
from surefoot.store import Store
from surefoot.trace import LiveTrace
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import answer_id_of, top_of

LOOK_SECONDS = 0.25  # how soon a lease lapses, an answer is delivered, a deadline is seen
DEFAULT_SECONDS = 300.0  # how long a safe default may take before another process takes over
NOTICE = "No person could check this in time. A language model wrote it, and it may be wrong:"
DECLINED = "We are sorry: nobody could answer your question in time. Please ask again, or in another way."
_AT_ONCE = 4  # safe defaults that are worked out side by side
_PAGE = 100
_SECOND_NS = 1_000_000_000
_GENERAL = ("accept", "edit", "replace")

log = structlog.get_logger("surefoot")


class Waiting:
    """The loops. `clock` gives UTC nanoseconds."""

    def __init__(
        self, store: Store, serving: Serving, settler: Settler, clock: Callable[[], int] = time.time_ns,
        near: NearCache | None = None,
    ) -> None:  # fmt: skip
        self._store, self._serving, self._settler, self._clock = store, serving, settler, clock
        self._near = near

    async def keep_delivering(self) -> None:
        """For ever: lapse leases, and deliver what can no longer be taken back."""
        await keep(self.deliver, every_seconds=LOOK_SECONDS, what="deliveries", on_lost=self._settler.lost)

    async def keep_deadlines(self) -> None:
        """For ever: see to cases past their deadline."""
        await keep(self.see_to_deadlines, every_seconds=LOOK_SECONDS, what="deadlines", on_lost=self._settler.lost)

    async def deliver(self) -> int:
        """Lapse leases and deliver what is due, once; returns how many cases were delivered. Raises StoreError."""
        now = self._clock()
        await self._store.cases.lapse_leases(now_ns=now)
        count = 0
        while delivered := await self._store.cases.deliver_due(now_ns=now, limit=_PAGE):
            for case in delivered:
                if self._near is not None:
                    await self._guarded(self._near.told(case), case)
                await self._guarded(self._believe(case), case)
            count += len(delivered)
        return count

    async def see_to_deadlines(self) -> int:
        """See to every case past its deadline, once; returns how many there were. Raises StoreError."""
        late = await self._store.cases.overdue(now_ns=self._clock(), limit=_PAGE)
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(case: Case) -> None:
            async with room:
                await self._guarded(self._over(case), case)

        await asyncio.gather(*(one(case) for case in late))
        return len(late)

    async def _guarded(self, work: Awaitable[None], case: Case) -> None:
        """One case's trouble is not its neighbours'."""
        try:
            await work
        except SurefootError as error:
            self._settler.lost("case")
            log.warning("a waiting case could not be seen to", case=case.id, error=type(error).__name__)

    async def _over(self, case: Case) -> None:
        """On to the next role, else the safe default."""
        feature, now = self._serving.runtime.policy.features.get(case.feature), self._clock()
        role = feature.person_of(case.role).next_role if feature is not None and case.state != "expired" else ""
        if feature is not None and role:
            times = times_of(case, feature.person_of(role), now_ns=now)
            await self._store.cases.chain(
                case.id, role=role, at_ns=now, rank_ns=times.rank_ns, due_at_ns=times.due_at_ns,
                deadline_ns=times.deadline_ns,
            )  # fmt: skip
            return
        claim = await self._store.cases.expire(case.id, at_ns=now, lease_ns=round(DEFAULT_SECONDS * _SECOND_NS))
        if claim is not None:
            await self._default(claim, feature)

    async def _default(self, claim: Claim, feature: Feature | None) -> None:
        """Tell the caller what its feature's person declared; what cannot be had is declined."""
        case, wanted = claim.case, "decline"
        if feature is not None and not case.red_flag and not self._serving.stopped(case.feature):
            wanted = feature.person_of(case.role).safe_default
        text = ""
        if wanted == "draft":
            text = await self._draft(case)
        elif wanted == "stronger" and feature is not None:
            text = await self._stronger(case, feature)
        how, told = (wanted, f"{NOTICE}\n\n{text}") if text else ("decline", DECLINED)
        await self._store.cases.conclude(case.id, fence=claim.fence, how=how, text=told, at_ns=self._clock())

    async def _draft(self, case: Case) -> str:
        entry, content = await self._said(case)
        return "" if entry is None or content is None or not case.rung else draft_of(entry, content, case.rung)

    async def _said(self, case: Case) -> tuple[JournalEntry | None, Content | None]:
        return await self._store.journal.get(case.request_id), await self._store.journal.content(case.request_id)

    async def _stronger(self, case: Case, feature: Feature) -> str:
        """What the top rung says, when the policy lets it be delivered; "" else, and where it was asked already."""
        entry, content = await self._said(case)
        top = feature.ladder[-1]
        if entry is None or content is None or any(step.rung == top.name for step in entry.steps):
            return ""
        runtime = self._serving.runtime
        alone = replace(feature, ladder=(top,), mode="enforce")
        policy = Policy(
            features=runtime.policy.features | {feature.name: alone}, version=runtime.policy.version,
            editions=runtime.policy.editions,
        )  # fmt: skip
        request = await self._again(entry, content)
        if request is None:
            return ""
        trace, began = LiveTrace(), perf_counter_ns()
        try:
            async with asyncio.timeout(DEFAULT_SECONDS * 0.8):
                decision = await pipeline.answer(request, policy, runtime.stages, trace)
        except (SurefootError, TimeoutError) as error:
            code = error.code if isinstance(error, RequestRefused) else "deadline"
            await self._settler.finish(request, runtime, trace, None, began, code)
            return ""
        said = _text(decision)
        kept, why = (decision, "") if said else (None, "deadline")
        await self._settler.finish(request, runtime, trace, kept, began, why)
        return said

    async def _again(self, entry: JournalEntry, content: Content) -> Request | None:
        """The question once more, as a request of its own: it is on the same key's bill. None when it cannot be read."""
        try:
            parsed = DIALECTS[entry.dialect].parse(content.request_body, surface=entry.surface)
        except BadRequest:
            return None
        top = {name: value for name, value in parsed.top.items() if name not in ("stream", "stream_options")}
        keys = {key.id: key for key in await self._store.keys.all()}
        key = keys.get(entry.key_id)
        return Request(
            id=f"req_{self._clock():016x}{os.urandom(5).hex()}", at_ns=self._clock(), draw=os.urandom(16).hex(),
            dialect=entry.dialect, surface=entry.surface, feature=entry.feature, model=parsed.model, stream=False,
            caller=Caller(
                key_id=entry.key_id, tenant=entry.tenant,
                budget_nanodollars=None if key is None else key.budget_nanodollars,
                budget_window="month" if key is None else key.budget_window,
                budgets=() if key is None else key.budgets,
            ),
            body=content.request_body, attribution=content.attribution, context=content.context, top=top,
            max_output_tokens=parsed.max_output_tokens, choices=parsed.choices, has_tools=parsed.has_tools,
        )  # fmt: skip

    async def _believe(self, case: Case) -> None:
        """Put a general answer into the cache, where its feature has one and no red flags.

        It enters with exactly the confidence that the feature asks for: enough to be given again, and no more is claimed,
        since nobody has measured this person. When the bar is raised, it is asked for anew.
        """
        feature = self._serving.runtime.policy.features.get(case.feature)
        if feature is None or not case.general or case.verb not in _GENERAL or case.answer is None:
            return
        cached = any(rung.kind == "cache" for rung in feature.ladder)
        if not cached or feature.has_red_flags or case.red_flag or feature.confidence <= 0:
            return
        entry, content = await self._said(case)
        if entry is None or content is None or entry.surface != "chat":
            return
        model = str(msgspec.json.decode(bytes(top_of(content.request_body).get("model", b'""'))))
        body = DIALECTS[entry.dialect].compose(
            case.answer, model=model, id=answer_id_of(entry.dialect, case.request_id),
            created=case.delivered_at_ns // _SECOND_NS, usage=Usage(),
        )  # fmt: skip
        near = await self._asked(feature, entry, content)
        await self._store.cache.put(
            CacheEntry(
                context=near.asked.context if near is not None else "",
                answer=answer_id(near.asked.context, case.answer) if near is not None else "",
                near=near.near() if near is not None else b"",
                fingerprint=case.fingerprint,
                tenant=case.tenant,
                feature=case.feature,
                epoch=self._store.cache.epoch(case.tenant, case.feature),
                request_id=case.request_id,
                at_ns=case.delivered_at_ns,
                expires_at_ns=case.delivered_at_ns + feature.cache.ttl_seconds * _SECOND_NS,
                model=PERSON,
                provider=PERSON,
                finish="stop",
                p=feature.confidence,
                low=feature.confidence,
                body=body,
                subject=case.subject,
            )
        )

    async def _asked(self, feature: Feature, entry: JournalEntry, content: Content) -> Open | None:
        """The question as the near cache keeps it; None where the feature has none or the question cannot be read."""
        look = self._near.look_up(feature) if self._near is not None else None
        request = await self._again(entry, content) if look is not None else None
        if self._near is None or request is None:
            return None
        handbook = self._serving.runtime.handbooks.get(feature.name)
        return self._near.nearby.open(request, handbook.edition if handbook is not None else "")


def _text(decision: Decision) -> str:
    """What a decision delivers; "" when it delivers nothing that can be told."""
    answer = decision.attempt.answer if decision.attempt is not None and decision.action == "deliver" else None
    return "" if answer is None else answer.text.strip()
