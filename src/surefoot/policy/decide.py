"""Deliver, climb, or give it to a person: total, pure, a reason in every verdict."""

from __future__ import annotations

from surefoot.policy.policy import Feature
from surefoot.records import Confidence, Deliver, Draft, Escalate, Evidence, Fail, NoDraft, Rung, Stronger, Verdict


def decide(
    feature: Feature, rung: Rung, draft: Draft | NoDraft, evidence: Evidence, confidence: Confidence, rungs_left: int
) -> Verdict:
    """What the policy says of one rung's draft. `rungs_left` counts the rungs above it, the person not included."""
    if isinstance(draft, NoDraft):
        return _without(feature, rung, draft, rungs_left)
    if rung.kind == "relay":
        return Deliver("relayed: nothing to judge")
    if feature.confidence <= 0:
        return Deliver("the bar is 0: everything is delivered")
    if rung.kind == "pair" and evidence.score("agreement") != 1.0:
        return _climb(feature, f"{rung.name} do not agree on the final answer", rungs_left)
    if confidence.low is None:
        if feature.uncalibrated == "deliver":
            return Deliver("uncalibrated: delivered without a judgement")
        return _climb(feature, "uncalibrated: no map says what this draft is worth", rungs_left)
    if confidence.low >= feature.confidence:
        return Deliver(f"p >= {confidence.low:.3f}, bar {feature.confidence:.2f}")
    return _climb(feature, f"p >= {confidence.low:.3f} is below the bar {feature.confidence:.2f}", rungs_left)


def act(feature: Feature, verdict: Verdict, draft: Draft | NoDraft) -> bool:
    """Whether the draft is delivered now: in `observe` any draft is, whatever the verdict; in `enforce` the verdict rules."""
    if isinstance(draft, NoDraft):
        return False
    return isinstance(verdict, Deliver) or feature.mode == "observe"


def _climb(feature: Feature, reason: str, rungs_left: int) -> Stronger | Escalate:
    return Stronger(reason) if rungs_left else Escalate(reason, feature.person.role)


def _without(feature: Feature, rung: Rung, draft: NoDraft, rungs_left: int) -> Verdict:
    if draft.kind == "rejected":
        return Fail(draft.reason, draft.status or 400)
    if rungs_left:
        return Stronger(draft.reason)
    if rung.kind == "relay" or (feature.mode == "observe" and draft.kind == "unavailable"):
        return Fail(draft.reason, draft.status or 502)
    return Escalate(draft.reason, feature.person.role)
