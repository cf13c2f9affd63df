"""Measures agree with scikit-learn or with their definition, written out."""

import math
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from surefoot.stats import clopper_pearson
from surefoot.stats import metrics as m
from surefoot.stats.arrays import Bools, Floats

SEEDS = [1, 2, 3]


def labels(seed: int, n: int = 150, *, decimals: int = 2) -> tuple[Floats, Bools, Floats]:
    rng = np.random.default_rng(seed)
    p = np.round(rng.random(n), decimals)
    return p, rng.random(n) < p, rng.choice([1.0, 4.0, 20.0], n)


@pytest.mark.parametrize("decimals", [1, 6])
@pytest.mark.parametrize("seed", SEEDS)
def test_ranking_and_squares_are_scikit_learns(seed: int, decimals: int) -> None:
    p, y, weight = labels(seed, decimals=decimals)
    assert m.auroc(p, y) == pytest.approx(roc_auc_score(y, p))
    assert m.auroc(p, y, weights=weight) == pytest.approx(roc_auc_score(y, p, sample_weight=weight))
    assert m.average_precision(p, y) == pytest.approx(average_precision_score(y, p))
    assert m.brier(p, y) == pytest.approx(brier_score_loss(y, p))
    assert m.brier(p, y, weights=weight) == pytest.approx(brier_score_loss(y, p, sample_weight=weight))
    inner = np.clip(p, 1e-6, 1 - 1e-6)
    assert m.log_loss(p, y, weights=weight) == pytest.approx(log_loss(y, inner, sample_weight=weight))


def test_aurc_is_the_mean_risk_over_all_depths() -> None:
    p, y, _ = labels(4, n=60, decimals=9)
    order = np.argsort(-p)
    assert m.aurc(p, y) == pytest.approx(np.mean([1 - y[order[:depth]].mean() for depth in range(1, 61)]))


def test_aurc_of_ties_is_the_mean_over_their_orders() -> None:
    p, y, _ = labels(5, n=60, decimals=1)
    rng = np.random.default_rng(0)
    shuffled = [m.aurc(p + rng.random(60) * 1e-6, y) for _ in range(2000)]
    assert m.aurc(p, y) == pytest.approx(np.mean(shuffled), abs=0.002)


def test_whole_weights_are_repeated_rows() -> None:
    p, y, _ = labels(6, n=60, decimals=1)
    weight = np.random.default_rng(6).integers(1, 4, 60)
    rows = np.repeat(np.arange(60), weight)
    assert m.auroc(p, y, weights=weight) == pytest.approx(m.auroc(p[rows], y[rows]))
    assert m.brier(p, y, weights=weight) == pytest.approx(m.brier(p[rows], y[rows]))
    assert m.rate(y, weights=weight).estimate == pytest.approx(y[rows].mean())


def test_ece_is_the_mean_distance_over_bins_of_equal_mass() -> None:
    p, y, weight = labels(7, n=150, decimals=9)
    bins = np.array_split(np.argsort(p), 15)
    by_hand = sum(abs((p[rows] - y[rows]).sum()) for rows in bins) / 150
    weighted = sum(abs((weight[rows] * (p[rows] - y[rows])).sum()) for rows in bins) / weight.sum()
    assert m.ece(p, y) == pytest.approx(by_hand)
    assert m.ece(p, y, weights=weight) == pytest.approx(weighted)


def test_equal_probabilities_are_never_divided_between_bins() -> None:
    y = np.array([True, False] * 50)
    assert m.ece(np.full(100, 0.5), y) == pytest.approx(0)
    assert len(m.reliability(np.full(100, 0.5), y)) == 1


@pytest.mark.parametrize("weighted", [False, True])
def test_a_perfect_calibrator_stays_below_its_95th_percentile_95_times_in_100(weighted: bool) -> None:
    rng = np.random.default_rng(8)
    p = rng.beta(4, 1, 400)
    weight = np.where(p > 0.8, 10.0, 1.0) if weighted else None
    limit = m.ece_perfect(p, weights=weight, runs=4000)
    below = np.mean([m.ece(p, rng.random(400) < p, weights=weight) <= limit for _ in range(600)])
    assert 0.93 <= below <= 0.97


def test_a_calibrator_that_claims_too_much_is_above_it() -> None:
    rng = np.random.default_rng(9)
    p = rng.beta(4, 1, 400)
    assert m.ece(p, rng.random(400) < p - 0.1) > m.ece_perfect(p)


