"""Means and ratios from lots: by their formulas, by other people's code, by simulation; nothing is made of nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from surefoot.stats.arrays import Floats
from surefoot.stats.offpolicy import (
    Sampled,
    cross_fitted,
    doubly_robust,
    hajek,
    horvitz_thompson,
    ratio,
)

SEEN = np.array([True, False, True, True, False, True])
SHARE = np.array([0.5, 0.5, 0.25, 1.0, 0.2, 0.5])
VALUES = np.array([1.0, np.nan, 4.0, 2.0, np.nan, 3.0])


def test_weighted_means_are_those_of_their_formulas() -> None:
    rows = Sampled.of(SEEN, SHARE)
    weight, value = 1 / SHARE[SEEN], VALUES[SEEN]
    assert horvitz_thompson(VALUES, rows).estimate == pytest.approx(weight @ value / 6)
    found = hajek(VALUES, rows)
    assert found.estimate == pytest.approx(weight @ value / weight.sum())
    assert found.effective_n == pytest.approx(weight.sum() ** 2 / (weight @ weight))
    assert found.n == 4


def test_with_everything_seen_all_three_are_the_plain_mean_and_owens_interval() -> None:
    values = np.random.default_rng(1).lognormal(0, 1, 60)
    rows = Sampled.of(np.ones(60, np.bool_), np.ones(60))
    reach = stats.t.ppf(0.975, 59) ** 2

    def profile(mean: float) -> float:  # Owen (1988): weights n w_i = 1 / (1 + t (x - mean)) with their mean restored
        away = values - mean
        edge = 1e-9
        tilt = optimize.brentq(
            lambda t: (away / (1 + t * away)).sum(), (-1 + edge) / away.max(), (-1 + edge) / away.min()
        )
        return float(2 * np.log1p(tilt * away).sum()) - reach

    low = optimize.brentq(profile, values.min() * 1.05, values.mean())
    high = optimize.brentq(profile, values.mean(), values.max() * 0.95)
    for found in (horvitz_thompson(values, rows), hajek(values, rows), doubly_robust(values, np.ones(60), rows)):
        assert found.estimate == pytest.approx(values.mean())
        assert (found.low, found.high) == pytest.approx((low, high), rel=1e-3)


def test_doubly_robust_with_many_rows_is_the_textbook_estimate() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(3, 1, 20_000)
    share = np.where(truth > 3, 0.5, 0.1)
    seen = rng.random(truth.size) < share
    values, guess = truth + rng.normal(0, 0.1, truth.size), truth
    textbook = (guess + np.where(seen, (values - guess) / share, 0)).mean()
    found = doubly_robust(values, guess, Sampled.of(seen, share))
    assert found.estimate == pytest.approx(textbook, abs=0.005)
    plain = horvitz_thompson(values, Sampled.of(seen, share))
    assert found.low is not None
    assert plain.low is not None
    assert plain.estimate is not None
    assert found.estimate - found.low < 0.2 * (plain.estimate - plain.low)  # the prediction is nearly perfect


def world(rng: np.random.Generator, n: int) -> tuple[Floats, Floats, Sampled]:
    """(wrong or not, a prediction that is off, what a lot of two shares let be seen); 12 % are wrong."""
    risk = rng.beta(0.6, 4.4, n)
    share = np.where(risk > 0.1, 0.3, 0.1)
    wrong = (rng.random(n) < risk).astype(np.float64)
    return wrong, np.clip(0.1 + 0.6 * risk, 0, 1), Sampled.of(rng.random(n) < share, share)


@pytest.mark.parametrize("kind", ["hajek", "doubly robust"])
def test_intervals_hold_the_truth_about_95_times_in_100(kind: str) -> None:
    rng, held, middle = np.random.default_rng(3), 0, []
    for _ in range(300):
        wrong, guess, rows = world(rng, 1000)
        found = hajek(wrong, rows, rate=True) if kind == "hajek" else doubly_robust(wrong, guess, rows, rate=True)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 0.12 <= found.high
        middle.append(found.estimate)
    assert 0.915 <= held / 300 <= 0.985
    assert np.mean(middle) == pytest.approx(0.12, abs=0.004)


def test_rows_of_one_group_are_one_unit() -> None:
    values = np.tile([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0], 1)
    once = hajek(values, Sampled.of(np.ones(12, np.bool_), np.ones(12)), rate=True)
    groups = [str(each) for each in range(12)] * 5
    again = hajek(np.tile(values, 5), Sampled.of(np.ones(60, np.bool_), np.ones(60), groups), rate=True)
    assert (again.low, again.high) == pytest.approx((once.low, once.high), abs=1e-3)


def test_few_errors_have_a_binomial_interval_and_none_is_not_certainty() -> None:
    rows = Sampled.of(np.ones(100, np.bool_), np.full(100, 0.2))
    found = hajek(np.zeros(100), rows, rate=True)
    assert found.estimate == 0
    assert found.high == pytest.approx(stats.beta.ppf(0.975, 1, 100))


def test_of_nothing_nothing_is_known_and_of_one_group_no_interval() -> None:
    nobody = Sampled.of(np.zeros(5, np.bool_), np.full(5, 0.5))
    assert hajek(np.zeros(5), nobody).estimate is None
    assert hajek([], Sampled.of([], [])).n == 0
    one = Sampled.of(np.ones(3, np.bool_), np.ones(3), ["a", "a", "a"])
    found = hajek([1.0, 2.0, 3.0], one)
    assert (found.estimate, found.low, found.high) == (2.0, None, None)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_what_no_lot_could_show_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="propensity"):
        Sampled.of([True, False], [0.5, share])


def test_predictions_are_made_without_the_rows_own_value() -> None:
    rng = np.random.default_rng(4)
    strata = rng.integers(0, 3, 400)
    rows = Sampled.of(np.ones(400, np.bool_), np.ones(400))
    values = strata + rng.normal(0, 0.1, 400)
    found = cross_fitted(values, rows, strata)
    assert np.abs(found - strata).max() < 0.1
    changed = values.copy()
    changed[7] += 1000
    assert cross_fitted(changed, rows, strata)[7] == pytest.approx(found[7])
    assert cross_fitted(changed, rows, strata)[8:].max() > 3


@given(st.lists(st.floats(0, 1), min_size=2, max_size=40), st.integers(0, 10))
def test_a_rate_and_its_interval_stay_between_0_and_1(values: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.1, 1, len(values))
    rows = Sampled.of(rng.random(len(values)) < share, share)
    for found in (hajek(values, rows, rate=True), doubly_robust(values, np.full(len(values), 0.5), rows, rate=True)):
        if found.estimate is not None:
            assert found.low is not None
            assert found.high is not None
            assert 0 <= found.low <= found.high <= 1


def test_a_ratio_of_nothing_below_the_line_is_unknown() -> None:
    rows = Sampled.of(np.ones(3, np.bool_), np.ones(3))
    assert ratio(np.ones(3), np.zeros(3), rows).estimate is None
