"""RouteLLM's measures: known values at the ends, and laws in between."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.stats.routing import apgr, area, calls_for, recovered

WEAK = np.array([False] * 5 + [True] * 5)
STRONG = np.array([True] * 10)


def test_a_perfect_order_recovers_the_gap_with_the_calls_that_it_takes() -> None:
    curve = recovered(1.0 - WEAK, WEAK, STRONG)
    assert curve[0] == 0 and curve[5] == curve[10] == 1
    assert area(curve) == pytest.approx(0.75)
    assert calls_for(curve, 0.8) == pytest.approx(0.4)


def test_the_worst_order_is_as_far_below_a_half_as_the_best_is_above() -> None:
    assert apgr(WEAK.astype(float), WEAK, STRONG) == pytest.approx(0.25)


def test_random_orders_recover_half_on_average() -> None:
    drawn = np.random.default_rng(3)
    assert np.mean([apgr(drawn.random(10), WEAK, STRONG) for _ in range(400)]) == pytest.approx(0.5, abs=0.02)


def test_without_a_gap_there_is_nothing_to_recover() -> None:
    assert math.isnan(apgr([0.1, 0.2], STRONG[:2], STRONG[:2]))
    assert math.isnan(calls_for(recovered([0.1, 0.2], STRONG[:2], STRONG[:2]), 0.5))


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans(), st.booleans()), min_size=1, max_size=50))
def test_every_curve_begins_at_the_weak_model_and_ends_at_the_strong_one(rows: list[tuple[float, bool, bool]]) -> None:
    scores, weak, strong = (np.array(column) for column in zip(*rows, strict=True))
    curve = recovered(scores, weak, strong)
    if weak.sum() != strong.sum():
        assert curve[0] == 0 and curve[-1] == pytest.approx(1)
