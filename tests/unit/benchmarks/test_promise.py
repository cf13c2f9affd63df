"""The benchmark of promises measures the product itself: its fast forms agree with it, and a small run prints every row."""

import json
import math

import numpy as np
import pytest

from benchmarks import promise as bench
from surefoot.stats.sequential import Detector, certify


def test_the_fast_detector_is_the_products_own() -> None:
    wrong = np.random.default_rng(1).random((12, 700)) < np.where(np.arange(700) < 300, 0.12, 0.3)
    for row, first in zip(wrong, bench.first_alarms(wrong), strict=True):
        detector, seen = Detector(limit=bench.LIMIT), 0
        while seen < row.size and not detector.alarm:
            detector, seen = detector.seen(bool(row[seen])), seen + 1
        assert first == (seen if detector.alarm else math.inf)


def test_the_fast_wealth_is_the_products_own() -> None:
    rng = np.random.default_rng(2)
    wrong, weights = rng.random(150) < 0.1, rng.choice([1.0, 0.05], 150)
    wealth = bench.running_wealth(wrong, weights)
    for n in (1, 10, 75, 150):
        found = certify(wrong[:n], weights[:n], accuracy=0.85, assurance=0.95)
        assert wealth[n - 1] == pytest.approx(found.log_wealth, abs=1e-9)


@pytest.mark.parametrize("family", bench.FAMILIES)
def test_a_world_is_its_seed_and_its_truth_is_an_oracles(family: str) -> None:
    found = bench.world(family, 0, 300, seed=990)
    assert found == bench.world(family, 0, 300, seed=990) != bench.world(family, 1, 300, seed=990)
    assert 0 <= found.oracle <= 1 and set(found.found) == set(bench.METHODS)


def test_the_truth_counts_what_a_threshold_delivers() -> None:
    truth = bench.Truth(np.array([0.9, 0.8, 0.8, 0.1]), np.array([True, False, True, False]))
    assert truth.at(0.85) == (0.0, 0.25)
    assert truth.at(0.8) == (pytest.approx(1 / 3), 0.75)
    assert truth.at(0.95) == (0.0, 0.0)


def test_a_kept_promise_delivers_less_than_the_naive_cut_and_says_when_it_delivers_nothing() -> None:
    rows = {
        (row["method"], row["labels"]): row for row in bench.promise_rows(["well shaped"], (300, 3000), 6, seed=990)
    }
    assert rows["ours", 3000]["coverage"] < rows["naive cut", 3000]["coverage"]
    assert rows["ours", 300]["no_threshold"] > rows["ours", 3000]["no_threshold"] == 0
    assert rows["ours", 3000]["mean_error"] < bench.LIMIT < rows["raw >= .85", 3000]["mean_error"]


@pytest.mark.parametrize(("rate", "labels"), [(0.0, 19), (0.05, 68), (0.10, 304)])
def test_the_exact_test_needs_what_the_table_says(rate: float, labels: int) -> None:
    assert bench.fixed_n(rate, power=0.8) == labels


def test_naive_detectors_ring_where_they_say() -> None:
    wrong = np.zeros((1, 400), dtype=bool)
    wrong[0, 200:] = True
    assert bench.rolling(wrong)[0] == 200 + 39
    assert 235 < bench.peeking(wrong)[0] < 260
    assert np.isinf(bench.rolling(wrong[:, :200])[0])


def test_a_small_run_prints_one_row_for_each_world_method_and_label_count(capsys: pytest.CaptureFixture[str]) -> None:
    bench.main(["--json", "--worlds", "1", "--runs", "3", "--seed", "990"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    keys = [(row["part"], row["world"], row["method"], row["labels"]) for row in rows]
    assert len(keys) == len(set(keys))
    assert sum(part == "promise" for part, *_ in keys) == len(bench.FAMILIES) * len(bench.METHODS) * 3
    assert {part for part, *_ in keys} == {"promise", "drift", "certificate"}
    assert all(bench.shown(row) for row in rows)
