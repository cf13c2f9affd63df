"""One journaled request under another policy: the same page, read from the journal, as far as the journal goes.

What a lot decided is told apart from what nobody could have seen. Two lots have journaled propensities: where a routed ladder
began, and which rung was asked in the shadow of the answer. A request for which the lot fell otherwise says nothing; those that
it favoured stand for 1 / propensity each. What no lot could have shown is not in any log.
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
    ShadowCall,
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

    state: str  # SEEN | MISSED: a lot fell otherwise | BLIND: no lot could have shown it
    propensity: float  # of the lots that this path needs, as they were drawn then; 1 where no lot decided
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

    def shadowed(self, call: ShadowCall) -> None:
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


class Logged(Struct, frozen=True, kw_only=True):
    """One request as the journal has it."""

    entry: JournalEntry
    shadow: JournalEntry | None = None  # the entry of its shadow call
    rules: Feature | None = (
        None  # that it was answered by; None: they are not kept, and whether a lot was drawn is not known
    )


def follow(logged: Logged, policy: Policy, meant: Meant) -> Path:
    """What a policy would have done with a journaled request.

    Args:
        policy: of `enforced` features.
        meant: what its rungs mean; drafts of other models are no drafts of theirs.
    Raises: KeyError when the feature is not in the policy.
    """
    entry = logged.entry
    feature = policy.features[entry.feature]
    trace = _Trace(entry.steps, meant)
    decision, silent = _ran(entry, policy, trace)
    needed, propensity, drawn = _start(trace, feature, logged.rules, ended=decision is not None)
    if not drawn:
        return Path(state=MISSED, propensity=propensity, missing=f"start at {needed}")
    if silent is not None and silent.rung is not None and (chance := _shadow_chance(logged, silent.rung)) > 0:
        propensity *= chance
        steps = _shadow_steps(logged, silent.rung)
        if not steps:
            return Path(state=MISSED, propensity=propensity, missing=_words(silent))
        trace = _Trace((*entry.steps, *steps), meant)
        decision, silent = _ran(entry, policy, trace)
    if decision is None:
        assert silent is not None
        return Path(
            state=BLIND, propensity=propensity, asked=tuple(trace.asked), upstream_us=trace.upstream_us,
            missing=_words(silent), stopped=silent.rung or "",
        )  # fmt: skip
    return Path(
        state=SEEN, propensity=propensity, asked=tuple(trace.asked), action=decision.action,
        rung=decision.rung.name if decision.rung is not None else "", role=getattr(decision.verdict, "role", ""),
        p=decision.confidence.p, upstream_us=trace.upstream_us,
    )  # fmt: skip


def _ran(entry: JournalEntry, policy: Policy, trace: _Trace) -> tuple[Decision | None, Unobserved | None]:
    """(the decision, None), or (None, what the journal is silent about)."""
    try:
        return run(entry, policy, trace), None
    except Unobserved as silent:
        return None, silent


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


def _start(trace: _Trace, feature: Feature, rules: Feature | None, *, ended: bool) -> tuple[str, float, bool]:
    """(the start that the path hangs on, "" where it hangs on none; how probable it was; whether it was drawn).

    A path that came to its end before any rung at which the lot could begin (a rule, the cache) hangs on none. Nor does one
    that begins where the lot could not: what was climbed to is then taken as it is, no lot stands in between. Where shadow
    calls tell more of the candidate's start than exploration does, it hangs on the usual start, in whose shadow it is asked.
    """
    logged = trace.logged()
    if logged is None:
        return "", 1.0, True
    places = {each.rung: each.propensity for each in logged.candidates}
    first = trace.start or next((rung.name for rung in feature.ladder if rung.kind != "cache"), "")
    chance = places.get(first, 0.0)
    if ended and not any(name in places for name in trace.asked):
        return "", 1.0, True
    usual = max(places, key=lambda name: places[name])
    others = 0 if rules is None else sum(bool(rung.models) for rung in rules.ladder) - 1
    shadow = rules.route.shadow / others if rules is not None and rules.route is not None and others else 0.0
    if shadow * places[usual] > chance:
        return usual, places[usual], logged.start == usual
    return (first, chance, logged.start == first) if chance > 0 else ("", 1.0, True)


def _shadow_chance(logged: Logged, rung: str) -> float:
    """How probable it was that a rung was asked in the shadow of this request's answer; 0 where it could not be."""
    rules, entry = logged.rules, logged.entry
    asked = {step.rung for step in entry.steps if step.stage == "call"}
    if rules is None or rules.route is None or rung in asked:
        return 0.0
    if not any(isinstance(step.value, Draft) for step in entry.steps):
        return 0.0  # there was no answer to compare with: none is asked
    others = [each.name for each in rules.ladder if each.models and each.name not in asked]
    return rules.route.shadow / len(others) if rung in others else 0.0


def _shadow_steps(logged: Logged, rung: str) -> tuple[Step, ...]:
    """What the shadow call's rung was asked, said and was seen of; () where another rung was drawn, or none."""
    if logged.shadow is None:
        return ()
    found = tuple(
        step for step in logged.shadow.steps if step.rung == rung and step.stage in ("fit", "call", "check")
    )  # fmt: skip
    return found if any(isinstance(step.value, Draft) for step in found) else ()
