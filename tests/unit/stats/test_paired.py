"""Differences of two systems on the same items: intervals that know of groups, and how many items an effect takes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from surefoot.stats import clopper_pearson
from surefoot.stats.paired import difference_of, items_needed, power_of, rate_of, sampling_share

Z = 1.9599639845400545


def names(n: int, size: int = 1) -> list[str]:
    return [str(place // size) for place in range(n)]


def test_three_points_take_as_many_items_as_the_literature_says() -> None:
    assert items_needed(0.03, 0.1 - 0.03**2) == 865
    assert items_needed(-0.03, 0.2 - 0.03**2) == 1737
    assert items_needed(0.0, 0.1) is None and items_needed(0.0001, 0.1) is None
    assert power_of(865, 0.03, 0.1 - 0.03**2) == pytest.approx(0.8, abs=0.001)
    assert power_of(0, 0.03, 0.1) == 0 == power_of(100, 0.0, 0.1)


def test_discrete_sums_take_a_few_more_and_the_power_knows() -> None:
    needed = items_needed(0.03, 0.1, step=1.0)
    assert needed == items_needed(0.03, 0.1) + math.ceil(2 / 0.03) - 1 or needed == items_needed(0.03, 0.1) + 67
    assert power_of(needed, 0.03, 0.1, step=1.0) == pytest.approx(0.8, abs=0.001)


@pytest.mark.parametrize(("gained", "lost", "n"), [(0, 0, 20), (3, 0, 60), (1, 9, 100), (40, 25, 700)])
def test_the_ends_are_where_the_score_of_the_likeliest_null_is_z(gained: int, lost: int, n: int) -> None:
    values = [1.0] * gained + [-1.0] * lost + [0.0] * (n - gained - lost)
    found = difference_of(values, names(n), assurance=0.95)
    for end in (found.low, found.high):
        # an independent look for the share of items lost that is likeliest while the mean is the end
        def cost(q: float, end: float = end) -> float:
            p, rest = q + end, 1 - 2 * q - end
            if min(p, q, rest) <= 0:
                return math.inf
            return -(gained * math.log(p) + lost * math.log(q) + (n - gained - lost) * math.log(rest))

        low, high = max(0.0, -end) + 1e-12, (1 - end) / 2 - 1e-12
        q = minimize_scalar(cost, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
        score = (gained - lost - n * end) / math.sqrt(n * (2 * q + end - end**2))
        assert abs(score) == pytest.approx(2.0, abs=0.12)  # Student's quantile is a little above the normal's
        assert abs(score) > Z - 0.01


def test_items_that_never_differ_are_no_proof_when_they_are_few() -> None:
    few, many = difference_of([0.0] * 20, names(20)), difference_of([0.0] * 2000, names(2000))
    assert few.mean == 0 and few.low < -0.15 and few.high > 0.15
    assert -0.003 < many.low < 0 < many.high < 0.003
    grouped = difference_of([0.0] * 2000, names(2000, 100))
    assert grouped.low == pytest.approx(few.low, abs=0.02)  # as twenty that go alike


def test_nothing_is_known_of_nothing_or_of_one_group() -> None:
    assert difference_of([], []).mean is None
    one = difference_of([1.0, 0.0], ["a", "a"])
    assert (one.mean, one.low, one.high, one.design_effect) == (0.5, -1.0, 1.0, None)
    assert (rate_of([], []).low, rate_of([1.0, 1.0], ["a", "a"]).low) == (0.0, 0.0)


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), min_size=4, max_size=40), st.integers(2, 4))
@settings(max_examples=50, deadline=None)
def test_copies_of_items_in_their_groups_narrow_nothing(values: list[float], copies: int) -> None:
    once = difference_of(values, names(len(values)))
    again = difference_of(values * copies, names(len(values)) * copies)
    assert again.mean == pytest.approx(once.mean)
    assert again.low <= once.low + 1e-6 and again.high >= once.high - 1e-6


def test_a_rate_of_independent_items_is_clopper_and_pearsons() -> None:
    exact, found = clopper_pearson(180, 200), rate_of([1.0] * 180 + [0.0] * 20, names(200))
    assert (found.low, found.high) == (pytest.approx(exact.low, abs=1e-3), pytest.approx(exact.high, abs=1e-3))
    assert rate_of([1.0] * 30, names(30)).low == pytest.approx(clopper_pearson(30, 30).low, abs=1e-3)
    assert rate_of([1.0] * 30, names(30, 10)).low < 0.5


@pytest.mark.parametrize("gain", [0.0, 0.02, 0.1])
def test_the_interval_errs_no_more_often_than_it_says_on_either_side(gain: float) -> None:
    rng = np.random.default_rng(7)
    low = high = 0
    for _ in range(400):
        values = rng.choice([1.0, -1.0, 0.0], size=150, p=[gain, gain + 0.03, 0.97 - 2 * gain])
        found = difference_of(values, names(150))
        low, high = low + (found.low > -0.03), high + (found.high < -0.03)
    assert low <= 20 and high <= 24  # of 400; 10 on average at most


def test_groups_that_go_alike_widen_the_interval_and_sampling_may_narrow_it() -> None:
    rng = np.random.default_rng(3)
    alike = np.repeat(rng.choice([1.0, -1.0, 0.0], size=60, p=[0.1, 0.1, 0.8]), 5)
    assert difference_of(alike, names(300, 5)).design_effect == pytest.approx(5, rel=0.2)
    means = rng.binomial(5, 0.5, 300) / 5 - rng.binomial(5, 0.5, 300) / 5
    assert difference_of(means, names(300), samples=5).design_effect < 0.5
    assert difference_of(means, names(300), samples=1).design_effect == 1


def test_repeats_say_how_much_of_the_variance_is_the_asking() -> None:
    rng = np.random.default_rng(5)
    noise = [tuple(row) for row in rng.integers(0, 2, (500, 4)).astype(float)]
    other = [tuple(row) for row in rng.integers(0, 2, (500, 4)).astype(float)]
    once, means = sampling_share(noise, other) or (0.0, 0.0)
    assert once / 4 == pytest.approx(means, rel=0.15)  # nothing but asking
    fixed = [(value,) * 4 for value in rng.integers(0, 2, 500).astype(float)]
    assert sampling_share(fixed, fixed) == (0.0, 0.0)
    assert sampling_share([(1.0,)], [(0.0,)]) is None


def test_numbers_out_of_range_are_refused() -> None:
    for wrong in (lambda: difference_of([1.5], ["a"]), lambda: rate_of([-0.1], ["a"]), lambda: rate_of([1.0], [])):
        with pytest.raises(ValueError):
            wrong()
    for wrong in (lambda: items_needed(0.1, -1.0), lambda: items_needed(0.1, 1.0, assurance=1.0)):
        with pytest.raises(ValueError):
            wrong()
