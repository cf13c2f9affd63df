"""The page: how one request climbs its ladder. Live traffic, replay, trial and tests all run these functions.

Effects (read, fit, call, check) touch the world through four slots of one shape; rules (admit, route, weigh, decide) are pure
and stand here in the order in which they rule. The trace sees every value that a stage or a rule returned.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol, TypeVar

from msgspec.structs import replace

from surefoot.errors import ProviderError
from surefoot.policy import Feature, Policy, above, act, action_of, admit, decide, route, weigh
from surefoot.records import (
    Ask,
    Attempt,
    Confidence,
    Decision,
    Deliver,
    Draft,
    Escalate,
    Evidence,
    Question,
    Request,
    Routed,
    Rung,
    ShadowCall,
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

    def sentences(self) -> AsyncGenerator[str, None]:
        """Instead of events: the text so far, at the end of each sentence but the last. Raises ProviderError."""

    def attempt(self) -> Attempt:
        """What was said, once `events` is exhausted or given up; its usage is estimated if it was broken off."""

    def until(self, text: str, released: int) -> Attempt:
        """The answer as if it had ended with this text, to be judged before it is released."""

    def stopped(self, text: str, released: int) -> Attempt:
        """The attempt of an answer that was stopped after this text."""

    def broken(self, error: ProviderError, released: int) -> Attempt:
        """The attempt of an answer whose stream broke."""

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

    def routed(self, routed: Routed) -> None:
        """A place to begin was chosen."""

    def shadowed(self, call: ShadowCall) -> None:
        """A rung was asked for the journal's sake."""

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
        return _admitted(feature, question, trace, sent)
    best, below, rest = None, Below(), begun(feature, question, request, trace)
    while True:
        rung, rest = rest[0], rest[1:]
        ask = await trace.effect(rung, stages.fit, Try(request=request, question=question, rung=rung))
        attempt = await trace.effect(rung, stages.call, ask)
        rest = above(rest, attempt.draft)
        best, done = await judge(feature, stages, trace, below.tried(ask, attempt), len(rest), best)
        if done:
            return best


def begun(feature: Feature, question: Question, request: Request, trace: Trace) -> tuple[Rung, ...]:
    """The rungs to try, in order; where expectations chose the first, the trace sees why."""
    rungs, routed = route(feature, question, request.draw)
    if routed is not None:
        trace.routed(routed)
    return rungs


class Below:
    """What the rungs below said: a draft that agrees with an earlier one is worth more."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said: tuple[Attempt, ...] = ()

    def seen(self, ask: Ask, attempt: Attempt) -> Tried:
        """A rung's attempt with what came before."""
        return Tried(ask=ask, attempt=attempt, before=self._said)

    def tried(self, ask: Ask, attempt: Attempt) -> Tried:
        """A rung's attempt with what came before; from here on it is itself among that."""
        tried = self.seen(ask, attempt)
        if attempt.answer is not None:
            self._said = (*self._said, attempt)
        return tried


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
        return _admitted(feature, question, trace, sent)
    best, below, rest = None, Below(), begun(feature, question, request, trace)
    while True:
        rung, rest = rest[0], rest[1:]
        ask = await trace.effect(rung, stages.fit, Try(request=request, question=question, rung=rung))
        opened = await stages.call.open(ask)
        if not isinstance(opened, Attempt):
            return Passing(feature=feature, ask=ask, flow=opened, left=len(rest))
        trace.called(rung, opened)
        best, done = await judge(feature, stages, trace, below.tried(ask, opened), len(rest), best)
        if done:
            return best


@dataclass(frozen=True, slots=True)
class Released:
    """A piece of an answer that the caller may have now: up to its end, every sentence is supported and safe enough."""

    text: str
    model: str  # that wrote it


async def by_sentence(
    request: Request, policy: Policy, stages: Stages, trace: Trace
) -> AsyncGenerator[Released | Decision, None]:
    """The page's third verb, for `stream = "sentence"`: pieces as soon as they are judged, then the decision.

    At the first unsupported sentence the model is stopped and the ladder climbed. What was released stays: the rungs above go
    on from it, each as a rung of its own. What `answer` decides of the same journal is the same, so that a replay needs no
    verb of its own. An answer that cannot be released in part comes with the decision alone.
    """
    feature = policy.features[request.feature]
    question = await trace.effect(None, stages.read, request)
    if (sent := admit(feature, question)) is not None:
        yield _admitted(feature, question, trace, sent)
        return
    best, below, rest, said = None, Below(), begun(feature, question, request, trace), ""
    while True:
        rung, rest = rest[0], rest[1:]
        ask = await trace.effect(rung, stages.fit, Try(request=request, question=question, rung=rung, said=said))
        opened = await (stages.call.open(ask) if question.by_sentence else stages.call(ask))
        if not isinstance(opened, Attempt):
            spoken = Spoken(feature, stages, below, ask, opened)
            async with aclosing(spoken.told(trace, len(rest))) as pieces:
                async for piece in pieces:
                    yield piece
            opened, said = spoken.end(), spoken.released
        elif said:
            opened = replace(opened, draft=replace(opened.draft, released=len(said)))
        trace.called(rung, opened)
        rest = above(rest, opened.draft)
        best, done = await judge(feature, stages, trace, below.tried(ask, opened), len(rest), best)
        if done:
            yield best
            return


