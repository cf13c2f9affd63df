"""The circuit of a provider."""

import pytest

from surefoot.errors import Unreachable
from surefoot.providers.breaker import Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(2, 10.0, clock=clock)
    for _ in range(2):
        breaker.admit("p")
        breaker.failed()
    return breaker, clock


def test_failures_in_a_row_open_it() -> None:
    breaker, _ = opened()
    with pytest.raises(Unreachable):
        breaker.admit("p")


def test_after_a_while_one_request_probes_it() -> None:
    breaker, clock = opened()
    clock.now = 11.0
    breaker.admit("p")
    with pytest.raises(Unreachable):
        breaker.admit("p")


def test_a_good_probe_closes_it() -> None:
    breaker, clock = opened()
    clock.now = 11.0
    breaker.admit("p")
    breaker.worked()
    breaker.admit("p")
    breaker.admit("p")


def test_a_probe_whose_caller_left_lets_the_next_one_probe() -> None:
    breaker, clock = opened()
    clock.now = 11.0
    breaker.admit("p")
    breaker.left()
    breaker.admit("p")


def test_zero_means_never() -> None:
    breaker = Breaker(0, 10.0)
    for _ in range(50):
        breaker.failed()
    breaker.admit("p")
