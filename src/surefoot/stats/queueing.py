"""How many people a queue needs: Erlang's C, for one queue in front of people who are all alike.

Arrivals are Poisson, handling times exponential, nobody gives up, whoever came first is served first. Real queues of cases
differ (priorities, breaks, times with a longer tail); the figures are where planning starts, not where it ends.
"""

from __future__ import annotations

import math

_MOST = 10_000  # people: beyond this the question is another one


def erlang_b(people: int, load: float) -> float:
    """P(all are busy) where nobody waits, in [0, 1]; 1 for no people, 0 for no load.

    Args:
        people: at least 0.
        load: arrivals per hour times hours of handling, in erlangs, at least 0.
    Raises: ValueError for what is out of range.
    Source: the recursion B(k) = A B(k-1) / (k + A B(k-1)), which neither overflows nor cancels.
    """
    if people < 0 or not 0 <= load < math.inf:
        raise ValueError(f"{people} people and a load of {load}")
    blocked = 1.0
    for k in range(1, people + 1):
        blocked = load * blocked / (k + load * blocked)
    return blocked


def erlang_c(people: int, load: float) -> float:
    """P(a case waits at all), in [0, 1]; 1 when the load is as much as all people can do, or more.

    Raises: ValueError as `erlang_b`.
    Source: Erlang (1917); C = B / (1 - A / c (1 - B)).
    """
    blocked = erlang_b(people, load)
    if load >= people:
        return 1.0 if load else 0.0
    return blocked / (1 - load / people * (1 - blocked))


def answered_within(people: int, *, per_hour: float, handle_seconds: float, seconds: float) -> float:
    """The share of cases that are answered within a time, handling included; 0 when the load is more than people can do.

    Raises: ValueError when handle_seconds is not above 0, or for what is negative.
    Source: the waiting time is 0 with probability 1 - C, else exponential of rate c mu - lambda, and handling is
        exponential of rate mu: the tail of their sum.
    """
    load = _load(per_hour, handle_seconds, seconds)
    if load >= people and (load or not people):
        return 0.0
    mu = 1 / handle_seconds
    theta = (people - load) * mu
    waits = erlang_c(people, load)
    served = math.exp(-mu * seconds)
    if abs(theta - mu) < 1e-9 * mu:
        both = served * (1 + mu * seconds)
    else:
        both = (theta * served - mu * math.exp(-theta * seconds)) / (theta - mu)
    return 1 - (1 - waits) * served - waits * both


def people_needed(*, per_hour: float, handle_seconds: float, seconds: float, share: float = 0.8) -> int | None:
    """The fewest people with whom a share of the cases is answered within a time; 0 when nothing arrives.

    Args:
        per_hour: cases that arrive, at least 0.
        handle_seconds: mean handling time, above 0.
        seconds: within which a case is to be answered, handling included.
        share: in (0, 1).
    Returns: None when no number of people is enough, as handling alone takes too long too often.
    Raises: ValueError for what is out of range.
    """
    if not 0 < share < 1:
        raise ValueError(f"a share of {share} is not between 0 and 1")
    load = _load(per_hour, handle_seconds, seconds)
    if load == 0:
        return 0
    if 1 - math.exp(-seconds / handle_seconds) <= share:
        return None

    def enough(people: int) -> bool:
        reached = answered_within(people, per_hour=per_hour, handle_seconds=handle_seconds, seconds=seconds)
        return reached >= share

    low = int(load) + 1
    high = low
    while not enough(high):
        low, high = high + 1, 2 * high
        if high > _MOST:
            return None
    while low < high:  # more people never answer less
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle + 1, high)
    return low


def _load(per_hour: float, handle_seconds: float, seconds: float) -> float:
    if not 0 < handle_seconds < math.inf or not 0 <= per_hour < math.inf or seconds < 0:
        raise ValueError(f"{per_hour} an hour, handled in {handle_seconds} s, within {seconds} s")
    return per_hour * handle_seconds / 3600
