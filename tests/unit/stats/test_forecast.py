"""Forecasts of sums: cautious when little is known, indifferent to units, and sober about strange days."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.stats.forecast import DAYS_NEEDED, Forecast, Today, TooShort, forecast

WEEK = np.array([1.1, 1.2, 1.15, 1.1, 1.05, 0.6, 0.5])


def days(n: int, *, growth: float = 0.0, noise: float = 0.1, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return 100 * WEEK[np.arange(n) % 7] * np.exp(growth * np.arange(n) + noise * rng.standard_normal(n))


def known(amounts: np.ndarray, ahead: int, **more: object) -> Forecast:
    found = forecast(amounts, weekday=0, days=ahead, **more)
    assert isinstance(found, Forecast)
    return found


@given(n=st.integers(0, DAYS_NEEDED - 1))
def test_a_short_history_gives_how_many_days_are_missing_and_no_number(n: int) -> None:
    assert forecast(days(n), weekday=0, days=5) == TooShort(
        more_days=max(DAYS_NEEDED - n, 14 - n), more_spent_days=max(0, 14 - n)
    )


def test_a_long_history_of_nothing_is_too_short() -> None:
    assert forecast(np.zeros(100), weekday=0, days=5) == TooShort(more_days=14, more_spent_days=14)


def test_weekdays_and_growth_are_found() -> None:
    found = known(days(120, growth=0.01, noise=0.03), 30)
    assert np.array(found.weekdays) == pytest.approx(WEEK / np.exp(np.log(WEEK).mean()), rel=0.06)
    low, middle, high = found.growth
    assert low < np.exp(0.07) < high and middle == pytest.approx(np.exp(0.07), rel=0.02)
    true = (100 * WEEK[np.arange(120, 150) % 7] * np.exp(0.01 * np.arange(120, 150))).sum()
    low, high = found.interval(0.95)
    assert low < true < high and found.median == pytest.approx(true, rel=0.1)


@given(factor=st.floats(1e-6, 1e6))
@settings(max_examples=10, deadline=None)
def test_another_unit_gives_the_same_forecast(factor: float) -> None:
    amounts = days(40)
    assert known(amounts * factor, 10).median == pytest.approx(known(amounts, 10).median * factor, rel=1e-6)


def test_the_same_series_and_seed_give_the_same_draws() -> None:
    assert (known(days(40), 10).sums == known(days(40), 10).sums).all()
    assert not (known(days(40), 10).sums == known(days(40), 10, seed=1).sums).all()


def test_intervals_are_nested_and_further_days_cost_more() -> None:
    near, far = known(days(60), 5), known(days(60), 20)
    for found in (near, far):
        (low, high), (lower, higher) = found.interval(0.8), found.interval(0.95)
        assert 0 <= lower < low < found.median < high < higher
    assert far.median > near.median
    assert far.above(0) == 1 and far.above(1e12) == 0


@pytest.mark.parametrize("shock", [0.0, 0.1, 6.0])
def test_one_strange_day_hardly_moves_the_forecast(shock: float) -> None:
    amounts = days(60)
    struck = amounts.copy()
    struck[50] *= shock
    assert known(struck, 20).median == pytest.approx(known(amounts, 20).median, rel=0.12)


def test_a_jump_that_lasts_is_followed() -> None:
    amounts = days(60)
    amounts[45:] *= 3
    assert known(amounts, 14).median == pytest.approx(3 * 100 * WEEK.sum() * 2, rel=0.2)


def test_weekends_without_spend_stay_without() -> None:
    amounts = days(63)
    amounts[np.arange(63) % 7 >= 5] = 0
    working = known(amounts, 5)
    assert known(amounts, 7).median == pytest.approx(working.median, rel=0.05)


def test_what_has_ended_is_not_expected_to_come_back() -> None:
    amounts = np.concatenate([days(60), np.zeros(30)])
    assert known(amounts, 7).median == 0


def test_a_day_that_began_cheaply_costs_less_and_its_beginning_is_not_counted_twice() -> None:
    amounts = days(60)
    shares = np.random.default_rng(1).normal(0.5, 0.02, 40)
    usual = known(amounts, 1, today=Today(so_far=WEEK[60 % 7] * 50, shares=shares))
    assert usual.median == pytest.approx(WEEK[60 % 7] * 50, rel=0.15)
    cheap = known(amounts, 1, today=Today(so_far=WEEK[60 % 7] * 40, shares=shares))
    assert cheap.median < usual.median
    absurd = known(amounts, 1, today=Today(so_far=WEEK[60 % 7] * 5000, shares=shares))
    assert absurd.median == pytest.approx(WEEK[60 % 7] * 5000, rel=0.2)


def test_a_day_that_began_tells_of_the_days_after_it() -> None:
    amounts, shares = days(60), np.random.default_rng(1).normal(0.5, 0.02, 40)
    high = known(amounts, 10, today=Today(so_far=WEEK[60 % 7] * 70, shares=shares))
    low = known(amounts, 10, today=Today(so_far=WEEK[60 % 7] * 40, shares=shares))
    assert high.median - WEEK[60 % 7] * 70 > low.median - WEEK[60 % 7] * 40


def test_without_a_profile_today_is_what_the_model_says_less_what_was_spent() -> None:
    amounts = days(60)
    plain = known(amounts, 3)
    assert known(amounts, 3, today=Today(so_far=30.0, shares=np.array([]))).median == pytest.approx(
        plain.median - 30, rel=0.05
    )


def test_the_back_test_says_on_how_many_windows_it_rests() -> None:
    none = known(days(25), 10)
    assert (none.tested95.estimate, none.tested95.n, none.width) == (None, 0, 1.0)
    some = known(days(120), 10)
    assert some.tested95.n == 9 and some.tested95.estimate is not None
    assert 0 <= some.tested95.low < some.tested95.high <= 1
    assert 0.9 <= some.width <= 2


def test_a_past_that_surprised_the_model_widens_the_interval() -> None:
    rng = np.random.default_rng(3)
    months = np.repeat(np.exp(rng.normal(0, 0.5, 13)), 14)[:180]  # a new level every other week
    assert known(days(180, noise=0.02) * months[:180], 14).width > known(days(180), 14).width


@pytest.mark.parametrize(
    ("amounts", "more"), [([-1.0], {}), ([float("nan")], {}), ([1.0], {"days": 0}), ([1.0], {"weekday": 7})]
)
def test_amounts_and_days_out_of_range_are_refused(amounts: list[float], more: dict[str, int]) -> None:
    with pytest.raises(ValueError):
        forecast(amounts, **{"weekday": 0, "days": 1} | more)