class Spoken:
    """One rung's answer while it is written; `released` is what the caller has of it, earlier rungs' part included."""

    def __init__(self, feature: Feature, stages: Stages, below: Below, ask: Ask, flow: Flow) -> None:
        self._feature, self._stages, self._below, self._ask, self._flow = feature, stages, below, ask, flow
        self.released, self.ended = ask.said, False
        self._stopped: str | None = None  # the text after which the model was stopped
        self._broken: ProviderError | None = None

    async def told(self, trace: Trace, left: int) -> AsyncGenerator[Released, None]:
        """What may be released; when the caller leaves meanwhile, what was written is traced all the same: it is paid for."""
        try:
            async with aclosing(self._pieces(left)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            if not self.ended:
                trace.called(self._ask.rung, self.end())

    async def _pieces(self, left: int) -> AsyncGenerator[Released, None]:
        """Until the model ends, is stopped, or its stream breaks."""
        self._stopped = self.released  # unless it comes to its end
        try:
            async with aclosing(self._flow.sentences()) as sentences:
                async for text in sentences:
                    verdict, supported, model = await self._judged(text, left)
                    if supported is False:
                        self._stopped, self.ended = text, True
                        return
                    if supported and isinstance(verdict, Deliver):
                        piece, self.released, self._stopped = text[len(self.released) :], text, text
                        yield Released(piece, model)
            self._stopped, self.ended = None, True
        except ProviderError as error:
            self._broken, self.ended = error, True
        finally:
            if self._stopped is not None:  # an unsupported sentence, or the caller left
                await self._flow.cancel()

    def end(self) -> Attempt:
        """The rung's attempt."""
        if self._broken is not None:
            return self._flow.broken(self._broken, len(self.released))
        if self._stopped is not None:
            return self._flow.stopped(self._stopped, len(self.released))
        whole = self._flow.attempt()
        return replace(whole, draft=replace(whole.draft, released=len(self.released))) if self.released else whole

    async def _judged(self, text: str, left: int) -> tuple[Verdict, bool | None, str]:
        """(the verdict if the answer ended here, whether every sentence is supported or None when that cannot be told, who
        wrote it)."""
        tried = self._below.seen(self._ask, self._flow.until(text, len(self.released)))
        evidence = await self._stages.check(tried)
        rung, draft = self._ask.rung, tried.attempt.draft
        confidence = weigh(self._feature, rung, draft, evidence)
        verdict = decide(self._feature, self._ask.question, rung, draft, evidence, confidence, left)
        supported = all(span.supported for span in evidence.spans) if evidence.spans else None
        return verdict, supported, draft.model


Verb = Callable[[Request, Policy, Stages, Trace], Awaitable[Decision | Passing | Released]]
"""What the three verbs have in common; the third gives one value after the other."""


async def judge_passed(passing: Passing, stages: Stages, trace: Trace) -> Decision:
    """The decision on an answer that was passed on: what the policy would have done."""
    attempt = passing.flow.attempt()
    trace.called(passing.ask.rung, attempt)
    tried = Tried(ask=passing.ask, attempt=attempt)
    decision, _ = await judge(passing.feature, stages, trace, tried, passing.left, None)
    return decision


async def shadow(
    tried: Try, chosen: ShadowCall, before: tuple[Attempt, ...], feature: Feature, stages: Stages, trace: Trace
) -> None:
    """The page's fourth verb: ask one rung after the answer went out, and judge its draft as if the ladder had come to it.

    Nothing is decided, since nobody is given anything. Raises: whatever a stage refuses with.
    """
    trace.shadowed(chosen)
    ask = await trace.effect(tried.rung, stages.fit, tried)
    attempt = await trace.effect(tried.rung, stages.call, ask)
    evidence = await trace.effect(tried.rung, stages.check, Tried(ask=ask, attempt=attempt, before=before))
    trace.weighed(tried.rung, weigh(feature, tried.rung, attempt.draft, evidence))


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
    action = action_of(feature, tried.ask.question, verdict)
    if not isinstance(draft, Draft) and best is not None and action != "fail":
        shown = best
    else:
        shown = _decision(feature, action, verdict, tried, evidence, confidence)
    final = Decision(
        verdict=verdict, action=action, mode=feature.mode, rung=shown.rung,
        confidence=shown.confidence, evidence=shown.evidence, attempt=shown.attempt,
    )  # fmt: skip
    return final, not isinstance(verdict, Stronger)


def _admitted(feature: Feature, question: Question, trace: Trace, sent: Escalate) -> Decision:
    """The decision of a rule that stands before every rung, in `observe` too: it was written down on purpose."""
    trace.decided(None, sent)
    return Decision(verdict=sent, action=action_of(feature, question, sent), mode=feature.mode, rung=None)


def _decision(
    feature: Feature, action: str, verdict: Verdict, tried: Tried, evidence: Evidence, confidence: Confidence
) -> Decision:
    return Decision(
        verdict=verdict, action=action, mode=feature.mode, rung=tried.ask.rung,
        confidence=confidence, evidence=evidence, attempt=tried.attempt,
    )  # fmt: skip
