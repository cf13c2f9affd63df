"""Bets on a bounded mean: fair under the null, whatever the order, and an interval that holds at every look."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.stats.betting import Bounded, certain_ends, wealth_above, wealth_below

ITEM = Bounded(least=-1.0, most=1.0)


@given(st.floats(0.01, 0.3), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_the_expected_wealth_at_the_bound_is_one(bound: float, n: int) -> None:
    chances = {1.0: (0.4 - bound) / 2, -1.0: (0.4 + bound) / 2, 0.0: 0.6}  # their mean is -bound
    for wealth in (wealth_above, wealth_below):
        total = sum(
            math.prod(chances[each] for each in values) * math.exp(wealth(values, [1] * n, -bound, ITEM))
            for values in itertools.product(chances, repeat=n)
        )
        assert total == pytest.approx(1, abs=1e-9)


def test_a_mean_beyond_the_bound_makes_rich_and_the_order_does_not_matter() -> None:
    values = [1.0] * 30 + [-1.0] * 5 + [0.0] * 65
    mixed = list(np.random.default_rng(1).permutation(values))
    ones = [1] * 100
    assert wealth_above(values, ones, 0.0, ITEM) == pytest.approx(wealth_above(mixed, ones, 0.0, ITEM))
    assert wealth_above(values, ones, 0.0, ITEM) > 5 and wealth_below(values, ones, 0.0, ITEM) < 0
    assert wealth_above([], [], 0.0, ITEM) == 0 == wealth_below([1.0], [1], 1.0, ITEM)


def test_a_group_counts_as_one_bet_however_many_items_it_has() -> None:
    alone = wealth_above([1.0] * 10, [1] * 10, 0.0, ITEM)
    grouped = wealth_above([5.0] * 10, [5] * 10, 0.0, Bounded(least=-1.0, most=1.0, largest=5))
    assert grouped == pytest.approx(alone)


def test_the_ends_hold_at_every_look_and_close_in() -> None:
    rng = np.random.default_rng(2)
    missed = 0
    for _ in range(60):
        values = rng.choice([1.0, -1.0, 0.0], size=400, p=[0.1, 0.2, 0.7])
        ends = [certain_ends(values[:n], [1] * n, ITEM, assurance=0.9) for n in (50, 100, 200, 400)]
        missed += any(not low <= -0.1 <= high for low, high in ends)
    assert missed <= 6
    low, high = ends[-1]
    assert high - low < 0.35 and certain_ends([], [], ITEM, assurance=0.9) == (-1.0, 1.0)


def test_what_cannot_be_is_refused() -> None:
    for wrong in (
        lambda: wealth_above([1.0], [2], 0.0, ITEM),
        lambda: wealth_above([1.0], [1], 2.0, ITEM),
        lambda: wealth_above([1.0], [1, 1], 0.0, ITEM),
        lambda: certain_ends([1.0], [1], ITEM, assurance=1.0),
    ):
        with pytest.raises(ValueError):
            wrong()
