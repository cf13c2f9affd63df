"""Evidence to confidence through a fitted map."""

import pytest

from surefoot.policy import Curve, Feature, Input, Map, apply_map, parse_ladder, weigh
from surefoot.policy.curve import sigmoid
from surefoot.policy.weigh import line
from surefoot.records import Confidence, Draft, Evidence, NoDraft, Signal

FITTED = Map(
    kind="fitted",
    bias=0.5,
    inputs=(
        Input(signal="a", center=0.4, scale=0.2, weight=1.0),
        Input(signal="b", center=0.5, scale=0.5, weight=2.0, absent=-1.5),
    ),
    curve=Curve(kind="platt", a=1.0, b=0.0, band=((0.0, 0.1, 0.9),)),
)
LADDER = parse_ladder(["cache", "small"])
FEATURE = Feature(name="f", ladder=LADDER, maps={"small": FITTED})
DRAFT = Draft(rung="small", provider="p", model="m", digest="0")


def evidence(**scores: float | None) -> Evidence:
    return Evidence(signals=tuple(Signal(name=name, score=score) for name, score in scores.items()))


def test_the_line_is_the_sum_of_standardised_scores() -> None:
    assert line(FITTED, evidence(a=0.6, b=1.0)) == pytest.approx(0.5 + 1.0 * 1.0 + 2.0 * 1.0)


@pytest.mark.parametrize("seen", [evidence(a=0.6), evidence(a=0.6, b=None)])
def test_an_absence_that_labels_know_of_counts_what_they_say(seen: Evidence) -> None:
    assert line(FITTED, seen) == pytest.approx(0.5 + 1.0 - 1.5)


@pytest.mark.parametrize("seen", [evidence(b=1.0), evidence(a=None, b=1.0), evidence()])
def test_an_absence_that_labels_never_saw_leaves_the_draft_uncalibrated(seen: Evidence) -> None:
    assert apply_map(FITTED, seen) == Confidence()


def test_a_score_of_zero_is_a_score_and_no_absence() -> None:
    assert line(FITTED, evidence(a=0.0, b=0.0)) == pytest.approx(0.5 - 2.0 - 2.0)


def test_signals_the_map_does_not_know_change_nothing() -> None:
    assert line(FITTED, evidence(a=0.6, b=1.0, new=0.0)) == line(FITTED, evidence(a=0.6, b=1.0))


def test_the_confidence_says_which_curve_it_is_from_and_lies_within_its_interval() -> None:
    sure = weigh(FEATURE, LADDER[1], DRAFT, evidence(a=0.4, b=0.5))
    assert sure == Confidence(p=sigmoid(0.5), low=0.1, high=0.9, source="map:platt")


def test_a_fitted_map_without_a_curve_is_uncalibrated() -> None:
    assert not apply_map(Map(kind="fitted", bias=9.0), evidence()).calibrated


def test_a_map_of_another_rung_is_not_used() -> None:
    assert weigh(FEATURE, LADDER[0], DRAFT, evidence(a=0.4, b=0.5)) == Confidence()


def test_where_there_is_no_draft_nothing_is_judged() -> None:
    assert weigh(FEATURE, LADDER[1], NoDraft(rung="small", kind="unavailable", reason="busy"), evidence(a=1, b=1)) == (
        Confidence(source="not judged")
    )
