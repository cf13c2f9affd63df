"""A surge is told once an episode, by whoever looks, from the ledger and the alarms alone."""

import numpy as np

from surefoot.ledger.bill import HOUR_NS
from surefoot.ledger.surge import HISTORY_HOURS, QUIET_HOURS, Surge, find_surge

NOW = 500_000  # hours since the epoch
USD = 10**9


def spent(surges: dict[int, float]) -> dict[int, int]:
    """A dollar an hour with some noise, times what `surges` says of hours from now."""
    rng = np.random.default_rng(2)
    return {
        NOW + hour: round(USD * surges.get(hour, 1.0) * np.exp(0.1 * rng.standard_normal()))
        for hour in range(-HISTORY_HOURS - 300, 200)
    }  # fmt: skip


def look(hours: dict[int, int], at: int = 0, raised: list[int] | None = None) -> Surge | None:
    """At the end of an hour, knowing nothing of later ones."""
    seen = {hour: money for hour, money in hours.items() if hour <= NOW + at}
    return find_surge("f", seen, (NOW + at) * HOUR_NS + HOUR_NS - 1, [(NOW + hour) * HOUR_NS for hour in raised or []])


def test_usual_hours_are_no_surge() -> None:
    assert look(spent({})) is None


def test_a_surge_says_what_was_spent_expected_and_allowed() -> None:
    found = look(spent({0: 4.0}))
    assert found is not None
    assert (found.feature, found.at_ns, found.window_hours) == ("f", NOW * HOUR_NS, 1)
    assert found.spent > found.limit > found.expected > 0
    assert abs(found.expected / USD - 1) < 0.2


def test_replicas_give_a_surge_the_same_id_and_features_different_ones() -> None:
    hours = spent({0: 4.0})
    one, other = look(hours), find_surge("g", hours, NOW * HOUR_NS, [])
    assert one is not None and other is not None
    assert one.id == look(hours).id != other.id  # type: ignore[union-attr]


def test_an_episode_is_told_once_however_long_it_lasts() -> None:
    hours, raised = spent(dict.fromkeys(range(60), 3.0)), []
    for at in range(100):
        if look(hours, at, raised) is not None:
            raised.append(at)
    assert raised == [0]


def test_after_a_quiet_day_the_next_surge_is_told_again() -> None:
    hours = spent({0: 5.0, 120: 5.0})
    assert look(hours, 120, [0]) is not None


def test_before_a_quiet_day_is_over_it_is_the_same_episode() -> None:
    hours = spent({0: 5.0, QUIET_HOURS - 2: 5.0})
    assert look(hours, QUIET_HOURS - 2, [0]) is None


def test_a_feature_too_young_raises_nothing() -> None:
    hours = {hour: money for hour, money in spent({0: 50.0}).items() if hour > NOW - 300}
    assert look(hours) is None


def test_money_that_came_back_is_no_spend() -> None:
    hours = spent({})
    hours[NOW] = -5 * USD
    assert look(hours) is None
