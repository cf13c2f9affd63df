"""Why a bill changed: nothing is lost, and each cause is what a person would call it."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.ledger.changes import Calls, Change, Period, compare, period
from surefoot.records import Spent

SMALL, LARGE = ("triage", "small", "s-1"), ("triage", "flagship", "f-1")


def calls(n: int, tokens: int, price: int) -> Calls:
    return Calls(calls=n, kinds={"input": (n * tokens, n * tokens * price)})


def causes(change: Change) -> tuple[int, int, int, int]:
    return change.volume, change.mix, change.tokens, change.price


kinds = st.dictionaries(st.sampled_from(["input", "output", "reservation"]), st.tuples(st.integers(0, 10**7), st.integers(-50, 10**13)), min_size=1)  # fmt: skip
cells = st.dictionaries(
    st.tuples(*[st.sampled_from("abc")] * 3), st.builds(Calls, calls=st.integers(1, 10**6), kinds=kinds)
)
periods = st.builds(Period, requests=st.integers(0, 10**6), cells=cells)


@given(before=periods, after=periods)
def test_the_causes_add_up_to_the_nanodollar(before: Period, after: Period) -> None:
    change = compare(before, after)
    assert sum(causes(change)) == after.nanodollars - before.nanodollars == change.nanodollars


@given(before=periods, after=periods)
def test_looking_back_turns_every_cause_round(before: Period, after: Period) -> None:
    there, back = compare(before, after), compare(after, before)
    assert all(abs(a + b) <= 2 for a, b in zip(causes(there), causes(back), strict=True))


@given(one=periods)
def test_nothing_changed_has_no_cause(one: Period) -> None:
    change = compare(one, one)
    assert causes(change) == (0, 0, 0, 0) and change.drivers == ()


@given(n=st.integers(1, 1000), more=st.integers(2, 9))
def test_more_of_the_same_is_volume_alone(n: int, more: int) -> None:
    before = Period(requests=n, cells={SMALL: calls(n, 100, 3), LARGE: calls(n, 50, 40)})
    after = Period(requests=n * more, cells={SMALL: calls(n * more, 100, 3), LARGE: calls(n * more, 50, 40)})
    assert causes(compare(before, after)) == ((more - 1) * before.nanodollars, 0, 0, 0)


def test_longer_prompts_are_tokens_alone() -> None:
    change = compare(
        Period(requests=10, cells={SMALL: calls(10, 100, 3)}), Period(requests=10, cells={SMALL: calls(10, 150, 3)})
    )
    assert causes(change) == (0, 0, 1500, 0)
    assert (change.drivers[0].cause, change.drivers[0].nanodollars) == ("tokens", 1500)


def test_a_dearer_token_is_price_alone() -> None:
    change = compare(
        Period(requests=10, cells={SMALL: calls(10, 100, 3)}), Period(requests=10, cells={SMALL: calls(10, 100, 4)})
    )
    assert causes(change) == (0, 0, 0, 1000)


def test_another_model_is_mix_alone_and_its_price_is_not_called_a_rise() -> None:
    change = compare(
        Period(requests=10, cells={SMALL: calls(10, 100, 3)}), Period(requests=10, cells={LARGE: calls(10, 100, 40)})
    )
    assert causes(change) == (0, 37_000, 0, 0)
    assert [driver.model for driver in change.drivers] == ["f-1", "s-1"]


def test_climbing_more_often_is_mix() -> None:
    before = Period(requests=10, cells={SMALL: calls(10, 100, 3), LARGE: calls(1, 100, 40)})
    after = Period(requests=10, cells={SMALL: calls(10, 100, 3), LARGE: calls(3, 100, 40)})
    assert causes(compare(before, after)) == (0, 8000, 0, 0)


def test_a_first_week_is_all_volume() -> None:
    empty, first = Period(requests=0, cells={}), Period(requests=10, cells={SMALL: calls(10, 100, 3)})
    assert causes(compare(empty, first)) == (3000, 0, 0, 0)
    assert causes(compare(first, empty)) == (-3000, 0, 0, 0)
    assert causes(compare(empty, empty)) == (0, 0, 0, 0)


def test_caching_more_of_the_same_prompt_moves_tokens_between_kinds() -> None:
    def week(plain: int, cached: int) -> Period:
        return Period(
            requests=1,
            cells={SMALL: Calls(calls=1, kinds={"input": (plain, plain * 10), "cached_input": (cached, cached)})},
        )

    change = compare(week(100, 50), week(50, 100))
    assert causes(change) == (0, 0, -450, 0)


def test_a_period_counts_a_call_once_whatever_kinds_of_token_it_has() -> None:
    rows = [
        Spent(at_ns=at, requests=2, quantity=20, nanodollars=5, feature="f", rung="small", model="m", kind=kind)
        for at in (0, 1)
        for kind in ("input", "output")
    ]
    found = period(rows, requests=4)
    assert found.cells == {("f", "small", "m"): Calls(calls=4, kinds={"input": (40, 10), "output": (40, 10)})}
    assert found.nanodollars == 20
