"""The benchmark's oracle is as good as it says, or no method could be held against it."""

import numpy as np
import pytest

from benchmarks.bill import FAMILIES, World, ends, naive, one_series


@pytest.mark.parametrize("family", FAMILIES)
def test_worlds_are_positive_and_their_sum_comes_true_in_most_of_the_oracles_intervals(family: str) -> None:
    held = []
    for number in range(40):
        rng = np.random.default_rng([990, number])
        world = World(family, rng, 10)
        assert world.days.shape == (100,) and (world.days >= 0).all()
        low, high = ends(world.best(rng), 0.95)
        held.append(low <= world.days[90:].sum() <= high)
    assert np.mean(held) >= 0.85


def test_being_told_the_level_makes_the_oracle_narrower() -> None:
    ratios = []
    for number in range(20):
        rng = np.random.default_rng([990, number])
        world = World("plain", rng, 30)
        (a, b), (c, d) = ends(world.best(rng), 0.95), ends(world.told(rng), 0.95)
        ratios.append((b - a) / (d - c))
    assert np.median(ratios) > 1.1


def test_the_naive_interval_is_the_textbooks() -> None:
    low, high = naive(np.array([1.0, 3.0]), 4, 0.95)
    assert (low + high) / 2 == 8 and high - low == pytest.approx(2 * 1.96 * np.sqrt(2) * 2)


def test_a_seed_gives_the_same_series() -> None:
    assert one_series(("burst", 10, 990, 3)) == one_series(("burst", 10, 990, 3))
