"""Where the ladder begins: by expected cost, with known chances, and the same whenever it is asked again."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.policy import Feature, Person, RouteRules, parse_ladder, route, shadow_call
from surefoot.policy.route import expected
from surefoot.records import Prospect, Question

DRAWS = [f"{number:032x}" for number in range(3000)]
RULES = RouteRules(explore=0.0, person_seconds=60.0)


def feature(mode: str = "enforce", rules: RouteRules | None = RULES) -> Feature:
    person = Person(role="person", hourly_nanodollars=60_000_000_000)  # a minute costs 1 USD
    return Feature(name="f", mode=mode, ladder=parse_ladder(["cache", "small", "large"]), route=rules, person=person)


def question(small: float, large: float, *, costs: tuple[int, int] = (1_000_000, 20_000_000)) -> Question:
    return Question(
        fingerprint="00", model="m", dialect="openai", surface="chat", stream=False, input_tokens=10,
        max_output_tokens=None, routed_by="fitted",
        prospects=(
            Prospect(rung="small", p=small, gain=0.0, nanodollars=costs[0]),
            Prospect(rung="large", p=large, gain=large - small, nanodollars=costs[1]),
        ),
    )  # fmt: skip


def start(given: Feature, asked: Question, draw: str = DRAWS[0]) -> str:
    routed = route(given, asked, draw)[1]
    assert routed is not None
    return routed.start


def test_a_question_the_small_model_is_good_at_begins_there() -> None:
    assert start(feature(), question(0.9, 0.95)) == "small"


def test_a_rung_that_is_not_worth_the_try_is_left_out_but_never_the_cache() -> None:
    rungs, routed = route(feature(), question(0.02, 0.9), DRAWS[0])
    assert [rung.name for rung in rungs] == ["cache", "large"]
    assert routed is not None and routed.candidates[0].nanodollars > routed.candidates[1].nanodollars


def test_where_the_first_draft_goes_out_a_gain_is_weighed_against_the_price_of_the_person() -> None:
    asked = question(0.80, 0.83)  # three in a hundred minutes saved: 0.03 USD for 0.019 USD more
    assert start(feature("observe"), asked) == "large"
    assert start(feature("observe", RouteRules(explore=0.0, person_seconds=30.0)), asked) == "small"


def test_hard_for_both_is_no_reason_to_ask_the_dear_one() -> None:
    assert start(feature("observe"), question(0.10, 0.11)) == "small"


def test_a_warm_prefix_cache_keeps_the_session_where_it_is() -> None:
    assert start(feature("observe"), question(0.80, 0.82, costs=(1_000_000, 22_000_000))) == "small"
    assert start(feature("observe"), question(0.80, 0.82, costs=(1_000_000, 6_000_000))) == "large"


def test_without_rules_or_prospects_the_ladder_begins_at_the_bottom_and_nothing_is_said() -> None:
    bare = question(0.1, 0.9)
    for rules, asked in ((None, bare), (RULES, Question(**{**_fields(bare), "prospects": ()}))):
        rungs, routed = route(feature(rules=rules), asked, DRAWS[0])
        assert [rung.name for rung in rungs] == ["cache", "small", "large"] and routed is None


def _fields(asked: Question) -> dict[str, object]:
    return {name: getattr(asked, name) for name in asked.__struct_fields__}


@pytest.mark.parametrize("explore", [0.0, 0.2, 1.0])
def test_each_start_is_drawn_as_often_as_its_logged_propensity_says(explore: float) -> None:
    given_feature = feature(rules=RouteRules(explore=explore))
    found = [route(given_feature, question(0.9, 0.95), draw)[1] for draw in DRAWS]
    drawn = Counter(routed.start for routed in found if routed is not None)
    first = found[0]
    assert first is not None
    for each in first.candidates:
        assert drawn[each.rung] / len(DRAWS) == pytest.approx(each.propensity, abs=0.04)


@given(
    st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(["observe", "enforce"]), st.sampled_from(DRAWS)
)
def test_propensities_add_up_and_the_same_question_gets_the_same_start(
    small: float, large: float, explore: float, mode: str, draw: str
) -> None:
    given_feature = feature(mode, RouteRules(explore=explore))
    once, again = (route(given_feature, question(small, large), draw) for _ in range(2))
    assert once == again
    assert once[1] is not None
    assert sum(each.propensity for each in once[1].candidates) == pytest.approx(1.0)


@given(
    st.floats(0, 1), st.sets(st.sampled_from(["cache", "small", "large"])), st.sampled_from(DRAWS), st.floats(0, 1)
)
def test_a_shadow_call_asks_a_rung_that_was_not_asked_and_a_larger_share_asks_no_fewer_requests(
    share: float, asked: set[str], draw: str, more: float
) -> None:
    found = shadow_call(feature(rules=RouteRules(shadow=share)), asked, draw)
    if found is not None:
        assert found.rung in {"small", "large"} - asked
        others = len({"small", "large"} - asked)
        assert found.propensity == share / others and set(found.asked) == asked
        assert shadow_call(feature(rules=RouteRules(shadow=max(share, more))), asked, draw) is not None


def test_each_rung_is_shadowed_as_often_as_its_propensity_says() -> None:
    given_feature = feature(rules=RouteRules(shadow=0.5))
    found = [shadow_call(given_feature, {"cache"}, draw) for draw in DRAWS]
    drawn = Counter(each.rung for each in found if each is not None)
    for rung in ("small", "large"):
        assert drawn[rung] / len(DRAWS) == pytest.approx(0.25, abs=0.04)


ABOUT = st.tuples(st.floats(0, 1), st.integers(0, 10**9), st.floats(0, 60))
LAW = {"mode": st.sampled_from(["observe", "enforce"]), "about": st.lists(ABOUT, min_size=2, max_size=4)}


def _chosen(mode: str, about: list[tuple[float, int, float]], weight: str, value: int) -> float:
    """What of one kind, dollars or seconds, the chosen start is expected to take."""
    prospects = tuple(
        Prospect(rung=str(place), p=p, gain=0.0, nanodollars=cost, seconds=seconds)
        for place, (p, cost, seconds) in enumerate(about)
    )
    ruled = feature(mode)
    rules = RouteRules(person_seconds=60.0, second_nanodollars=value * 10**7 if weight == "seconds" else 10**7)
    costs = expected(ruled, prospects, rules, value if weight == "dollars" else 1.0)
    start = min(range(len(costs)), key=lambda place: (costs[place], place))
    nothing_else = RouteRules(person_seconds=0.0, second_nanodollars=10**9 if weight == "seconds" else 0)
    return expected(ruled, prospects, nothing_else, 1.0 if weight == "dollars" else 0.0)[start]


@pytest.mark.parametrize("weight", ["dollars", "seconds"])
@given(**LAW, value=st.integers(1, 100), more=st.integers(1, 100))
def test_what_counts_more_is_never_spent_more_of(
    weight: str, mode: str, about: list[tuple[float, int, float]], value: int, more: int
) -> None:
    low, high = sorted((value, more))
    spent = _chosen(mode, about, weight, low)
    assert _chosen(mode, about, weight, high) <= spent + 1e-6 * max(1.0, spent)


def test_waiting_counts_only_where_it_is_known_of_every_rung() -> None:
    prospects = question(0.9, 0.95).prospects
    rules = RouteRules(second_nanodollars=10**9)
    known = tuple(replace(each, seconds=2.0) for each in prospects)
    plain = expected(feature("observe"), prospects, rules)
    assert expected(feature("observe"), (known[0], prospects[1]), rules) == plain
    assert expected(feature("observe"), known, rules) == [cost + 2e9 for cost in plain]


def test_an_emptying_budget_moves_the_start_to_the_cheaper_rung() -> None:
    asked = question(0.80, 0.83)
    assert start(feature("observe"), asked) == "large"
    assert start(feature("observe"), replace(asked, scarcity=3.0)) == "small"
