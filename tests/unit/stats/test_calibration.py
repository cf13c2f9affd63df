"""Calibrators agree with oracles: scikit-learn, scipy's optimisers, MAPIE and brute force."""

import numpy as np
import pytest
from mapie.calibration import VennAbersCalibrator
from scipy.optimize import minimize
from sklearn.calibration import _SigmoidCalibration
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from surefoot.stats.arrays import Bools, Floats, sigmoid
from surefoot.stats.calibration import fit_beta, fit_isotonic, fit_platt, fit_venn_abers

Labels = tuple[Floats, Bools, Floats]


def labels(seed: int, n: int = 120, *, ties: bool = False) -> Labels:
    rng = np.random.default_rng(seed)
    z = rng.normal(0.5, 2, n)
    z = np.round(z) if ties else z
    return z, rng.random(n) < sigmoid(0.7 * z + 0.3), rng.choice([1.0, 4.0, 20.0], n)


def smoothed(y: Bools, weight: Floats) -> Floats:
    """Platt's targets, counted in effective labels."""
    right, wrong = (weight[kind].sum() ** 2 / (weight[kind] ** 2).sum() for kind in (y, ~y))
    return np.where(y, (right + 1) / (right + 2), 1 / (wrong + 2))


def optimum(columns: Floats, y: Bools, weight: Floats, bounds: list[tuple[float | None, float | None]]) -> Floats:
    targets = smoothed(y, weight)

    def loss(line: Floats) -> float:
        z = columns @ line
        return float(weight / weight.mean() @ (np.logaddexp(0, z) - targets * z))

    return minimize(loss, np.zeros(columns.shape[1]), bounds=bounds, method="L-BFGS-B", tol=1e-14).x


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_platt_is_scikit_learns_sigmoid(seed: int) -> None:
    z, y, _ = labels(seed)
    found, oracle = fit_platt(z, y), _SigmoidCalibration().fit(z, y.astype(float))
    assert (found.a, found.b) == pytest.approx((-oracle.a_, -oracle.b_), abs=1e-3)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_platt_with_weights_is_scipys_optimum(seed: int) -> None:
    z, y, weight = labels(seed)
    found = fit_platt(z, y, weights=weight)
    oracle = optimum(np.column_stack([z, np.ones(z.size)]), y, weight, [(None, None)] * 2)
    assert (found.a, found.b) == pytest.approx(tuple(oracle), abs=1e-3)


def test_platt_of_scores_that_point_the_wrong_way_is_flat_at_the_rate() -> None:
    z, y, _ = labels(4)
    found = fit_platt(-z, y)
    assert found.a == 0
    assert sigmoid(np.array([found.b]))[0] == pytest.approx(y.mean(), abs=0.02)


@pytest.mark.parametrize("score", [0.0, 0.1, 12_345.678])
def test_scores_that_are_all_the_same_give_the_smoothed_rate(score: float) -> None:
    y = np.array([True] * 9 + [False] * 3)
    found = fit_platt(np.full(12, score), y)
    assert found.a == 0
    assert sigmoid(np.array([found.b]))[0] == pytest.approx((9 * 10 / 11 + 3 / 5) / 12)


def test_labels_of_one_kind_never_say_certain() -> None:
    z = np.linspace(-2, 2, 20)
    assert fit_platt(z, np.ones(20, bool)).p(z) == pytest.approx(21 / 22, abs=1e-4)
    assert fit_beta(z, np.zeros(20, bool)).p(z) == pytest.approx(1 / 22, abs=1e-4)


def test_scores_that_part_the_labels_keep_platt_finite() -> None:
    z = np.linspace(-2, 2, 20)
    p = fit_platt(z, z > 0).p(z)
    assert 0 < p.min() < 0.15 and 0.85 < p.max() < 1


