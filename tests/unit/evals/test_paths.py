"""One journaled request under another policy: what is read, what a lot hid, what nobody could have seen."""

import pytest
from msgspec.structs import replace

from benchmarks.loggedpage import Prepared, logged, shadow_of
from surefoot.evals.paths import BELOW, BLIND, MISSED, SEEN, Logged, Path, enforced, follow
from surefoot.policy import Admit, Feature, Map, Policy, Promise, RouteRules, parse_ladder
from surefoot.records import Draft, Evidence, JournalEntry, NoDraft, Prospect, Question, Signal

QUESTION = Question(
    fingerprint="q", model="m", dialect="openai", surface="chat", stream=False, input_tokens=10, max_output_tokens=50
)
MAP = Map(kind="logistic", signal="s")
FEATURE = Feature(name="f", mode="enforce", ladder=parse_ladder(["small", "big"]), uncalibrated="climb", confidence=0.8, maps={"small": MAP, "big": MAP})  # fmt: skip
LOT = "0" * 32


def prepared(small: float, big: float, *, question: Question = QUESTION, below: float | None = None) -> Prepared:
    scores = {("small", ()): small, ("big", ()): big, ("big", ("small",)): big}
    evidence = {
        place: Evidence(signals=(Signal(name="s", score=score), Signal(name=BELOW, score=below if place[1] else None)))
        for place, score in scores.items()
    }
    drafts = {
        name: Draft(rung=name, provider="up", model=f"{name}-2026-01-01", digest="", upstream_us=us)
        for name, us in (("small", 10), ("big", 100))
    }
    return Prepared(question=question, drafts=drafts, evidence=evidence)


def entry(given: Prepared, feature: Feature = FEATURE, draw: str = LOT) -> JournalEntry:
    return logged(given, Policy.of({"f": feature}), name="r", draw=draw, at_ns=0)


def path(found: JournalEntry, feature: Feature, **meant: tuple[str, ...]) -> Path:
    return follow(Logged(entry=found), Policy.of({"f": enforced(feature)}), meant)


def test_the_same_policy_ends_as_the_log_did() -> None:
    found = path(entry(prepared(0.5, 0.9)), FEATURE)
    assert (found.state, found.end, found.asked, found.propensity) == (SEEN, "deliver big", ("small", "big"), 1.0)
    assert found.p == pytest.approx(0.9)
    assert found.upstream_us == 110


def test_a_lower_bar_stops_earlier_and_a_higher_one_sends_to_the_person() -> None:
    climbed = entry(prepared(0.5, 0.9))
    assert path(climbed, replace(FEATURE, confidence=0.4)).end == "deliver small"
    assert path(climbed, replace(FEATURE, confidence=0.95)).end == "escalate person"


def test_a_rung_that_nobody_asked_is_in_no_log() -> None:
    found = path(entry(prepared(0.85, 0.9)), replace(FEATURE, confidence=0.9))
    assert (found.state, found.asked, found.stopped, found.action) == (BLIND, ("small",), "big", "")
    assert "rung big" in found.missing


def test_what_observe_only_recorded_is_taken_as_enforced_and_certified() -> None:
    observing = replace(FEATURE, mode="observe", promise=Promise(accuracy=0.9))
    assert path(entry(prepared(0.9, 0.9), observing), observing).end == "deliver small"
    assert (
        path(entry(prepared(0.5, 0.9), observing), observing).state == BLIND
    )  # observe delivered it, and asked no more


def test_a_draft_of_another_model_is_no_draft() -> None:
    found = entry(prepared(0.9, 0.9))
    assert path(found, FEATURE, small=("openai/small",)).state == SEEN  # a dated snapshot of the name
    other = path(found, FEATURE, small=("openai/tiny",))
    assert (other.state, other.stopped) == (BLIND, "small")


def test_agreement_with_a_draft_that_the_candidate_has_not_is_taken_out() -> None:
    by_agreement = replace(FEATURE, maps={"small": MAP, "big": Map(kind="logistic", signal=BELOW)}, confidence=0.6)
    climbed = entry(prepared(0.5, 0.1, below=0.9), by_agreement)
    assert path(climbed, by_agreement).end == "deliver big"
    assert path(climbed, replace(by_agreement, ladder=parse_ladder(["big"]))).end == "escalate person"


def test_what_a_rule_sends_needs_no_rung() -> None:
    rules = replace(FEATURE, admits=(Admit(name="flag", role="nurse", holding="", red_flag=True),))
    flagged = entry(prepared(0.9, 0.9, question=replace(QUESTION, matched=("flag",))), rules)
    assert path(flagged, rules).end == "escalate nurse"
    assert path(flagged, FEATURE).state == BLIND  # without the rule a model would have been asked


def test_a_rung_without_a_draft_is_climbed_over() -> None:
    given = prepared(0.9, 0.9)
    failing = Prepared(
        question=QUESTION, evidence=given.evidence,
        drafts={**given.drafts, "small": NoDraft(rung="small", kind="unavailable", reason="down")},
    )  # fmt: skip
    found = path(entry(failing), FEATURE)
    assert (found.end, found.asked) == ("deliver big", ("small", "big"))


PROSPECTS = (
    Prospect(rung="small", p=0.5, gain=0.0, nanodollars=10),
    Prospect(rung="big", p=0.6, gain=0.1, nanodollars=10**15),
)
ROUTED = replace(FEATURE, route=RouteRules(explore=0.4))
ASKED = replace(QUESTION, prospects=PROSPECTS, routed_by="heuristic")


