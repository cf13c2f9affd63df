"""The benchmark of the gate: a world is its seed, and a small run shows what the large one does."""

import numpy as np
import pytest

from benchmarks import gate as bench
from surefoot.evals.gate import FAIL, OPEN


def test_a_world_differs_as_it_says() -> None:
    for world in bench.WORLDS:
        items = bench.items_of(world, 20_000, np.random.default_rng(1))
        values = [each.candidate[0] - each.other[0] for each in items]
        assert np.mean(values) == pytest.approx(world.difference, abs=0.01)
        assert np.mean(np.abs(values)) == pytest.approx(world.apart, abs=0.012)


def test_few_items_are_not_enough_and_the_printed_n_is_enough_mostly() -> None:
    world = bench.WORLDS[1]
    few = {row["method"]: row for row in bench.rows_of(world, 50, 20, 3)}
    many = {row["method"]: row for row in bench.rows_of(world, bench.printed(world), 20, 3)}
    assert few["gate"]["undecided"][0] >= 0.8 and few["two means"]["undecided"][0] == 0
    assert few["two means"]["wrong"][0] > 0.1 > many["gate"]["wrong"][0]
    assert many["gate"]["right"][0] >= 0.6
    assert many == {row["method"]: row for row in bench.rows_of(world, bench.printed(world), 20, 3)}


def test_the_baselines_are_what_they_say() -> None:
    items = bench.items_of(bench.WORLDS[3], 400, np.random.default_rng(2))
    assert bench.two_means(items, 0.03) == FAIL
    assert bench.peeking(items[:50], 0.0) in (FAIL, OPEN)
