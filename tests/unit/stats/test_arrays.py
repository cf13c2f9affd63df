"""What the statistics are given is checked once; folds are made of whole groups."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit
from scipy.special import logit as scipy_logit

from surefoot.stats.arrays import bools, effective, floats, folds_of, logit, sigmoid, weights_of

names = st.lists(st.sampled_from("abcdefghij"), min_size=1, max_size=60)


@given(names, st.integers(2, 6), st.integers(0, 99))
def test_folds_never_divide_a_group(groups: list[str], k: int, seed: int) -> None:
    fold = folds_of(groups, k, seed=seed)
    assert all(len(set(fold[np.array(groups) == name])) == 1 for name in set(groups))
    assert 0 <= fold.min() <= fold.max() < k


@given(names, st.integers(2, 6))
def test_folds_differ_by_no_more_than_the_largest_group(groups: list[str], k: int) -> None:
    sizes = np.bincount(folds_of(groups, k), minlength=k)
    assert sizes.max() - sizes.min() <= max(groups.count(name) for name in groups)


def test_another_seed_deals_other_folds() -> None:
    groups = [str(row) for row in range(50)]
    assert (folds_of(groups, 5, seed=1) == folds_of(groups, 5, seed=1)).all()
    assert (folds_of(groups, 5, seed=1) != folds_of(groups, 5, seed=2)).any()


def test_one_fold_is_refused() -> None:
    with pytest.raises(ValueError, match="two folds"):
        folds_of(["a"], 1)


def test_the_sigmoid_is_scipys_even_far_out() -> None:
    z = np.array([-1000.0, -30.0, -1.0, 0.0, 1.0, 30.0, 1000.0])
    assert sigmoid(z) == pytest.approx(expit(z), rel=1e-12, abs=0)
    assert logit(sigmoid(z[2:5])) == pytest.approx(scipy_logit(expit(z[2:5])))


def test_a_logit_of_certainty_is_finite() -> None:
    assert np.isfinite(logit(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize("values", [[[1.0]], [float("nan")], [float("inf")]])
def test_what_is_no_row_of_finite_numbers_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match=r"dimension|finite"):
        floats(values)


def test_lengths_must_fit() -> None:
    with pytest.raises(ValueError, match="expected 2"):
        floats([1.0], like=2)
    with pytest.raises(ValueError, match="expected 2"):
        bools([True], like=2)
    with pytest.raises(ValueError, match="above 0"):
        weights_of([1.0, 0.0], 2)


def test_weights_are_scaled_to_a_mean_of_one() -> None:
    assert weights_of([1.0, 3.0], 2).tolist() == [0.5, 1.5]
    assert weights_of(None, 3).tolist() == [1.0, 1.0, 1.0]
    assert weights_of([], 0).size == 0


def test_equal_weights_are_worth_their_number_and_unequal_ones_less() -> None:
    assert effective(np.full(7, 2.5)) == pytest.approx(7)
    assert effective(np.array([1000.0, 1.0])) == pytest.approx(1.002, abs=1e-3)
    assert effective(np.array([])) == 0