def test_a_reliability_table_counts_every_answer_once_with_its_exact_interval() -> None:
    p, y, _ = labels(10)
    table = m.reliability(p, y)
    assert sum(row.right.n for row in table) == p.size
    assert all(row.low <= row.claimed <= row.high for row in table)
    assert all(before.high < after.low for before, after in pairwise(table))
    inside = (p >= table[0].low) & (p <= table[0].high)
    assert table[0].right == clopper_pearson(int(y[inside].sum()), int(inside.sum()))


def test_left_after_is_the_share_of_wrong_answers_that_escalating_the_riskiest_leaves() -> None:
    scores = np.arange(10) / 10
    accepted = np.array([False, False, True, False, True, True, True, True, True, False])
    assert m.left_after(scores, accepted, 0.0) == 1
    assert m.left_after(scores, accepted, 0.2) == 2 / 4
    assert m.left_after(scores, accepted, 0.4) == 1 / 4
    assert m.left_after(scores, accepted, 1.0) == 0


def test_scores_that_say_nothing_leave_what_is_not_escalated() -> None:
    accepted = np.array([False, True, True, False])
    assert m.left_after(np.zeros(4), accepted, 0.25) == pytest.approx(0.75)
    assert math.isnan(m.left_after(np.zeros(3), np.ones(3, bool), 0.2))


def test_resamples_draw_whole_groups() -> None:
    groups = ["a", "b", "a", "c", "c", "c"]
    for rows in m.group_bootstrap(groups, runs=50):
        drawn = np.bincount(rows, minlength=6)
        assert drawn[0] == drawn[2] and drawn[3] == drawn[4] == drawn[5]
        assert drawn[0] + drawn[1] + drawn[3] == 3
    assert m.group_bootstrap([]) == []


def test_resamples_of_single_rows_draw_each_about_once() -> None:
    drawn = np.bincount(np.concatenate(m.group_bootstrap(list("abcdefgh"), runs=500)), minlength=8)
    assert drawn.sum() == 4000 and drawn.min() > 400


def test_a_plain_rate_has_the_exact_interval() -> None:
    y = np.array([True] * 17 + [False] * 3)
    assert m.rate(y) == clopper_pearson(17, 20)
    assert m.rate(y, weights=np.full(20, 3.0), groups=[str(row) for row in range(20)]) == clopper_pearson(17, 20)
    assert m.rate([]).estimate is None


def test_repeats_of_one_answer_are_one_unit() -> None:
    y, groups = np.repeat([True, False, True, True, True], 40), np.repeat(list("abcde"), 40).tolist()
    found, plain = m.rate(y, groups=groups), clopper_pearson(4, 5)
    assert found.estimate == 0.8 and found.n == 200
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    assert m.rate(np.ones(40, bool), groups=["a"] * 40).low == 0


@pytest.mark.parametrize("share", [0.7, 0.97, 1.0])
def test_a_weighted_rate_covers_the_truth(share: float) -> None:
    rng, covered = np.random.default_rng(11), 0
    for _ in range(300):
        y = rng.random(1500) < share
        propensity = np.where(rng.random(1500) < 0.5, 0.05, 0.4)
        seen = rng.random(1500) < propensity
        found = m.rate(y[seen], weights=1 / propensity[seen])
        covered += found.low <= share <= found.high
    assert covered >= 0.93 * 300


@pytest.mark.parametrize("measure", [m.auroc, m.average_precision, m.aurc, m.brier, m.log_loss, m.ece])
def test_of_nothing_nothing_is_known(measure) -> None:  # type: ignore[no-untyped-def]
    assert math.isnan(measure([], []))
    assert math.isnan(m.ece_perfect([])) and m.reliability([], []) == ()


def test_without_both_kinds_there_is_no_ranking() -> None:
    assert math.isnan(m.auroc([0.1, 0.2], [True, True])) and math.isnan(m.auroc([0.1, 0.2], [False, False]))
    assert math.isnan(m.average_precision([0.1, 0.2], [False, False]))


def test_labelling_the_doubtful_more_often_pays_where_it_is_meant_to() -> None:
    wrong = np.array([True, False] * 60 + [False] * 180)
    weights = [1.0] * 120 + [5.0] * 180  # the doubtful were five times as likely to be labelled
    plain, meant = m.rate(wrong, weights=weights), m.rate(wrong, weights=weights, by_design=True)
    assert meant.estimate == plain.estimate and plain.low < meant.low < meant.high < plain.high
    few = np.array([True] * 9 + [False] * 291)
    assert m.rate(few, weights=weights, by_design=True) == m.rate(few, weights=weights)
