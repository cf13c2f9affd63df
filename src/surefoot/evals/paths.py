"""One journaled request under another policy: the same page, read from the journal, as far as the journal goes.

What a lot decided is told apart from what nobody could have seen. The start of a routed ladder is drawn with a journaled
propensity: a request that began elsewhere stands for none that begin here, those that began here stand for 1 / propensity.
A rung above the one that answered was never asked, by no lot: what it would have said is not in any log.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from surefoot import pipeline
from surefoot.errors import Unobserved
from surefoot.learning.gathered import of_today
from surefoot.pipeline import Stage
from surefoot.policy import Feature, Policy
from surefoot.records import (
    Ask,
    Attempt,
    Checked,
    Confidence,
    Decision,
    Draft,
    Evidence,
    Fitted,
    JournalEntry,
    NoDraft,
    Read,
    Routed,
    Rung,
    Step,
    Tried,
    Try,
    Verdict,
)
from surefoot.replay import STAGES, request_of

Given = TypeVar("Given")
Got = TypeVar("Got")

SEEN, MISSED, BLIND = "seen", "missed", "blind"
BELOW = "agreement.below"  # the signal that depends on which rungs were asked before

Meant = Mapping[str, tuple[str, ...]]  # by rung name, which models it means: "provider kind/upstream name"


class Path(Struct, frozen=True, kw_only=True):
    """What a policy does with one request."""

    state: str  # SEEN | MISSED: another start was drawn | BLIND: no lot could have shown it
    propensity: float  # of the start that this path needs, as it was drawn then; 1 where no lot decided
    asked: tuple[str, ...] = ()  # rungs, in order; of a blind path those before the one that is missing
    action: str = ""  # "deliver" | "escalate" | "default" | "fail"; "" unless it was seen
    rung: str = ""  # whose draft is delivered, or would be shown to the person
    role: str = ""  # whose case it is
    p: float | None = None  # of that draft; None: nobody knows
    upstream_us: int = 0  # microseconds that providers took
    missing: str = ""  # "draft of rung big": what the journal does not hold
    stopped: str = ""  # that rung; "" where it is seen to the end

    @property
    def end(self) -> str:
        """How it ends, in words: "deliver small", "escalate nurse", "fail"."""
        told = {"deliver": self.rung, "escalate": self.role}.get(self.action, "")
        return f"{self.action} {told}".rstrip()

    @property
    def delivers(self) -> bool:
        """Whether a draft goes out."""
        return self.action == "deliver"

    @property
    def needs_person(self) -> bool:
        """Whether it is given to a person."""
        return self.action == "escalate"


class _Trace:
    """Reads the journal for every effect, and remembers what was asked. Raises Unobserved where the journal is silent."""

    __slots__ = ("_meant", "_steps", "asked", "drafted", "start", "upstream_us")

    def __init__(self, steps: tuple[Step, ...], meant: Meant) -> None:
        self._steps = {(step.stage, step.rung): step.value for step in steps}
        self._meant = meant
        self.asked: list[str] = []
        self.drafted: list[str] = []
        self.start: str | None = None  # where the candidate's routing begins; None: it does not route
        self.upstream_us = 0

    async def effect(self, rung: Rung | None, stage: Stage[Given, Got], value: Given) -> Got:
        name = rung.name if rung is not None else None
        kept = self._steps.get((stage.name, name))
        if kept is None:
            raise Unobserved(stage.name, name)
        match kept:
            case Read():
                return cast(Got, kept.question)
            case Fitted():
                tried = cast(Try, value)
                return cast(
                    Got, Ask(request=tried.request, question=tried.question, rung=tried.rung, models=kept.models)
                )
            case Checked():
                return cast(Got, self._seen(kept.evidence, cast(Tried, value)))
            case Draft() | NoDraft():
                return cast(Got, self._called(kept, name or ""))
            case _:
                raise Unobserved(stage.name, name)

    def called(self, rung: Rung, attempt: Attempt) -> None:
        raise Unobserved("open", rung.name)

    def routed(self, routed: Routed) -> None:
        self.start = routed.start

    def weighed(self, rung: Rung, confidence: Confidence) -> None:
        pass

    def decided(self, rung: Rung | None, verdict: Verdict) -> None:
        pass

    def logged(self) -> Routed | None:
        """The lot for the start, as it was drawn then."""
        found = self._steps.get(("route", None))
        return found if isinstance(found, Routed) else None

    def _called(self, kept: Draft | NoDraft, rung: str) -> Attempt:
        if isinstance(kept, Draft):
            if kept.believed is None and not of_today(kept.model, self._meant.get(rung, ())):
                raise Unobserved("call", rung)  # a draft of another model than the candidate means
            self.drafted.append(rung)
        self.asked.append(rung)
        self.upstream_us += kept.upstream_us
        return Attempt(draft=kept)

    def _seen(self, evidence: Evidence, tried: Tried) -> Evidence:
        """The evidence, where it does not hang on drafts below that the candidate has not, or has more of."""
        if evidence.score(BELOW) is None:
            return evidence
        rung = tried.ask.rung.name
        before = [name for name in self.drafted if name != rung]
        then = []
        for stage, name in self._steps:
            if stage == "call" and name == rung:
                break
            if stage == "call" and isinstance(self._steps[stage, name], Draft):
                then.append(name)
        if before == then:
            return evidence
        if before:
            raise Unobserved("check", rung)
        bare = tuple(replace(each, score=None) if each.name == BELOW else each for each in evidence.signals)
        return replace(evidence, signals=bare)


def enforced(feature: Feature) -> Feature:
    """The feature as a what-if takes it: it acts, its promise is certified, and its ladder begins where it is best.

    Exploration is left out: it is what is paid for knowing, and the same for every policy.
    """
    route = replace(feature.route, explore=0.0) if feature.route is not None else None
    return replace(feature, mode="enforce", promise=None, route=route)


def follow(entry: JournalEntry, policy: Policy, meant: Meant) -> Path:
    """What a policy would have done with a journaled request.

    Args:
        policy: of `enforced` features.
        meant: what its rungs mean; drafts of other models are no drafts of theirs.
    Raises: KeyError when the feature is not in the policy.
    """
    trace = _Trace(entry.steps, meant)
    feature = policy.features[entry.feature]
    decision, missing, stopped = None, "", ""
    try:
        decision = run(entry, policy, trace)
    except Unobserved as silent:
        missing, stopped = _words(silent), silent.rung or ""
    needed, propensity, drawn = _lot(trace, feature, ended=decision is not None)
    if needed and not drawn:
        return Path(state=MISSED, propensity=propensity, missing=missing or f"start at {needed}")
    if decision is None:
        return Path(
            state=BLIND, propensity=propensity, asked=tuple(trace.asked), upstream_us=trace.upstream_us, missing=missing,
            stopped=stopped,
        )  # fmt: skip
    return Path(
        state=SEEN, propensity=propensity, asked=tuple(trace.asked), action=decision.action,
        rung=decision.rung.name if decision.rung is not None else "", role=getattr(decision.verdict, "role", ""),
        p=decision.confidence.p, upstream_us=trace.upstream_us,
    )  # fmt: skip


def _words(silent: Unobserved) -> str:
    if silent.rung is None:
        return "question"
    return f"draft of rung {silent.rung}" + (" beside these drafts below it" if silent.stage == "check" else "")


def run(entry: JournalEntry, policy: Policy, trace: pipeline.Trace) -> Decision:
    """The page over an entry. Nothing in it waits, so that one push brings it to its end without a loop.

    Raises: Unobserved where the journal is silent.
    """
    page = pipeline.answer(request_of(entry), policy, STAGES, trace)
    try:
        page.send(None)  # an async function is a coroutine
    except StopIteration as end:
        return cast(Decision, end.value)
    raise RuntimeError("a replay waited for something")


def _lot(trace: _Trace, feature: Feature, *, ended: bool) -> tuple[str, float, bool]:
    """(the start that the path hangs on, "" where it hangs on none; how probable it was; whether it was drawn).

    A path that came to its end before any rung at which the lot could begin (a rule, the cache) hangs on none. Nor does one
    that begins where the lot could not: what was climbed to is then taken as it is, no lot stands in between.
    """
    logged = trace.logged()
    if logged is None:
        return "", 1.0, True
    places = {each.rung: each.propensity for each in logged.candidates}
    first = trace.start or next((rung.name for rung in feature.ladder if rung.kind != "cache"), "")
    chance = places.get(first, 0.0)
    if chance <= 0 or (ended and not any(name in places for name in trace.asked)):
        return "", 1.0, True
    return first, chance, logged.start == first
