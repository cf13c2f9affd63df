"""Exact intervals agree with scipy, which is an oracle here and no dependency."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta

from surefoot.stats import clopper_pearson, quantile
from surefoot.stats.intervals import binomial_ends


@given(st.integers(0, 5000), st.integers(0, 5000), st.sampled_from([0.8, 0.95, 0.999]))
def test_the_interval_is_the_exact_one(hits: int, misses: int, assurance: float) -> None:
    n, tail = hits + misses, (1 - assurance) / 2
    found = clopper_pearson(hits, n, assurance=assurance)
    low = beta.ppf(tail, hits, misses + 1) if hits else 0.0
    high = beta.ppf(1 - tail, hits + 1, misses) if misses else 1.0
    assert math.isclose(found.low, low, abs_tol=1e-9)
    assert math.isclose(found.high, high, abs_tol=1e-9)


def test_of_nothing_nothing_is_known() -> None:
    found = clopper_pearson(0, 0)
    assert (found.estimate, found.low, found.high, found.n) == (None, 0.0, 1.0, 0)


@pytest.mark.parametrize(("hits", "n", "assurance"), [(-1, 5, 0.9), (6, 5, 0.9), (1, 5, 1.0)])
def test_impossible_counts_are_refused(hits: int, n: int, assurance: float) -> None:
    with pytest.raises(ValueError, match=r"hits|assurance"):
        clopper_pearson(hits, n, assurance=assurance)


def test_a_quantile_of_nothing_is_unknown() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0


@given(st.floats(0.01, 200), st.floats(0.01, 200))
def test_ends_of_effective_numbers_are_quantiles_of_beta_distributions(hits: float, misses: float) -> None:
    low, high = binomial_ends(hits, hits + misses)
    assert math.isclose(low, beta.ppf(0.025, hits, misses + 1), abs_tol=1e-9)
    assert math.isclose(high, beta.ppf(0.975, hits + 1, misses), abs_tol=1e-9)
