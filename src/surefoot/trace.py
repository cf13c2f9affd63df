"""Two watchers of the page: one records what every stage returned, the other reads the journal instead of the world."""

from __future__ import annotations

from typing import TypeVar, cast

import msgspec
from msgspec.structs import replace

from surefoot.errors import Unobserved
from surefoot.pipeline import Stage
from surefoot.records import (
    Ask,
    Attempt,
    Checked,
    Confidence,
    Draft,
    Evidence,
    Fitted,
    NoDraft,
    PricedCall,
    Question,
    Read,
    Routed,
    Rung,
    ShadowCall,
    Step,
    Try,
    Verdict,
    Weighed,
)

Given = TypeVar("Given")
Got = TypeVar("Got")


class LiveTrace:
    """Runs the stages and keeps what they return, in order. Content stays in the attempts and never enters a step."""

    __slots__ = ("attempts", "judged", "question", "steps")

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.attempts: list[Attempt] = []
        self.judged: list[PricedCall] = []  # what checks had to pay for
        self.question: Question | None = None

    async def effect(self, rung: Rung | None, stage: Stage[Given, Got], value: Given) -> Got:
        """Run the stage and record its result."""
        got = await stage(value)
        kept: Read | Fitted | Draft | NoDraft | Checked
        match got:
            case Ask():
                kept = Fitted.of(got)
            case Attempt():
                self.attempts.append(got)
                kept = got.draft
            case Evidence():
                self.judged += got.priced
                kept = Checked(evidence=replace(got, priced=()) if got.priced else got)
            case Question():
                self.question = got
                kept = Read(question=got)
            case _:
                raise TypeError(f"stage {stage.name} returned what the journal has no place for")
        self.steps.append(Step(stage=stage.name, rung=rung.name if rung else None, value=kept))
        return got

    @property
    def route(self) -> Routed | None:
        """Where the ladder was begun and why; None where nothing was expected of any rung."""
        return next((step.value for step in self.steps if isinstance(step.value, Routed)), None)

    def called(self, rung: Rung, attempt: Attempt) -> None:
        """Record an attempt that came by the second verb."""
        self.attempts.append(attempt)
        self.steps.append(Step(stage="call", rung=rung.name, value=attempt.draft))

    def routed(self, routed: Routed) -> None:
        """Record where the ladder is begun."""
        self.steps.append(Step(stage="route", rung=None, value=routed))

    def asked_before(self, question: Question) -> None:
        """Record a question that was read for the request whose shadow call this is."""
        self.question = question
        self.steps.append(Step(stage="read", rung=None, value=Read(question=question)))

    def shadowed(self, call: ShadowCall) -> None:
        """Record which rung is asked for the journal's sake."""
        self.steps.append(Step(stage="shadow", rung=call.rung, value=call))

    def compared(self, against: str, agreement: float | None) -> None:
        """Record how a shadow call's answer agrees with the one that went out."""
        for place, step in enumerate(self.steps):
            if isinstance(step.value, ShadowCall):
                told = replace(step.value, against=against, agreement=agreement)
                self.steps[place] = replace(step, value=told)

    def weighed(self, rung: Rung, confidence: Confidence) -> None:
        """Record a confidence."""
        self.steps.append(Step(stage="weigh", rung=rung.name, value=Weighed(confidence=confidence)))

    def decided(self, rung: Rung | None, verdict: Verdict) -> None:
        """Record a verdict."""
        self.steps.append(_verdict_step(rung, verdict))


class ReplayTrace:
    """Gives every effect what the journal holds of it, and compares every rule's result with the journal's, byte for byte.

    Raises Unobserved where the journal is silent. `differs_at` names the first rule that came out otherwise.
    """

    __slots__ = ("_steps", "differs_at", "steps")

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = {(step.stage, step.rung): step for step in steps}
        self.steps: list[Step] = []
        self.differs_at: str | None = None

    async def effect(self, rung: Rung | None, stage: Stage[Given, Got], value: Given) -> Got:
        """What the journal says this stage returned."""
        step = self._observed(stage.name, rung)
        self.steps.append(step)
        kept = step.value
        match kept:
            case Read():
                return cast(Got, kept.question)
            case Checked():
                return cast(Got, kept.evidence)
            case Fitted():
                tried = cast(Try, value)
                return cast(
                    Got,
                    Ask(
                        request=tried.request, question=tried.question, rung=tried.rung, models=kept.models,
                        reserve_nanodollars=kept.reserve_nanodollars, refusal=kept.refusal, shortened=kept.shortened,
                    ),
                )  # fmt: skip
            case _:
                return cast(Got, Attempt(draft=kept))  # type: ignore[arg-type]  # a call's value is a draft or none

    def called(self, rung: Rung, attempt: Attempt) -> None:
        """Never asked: a replay has no second verb."""
        raise Unobserved("open", rung.name)

    def routed(self, routed: Routed) -> None:
        """Compare where the ladder is begun with the journal's."""
        self._compare(Step(stage="route", rung=None, value=routed))

    def shadowed(self, call: ShadowCall) -> None:
        """Compare which rung was asked for the journal's sake, and how probable that was."""
        kept = self._steps.get(("shadow", call.rung))
        if kept is not None and isinstance(kept.value, ShadowCall):  # what it said was compared later: no rule's result
            call = replace(call, against=kept.value.against, agreement=kept.value.agreement)
        self._compare(Step(stage="shadow", rung=call.rung, value=call))

    def weighed(self, rung: Rung, confidence: Confidence) -> None:
        """Compare a confidence with the journal's."""
        self._compare(Step(stage="weigh", rung=rung.name, value=Weighed(confidence=confidence)))

    def decided(self, rung: Rung | None, verdict: Verdict) -> None:
        """Compare a verdict with the journal's."""
        self._compare(_verdict_step(rung, verdict))

    def _observed(self, stage: str, rung: Rung | None) -> Step:
        name = rung.name if rung else None
        step = self._steps.get((stage, name))
        if step is None:
            raise Unobserved(stage, name)
        return step

    def _compare(self, step: Step) -> None:
        self.steps.append(step)
        kept = self._steps.get((step.stage, step.rung))
        if self.differs_at is None and (kept is None or msgspec.json.encode(kept) != msgspec.json.encode(step)):
            self.differs_at = f"{step.stage} of rung {step.rung}"


def _verdict_step(rung: Rung | None, verdict: Verdict) -> Step:
    return Step(stage="decide" if rung else "admit", rung=rung.name if rung else None, value=verdict)
