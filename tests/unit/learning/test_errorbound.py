"""Bounds on wrong hits are kept whatever the map believes: simulated streams, with fixed seeds."""

import numpy as np
import pytest

from surefoot.learning.errorbound import EXPLORED, HIT, MISS, ErrorBound


def stream(bound: ErrorBound, rng: np.random.Generator, error: np.ndarray, p: float | np.ndarray, flipped: float = 0.0) -> int:  # fmt: skip
    """Run proposals through a bound; how many were served wrong, -1 when at some time there were more than the limit."""
    wrong_hits, exceeded = 0, False
    for rate, believed in zip(error, np.broadcast_to(p, error.shape), strict=True):
        wrong = bool(rng.random() < rate)
        chosen = bound.choose(float(believed), rng.random())
        if chosen.action == HIT:
            wrong_hits += wrong
            exceeded = exceeded or wrong_hits > (bound._per_request or 1.0) * bound.requests
        else:
            bound.judge(chosen, wrong == (rng.random() < flipped))
    return -1 if exceeded else wrong_hits


@pytest.mark.parametrize("flipped", [0.0, 0.05])
def test_a_map_that_lies_costs_hits_and_never_the_bound_per_request(flipped: float) -> None:
    rng, found = np.random.default_rng(3), []
    for _ in range(60):
        bound = ErrorBound(errors_per_request=0.05, label_error=flipped)
        found.append(stream(bound, rng, np.full(1500, 0.3), 0.999, flipped))
    assert found.count(-1) <= 3 and max(found) > 0


def test_the_bound_per_request_holds_when_all_answers_turn_wrong_at_once() -> None:
    rng = np.random.default_rng(4)
    error = np.where(np.arange(1500) < 900, 0.0, 1.0)
    found = [stream(ErrorBound(errors_per_request=0.05), rng, error, 0.99) for _ in range(60)]
    assert found.count(-1) <= 3


def test_what_is_just_too_often_wrong_per_hit_is_rarely_served() -> None:
    rng = np.random.default_rng(5)
    opened = 0
    for _ in range(120):
        bound = ErrorBound(errors_per_hit=0.05)
        stream(bound, rng, np.full(600, 0.055), rng.choice([0.98, 0.97, 0.955, 0.94, 0.91, 0.86], 600))
        opened += bound.hits > 0
    assert opened <= 6


def test_what_is_rarely_wrong_is_served_once_it_is_certified() -> None:
    bound = ErrorBound(errors_per_hit=0.05)
    rng = np.random.default_rng(6)
    assert 0 < stream(bound, rng, np.full(1500, 0.01), 0.99) < 0.05 * bound.hits
    assert bound.certified() >= 1 and bound.hits > 600


def test_a_certificate_ends_when_answers_turn_wrong() -> None:
    bound = ErrorBound(errors_per_hit=0.05)
    rng = np.random.default_rng(7)
    stream(bound, rng, np.full(800, 0.005), 0.99)
    assert bound.certified() > 0
    stream(bound, rng, np.full(400, 0.5), 0.99)
    assert bound.certified() == 0


def test_shadow_requests_are_only_watched_and_say_so() -> None:
    bound = ErrorBound(errors_per_request=0.5, shadow_requests=200)
    found = [bound.choose(0.99, 0.9) for _ in range(201)]
    assert {each.action for each in found[:200]} == {MISS} and found[199].reason == "shadow: only watched"
    assert found[199].propensity == 1.0 and found[200].action == HIT


def test_the_lot_decides_between_exploring_and_serving_with_its_propensity() -> None:
    bound = ErrorBound(errors_per_request=0.5, explore=0.25)
    for _ in range(200):
        bound.choose(None, 0.9)
    low, high = bound.choose(0.99, 0.24), bound.choose(0.99, 0.25)
    assert (low.action, high.action) == (EXPLORED, HIT) and low.propensity == high.propensity == 0.25


def test_verdicts_that_never_come_count_as_wrong() -> None:
    silent, told = ErrorBound(errors_per_request=0.05), ErrorBound(errors_per_request=0.05)
    rng = np.random.default_rng(8)
    for draw in rng.random(2000):
        silent.choose(0.99, draw)
        chosen = told.choose(0.99, draw)
        if chosen.action != HIT:
            told.judge(chosen, right=True)
    assert silent.hits < told.hits / 3


def test_a_veto_is_a_miss_whatever_the_map_says() -> None:
    bound = ErrorBound(errors_per_request=0.5)
    for _ in range(300):
        bound.choose(None, 0.9)
    chosen = bound.choose(1.0, 0.9, vetoed="opposite: enable / disable")
    assert (chosen.action, chosen.reason) == (MISS, "opposite: enable / disable")


@pytest.mark.parametrize("limits", [{}, {"errors_per_hit": 0.0}, {"errors_per_request": 1.0}])
def test_a_bound_that_bounds_nothing_is_refused(limits: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        ErrorBound(**limits)
