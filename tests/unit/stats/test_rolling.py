"""Rates over a window that rolls on, looked at all the time: the two-sided product keeps what it promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.stats.rolling import holm, rolled
from surefoot.stats.sequential import certify


def p(wrong: int, n: int, limit: float = 0.05, weight: float = 1.0, doubt: float = 0.05):
    return rolled([True, False], [weight, weight], counts=[wrong, n - wrong], limit=limit, doubt=doubt)


def test_nothing_seen_tells_nothing_and_says_how_many_right_ones_would():
    found = rolled([], [], limit=0.05, doubt=0.05)
    assert (found.kept_p, found.exceeded_p, found.n) == (1.0, 1.0, 0)
    assert found.labels_needed is not None
    assert p(0, found.labels_needed).kept_p <= 0.05 < p(0, found.labels_needed - 1).kept_p


@pytest.mark.parametrize(("wrong", "n", "side"), [(4, 500, "kept"), (60, 500, "exceeded"), (25, 500, "")])
def test_a_side_is_told_where_the_rate_is_far_from_the_limit(wrong: int, n: int, side: str):
    found = p(wrong, n)
    assert (found.kept_p <= 0.05) == (side == "kept")
    assert (found.exceeded_p <= 0.05) == (side == "exceeded")
    assert found.labels_needed == (0 if side else None)


def test_the_labels_that_are_still_needed_are_those_that_suffice_at_this_rate():
    needed = p(4, 200).labels_needed
    assert needed and p(4 + round(needed * 0.02), 200 + needed).kept_p <= 0.06
    assert p(4 + round(needed / 2 * 0.02), 200 + needed // 2).kept_p > 0.05


@given(st.integers(0, 40), st.integers(1, 300), st.floats(0.02, 0.3))
def test_it_is_never_quicker_than_the_certificate_that_looks_back_to_the_first_label(
    wrong: int, right: int, limit: float
):
    verdicts, ones = [True] * wrong + [False] * right, [1.0] * (wrong + right)
    certified = certify(verdicts, ones, accuracy=1 - limit, assurance=0.95).state == "certified"
    assert certified or rolled(verdicts, ones, limit=limit, doubt=0.05).kept_p > 0.05


def test_a_rare_lot_weighs_as_what_it_stands_for():
    hard = rolled([True, False, False], [0.1, 0.1, 1.0], counts=[90, 210, 300], limit=0.05, doubt=0.05)
    naive = rolled([True, False, False], [1.0, 1.0, 1.0], counts=[90, 210, 300], limit=0.05, doubt=0.05)
    assert naive.exceeded_p < 0.05 < hard.exceeded_p


def test_looking_every_day_of_a_window_is_mistaken_in_at_most_one_of_twenty_worlds():
    rng, window, met, missed = np.random.default_rng(5), 28, 0, 0
    for _ in range(200):
        wrong = rng.random((2 * window, 60)) < 0.1
        sums = np.add.reduceat(wrong, [0], axis=1)[:, 0]
        looks = [p(int(sums[day - window : day].sum()), window * 60, 0.1) for day in range(window, 2 * window + 1)]
        met += any(look.kept_p <= 0.05 for look in looks)
        missed += any(look.exceeded_p <= 0.05 for look in looks)
    assert met <= 10 and missed <= 10


def test_among_many_the_smallest_counts_less():
    assert holm([0.01, 0.2, 0.03]) == pytest.approx([0.03, 0.2, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.integers(0, 7))
def test_a_smaller_p_never_tells_less_of_the_others(given_p: list[float], place: int):
    lower = [each / 2 if at == place % len(given_p) else each for at, each in enumerate(given_p)]
    assert all(a <= b + 1e-12 for a, b in zip(holm(lower), holm(given_p), strict=True))


@pytest.mark.parametrize("doubt", [0.0, 1.0])
def test_a_doubt_out_of_range_is_refused(doubt: float):
    with pytest.raises(ValueError, match="doubt"):
        rolled([], [], limit=0.05, doubt=doubt)
