"""A judge narrows the rate of wrong answers and never biases it: by formula and by simulation."""

import numpy as np
import pytest

from surefoot.stats import clopper_pearson
from surefoot.stats.arrays import Bools, Floats
from surefoot.stats.ppi import Corrected, ppi_rate

World = tuple[Bools, Floats]


def world(rng: np.random.Generator, n: int, rate: float, signal: float, bias: float = 0.15) -> World:
    """(which answers are wrong, a judge's scores: they see a part of it and complain too much)."""
    wrong = rng.random(n) < rate
    return wrong, np.clip(bias + signal * wrong + rng.normal(0, 0.15, n), 0, 1)


def labelled(rng: np.random.Generator, made: World, n: int) -> Corrected:
    wrong, judged = made
    rows = rng.choice(wrong.size, n, replace=False)
    return ppi_rate(wrong[rows], judged[rows], judged)


@pytest.mark.parametrize(
    ("rate", "signal", "n", "every"),
    [(0.1, 0.3, 300, 3000), (0.1, 0.0, 300, 3000), (0.3, 0.6, 200, 400), (0.3, 0.6, 200, 200), (0.03, 0.3, 200, 2000)],
)
def test_the_interval_covers_the_truth_about_95_times_in_100(rate: float, signal: float, n: int, every: int) -> None:
    rng, covered, middle = np.random.default_rng(1), 0, []
    for _ in range(400):
        found = labelled(rng, world(rng, every, rate, signal), n)
        covered += found.low <= rate <= found.high
        middle.append(found.estimate)
    assert 0.92 <= covered / 400 <= 0.99
    assert np.mean(middle) == pytest.approx(rate, abs=0.006)  # the judge alone is off by 0.15


def test_a_useful_judge_is_worth_labels_and_a_useless_one_costs_none() -> None:
    rng = np.random.default_rng(2)
    useful = [labelled(rng, world(rng, 4000, 0.2, 0.6), 200) for _ in range(50)]
    useless = [labelled(rng, world(rng, 4000, 0.2, 0.0), 200) for _ in range(50)]
    assert np.mean([found.effective_n or 0 for found in useful]) > 400
    assert np.mean([found.effective_n or 0 for found in useless]) == pytest.approx(200, rel=0.03)
    assert min(found.effective_n or 0 for found in useless) > 195


def test_audits_with_unequal_propensities_are_weighted_and_cover() -> None:
    rng, covered = np.random.default_rng(3), 0
    for _ in range(400):
        wrong, judged = world(rng, 3000, 0.15, 0.4)
        propensity = np.where(judged > 0.35, 0.5, 0.1)  # suspicious answers are labelled more often
        rows = rng.random(3000) < propensity
        found = ppi_rate(wrong[rows], judged[rows], judged, propensities=propensity[rows])
        covered += found.low <= 0.15 <= found.high
    assert 0.92 <= covered / 400 <= 0.98


def test_the_estimate_is_the_formula_written_out() -> None:
    rng = np.random.default_rng(4)
    wrong = rng.random(1000) < 0.3
    judged = 0.3 * wrong + rng.random(1000)
    y, f = wrong[:200].astype(float), judged[:200]
    found = ppi_rate(y, f, judged)
    least = np.cov(y, f, ddof=0)[0, 1] / f.var() * (1 / 200 - 1 / 1000) / (
        1 / 200 + judged.var(ddof=1) / f.var() / 1000 - 2 / 1000
    )  # fmt: skip
    assert found.tuning == pytest.approx(least)
    assert found.estimate == pytest.approx(y.mean() + least * (judged.mean() - f.mean()))
    rest = (y - least * f).var(ddof=1) / 200
    both = 2 * least * np.cov(f, y - least * f, ddof=0)[0, 1] / 1000
    half = 1.96 * np.sqrt(rest + max(0, both) + least**2 * judged.var(ddof=1) / 1000)
    assert found.high - found.low == pytest.approx(2 * half, rel=1e-4)


def test_where_everything_is_labelled_the_judge_changes_nothing() -> None:
    wrong, judged = world(np.random.default_rng(5), 300, 0.3, 0.6)
    found = ppi_rate(wrong, judged, judged)
    assert found.estimate == pytest.approx(wrong.mean())
    assert found.effective_n == pytest.approx(300, rel=0.02)


@pytest.mark.parametrize("wrong", [0, 3, 9])
def test_few_wrong_answers_stand_alone_with_their_exact_interval(wrong: int) -> None:
    labels = np.arange(100) < wrong
    found, exact = ppi_rate(labels, labels * 0.9, np.full(1000, 0.5)), clopper_pearson(wrong, 100)
    assert (found.estimate, found.low, found.high) == (exact.estimate, exact.low, exact.high)
    assert found.tuning == 0 and found.judge_alone == 0.5


def test_below_two_labels_nothing_is_known_but_what_the_judge_says() -> None:
    found = ppi_rate([1.0], [0.5], [0.5, 0.7])
    assert (found.estimate, found.low, found.high, found.effective_n) == (None, 0.0, 1.0, None)
    assert found.judge_alone == pytest.approx(0.6)
    assert ppi_rate([], [], []).judge_alone is None


@pytest.mark.parametrize("propensities", [[0.0, 1.0], [0.5, 1.5], [0.5]])
def test_impossible_propensities_are_refused(propensities: list[float]) -> None:
    with pytest.raises(ValueError, match=r"propensity|expected 2"):
        ppi_rate([0, 1], [0.1, 0.9], [0.1, 0.9], propensities=propensities)
