"""Lots: independent uniforms of every purpose and rung from one draw."""

import random

import numpy as np
import pytest
from scipy.stats import kstest

from surefoot.policy import Feature, audit_lot, parse_ladder, uniform

DRAWS = [f"{random.Random(seed).getrandbits(128):032x}" for seed in range(4000)]
NAMES = [("audit", ""), ("audit", "small"), ("audit", "large"), ("explore", "small"), ("explore", "")]
TABLE = {name: np.array([uniform(draw, *name) for draw in DRAWS]) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_lots_are_uniform(name: tuple[str, str]) -> None:
    lots = TABLE[name]
    assert 0 <= lots.min() < lots.max() < 1
    assert kstest(lots, "uniform").pvalue > 0.001


def test_lots_of_different_purposes_and_rungs_are_unrelated() -> None:
    related = np.corrcoef(list(TABLE.values()))
    assert np.abs(related[~np.eye(len(NAMES), dtype=bool)]).max() < 4 / np.sqrt(len(DRAWS))


def test_draws_that_differ_in_one_bit_give_unrelated_lots() -> None:
    lots = [uniform(f"{number:032x}", "audit", "small") for number in range(4000)]
    assert kstest(lots, "uniform").pvalue > 0.001
    assert abs(np.corrcoef(lots[1:], lots[:-1])[0, 1]) < 4 / np.sqrt(4000)


def test_the_same_draw_gives_the_same_lot() -> None:
    assert uniform(DRAWS[0], "audit", "small") == uniform(DRAWS[0], "audit", "small")


def test_a_name_is_not_its_parts_run_together() -> None:
    assert uniform(DRAWS[0], "audit", "small") != uniform(DRAWS[0], "audits", "mall")


@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
def test_audits_are_drawn_as_often_as_their_logged_probability_says(share: float) -> None:
    feature = Feature(name="f", ladder=parse_ladder(["small"]), audit=share)
    lots = [audit_lot(feature, draw, "small") for draw in DRAWS]
    assert {lot.propensity for lot in lots} == {share}
    assert np.mean([lot.drawn for lot in lots]) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 4000))
