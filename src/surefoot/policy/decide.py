"""Deliver, climb, or give it to a person: total, pure, a reason in every verdict."""

from __future__ import annotations

from surefoot.policy.near import closed
from surefoot.policy.policy import Feature
from surefoot.records import (
    Confidence,
    Deliver,
    Draft,
    Escalate,
    Evidence,
    Fail,
    NoDraft,
    Question,
    Rung,
    Stronger,
    Verdict,
)

CERTIFIED = "certified"
WAITING = "the same question has a case already"
STOPPED = "the feature is stopped: nothing is answered by a model"


def admit(feature: Feature, question: Question) -> Escalate | None:
    """Straight to a person, before the cache and every model; None when no rule matches. Red flags come first.

    A feature that a person stopped has no other way: `read` lets nothing but chats through then. A question that has a case
    already is asked of no model again; a rule that matches still says its own words to the caller.
    """
    matched = [rule for rule in feature.admits if rule.name in question.matched]
    if question.stopped and not any(rule.red_flag for rule in matched):
        return Escalate(STOPPED, feature.person.role)
    if not matched or question.surface != "chat":
        return Escalate(WAITING, feature.person.role) if question.waiting else None
    rule = next((rule for rule in matched if rule.red_flag), matched[0])
    return Escalate(f"rule {rule.name}: never answered by a model", rule.role, rule=rule.name)


def decide(
    feature: Feature, question: Question, rung: Rung, draft: Draft | NoDraft, evidence: Evidence,
    confidence: Confidence, rungs_left: int,
) -> Verdict:  # fmt: skip
    """What the policy says of one rung's draft. `rungs_left` counts the rungs above it, the person not included."""
    if isinstance(draft, NoDraft):
        return _without(feature, rung, draft, rungs_left)
    if rung.kind == "relay":
        return Deliver("relayed: nothing to judge")
    if draft.near is not None and (why := _not_near(feature, question, draft)):
        return _climb(feature, why, rungs_left)
    if feature.confidence <= 0 and not feature.thresholds:
        return Deliver("the bar is 0: everything is delivered")
    if question.by_sentence and not all(span.supported for span in evidence.spans):
        return _climb(feature, "a sentence of it is not supported by the passages", rungs_left)
    too_low = _too_low(feature, rung, evidence, confidence)
    if too_low is not None:
        return _climb(feature, too_low, rungs_left)
    if feature.promise is not None and feature.mode == "enforce" and question.standing != CERTIFIED:
        reason = f"the promise is {question.standing or 'not certified yet'}: this draft would have been delivered"
        return Escalate(reason, feature.person.role, withheld=True)
    return Deliver(_why(feature, rung, confidence))


def act(feature: Feature, verdict: Verdict, draft: Draft | NoDraft) -> bool:
    """Whether the draft is delivered now: in `observe` any draft is, whatever the verdict; in `enforce` the verdict rules."""
    if isinstance(draft, NoDraft):
        return False
    return isinstance(verdict, Deliver) or feature.mode == "observe"


def action_of(feature: Feature, question: Question, verdict: Verdict) -> str:
    """What is done about a draft that is not delivered: "climb", "fail", "escalate", or "default".

    "default" is the person's safe default at once: the human budget is spent, no red flag sent it, no case of it is open.
    """
    match verdict:
        case Escalate():
            red_flag = any(rule.red_flag for rule in feature.admits if verdict.rule and rule.name == verdict.rule)
            return "default" if question.people_spent and not red_flag and not question.waiting else "escalate"
        case Fail():
            return "fail"
        case _:
            return "climb"


def _not_near(feature: Feature, question: Question, draft: Draft) -> str:
    """Why this policy does not let a near hit stand, "" when it does: another one than let it may see it otherwise."""
    rules, near, done = feature.cache.near, question.near, draft.near
    if rules is None or near is None or done is None or not done.p:
        return "near hits are not what this policy gives"
    low = (draft.believed_low or 0.0) / done.p
    return closed(rules, feature.confidence, near, done.gate, believed_low=low)


def _too_low(feature: Feature, rung: Rung, evidence: Evidence, confidence: Confidence) -> str | None:
    """Why a draft is not safe enough; None when it is."""
    threshold = feature.thresholds.get(rung.name)
    if threshold == 0:
        return None
    fitted = rung.name in feature.maps and feature.maps[rung.name].kind == "fitted"
    if rung.kind == "pair" and not fitted and evidence.score("agreement") != 1.0:
        return f"{rung.name} do not agree on the final answer"
    if confidence.p is None or confidence.low is None:
        return None if feature.uncalibrated == "deliver" else "uncalibrated: no map says what this draft is worth"
    if threshold is not None and confidence.p < threshold:
        return f"p = {confidence.p:.3f} is below the learned threshold {threshold:.3f}"
    if (threshold is None or feature.per_answer) and confidence.low < feature.confidence:
        return f"p >= {confidence.low:.3f} is below the bar {feature.confidence:.2f}"
    return None


def _why(feature: Feature, rung: Rung, confidence: Confidence) -> str:
    threshold = feature.thresholds.get(rung.name)
    if threshold == 0:
        return "this rung is delivered as a whole, as was learned"
    if confidence.p is None or confidence.low is None:
        return "uncalibrated: delivered without a judgement"
    if threshold is not None:
        return f"p = {confidence.p:.3f}, learned threshold {threshold:.3f}"
    return f"p >= {confidence.low:.3f}, bar {feature.confidence:.2f}"


def _climb(feature: Feature, reason: str, rungs_left: int) -> Stronger | Escalate:
    return Stronger(reason) if rungs_left else Escalate(reason, feature.person.role)


def _without(feature: Feature, rung: Rung, draft: NoDraft, rungs_left: int) -> Verdict:
    if draft.kind == "rejected" or (draft.kind == "too_long" and not rungs_left):
        return Fail(draft.reason, draft.status or 400)
    if rungs_left:
        return Stronger(draft.reason)
    if rung.kind == "relay" or (feature.mode == "observe" and draft.kind in ("unavailable", "budget")):
        return Fail(draft.reason, draft.status or 502)
    return Escalate(draft.reason, feature.person.role)
