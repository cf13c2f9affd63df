"""The page: how one request climbs its ladder. Live traffic, replay, trial and tests all run these functions.

Effects (read, fit, call, check) touch the world through four slots of one shape; rules (admit, route, weigh, decide) are pure
and stand here in the order in which they rule. The trace sees every value that a stage or a rule returned.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from surefoot.policy import Feature, Policy, act, admit, decide, route, weigh
from surefoot.records import (
    Ask,
    Attempt,
    Confidence,
    Decision,
    Draft,
    Escalate,
    Evidence,
    Fail,
    Question,
    Request,
    Rung,
    Stronger,
    Tried,
    Try,
    Verdict,
)

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
Given = TypeVar("Given")
Got = TypeVar("Got")


class Stage(Protocol[In, Out]):
    """One effect: a name, and a value for a value."""

    @property
    def name(self) -> str:
        """How the journal calls it."""

    async def __call__(self, value: In, /) -> Out:
        """Do the work."""


class Flow(Protocol):
    """A draft that is still being written: its first event has arrived."""

    def events(self) -> AsyncIterator[bytes]:
        """Raw events as they come. Raises ProviderError when the stream breaks."""

    def attempt(self) -> Attempt:
        """What was said, once `events` is exhausted or given up; its usage is estimated if it was broken off."""

    async def cancel(self) -> None:
        """Stop the provider."""


class Call(Stage[Ask, Attempt], Protocol):
    """The call slot has a second verb, for answers that are passed on while they are written."""

    async def open(self, value: Ask, /) -> Attempt | Flow:
        """A flow where the rung can stream, else the complete attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The four slots of the page."""

    read: Stage[Request, Question]
    fit: Stage[Try, Ask]
    call: Call
    check: Stage[Tried, Evidence]


class Trace(Protocol):
    """Whoever watches the page: the live trace records, the replaying one reads the journal instead of the world."""

    async def effect(self, rung: Rung | None, stage: Stage[Given, Got], value: Given) -> Got:
        """What the stage returns for a value."""

    def called(self, rung: Rung, attempt: Attempt) -> None:
        """An attempt came by the second verb."""

    def weighed(self, rung: Rung, confidence: Confidence) -> None:
        """A confidence was computed."""

    def decided(self, rung: Rung | None, verdict: Verdict) -> None:
        """A verdict was reached; without a rung it is that of `admit`."""


async def answer(request: Request, policy: Policy, stages: Stages, trace: Trace) -> Decision:
    """The decision on a request: the cheapest draft that is safe enough, or a person.

    Raises: whatever a stage refuses with (BudgetSpent, UpstreamFailed); the trace then holds what happened so far.
    """
    feature = policy.features[request.feature]
    question = await trace.effect(None, stages.read, request)
    if (sent := admit(feature, question)) is not None:
        return _admitted(feature, trace, sent)
    ladder = route(feature, question)
    best: Decision | None = None
    before = Below()
    for left, rung in zip(range(len(ladder) - 1, -1, -1), ladder, strict=True):
        ask = await trace.effect(rung, stages.fit, Try(request=request, question=question, rung=rung))
        attempt = await trace.effect(rung, stages.call, ask)
        best, done = await judge(feature, stages, trace, before.tried(ask, attempt), left, best)
        if done:
            return best
    raise AssertionError("the last rung always ends the page")


class Below:
    """What the rungs below said: a draft that agrees with an earlier one is worth more."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: tuple[Attempt, ...] = ()

    def tried(self, ask: Ask, attempt: Attempt) -> Tried:
        """A rung's attempt with what came before; from here on it is itself among that."""
        before = self._said
        if attempt.answer is not None:
            self._said = (*before, attempt)
        return Tried(ask=ask, attempt=attempt, before=before)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """An answer on its way to the caller, not judged yet."""

    feature: Feature
    ask: Ask
    flow: Flow
    left: int


async def through(request: Request, policy: Policy, stages: Stages, trace: Trace) -> Decision | Passing:
    """The page's second verb, for `stream = "through"`: pass on the first rung that begins to speak, judge it afterwards.

    Only `observe` may do this (the configuration refuses it in `enforce`): nothing that is passed on can be taken back.
    """
    feature = policy.features[request.feature]
    question = await trace.effect(None, stages.read, request)
    if (sent := admit(feature, question)) is not None:
        return _admitted(feature, trace, sent)
    ladder = route(feature, question)
    best: Decision | None = None
    before = Below()
    for left, rung in zip(range(len(ladder) - 1, -1, -1), ladder, strict=True):
        ask = await trace.effect(rung, stages.fit, Try(request=request, question=question, rung=rung))
        opened = await stages.call.open(ask)
        if not isinstance(opened, Attempt):
            return Passing(feature=feature, ask=ask, flow=opened, left=left)
        trace.called(rung, opened)
        best, done = await judge(feature, stages, trace, before.tried(ask, opened), left, best)
        if done:
            return best
    raise AssertionError("the last rung always ends the page")


Verb = Callable[[Request, Policy, Stages, Trace], Awaitable[Decision | Passing]]
"""What `answer` and `through` have in common."""


async def judge_passed(passing: Passing, stages: Stages, trace: Trace) -> Decision:
    """The decision on an answer that was passed on: what the policy would have done."""
    attempt = passing.flow.attempt()
    trace.called(passing.ask.rung, attempt)
    tried = Tried(ask=passing.ask, attempt=attempt)
    decision, _ = await judge(passing.feature, stages, trace, tried, passing.left, None)
    return decision


async def judge(
    feature: Feature, stages: Stages, trace: Trace, tried: Tried, left: int, best: Decision | None
) -> tuple[Decision, bool]:
    """One rung's draft, checked, weighed and decided: (the decision so far, whether it is final).

    `best` is the decision on the best draft so far; it is kept when this rung yields none, so that a person sees it.
    """
    rung, draft = tried.ask.rung, tried.attempt.draft
    evidence = await trace.effect(rung, stages.check, tried)
    confidence = weigh(feature, rung, draft, evidence)
    trace.weighed(rung, confidence)
    verdict = decide(feature, tried.ask.question, rung, draft, evidence, confidence, left)
    trace.decided(rung, verdict)
    if act(feature, verdict, draft):
        return _decision(feature, "deliver", verdict, tried, evidence, confidence), True
    action = {Escalate: "escalate", Fail: "fail"}.get(type(verdict), "climb")
    if not isinstance(draft, Draft) and best is not None and action != "fail":
        shown = best
    else:
        shown = _decision(feature, action, verdict, tried, evidence, confidence)
    final = Decision(
        verdict=verdict, action=action, mode=feature.mode, rung=shown.rung,
        confidence=shown.confidence, evidence=shown.evidence, attempt=shown.attempt,
    )  # fmt: skip
    return final, not isinstance(verdict, Stronger)


def _admitted(feature: Feature, trace: Trace, sent: Escalate) -> Decision:
    """The decision of a rule that stands before every rung, in `observe` too: it was written down on purpose."""
    trace.decided(None, sent)
    return Decision(verdict=sent, action="escalate", mode=feature.mode, rung=None)


def _decision(
    feature: Feature, action: str, verdict: Verdict, tried: Tried, evidence: Evidence, confidence: Confidence
) -> Decision:
    return Decision(
        verdict=verdict, action=action, mode=feature.mode, rung=tried.ask.rung,
        confidence=confidence, evidence=evidence, attempt=tried.attempt,
    )  # fmt: skip
