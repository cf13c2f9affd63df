"""Ratios over days against an oracle and by simulation; what too few days say."""

import numpy as np
import pytest
from scipy import stats

from surefoot.stats.intervals import student_tail
from surefoot.stats.ratios import days_needed, ratio


def test_the_tail_of_student_is_that_of_an_oracle():
    for t in (-2.5, 0.0, 0.3, 1.7, 6.0):
        for freedom in (1, 5, 27):
            assert student_tail(t, freedom) == pytest.approx(stats.t.sf(t, freedom), abs=1e-10)


def test_with_equal_days_it_is_the_mean_of_the_days():
    values = [1.0, 2.0, 4.0, 3.0]
    found = ratio([10 * each for each in values], [10.0] * 4)
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    assert (found.value, found.low, found.high) == pytest.approx((2.5, low, high))


def test_days_that_are_alike_inside_are_the_clusters():
    rng, inside = np.random.default_rng(3), 0
    for _ in range(400):
        volume, price = rng.poisson(200, 28), rng.normal(1.0, 0.2, 28)
        found = ratio(volume * price, volume)
        assert found.low is not None and found.high is not None
        inside += found.low <= 1.0 <= found.high
    assert 0.92 <= inside / 400 <= 0.98


def test_too_little_is_unknown_and_never_zero():
    nothing, one = ratio([], []), ratio([3.0], [2.0])
    assert (nothing.value, nothing.low, nothing.days) == (None, None, 0)
    assert (one.value, one.low, one.error, one.beyond(9.0)) == (1.5, None, None, (1.0, 1.0))
    assert ratio([1.0, 1.0], [0.0, 0.0]).value is None


def test_days_that_are_all_alike_are_told_by_their_number():
    few, many = ratio([0.0] * 3, [5.0] * 3), ratio([0.0] * 12, [5.0] * 12)
    assert (few.value, few.low, few.high) == (0.0, None, None)
    assert few.beyond(1.0) == (0.125, 1.0) and many.beyond(1.0)[0] < 0.001
    assert days_needed(few, 1.0, 0.05, looks=28) == 7


def test_the_days_that_are_needed_are_more_the_nearer_the_limit_lies():
    rng = np.random.default_rng(2)
    found = ratio(rng.normal(1.0, 0.3, 14) * 100, [100.0] * 14)
    near, far = (days_needed(found, limit, 0.05, looks=28) for limit in (1.2, 2.0))
    assert near is not None and far is not None and near > far


def test_an_assurance_out_of_range_is_refused():
    with pytest.raises(ValueError, match="assurance"):
        ratio([1.0], [1.0], assurance=1.0)
