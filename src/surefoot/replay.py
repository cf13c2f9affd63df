"""Replay: the page again, over the journal instead of the world, with the policy that decided then."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from surefoot import pipeline
from surefoot.errors import NotFound, Unobserved
from surefoot.pipeline import Stages
from surefoot.policy import Policy, repeat_call, shadow_call
from surefoot.policy.policy import decode
from surefoot.records import (
    Ask,
    Attempt,
    Caller,
    Draft,
    Evidence,
    JournalEntry,
    Question,
    Read,
    Request,
    ShadowCall,
    Step,
    Tried,
    Try,
)
from surefoot.store import Store
from surefoot.trace import ReplayTrace

_AGAIN = ".again"  # ends the id of a rung's second answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What came of a replay. `same` means every confidence and verdict came out byte for byte as the journal has them."""

    request_id: str
    same: bool
    differs_at: str | None  # the first rule or stage that came out otherwise, or that the journal is silent about
    entry: JournalEntry
    steps: tuple[Step, ...]

    @property
    def text(self) -> str:
        """The page, a line a step."""
        lines = [f"{self.request_id}  {self.entry.feature}  policy {self.entry.policy}  {self.entry.action}"]
        lines += [f"  {step.stage:7} {step.rung or '':20} {_short(step)}" for step in self.steps]
        lines.append("identical" if self.same else f"differs at: {self.differs_at}")
        return "\n".join(lines)


class _Read:
    """The stages of a replay have names only: their worlds are gone, and the trace never runs them."""

    name = "read"

    async def __call__(self, value: Request, /) -> Question:
        raise Unobserved(self.name, None)


class _Fit:
    name = "fit"

    async def __call__(self, value: Try, /) -> Ask:
        raise Unobserved(self.name, value.rung.name)


class _Call:
    name = "call"

    async def __call__(self, value: Ask, /) -> Attempt:
        raise Unobserved(self.name, value.rung.name)

    async def open(self, value: Ask, /) -> Attempt:
        raise Unobserved(self.name, value.rung.name)


class _Check:
    name = "check"

    async def __call__(self, value: Tried, /) -> Evidence:
        raise Unobserved(self.name, value.ask.rung.name)


STAGES = Stages(read=_Read(), fit=_Fit(), call=_Call(), check=_Check())
"""For traces that read the journal: they never run a stage."""


async def replay(store: Store, request_id: str, *, policy: Policy | None = None) -> Replayed:
    """Run the page of a journaled request again, under the policy of then or another one.

    Raises: NotFound when the journal has no such request or no longer its policy.
    """
    entry = await store.journal.get(request_id)
    if entry is None:
        raise NotFound(f"the journal has no request {request_id!r}")
    if policy is None:
        kept = await store.policies.get(entry.policy)
        if kept is None:
            raise NotFound(f"policy version {entry.policy} is not kept")
        policy = decode(kept)
    return await replay_entry(entry, policy, await store.journal.get(shadow_id(request_id)))


def shadow_id(request_id: str) -> str:
    """Under which id a request's shadow call stands in the journal; nothing stands there for a request without one."""
    return f"{request_id}.shadow"


def repeat_id(request_id: str) -> str:
    """Under which id the same rung's second answer to a request stands in the journal."""
    return request_id + _AGAIN


def is_repeat(entry: JournalEntry) -> bool:
    """Whether an entry is a rung's second answer, not another rung's."""
    return bool(entry.shadow_of) and entry.request_id.endswith(_AGAIN)


async def replay_entry(entry: JournalEntry, policy: Policy, shadow: JournalEntry | None = None) -> Replayed:
    """Run the page of an entry under a policy.

    Args:
        shadow: the entry of its shadow call, whose rung another policy may come to. Where the page asks it, its draft is
            known; its check saw the drafts of the rungs that the request had asked.
    """
    trace = ReplayTrace((*entry.steps, *(_of_rung(shadow, entry) if shadow is not None else ())))
    differs_at = None
    try:
        if entry.shadow_of:
            await _shadow(entry, policy, STAGES, trace)
            return _same(entry, trace, trace.differs_at)
        decision = await pipeline.answer(request_of(entry), policy, STAGES, trace)
        differs_at = trace.differs_at
        rung = decision.rung.name if decision.rung else None
        if differs_at is None and (decision.action, rung) != (entry.action, entry.rung):
            differs_at = "action"
    except Unobserved as silent:
        # A request that was refused or broken off ends where its journal ends: that is the same page.
        ended = entry.error != "" and len(trace.steps) == len(entry.steps)
        differs_at = trace.differs_at if ended else trace.differs_at or str(silent)
    except KeyError:
        differs_at = f"feature {entry.feature} is not in this policy"
    return _same(entry, trace, differs_at)


async def _shadow(entry: JournalEntry, policy: Policy, stages: Stages, trace: ReplayTrace) -> None:
    """The page of a shadow call: the rung that its request's lot chooses. Raises Unobserved where it chooses none."""
    feature = policy.features[entry.feature]
    request = request_of(entry)
    question = await trace.effect(None, stages.read, request)
    kept = next((step.value for step in entry.steps if isinstance(step.value, ShadowCall)), None)
    chosen = None
    if kept is not None and kept.again:
        chosen = repeat_call(feature, kept.rung, kept.asked, entry.draw)
    elif kept is not None:
        chosen = shadow_call(feature, kept.asked, entry.draw)
    if chosen is None:
        raise Unobserved("shadow", None)
    rung = next(each for each in feature.ladder if each.name == chosen.rung)
    await pipeline.shadow(Try(request=request, question=question, rung=rung), chosen, (), feature, stages, trace)


def _of_rung(shadow: JournalEntry, entry: JournalEntry) -> tuple[Step, ...]:
    """What a shadow call's rung was asked, said and was seen of; nothing where it gave no draft or the request asked it too."""
    asked = {step.rung for step in entry.steps}
    found = tuple(
        step for step in shadow.steps if step.stage in ("fit", "call", "check") and step.rung not in asked
    )  # fmt: skip
    return found if any(isinstance(step.value, Draft) for step in found) else ()


def _same(entry: JournalEntry, trace: ReplayTrace, differs_at: str | None) -> Replayed:
    return Replayed(
        request_id=entry.request_id,
        same=differs_at is None,
        differs_at=differs_at,
        entry=entry,
        steps=tuple(trace.steps),
    )


def request_of(entry: JournalEntry) -> Request:
    """The request of an entry as far as the journal has it: without content."""
    question = next((step.value.question for step in entry.steps if isinstance(step.value, Read)), None)
    return Request(
        id=entry.request_id,
        at_ns=entry.at_ns,
        draw=entry.draw,
        dialect=entry.dialect,
        surface=entry.surface,
        caller=Caller(key_id=entry.key_id, tenant=entry.tenant),
        feature=entry.feature,
        model=question.model if question else "",
        stream=question.stream if question else False,
        body=b"",
    )


def _short(step: Step) -> str:
    said = msgspec.to_builtins(step.value)
    return msgspec.json.encode({key: value for key, value in said.items() if value not in (None, "", [], {})}).decode()
