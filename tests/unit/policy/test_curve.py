"""Curves as the page applies them: plain arithmetic on a policy's numbers."""

import math

import pytest

from surefoot.policy import Curve
from surefoot.policy.curve import apply_curve, sigmoid

BAND = ((-1.0, 0.2, 0.4), (1.0, 0.6, 0.9))
VENN = Curve(kind="venn-abers", p0=((0.0, 0.5), (2.0, 0.8)), p1=((0.0, 0.6), (2.0, 0.9)))


@pytest.mark.parametrize("z", [-1e6, -710.0, 0.0, 710.0, 1e6])
def test_the_sigmoid_never_overflows(z: float) -> None:
    assert sigmoid(z) + sigmoid(-z) == pytest.approx(1)


def test_platt_and_beta_are_their_formulas() -> None:
    s = sigmoid(0.3)
    assert apply_curve(Curve(kind="platt", a=2, b=-1), 0.3)[1] == sigmoid(2 * 0.3 - 1)
    by_hand = sigmoid(2 * math.log(s) - 0.5 * math.log(1 - s) + 1)
    assert apply_curve(Curve(kind="beta", a=2, b=0.5, c=1), 0.3)[1] == pytest.approx(by_hand)


@pytest.mark.parametrize("z", [-800.0, 800.0])
def test_beta_far_out_is_finite(z: float) -> None:
    assert 0 <= apply_curve(Curve(kind="beta", a=3, b=3), z)[1] <= 1


@pytest.mark.parametrize(
    ("z", "low", "high"), [(-9, 0.2, 0.4), (-1, 0.2, 0.4), (0, 0.4, 0.65), (1, 0.6, 0.9), (9, 0.6, 0.9)]
)
def test_a_band_is_read_by_straight_lines_and_ends_with_the_labels(z: float, low: float, high: float) -> None:
    found = apply_curve(Curve(kind="platt", a=0, b=0, band=BAND), z)
    assert found == pytest.approx((min(low, 0.5), 0.5, max(high, 0.5)))


def test_a_curve_without_a_band_knows_nothing_of_its_ends() -> None:
    assert apply_curve(Curve(kind="platt", a=1, b=0), 0) == (0, 0.5, 1)


def test_a_band_of_one_knot_holds_everywhere() -> None:
    one = Curve(kind="platt", a=0, b=0, band=((0.0, 0.3, 0.7),))
    assert [apply_curve(one, z) for z in (-1, 0, 1)] == [(0.3, 0.5, 0.7)] * 3


@pytest.mark.parametrize(
    ("z", "low", "high"),
    [(-1, 0.0, 0.6), (0, 0.5, 0.6), (1, 0.5, 0.9), (2, 0.8, 0.9), (2.1, 0.8, 1.0)],
)
def test_a_step_table_of_p0_starts_at_its_knots_and_one_of_p1_ends_there(z: float, low: float, high: float) -> None:
    assert apply_curve(VENN, z) == (low, high / (1 - low + high), high)


def test_a_band_widens_step_tables_and_never_narrows_them() -> None:
    wide = Curve(kind="venn-abers", p0=VENN.p0, p1=VENN.p1, band=((0.0, 0.3, 0.5), (1.0, 0.7, 0.95)))
    assert apply_curve(wide, 0)[0] == 0.3 and apply_curve(wide, 0)[2] == 0.6
    assert apply_curve(wide, 1)[0] == 0.5 and apply_curve(wide, 1)[2] == 0.95
    assert apply_curve(wide, 1)[1] == apply_curve(VENN, 1)[1]


def test_empty_step_tables_say_nothing() -> None:
    assert apply_curve(Curve(kind="venn-abers"), 0) == (0, 0.5, 1)
