"""What a bet is worth: sceptical before, moved by results as far as their stage can, and which look pays next."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.evals.bets import MONTHS, Odds, Prices, odds
from surefoot.records.bet import STAGES, Result, Stake
from surefoot.stats.intervals import Mean, mean_of

STAKE = Stake(feature="triage", objective="error", change="prompt", what="ask for the dose", moves=0.02)
PRICES = Prices(usd={"trial": 0.01, "replay": 0.0, "shadow": 0.01, "ab": 2.0}, item_sd=0.4)
DAYS = mean_of([1000.0, 1100.0, 900.0, 1050.0])
NO_DAYS = Mean(value=None, low=None, high=None, n=0)


def believed(*results: Result, worth: float | None = 2.0, requests: Mean = DAYS, stake: Stake = STAKE) -> Odds:
    return odds(stake, results, prices=PRICES, requests=requests, worth_usd=worth)


def result(stage: str = "ab", effect: float = 0.03, error: float = 0.005, n: int = 1000) -> Result:
    return Result(stage=stage, effect=effect, error=error, n=n, cost_usd=10.0)


def test_before_anything_is_known_one_change_in_ten_works():
    found = believed()
    assert found.p_works == pytest.approx(0.1, abs=1e-4) and found.p_helps == 0.5 and found.effect == 0.0
    assert found.month_usd == 0.0 and found.surely == "" and found.n == 0


def test_results_move_the_odds_as_far_as_their_stage_can():
    p = [believed(result(stage)).p_works for stage in STAGES]
    assert p == sorted(p) and p[0] < 0.7 < p[-1]


def test_a_trial_alone_never_proves_a_bet_however_large():
    large = believed(*[result("trial", effect=0.02, error=0.0001, n=10**6)] * 9)
    assert 0.2 < large.p_works < 0.6 and large.high - large.low > 0.02


def test_the_posterior_is_that_of_simulated_worlds():
    rng = np.random.default_rng(1)
    prior = STAKE.moves / 1.2816
    effects = rng.normal(0, prior, 400_000)
    seen = effects + rng.normal(0, 0.01, effects.size) + rng.normal(0, 0.5 * STAKE.moves, effects.size)
    like = effects[np.abs(seen - 0.025) < 0.0005]
    found = believed(result("trial", effect=0.025, error=0.01))
    assert found.effect == pytest.approx(like.mean(), abs=0.0006)
    assert found.p_works == pytest.approx((like >= STAKE.moves).mean(), abs=0.02)


def test_a_months_worth_has_the_effects_and_the_volumes_uncertainty():
    found = believed(result())
    assert found.month_usd == pytest.approx(found.effect * 1012.5 * 30 * 2.0)
    assert found.month_low_usd is not None and found.month_high_usd is not None
    assert found.month_high_usd - found.month_low_usd > (found.high - found.low) * 1012.5 * 30 * 2.0
    for unknown in (believed(result(), worth=None), believed(result(), requests=NO_DAYS)):
        assert (unknown.month_usd, unknown.month_low_usd, unknown.next_look) == (None, None, None)


def test_looking_again_and_again_at_a_bet_that_moves_nothing_seldom_says_surely():
    rng, told = np.random.default_rng(2), 0
    for _ in range(400):
        effects = rng.normal(0, 0.4 / math.sqrt(50), 60)
        looks = [Result(stage="ab", effect=float(each), error=0.4 / math.sqrt(50), n=50) for each in effects]
        told += any(believed(*looks[:count]).surely for count in range(1, 61, 3))
    assert told <= 20


def test_surely_says_which_way():
    assert believed(result(effect=0.05)).surely == "better" and believed(result(effect=-0.05)).surely == "worse"
    assert believed(result("shadow", effect=0.05)).surely == ""


def test_the_next_look_is_the_best_buy_and_none_when_it_is_settled():
    first = believed().next_look
    assert first is not None and first.stage == "replay" and first.usd == 0.0 and first.n is not None
    assert first.n == math.ceil((2.4865 * 0.4 / 0.02) ** 2)
    settled = believed(*[result(effect=0.08, error=0.001)] * 3)
    assert settled.next_look is None or settled.looks[0].p_changes == pytest.approx(0.0, abs=1e-6)


def test_a_cheap_look_that_would_change_nothing_is_no_advice():
    known = [result("trial", effect=0.0, error=0.0005), result("replay", effect=0.0, error=0.0005)]
    looks = {look.stage: look for look in believed(*known, worth=3000.0).looks}
    free, paid = looks["replay"], looks["ab"]
    assert free.usd == 10.0 / 1000 * (free.n or 0) and free.gains_usd is not None and paid.gains_usd is not None
    assert 0 < free.gains_usd < 0.1 * paid.gains_usd
    assert believed(*known, worth=3000.0).next_look not in (free, looks["trial"], None)


def test_more_of_the_same_biased_look_is_worth_less():
    before = {look.stage: look.gains_usd for look in believed().looks}
    after = {look.stage: look.gains_usd for look in believed(result("trial", effect=0.0, error=0.0005)).looks}
    assert before["trial"] and after["trial"] is not None and after["trial"] < 0.05 * before["trial"]


@given(st.floats(-0.1, 0.1), st.floats(0.001, 0.1), st.sampled_from(STAGES))
def test_a_look_is_never_worth_less_than_nothing_nor_more_than_certainty(effect: float, error: float, stage: str):
    found = believed(result(stage, effect=effect, error=error))
    sd = (found.high - found.low) / (2 * 1.959964)
    certain = sd * 2.0 * 1012.5 * 30 * MONTHS  # more than knowing everything
    assert all(look.gains_usd is None or 0 <= look.gains_usd <= certain for look in found.looks)


def test_without_a_scatter_nobody_knows_how_many_items_it_takes():
    found = odds(STAKE, [], prices=Prices(usd={}, item_sd=None), requests=DAYS, worth_usd=1.0)
    assert all(look.n is None and look.usd is None for look in found.looks) and found.next_look is None


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="above 0"):
        believed(result(error=0.0))
