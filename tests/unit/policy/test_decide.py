"""The rules of the page."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.policy import Admit, Feature, Map, Person, act, admit, decide, parse_ladder, weigh
from surefoot.records import Confidence, Deliver, Draft, Escalate, Evidence, Fail, NoDraft, Question, Signal, Stronger

LADDER = parse_ladder(["cache", "small", "a+b", "large"])
DRAFT = Draft(rung="small", provider="p", model="m", digest="0")
SMALL, PAIR = LADDER[1], LADDER[2]
QUESTION = Question(
    fingerprint="0", model="m", dialect="openai", surface="chat", stream=False, input_tokens=1, max_output_tokens=None
)


def feature(**changes: object) -> Feature:
    given: dict[str, object] = {"name": "f", "mode": "enforce", "uncalibrated": "climb", "ladder": LADDER}
    return Feature(**{**given, **changes})  # type: ignore[arg-type]


def sure(low: float) -> Confidence:
    return Confidence(p=low, low=low, high=low, source="map:fixed")


def test_a_draft_at_the_bar_is_delivered() -> None:
    assert isinstance(decide(feature(), QUESTION, SMALL, DRAFT, Evidence(), sure(0.85), 1), Deliver)


def test_a_draft_below_the_bar_climbs_and_says_both_numbers() -> None:
    verdict = decide(feature(), QUESTION, SMALL, DRAFT, Evidence(), sure(0.84), 1)
    assert isinstance(verdict, Stronger)
    assert "0.840" in verdict.reason and "0.85" in verdict.reason


def test_below_the_bar_on_the_last_rung_a_person_decides() -> None:
    last = feature(person=Person(role="nurse"))
    assert decide(last, QUESTION, SMALL, DRAFT, Evidence(), sure(0.2), 0) == Escalate(
        "p >= 0.200 is below the bar 0.85", "nurse"
    )


def test_the_lower_end_counts_not_the_middle() -> None:
    wide = Confidence(p=0.9, low=0.7, high=0.99, source="map:steps")
    assert isinstance(decide(feature(), QUESTION, SMALL, DRAFT, Evidence(), wide, 1), Stronger)


def test_an_uncalibrated_draft_climbs_where_the_policy_enforces() -> None:
    assert isinstance(decide(feature(), QUESTION, SMALL, DRAFT, Evidence(), Confidence(), 1), Stronger)


def test_an_uncalibrated_draft_is_delivered_where_the_policy_says_so() -> None:
    assert isinstance(
        decide(feature(uncalibrated="deliver"), QUESTION, SMALL, DRAFT, Evidence(), Confidence(), 1), Deliver
    )


def test_a_pair_that_disagrees_climbs_whatever_its_map_says() -> None:
    apart = Evidence(signals=(Signal(name="agreement", score=0.0),))
    assert isinstance(decide(feature(), QUESTION, PAIR, DRAFT, apart, sure(0.99), 1), Stronger)


def test_a_pair_without_final_answers_climbs_too() -> None:
    mute = Evidence(signals=(Signal(name="agreement", score=None),))
    assert isinstance(decide(feature(uncalibrated="deliver"), QUESTION, PAIR, DRAFT, mute, Confidence(), 1), Stronger)


def test_a_bar_of_zero_delivers_everything_even_a_pair_that_disagrees() -> None:
    apart = Evidence(signals=(Signal(name="agreement", score=0.0),))
    assert isinstance(decide(feature(confidence=0.0), QUESTION, PAIR, DRAFT, apart, Confidence(), 1), Deliver)


def test_an_unavailable_last_rung_escalates_in_enforce_and_fails_in_observe() -> None:
    gone = NoDraft(rung="large", kind="unavailable", reason="busy", status=503)
    assert isinstance(decide(feature(), QUESTION, LADDER[3], gone, Evidence(), Confidence(), 0), Escalate)
    assert decide(feature(mode="observe"), QUESTION, LADDER[3], gone, Evidence(), Confidence(), 0) == Fail("busy", 503)


def test_a_request_that_the_provider_rejects_fails_at_once() -> None:
    wrong = NoDraft(rung="small", kind="rejected", reason="bad field", status=400)
    assert decide(feature(), QUESTION, SMALL, wrong, Evidence(), Confidence(), 2) == Fail("bad field", 400)


def test_observe_delivers_what_enforce_would_not() -> None:
    verdict = Stronger("below")
    assert act(feature(mode="observe"), verdict, DRAFT)
    assert not act(feature(), verdict, DRAFT)


def test_a_rung_without_a_draft_is_never_delivered() -> None:
    assert not act(feature(mode="observe"), Stronger("miss"), NoDraft(rung="cache", kind="miss", reason="miss"))


def test_without_a_map_a_score_is_no_probability() -> None:
    loud = Evidence(signals=(Signal(name="self_score", score=0.99),))
    assert weigh(feature(), SMALL, DRAFT, loud) == Confidence()


def test_a_missing_signal_leaves_a_mapped_rung_uncalibrated() -> None:
    mapped = feature(maps={"small": Map(kind="logistic", signal="quote")})
    assert weigh(mapped, SMALL, DRAFT, Evidence()).p is None


def test_a_cache_hit_carries_the_confidence_it_entered_with() -> None:
    hit = Draft(rung="cache", provider="cache", model="m", digest="0", believed=0.93, believed_low=0.9)
    confidence = weigh(feature(), LADDER[0], hit, Evidence())
    assert (confidence.p, confidence.low, confidence.source) == (0.93, 0.9, "cache:configured")
    assert not confidence.calibrated


scores = st.floats(0, 1)


@given(scores, scores, st.floats(0.01, 20), st.floats(-20, 20))
def test_a_better_score_never_means_less_confidence(one: float, other: float, a: float, b: float) -> None:
    mapped = feature(maps={"small": Map(kind="logistic", signal="s", a=a, b=b)})
    low, high = (
        weigh(mapped, SMALL, DRAFT, Evidence(signals=(Signal(name="s", score=score),))).p
        for score in sorted((one, other))
    )
    assert low is not None and high is not None and 0 <= low <= high <= 1


@given(scores)
def test_a_step_map_gives_the_last_step_reached(score: float) -> None:
    mapped = feature(maps={"small": Map(kind="steps", signal="s", steps=((0.2, 0.4), (0.6, 0.9)))})
    p = weigh(mapped, SMALL, DRAFT, Evidence(signals=(Signal(name="s", score=score),))).p
    assert p == (0.9 if score >= 0.6 else 0.4 if score >= 0.2 else 0.0)


def test_a_question_that_has_a_case_is_not_asked_again() -> None:
    again = replace(QUESTION, waiting="case_1")
    assert admit(feature(person=Person(role="nurse")), again) == Escalate(
        "the same question has a case already", "nurse"
    )
    assert admit(feature(), QUESTION) is None


def test_a_red_flag_says_its_own_words_when_it_is_asked_again_too() -> None:
    flagged = feature(admits=(Admit(name="emergency", role="nurse", holding="Call 112.", red_flag=True),))
    sent = admit(flagged, replace(QUESTION, waiting="case_1", matched=("emergency",)))
    assert sent is not None and sent.rule == "emergency"