def test_a_label_that_stands_for_twenty_is_smoothed_as_one() -> None:
    y = np.array([True] * 2 + [False] * 30)
    found = fit_platt(np.zeros(32), y, weights=np.where(y, 20.0, 1.0))
    assert sigmoid(np.array([found.b]))[0] == pytest.approx((40 * 3 / 4 + 30 / 32) / 70)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_beta_is_scipys_optimum_with_slopes_not_below_zero(seed: int, weighted: bool) -> None:
    z, y, weight = labels(seed, n=60)
    z = z * (-1 if seed == 5 else 1)  # slopes that both want to be below 0
    weight = weight if weighted else np.ones(z.size)
    s = np.clip(sigmoid(z), 1e-6, 1 - 1e-6)
    columns = np.column_stack([np.log(s), -np.log(1 - s), np.ones(z.size)])
    oracle = optimum(columns, y, weight, [(0, None), (0, None), (None, None)])
    assert fit_beta(z, y, weights=weight).p(z) == pytest.approx(sigmoid(columns @ oracle), abs=2e-3)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_isotonic_is_scikit_learns(ties: bool, weighted: bool) -> None:
    z, y, weight = labels(7, ties=ties)
    weight = weight if weighted else np.ones(z.size)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(z, y, sample_weight=weight)
    assert fit_isotonic(z, y, weights=weight).at(z) == pytest.approx(oracle.predict(z))


def brute(labelled: Labels, points: Floats, verdict: bool, added: float) -> Floats:
    """Isotonic regression refitted with one more point."""
    z, y, weight = labelled
    return np.array([
        IsotonicRegression()
        .fit(np.append(z, point), np.append(y, verdict), sample_weight=np.append(weight, added))
        .predict([point])[0]
        for point in points
    ])  # fmt: skip


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_venn_abers_is_isotonic_refitted_with_the_point(ties: bool, weighted: bool, seed: int) -> None:
    z, y, weight = labels(seed, n=50, ties=ties)
    weight = weight / weight.mean() if weighted else np.ones(z.size)
    known = np.unique(z)
    points = np.concatenate([known, (known[1:] + known[:-1]) / 2, [known[0] - 1, known[-1] + 1]])
    found, added = fit_venn_abers(z, y, weights=weight), float(weight @ weight / weight.sum())
    assert found.p0.at(points) == pytest.approx(brute((z, y, weight), points, False, added))
    assert found.p1.at(points) == pytest.approx(brute((z, y, weight), points, True, added))


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide:RuntimeWarning")
def test_venn_abers_is_mapies() -> None:
    z, y, _ = labels(9, n=200, ties=True)
    model = LogisticRegression().fit(z[:, None], y)  # increasing in z: the same order, the same predictor
    oracle = VennAbersCalibrator(model, cv="prefit").fit(z[:, None], y)
    points = np.linspace(-8, 8, 200)
    p, _ = oracle.predict_proba(points[:, None], p0_p1_output=True)
    assert fit_venn_abers(z, y).p(points) == pytest.approx(p[:, 1])


def test_widened_tables_are_never_more_sure_and_reach_a_round_bar_at_the_same_scores() -> None:
    z, y, weight = labels(10, n=400)
    exact = fit_venn_abers(z, y, weights=weight)
    wide = exact.widened(100)
    low, high = exact.p0.at(z), exact.p1.at(z)
    assert (wide.p0.at(z) <= low + 1e-12).all() and (wide.p1.at(z) >= high - 1e-12).all()
    assert ((wide.p0.at(z) >= 0.85) == (low >= 0.85)).all()
    assert np.abs(wide.p(z) - exact.p(z)).max() < 0.011 and wide.p0.values.size <= 101


def test_twenty_thousand_different_scores_make_tables_of_a_few_hundred_steps() -> None:
    z, y, weight = labels(11, n=20_000)
    wide = fit_venn_abers(z, y, weights=weight).widened()
    assert len(wide.p0.values) + len(wide.p1.values) < 2500


def test_of_nothing_parametric_maps_say_nothing_and_the_others_refuse() -> None:
    assert (fit_platt([], []).a, fit_platt([], []).b, fit_beta([], []).c) == (0, 0, 0)
    for fit in (fit_isotonic, fit_venn_abers):
        with pytest.raises(ValueError, match="of nothing"):
            fit([], [])
