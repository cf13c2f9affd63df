"""What labels taught, laid over a configured policy."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.policy import (
    Curve,
    Feature,
    Input,
    Learned,
    LearnedFeature,
    LearnedRung,
    Map,
    Policy,
    overlay,
    parse_ladder,
)
from surefoot.policy.learned import decode_learned, encode_learned, merge

BY_HAND = Map(kind="fixed", p=0.5)
FITTED = Map(kind="fitted", curve=Curve(kind="platt", a=1.0, b=0.1), labels=40)
MODELS = {"small": ("openai/small-1",), "large": ("openai/large-1",)}
POLICY = Policy.of({"f": Feature(name="f", ladder=parse_ladder(["small", "large"]), maps={"small": BY_HAND})})


def learned(**rungs: tuple[str, ...]) -> Learned:
    found = {rung: LearnedRung(map=FITTED, models=models) for rung, models in rungs.items()}
    return Learned(features={"f": LearnedFeature(rungs=found, thresholds=dict.fromkeys(rungs, 0.9), labels=40)})


def test_fitted_maps_and_thresholds_take_the_place_of_configured_ones() -> None:
    policy, left = overlay(POLICY, learned(**MODELS), MODELS)
    assert policy.features["f"].maps == {"small": FITTED, "large": FITTED}
    assert policy.features["f"].thresholds == {"small": 0.9, "large": 0.9}
    assert left == () and policy.version != POLICY.version


def test_a_map_is_void_when_its_rung_means_another_model_and_so_are_all_thresholds() -> None:
    policy, left = overlay(POLICY, learned(**MODELS), {**MODELS, "small": ("openai/small-2",)})
    assert policy.features["f"].maps == {"small": BY_HAND, "large": FITTED}
    assert policy.features["f"].thresholds == {}
    assert len(left) == 1 and "small" in left[0]


def test_a_rung_that_left_the_ladder_is_left_out_and_said() -> None:
    policy, left = overlay(POLICY, learned(gone=("openai/x",)), {**MODELS, "gone": ("openai/x",)})
    assert policy.features["f"] == POLICY.features["f"]
    assert "gone" in left[0]


def test_a_feature_that_is_no_longer_configured_is_left_out_and_said() -> None:
    policy, left = overlay(POLICY, Learned(features={"old": LearnedFeature()}), MODELS)
    assert policy == POLICY and left == ("feature old is no longer configured",)


def test_nothing_learned_changes_nothing() -> None:
    assert overlay(POLICY, Learned(), MODELS) == (POLICY, ())


def test_a_candidate_keeps_what_it_says_nothing_about() -> None:
    both = merge(Learned(features={"f": LearnedFeature(labels=1), "g": LearnedFeature(labels=2)}), learned(**MODELS))
    assert both.features["f"].labels == 40 and both.features["g"].labels == 2


numbers = st.floats(allow_nan=False, allow_infinity=False)
steps = st.lists(st.tuples(numbers, numbers), max_size=3).map(tuple)
bands = st.lists(st.tuples(numbers, numbers, numbers), max_size=3).map(tuple)
curves = st.builds(Curve, kind=st.just("venn-abers"), a=numbers, b=numbers, c=numbers, band=bands, p0=steps, p1=steps)
inputs = st.builds(
    Input, signal=st.text(max_size=5), center=numbers, scale=numbers, weight=numbers, absent=st.none() | numbers
)
maps = st.builds(
    Map, kind=st.just("fitted"), bias=numbers, inputs=st.lists(inputs, max_size=2).map(tuple), curve=curves, labels=st.integers(0)
)  # fmt: skip


@given(maps, numbers)
def test_what_is_written_is_read_again_to_the_last_bit(fitted: Map, threshold: float) -> None:
    rung = LearnedRung(map=fitted, models=("a/b", "c/d"))
    written = Learned(features={"f": LearnedFeature(rungs={"r": rung}, thresholds={"r": threshold}, labels=3)})
    assert decode_learned(encode_learned(written)) == written
    assert encode_learned(decode_learned(encode_learned(written))) == encode_learned(written)
