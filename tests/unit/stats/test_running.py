"""A bound that may be looked at after every trial."""

import numpy as np
import pytest

from surefoot.stats import clopper_pearson
from surefoot.stats.running import running_upper


def test_nothing_is_known_without_a_trial() -> None:
    assert running_upper(0, 0) == 1.0


def test_it_is_wider_than_a_bound_for_one_look_and_shrinks_to_the_rate() -> None:
    assert running_upper(5, 100) > clopper_pearson(5, 100).high
    assert 0.05 < running_upper(5_000, 100_000) < 0.055


def test_more_hits_mean_a_higher_bound() -> None:
    bounds = [running_upper(hits, 60) for hits in range(61)]
    assert bounds == sorted(bounds)


def test_it_is_below_the_truth_at_any_look_in_at_most_a_twentieth_of_the_worlds() -> None:
    draws = np.random.default_rng(7).random((400, 300)) < 0.2
    broken = 0
    for world in draws:
        hits = np.cumsum(world)
        broken += any(running_upper(int(hits[n]), n + 1) < 0.2 for n in range(9, 300, 10))
    assert broken <= 400 * 0.05


@pytest.mark.parametrize(("hits", "n", "assurance"), [(-1, 5, 0.9), (6, 5, 0.9), (1, 5, 1.0)])
def test_impossible_numbers_are_refused(hits: int, n: int, assurance: float) -> None:
    with pytest.raises(ValueError):
        running_upper(hits, n, assurance=assurance)