def routed(start: str, small: float, big: float, feature: Feature = ROUTED) -> JournalEntry:
    for lot in range(200):
        found = entry(prepared(small, big, question=ASKED), feature, draw=f"{lot:032x}")
        if any(step.stage == "route" and getattr(step.value, "start", "") == start for step in found.steps):
            return found
    raise AssertionError(f"no lot began at {start}")


def test_who_began_elsewhere_by_lot_is_spoken_for_by_those_who_began_there() -> None:
    straight = replace(FEATURE, ladder=parse_ladder(["big"]))
    explored, usual = path(routed("big", 0.9, 0.9), straight), path(routed("small", 0.9, 0.9), straight)
    assert (explored.state, explored.propensity, explored.end) == (SEEN, pytest.approx(0.2), "deliver big")
    assert (usual.state, usual.propensity) == (MISSED, pytest.approx(0.2))
    climbed = path(routed("small", 0.1, 0.9), straight)
    assert climbed.state == MISSED  # known, and known because it was hard: it would not stand for the others


def test_without_a_lot_what_was_climbed_to_is_known_and_the_rest_is_not() -> None:
    straight, never = replace(FEATURE, ladder=parse_ladder(["big"])), replace(ROUTED, route=RouteRules(explore=0.0))
    assert path(routed("small", 0.1, 0.9, never), straight).end == "deliver big"
    assert path(routed("small", 0.9, 0.9, never), straight).state == BLIND


def test_the_policy_that_serves_is_taken_without_its_exploration() -> None:
    assert path(routed("small", 0.9, 0.9), ROUTED).propensity == pytest.approx(0.8)
    assert path(routed("big", 0.9, 0.9), ROUTED).state == MISSED


def test_a_path_that_ends_before_any_start_hangs_on_no_lot() -> None:
    cached = replace(ROUTED, ladder=parse_ladder(["cache", "small", "big"]))
    given = prepared(0.9, 0.9, question=ASKED)
    hit = Draft(rung="cache", provider="cache", model="small", digest="", believed=0.95, believed_low=0.95)
    kept = Prepared(question=ASKED, evidence=given.evidence, drafts={**given.drafts, "cache": hit})
    found = path(entry(kept, cached), replace(cached, ladder=parse_ladder(["cache", "big"])))
    assert (found.state, found.end, found.propensity) == (SEEN, "deliver cache", 1.0)


SHADOWED = replace(FEATURE, route=RouteRules(explore=0.0, shadow=0.3))


def shadowed(
    candidate: Feature, small: float, big: float, *, drawn: bool, below: float | None = None, kept: bool = True
) -> Path:
    """The path of a request that the small rung answered, whose lot drew a shadow call or not."""
    policy, given = Policy.of({"f": SHADOWED}), prepared(small, big, question=ASKED, below=below)
    for lot in range(200):
        found = entry(given, SHADOWED, draw=f"{lot:032x}")
        shadow = shadow_of(given, policy, found)
        if (shadow is not None) == drawn:
            logged = Logged(entry=found, shadow=shadow, rules=SHADOWED if kept else None)
            return follow(logged, Policy.of({"f": enforced(candidate)}), {})
    raise AssertionError("no such lot")


def test_what_a_shadow_call_said_is_known_and_stands_for_those_that_had_none() -> None:
    stricter = replace(SHADOWED, confidence=0.9)
    seen, hidden = (shadowed(stricter, 0.85, 0.95, drawn=drawn) for drawn in (True, False))
    assert (seen.state, seen.end, seen.asked) == (SEEN, "deliver big", ("small", "big"))
    assert seen.propensity == hidden.propensity == pytest.approx(0.3)
    assert hidden.state == MISSED
    assert shadowed(SHADOWED, 0.85, 0.95, drawn=True).propensity == 1.0  # nothing of it is needed


def test_a_start_without_exploration_is_known_from_the_shadow_of_the_usual_one() -> None:
    straight = replace(FEATURE, ladder=parse_ladder(["big"]))
    seen = shadowed(straight, 0.85, 0.9, drawn=True)
    assert (seen.state, seen.end, seen.propensity) == (SEEN, "deliver big", pytest.approx(0.3))
    assert shadowed(straight, 0.85, 0.9, drawn=False).state == MISSED
    climbed = follow(
        Logged(entry=entry(prepared(0.1, 0.9, question=ASKED), SHADOWED), rules=SHADOWED),
        Policy.of({"f": enforced(straight)}), {},
    )  # fmt: skip
    assert (climbed.state, climbed.propensity) == (SEEN, 1.0)  # whatever the lot, it was asked


def test_without_the_rules_of_then_nobody_knows_whether_a_lot_was_drawn() -> None:
    assert shadowed(replace(SHADOWED, confidence=0.9), 0.85, 0.95, drawn=False, kept=False).state == BLIND


def test_a_shadow_that_saw_other_drafts_below_is_no_evidence() -> None:
    by_agreement = replace(SHADOWED, ladder=parse_ladder(["big"]), maps={"big": Map(kind="logistic", signal=BELOW)})
    assert (
        shadowed(by_agreement, 0.85, 0.9, drawn=True, below=0.9).end == "escalate person"
    )  # it would have had none below
