"""The exact test agrees with scipy, an oracle here and no dependency; what it needs is what it then passes with."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from surefoot.stats.binomial import binomial_p, labels_needed


@given(st.integers(0, 5000), st.integers(0, 5000), st.floats(0.001, 0.999))
def test_the_p_value_is_the_tail_of_the_binomial(wrong: int, right: int, limit: float) -> None:
    expected = float(binom.cdf(wrong, wrong + right, limit))
    assert math.isclose(binomial_p(wrong, wrong + right, limit), expected, rel_tol=1e-8, abs_tol=1e-280)


def test_a_million_labels_are_no_trouble() -> None:
    assert math.isclose(binomial_p(149_500, 1_000_000, 0.15), float(binom.cdf(149_500, 1_000_000, 0.15)), rel_tol=1e-6)


def test_of_nothing_nothing_is_known() -> None:
    assert binomial_p(0, 0, 0.15) == 1.0


@pytest.mark.parametrize(("wrong", "n", "limit"), [(-1, 3, 0.1), (4, 3, 0.1), (1, 3, 0.0), (1, 3, 1.0)])
def test_impossible_counts_and_limits_are_refused(wrong: int, n: int, limit: float) -> None:
    with pytest.raises(ValueError, match=r"wrong|limit"):
        binomial_p(wrong, n, limit)


@pytest.mark.parametrize(("accuracy", "right_in_a_row"), [(0.85, 19), (0.95, 59), (0.99, 299), (0.999, 2995)])
def test_right_ones_in_a_row_certify(accuracy: float, right_in_a_row: int) -> None:
    assert labels_needed(0, 0, accuracy=accuracy, assurance=0.95) == right_in_a_row
    assert labels_needed(0, 10, accuracy=accuracy, assurance=0.95) == right_in_a_row - 10
    assert labels_needed(0, right_in_a_row, accuracy=accuracy, assurance=0.95) == 0


@pytest.mark.parametrize(("wrong", "n"), [(3, 20), (1, 1), (30, 200), (200, 1000)])
def test_the_need_is_unknown_when_no_fewer_are_wrong_than_allowed(wrong: int, n: int) -> None:
    assert labels_needed(wrong, n, accuracy=0.85, assurance=0.95) is None


@given(st.integers(0, 40), st.integers(1, 400))
def test_as_many_labels_of_the_same_kind_pass_the_test(wrong: int, right: int) -> None:
    n = wrong + right
    needed = labels_needed(wrong, n, accuracy=0.85, assurance=0.95)
    if needed:
        total = n + needed
        assert binomial_p(math.ceil(wrong / n * total), total, 0.15) <= 0.05 < binomial_p(wrong, n, 0.15)


def test_an_assurance_out_of_range_is_refused() -> None:
    with pytest.raises(ValueError, match="assurance"):
        labels_needed(0, 5, accuracy=0.85, assurance=1.0)
