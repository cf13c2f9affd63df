"""Erlang's formulas against the textbook sum, a table and a simulated queue."""

import heapq
import math
import random

import pytest

from surefoot.stats.queueing import answered_within, erlang_b, erlang_c, people_needed


def textbook(people: int, load: float) -> float:
    """Erlang's C as it is printed: terms of a sum, with factorials."""
    below = sum(load**k / math.factorial(k) for k in range(people))
    full = load**people / math.factorial(people) * people / (people - load)
    return full / (below + full)


@pytest.mark.parametrize(("people", "load"), [(1, 0.3), (2, 1.9), (5, 3.2), (12, 10.0), (40, 33.3)])
def test_the_recursion_gives_the_textbook_sum(people: int, load: float) -> None:
    assert erlang_c(people, load) == pytest.approx(textbook(people, load), rel=1e-12)


def test_one_person_is_an_m_m_1_queue() -> None:
    assert erlang_c(1, 0.6) == pytest.approx(0.6)
    # the whole time in an M/M/1 queue is exponential of rate mu - lambda
    within = answered_within(1, per_hour=36, handle_seconds=60, seconds=90)
    assert within == pytest.approx(1 - math.exp(-(1 - 0.6) * 90 / 60))


def test_a_known_line_of_the_printed_table() -> None:
    assert erlang_b(10, 4.461) == pytest.approx(0.01, abs=2e-5)  # the 1 % column


def test_thousands_of_people_neither_overflow_nor_cancel() -> None:
    assert 0 < erlang_c(2000, 1990.0) < 1 and erlang_c(2000, 10.0) == 0.0


def test_too_much_work_waits_for_ever() -> None:
    assert erlang_c(3, 3.0) == 1.0
    assert answered_within(3, per_hour=200, handle_seconds=60, seconds=600) == 0.0


def test_without_arrivals_nobody_is_needed() -> None:
    assert people_needed(per_hour=0, handle_seconds=90, seconds=60) == 0


def simulated(people: int, per_hour: float, handle: float, n: int, seed: int) -> list[float]:
    """From arrival to answer, seconds, of each case of a first-come queue."""
    dice, free, now, found = random.Random(seed), [0.0] * people, 0.0, []
    for _ in range(n):
        now += dice.expovariate(per_hour / 3600)
        start = max(now, heapq.heappop(free))
        end = start + dice.expovariate(1 / handle)
        heapq.heappush(free, end)
        found.append(end - now)
    return found[n // 10 :]


@pytest.mark.parametrize(("people", "per_hour", "handle"), [(2, 28.0, 180.0), (4, 60.0, 180.0), (9, 70.0, 360.0)])
def test_a_simulated_queue_waits_as_the_formulas_say(people: int, per_hour: float, handle: float) -> None:
    seen = simulated(people, per_hour, handle, 120_000, seed=3)
    answered = sum(whole <= 600 for whole in seen) / len(seen)
    assert answered == pytest.approx(
        answered_within(people, per_hour=per_hour, handle_seconds=handle, seconds=600), abs=0.02
    )


def test_the_two_rates_may_coincide() -> None:
    near = answered_within(2, per_hour=20 * 1.0000001, handle_seconds=180, seconds=300)
    assert answered_within(2, per_hour=20, handle_seconds=180, seconds=300) == pytest.approx(near, abs=1e-6)


def test_the_needed_people_are_enough_and_one_fewer_is_not() -> None:
    asked = {"per_hour": 500.0, "handle_seconds": 90.0, "seconds": 300.0}
    people = people_needed(**asked, share=0.9)
    assert people is not None
    assert answered_within(people, **asked) >= 0.9 > answered_within(people - 1, **asked)


def test_no_number_of_people_makes_handling_itself_faster() -> None:
    assert people_needed(per_hour=1, handle_seconds=600, seconds=60, share=0.8) is None


@pytest.mark.parametrize("wrong", [{"handle_seconds": 0.0}, {"per_hour": -1.0}, {"seconds": -1.0}, {"share": 1.0}])
def test_what_is_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        people_needed(**({"per_hour": 10.0, "handle_seconds": 60.0, "seconds": 60.0, "share": 0.8} | wrong))
