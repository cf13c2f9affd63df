"""The account of what was served wrong holds whoever chooses the proposals, at every look: simulated, with fixed seeds."""

import math

import numpy as np
import pytest

from surefoot.stats.spending import Spending

WORLDS, LENGTH = 1500, 600


def share_exceeded(account: Spending, error: np.ndarray, *, missed: float = 0.0, seed: int = 5) -> float:
    """The share of worlds in which, at any time, more wrong ones were served than the account says."""
    rng = np.random.default_rng(seed)
    wrong = rng.random((WORLDS, error.size)) < error
    explored = rng.random(wrong.shape) < account.explore
    called_wrong = wrong & (rng.random(wrong.shape) >= missed)
    served, seen = np.cumsum(wrong & ~explored, axis=1), np.cumsum(called_wrong & explored, axis=1)
    most = np.array([account.most_served_wrong(each) for each in range(int(seen.max()) + 1)])
    return float((served > most[seen]).any(axis=1).mean())


@pytest.mark.parametrize("explore", [0.1, 0.3, 0.6])
@pytest.mark.parametrize("rate", [0.01, 0.2, 1.0])
def test_the_account_is_exceeded_no_more_often_than_promised(explore: float, rate: float) -> None:
    assert share_exceeded(Spending(explore), np.full(LENGTH, rate)) <= 0.05


def test_it_holds_when_everything_turns_bad_at_once() -> None:
    assert share_exceeded(Spending(0.3), np.where(np.arange(LENGTH) < 300, 0.0, 1.0)) <= 0.05


def test_labels_that_miss_what_is_wrong_are_paid_for_when_they_are_declared() -> None:
    rates = np.full(LENGTH, 0.5)
    assert share_exceeded(Spending(0.3, label_error=0.4), rates, missed=0.4) <= 0.05
    assert share_exceeded(Spending(0.3), rates, missed=0.4) > 0.05


def test_every_bet_is_fair_when_the_proposal_is_wrong_and_no_better_when_it_is_right() -> None:
    account = Spending(0.3, label_error=0.1)
    for a, b in account._bets:
        seen = 0.3 * 0.9
        assert 0.7 * math.exp(b) + seen * math.exp(-a) + 0.3 * 0.1 == pytest.approx(1)
        assert b > 0 < a


def test_more_seen_wrong_never_means_fewer_served_wrong() -> None:
    found = [Spending(0.3).most_served_wrong(seen) for seen in range(40)]
    assert found == sorted(found) and found[0] >= math.log(20) / -math.log(0.7) - 1


@pytest.mark.parametrize("bad", [{"explore": 0.0}, {"explore": 1.0}, {"explore": 0.3, "assurance": 1.0}, {"explore": 0.3, "label_error": 1.0}])  # fmt: skip
def test_a_number_out_of_range_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Spending(**bad)


def test_a_negative_count_is_refused() -> None:
    with pytest.raises(ValueError, match="-1 were seen"):
        Spending(0.3).most_served_wrong(-1)
