"""Laws of the calibrators and of the curves that serve: monotone, bounded, blind to order, the same with and without numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.learning.examples import Example
from surefoot.learning.fit import fit_map
from surefoot.policy import Curve
from surefoot.policy.curve import apply_curve
from surefoot.stats.calibration import VennAbers, fit_beta, fit_isotonic, fit_platt, fit_venn_abers

NOISE = 1e-9
scores = st.one_of(st.floats(-20, 20), st.integers(-3, 3).map(float))
rows = st.lists(st.tuples(scores, st.booleans(), st.sampled_from([1.0, 4.0, 20.0])), min_size=1, max_size=40)
points = st.lists(scores, min_size=2, max_size=20).map(sorted)
Rows = list[tuple[float, bool, float]]


def fitted(fit, given_rows: Rows):  # type: ignore[no-untyped-def]
    z, y, weight = zip(*given_rows, strict=True)
    return fit(z, y, weights=weight)


def tables(found: VennAbers) -> Curve:
    """As the policy holds them."""
    floor = [pair for pair in zip(found.p0.starts.tolist(), found.p0.values.tolist(), strict=True) if pair[0] > -np.inf]
    ends = np.nextafter(found.p1.starts[1:], -np.inf).tolist()
    ceiling = zip(ends, found.p1.values.tolist()[:-1], strict=True)
    return Curve(kind="venn-abers", p0=tuple(floor), p1=tuple(ceiling))


@pytest.mark.parametrize("fit", [fit_platt, fit_beta, fit_venn_abers])
@given(rows, points)
def test_a_better_score_never_means_less_p(fit, given_rows: Rows, at: list[float]) -> None:  # type: ignore[no-untyped-def]
    p = fitted(fit, given_rows).p(at)
    assert (np.diff(p) >= -NOISE).all() and (p >= 0).all() and (p <= 1).all()


@given(rows, points)
def test_isotonic_fits_only_rise_and_so_do_both_ends_of_venn_abers(given_rows: Rows, at: list[float]) -> None:
    isotonic, venn = fitted(fit_isotonic, given_rows), fitted(fit_venn_abers, given_rows)
    for steps in (isotonic, venn.p0, venn.p1):
        assert (np.diff(steps.at(at)) >= 0).all()
    low, p, high = venn.p0.at(at), venn.p(at), venn.p1.at(at)
    assert ((low >= 0) & (low <= p) & (p <= high) & (high <= 1)).all()


@given(rows, points, st.randoms())
def test_the_order_of_examples_does_not_matter(given_rows: Rows, at: list[float], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = random.sample(given_rows, len(given_rows))
    for fit in (fit_platt, fit_beta, fit_venn_abers):
        assert fitted(fit, given_rows).p(at) == pytest.approx(fitted(fit, shuffled).p(at), abs=1e-4)
    assert fitted(fit_isotonic, given_rows).at(at) == pytest.approx(fitted(fit_isotonic, shuffled).at(at), abs=NOISE)


@given(rows, points)
def test_curves_applied_without_numpy_are_the_fits(given_rows: Rows, at: list[float]) -> None:
    platt, beta = fitted(fit_platt, given_rows), fitted(fit_beta, given_rows)
    plain = Curve(kind="platt", a=platt.a, b=platt.b), Curve(kind="beta", a=beta.a, b=beta.b, c=beta.c)
    for curve, fit in zip(plain, (platt, beta), strict=True):
        assert [apply_curve(curve, z)[1] for z in at] == pytest.approx(fit.p(at).tolist(), abs=NOISE)


@given(rows, points)
def test_step_tables_applied_without_numpy_are_the_fits_at_the_knots_too(given_rows: Rows, at: list[float]) -> None:
    knots = [z for z, _, _ in given_rows]
    beside = [float(np.nextafter(z, side)) for z in knots for side in (-np.inf, np.inf)]
    every = [*at, *knots, *beside]
    venn = fitted(fit_venn_abers, given_rows)
    for found in (venn, venn.widened(100)):
        applied = np.array([apply_curve(tables(found), z) for z in every])
        assert applied == pytest.approx(np.column_stack([found.p0.at(every), found.p(every), found.p1.at(every)]))


def examples(n: int, seed: int) -> list[Example]:
    rng = np.random.default_rng(seed)
    score = rng.random(n)
    right = rng.random(n) < 0.3 + 0.6 * score
    return [
        Example(id=str(row), group=str(row // 2), signals={"s": float(score[row])}, accepted=bool(right[row]))
        for row in range(n)
    ]


CURVES = [fit_map(examples(n, seed)).map.curve for n, seed in ((40, 1), (400, 2), (400, 3), (1200, 4))]  # type: ignore[union-attr]


@pytest.mark.parametrize("curve", CURVES, ids=lambda curve: curve.kind)
@given(st.floats(-50, 50), st.floats(-50, 50))
def test_a_fitted_curve_and_both_its_ends_only_rise(curve: Curve, one: float, other: float) -> None:
    below, above = (apply_curve(curve, z) for z in sorted((one, other)))
    assert all(less <= more + NOISE for less, more in zip(below, above, strict=True))
    assert all(0 <= low <= p <= high <= 1 for low, p, high in (below, above))
