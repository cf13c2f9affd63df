"""Logistic regression agrees with scikit-learn's, which is an oracle here and no dependency."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from surefoot.stats.arrays import Bools, Floats
from surefoot.stats.logistic import fit_logistic


def world(seed: int, n: int = 200, d: int = 4) -> tuple[Floats, Bools, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    y = rng.random(n) < 1 / (1 + np.exp(-(x @ rng.normal(size=d) + 0.5)))
    return x, y, rng.choice([1.0, 4.0, 20.0], n)


@pytest.mark.parametrize("l2", [0.1, 1.0, 30.0])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_the_line_is_scikit_learns(l2: float, weighted: bool, seed: int) -> None:
    x, y, weight = world(seed)
    found = fit_logistic(x, y, l2=l2, weights=weight if weighted else None)
    oracle = LogisticRegression(C=1 / l2, tol=1e-10, max_iter=10_000)
    oracle.fit(x, y, sample_weight=weight / weight.mean() if weighted else None)
    assert found.weights == pytest.approx(oracle.coef_[0], abs=1e-5)
    assert found.bias == pytest.approx(oracle.intercept_[0], abs=1e-5)
    assert found.z(x) == pytest.approx(oracle.decision_function(x), abs=1e-4)


def test_a_penalty_for_each_column_is_a_column_scaled() -> None:
    x, y, _ = world(3)
    by_column = fit_logistic(x, y, l2=np.array([1.0, 1.0, 4.0, 4.0]))
    scaled = fit_logistic(x * [1, 1, 0.5, 0.5], y, l2=1.0)
    assert by_column.weights == pytest.approx(scaled.weights * [1, 1, 0.5, 0.5], abs=1e-6)


def test_a_weight_of_two_is_a_row_given_twice() -> None:
    x, y, _ = world(4, n=60)
    twice = np.r_[np.arange(60), np.arange(30)]
    weighted = fit_logistic(x, y, l2=1.0, weights=np.where(np.arange(60) < 30, 2.0, 1.0))
    repeated = fit_logistic(x[twice], y[twice], l2=90 / 60)  # weights are scaled to a mean of 1
    assert weighted.weights == pytest.approx(repeated.weights, abs=1e-6)


def test_labels_that_a_line_parts_keep_it_finite() -> None:
    x = np.linspace(-1, 1, 40)[:, None]
    line = fit_logistic(x, x[:, 0] > 0, l2=1.0)
    oracle = LogisticRegression(C=1.0, tol=1e-10).fit(x, x[:, 0] > 0)
    assert line.weights == pytest.approx(oracle.coef_[0], abs=1e-5)


def test_a_constant_column_gets_no_weight() -> None:
    x, y, _ = world(5)
    x[:, 0] = 0.7
    assert fit_logistic(x, y).weights[0] == pytest.approx(0, abs=1e-6)


def test_without_columns_the_bias_is_the_logit_of_the_rate() -> None:
    y = np.array([True] * 30 + [False] * 10)
    assert fit_logistic(np.zeros((40, 0)), y).bias == pytest.approx(np.log(3))


@pytest.mark.parametrize("weighted", [False, True])
def test_labels_of_one_kind_give_a_smoothed_rate_and_no_line(weighted: bool) -> None:
    weight = np.random.default_rng(6).uniform(1, 1.001, 9) if weighted else None
    right = fit_logistic(np.ones((9, 2)), np.ones(9, bool), weights=weight)
    wrong = fit_logistic(np.ones((9, 2)), np.zeros(9, bool), weights=weight)
    assert right.weights.tolist() == [0, 0] and right.bias == pytest.approx(np.log(10), abs=1e-3)
    assert wrong.bias == pytest.approx(-right.bias)


def test_nothing_gives_a_line_that_says_nothing() -> None:
    line = fit_logistic(np.zeros((0, 3)), [])
    assert line.weights.tolist() == [0, 0, 0] and line.bias == 0


@pytest.mark.parametrize(("x", "l2"), [([[np.nan]], 1.0), ([1.0], 1.0), ([[1.0]], 0.0), ([[1.0]], -1.0)])
def test_what_cannot_be_fitted_is_refused(x: list[float], l2: float) -> None:
    with pytest.raises(ValueError, match=r"finite|above 0"):
        fit_logistic(np.array(x), [True], l2=l2)
