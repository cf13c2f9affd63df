"""Certificates and detectors may be looked at after every label: what they promise is simulated, with fixed seeds."""

import math

import numpy as np
import pytest

from surefoot.stats.sequential import BROKEN, CERTIFIED, OPEN, Certified, Detector, certify, excess_bets, kept_bets

NEEDED = math.log(20)


def stand(wrong: int, right: int, *, accuracy: float = 0.85, assurance: float = 0.95) -> Certified:
    return certify([True, False], [1.0, 1.0], counts=[wrong, right], accuracy=accuracy, assurance=assurance)


def looked_at_always(wrong: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """By row, whether the certificate was ever given: the wealth of each prefix."""
    bets, stakes = kept_bets(0.15)
    logs = [
        np.cumsum(np.log(1 - bet * weights * (wrong - 0.15)), axis=1) + math.log(s)
        for bet, s in zip(bets, stakes, strict=True)
    ]
    return np.logaddexp.reduce(logs, axis=0).max(axis=1) >= NEEDED


def test_the_wealth_is_the_mixture_of_its_bets() -> None:
    wrong, weights = np.array([False, True, False, False]), np.array([1.0, 0.5, 0.2, 1.0])
    bets, stakes = kept_bets(0.15)
    plain = [
        stake * math.prod(1 - bet * w * (e - 0.15) for e, w in zip(wrong, weights, strict=True))
        for bet, stake in zip(bets, stakes, strict=True)
    ]
    found = certify(wrong, weights, accuracy=0.85, assurance=0.95)
    assert found.log_wealth == pytest.approx(math.log(sum(plain)), abs=1e-9)


def test_a_promise_that_is_just_not_kept_is_rarely_certified_at_any_look() -> None:
    wrong = np.random.default_rng(21).random((1000, 600)) < 0.15
    assert looked_at_always(wrong, np.ones(wrong.shape)).mean() <= 0.05


def test_labels_drawn_by_answer_certify_as_rarely() -> None:
    rng = np.random.default_rng(22)
    doubtful = (
        rng.random((1000, 1000)) < 0.25
    )  # always labelled, wrong in 45 %; the rest with 5 %, wrong in 5 %: 15 % in all
    propensity = np.where(doubtful, 1.0, 0.05)
    labelled = rng.random(doubtful.shape) < propensity
    wrong = rng.random(doubtful.shape) < np.where(doubtful, 0.45, 0.05)
    assert looked_at_always(wrong, labelled * 0.05 / propensity).mean() <= 0.05


def test_weights_undo_what_unequal_chances_do_to_the_estimate() -> None:
    found = certify(
        [True] * 45 + [False] * 55 + [False] * 14 + [True], [0.05] * 100 + [1.0] * 15, accuracy=0.85, assurance=0.95
    )
    assert found.accuracy == pytest.approx(1 - (45 * 0.05 + 1) / (100 * 0.05 + 15))


def test_twenty_four_right_in_a_row_certify_where_the_exact_test_used_once_takes_nineteen() -> None:
    assert (stand(0, 23).state, stand(0, 24).state) == (OPEN, CERTIFIED)
    assert stand(0, 0).labels_needed == 24
    assert stand(0, 10).labels_needed == 14


@pytest.mark.parametrize(("wrong", "right"), [(0, 10), (3, 57), (10, 100), (50, 400)])
def test_the_labels_needed_are_the_mean_of_what_it_takes(wrong: int, right: int) -> None:
    needed, rate = stand(wrong, right).labels_needed, wrong / (wrong + right)
    assert needed
    bets, stakes = kept_bets(0.15)
    so_far = [
        wrong * math.log(1 - bet * 0.85) + right * math.log(1 + bet * 0.15) + math.log(s)
        for bet, s in zip(bets, stakes, strict=True)
    ]
    more = np.random.default_rng(23).random((300, 12 * needed)) < rate
    wealth = np.logaddexp.reduce(
        [start + np.cumsum(np.log(1 - bet * (more - 0.15)), axis=1) for bet, start in zip(bets, so_far, strict=True)],
        axis=0,
    )
    assert (wealth >= NEEDED).any(axis=1).all()
    assert ((wealth >= NEEDED).argmax(axis=1) + 1).mean() == pytest.approx(needed, rel=0.15)


@pytest.mark.parametrize(("wrong", "right"), [(15, 85), (3, 14), (40, 60)])
def test_the_need_is_unknown_when_the_estimate_is_beyond_the_limit(wrong: int, right: int) -> None:
    assert stand(wrong, right).labels_needed is None


def test_far_too_many_wrong_ones_break_the_promise() -> None:
    assert stand(40, 60).state == BROKEN
    assert stand(15, 85).state == OPEN


def test_a_promise_that_is_just_kept_is_rarely_called_broken_at_any_look() -> None:
    wrong = np.random.default_rng(24).random((2000, 1500)) < 0.15
    bets, stakes = excess_bets(0.15)
    logs = [
        np.cumsum(np.log(1 + bet * (wrong - 0.15)), axis=1) + math.log(s) for bet, s in zip(bets, stakes, strict=True)
    ]
    assert (np.logaddexp.reduce(logs, axis=0).max(axis=1) >= NEEDED).mean() <= 0.05


def test_what_is_certain_is_certified_and_more_is_not() -> None:
    found = stand(5, 195)
    assert 0.9 < found.at_least < found.accuracy
    assert stand(5, 195, accuracy=found.at_least - 1e-3).state == CERTIFIED
    assert stand(5, 195, accuracy=found.at_least + 1e-3).state == OPEN


def test_of_nothing_nothing_is_known() -> None:
    found = certify([], [], accuracy=0.85, assurance=0.95)
    assert (found.state, found.n, found.accuracy, found.at_least) == (OPEN, 0, None, 0.0)


@pytest.mark.parametrize(
    ("wrong", "weights", "accuracy"),
    [
        ([True], [1.0, 1.0], 0.85),
        ([True], [0.0], 0.85),
        ([True], [1.5], 0.85),
        ([True], [1.0], 1.0),
        ([True], [math.nan], 0.85),
    ],
)
def test_what_makes_no_sense_is_refused(wrong: list[bool], weights: list[float], accuracy: float) -> None:
    with pytest.raises(ValueError):
        certify(wrong, weights, accuracy=accuracy, assurance=0.95)


def test_counts_stand_for_as_many_rows() -> None:
    rows = certify([True] + [False] * 9, [1.0] * 10, accuracy=0.85, assurance=0.95)
    assert rows == stand(1, 9)
    with pytest.raises(ValueError, match="count"):
        certify([True], [1.0], counts=[-1], accuracy=0.85, assurance=0.95)


@pytest.mark.parametrize("limit", [0.001, 0.05, 0.15, 0.5, 0.95])
def test_no_bet_can_lose_everything_and_each_is_best_where_it_says(limit: float) -> None:
    bets, stakes = excess_bets(limit)
    assert all(0 < bet * limit < 1 for bet in bets) and sum(stakes) == pytest.approx(1)
    rate = math.sqrt(2) * limit / (1 - limit + math.sqrt(2) * limit)
    growth = [rate * math.log(1 + bet * (1 - limit)) + (1 - rate) * math.log(1 - bet * limit) for bet in bets]
    assert growth.index(max(growth)) == 0
    assert all(0 < bet * (1 - limit) < 1 for bet in kept_bets(limit)[0]) and sum(kept_bets(limit)[1]) == pytest.approx(
        1
    )


def test_a_detector_rings_soon_after_a_change_and_not_before() -> None:
    rng, detector = np.random.default_rng(25), Detector(limit=0.15)
    for wrong in rng.random(1000) < 0.12:
        detector = detector.seen(bool(wrong))
        assert not detector.alarm
    for wrong in rng.random(700) < 0.25:
        detector = detector.seen(bool(wrong))
    assert detector.alarm and detector.n == 1700


def test_false_alarms_are_rarer_than_once_in_as_many_labels() -> None:
    bets, stakes = excess_bets(0.15)
    wrong, sums, rung = (
        np.random.default_rng(26).random((500, 2000)) < 0.15,
        np.zeros((500, len(bets))),
        np.zeros(500, dtype=bool),
    )
    for column in wrong.T:
        sums = (sums + 1) * (1 + np.array(bets) * (column[:, None] - 0.15))
        rung |= sums @ np.array(stakes) >= 5000
    assert rung.mean() <= 2000 / 5000  # E[M] after n labels is n, so that P(alarm within n) <= n / 5000


def test_light_labels_move_a_detector_less() -> None:
    heavy, light = Detector(limit=0.15).seen(True), Detector(limit=0.15).seen(True, 0.1)
    assert sum(heavy.sums) > sum(light.sums) > 0
    with pytest.raises(ValueError, match="limit"):
        Detector(limit=0.0).seen(True)
