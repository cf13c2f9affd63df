"""Means with intervals: exact against scipy, silent where nothing is known."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as oracle

from surefoot.stats import mean_of


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=50), st.floats(0.5, 0.999))
def test_the_interval_is_students(values: list[float], assurance: float) -> None:
    found = mean_of(values, assurance=assurance)
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
    width = oracle.t.ppf((1 + assurance) / 2, len(values) - 1) * deviation
    assert found.value == pytest.approx(mean) and found.n == len(values)
    assert found.high == pytest.approx(mean + width, rel=1e-6, abs=1e-6)
    assert found.low == pytest.approx(mean - width, rel=1e-6, abs=1e-6)


def test_nothing_is_known_of_nothing_and_little_of_one() -> None:
    assert (mean_of([]).value, mean_of([]).low, mean_of([]).n) == (None, None, 0)
    assert (mean_of([3.0]).value, mean_of([3.0]).high) == (3.0, None)


@pytest.mark.parametrize("assurance", [0.0, 1.0, -1.0])
def test_an_assurance_out_of_range_is_refused(assurance: float) -> None:
    with pytest.raises(ValueError, match="assurance"):
        mean_of([1.0, 2.0], assurance=assurance)
