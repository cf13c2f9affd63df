"""Learn-then-Test: the sequence is fixed before a verdict is seen, a group is one unit, the pilot only says where to start."""

import numpy as np
import pytest
from scipy.stats import binom

from surefoot.learning.examples import Example, Walk
from surefoot.learning.threshold import Cut, certify_threshold
from surefoot.policy import Promise

PROMISE = Promise(accuracy=0.85)


def drafts(accepted: bool | None, *above: bool | None) -> tuple[Example | None, ...]:
    return tuple(
        None if each is None else Example(id="", group="", signals={}, accepted=each) for each in (accepted, *above)
    )


def walks(right: list[bool], *, per_group: int = 1, name: str = "g") -> list[Walk]:
    return [Walk(id=str(at), group=f"{name}{at // per_group}", drafts=drafts(ok)) for at, ok in enumerate(right)]


def cut(right: list[bool], p: list[float], **given: object) -> Cut:
    return certify_threshold(walks(right), [np.array(p)], PROMISE, start_at=0.85, **given)  # type: ignore[arg-type]


def two_halves(wrong_below: int) -> tuple[list[bool], list[float]]:
    """100 answers of p = .9, 4 of them wrong, above 100 of p = .5."""
    return [at >= 4 for at in range(100)] + [at >= wrong_below for at in range(100)], [0.9] * 100 + [0.5] * 100


def test_the_loosest_threshold_that_passes_is_taken() -> None:
    assert cut(*two_halves(5)).threshold == 0.5
    found = cut(*two_halves(40))
    assert (found.threshold, found.n, found.wrong, found.labels_needed) == (0.9, 100, 4, 0)


def test_it_passes_exactly_when_the_binomial_tail_is_small() -> None:
    for wrong in range(5, 16):
        found = cut([at >= wrong for at in range(100)], [0.9] * 100)
        assert (found.threshold is not None) == (binom.cdf(wrong, 100, 0.15) <= 0.05)


def test_nothing_beyond_a_failure_is_looked_at() -> None:
    right, p = [at % 3 > 0 for at in range(60)] + [True] * 1000, [0.9] * 60 + [0.5] * 1000
    found = cut(right, p)
    assert (found.threshold, found.state, found.n, found.wrong) == (None, "not certified yet", 60, 20)
    assert found.labels_needed is None


def test_a_pilot_of_other_groups_starts_it_where_power_is() -> None:
    right, p = [at % 3 > 0 for at in range(60)] + [True] * 1000, [0.9] * 60 + [0.5] * 1000
    pilot = (walks(right, name="other"), [np.array(p)])
    found = cut(right, p, pilot=pilot)
    assert (found.threshold, found.wrong) == (0.5, 20)


def test_a_pilot_cannot_certify_what_the_labels_do_not() -> None:
    right, p = [at % 3 > 0 for at in range(600)], [0.9] * 600
    flattering = (walks([True] * 600, name="other"), [np.array(p)])
    assert cut(right, p, pilot=flattering).threshold is None


def test_the_verdicts_do_not_choose_what_is_tested() -> None:
    rng = np.random.default_rng(3)
    p, seen = rng.random(500), set()
    for _ in range(30):
        found = cut(list(rng.random(500) < p**0.2), list(p))
        seen |= {found.threshold}
    places = np.unique(np.linspace(59, 499, 40).astype(int))
    assert seen - {None} <= set(np.sort(p)[::-1][places]) and len(seen) > 3


def test_a_group_is_one_unit_and_wrong_when_any_of_it_is() -> None:
    right = [at % 4 > 0 for at in range(400)]  # one wrong in each group of four
    found = certify_threshold(walks(right, per_group=4), [np.full(400, 0.9)], PROMISE, start_at=0.85)
    assert (found.n, found.wrong, found.state) == (100, 100, "not certified yet")
    assert (
        certify_threshold(walks([True] * 72, per_group=4), [np.full(72, 0.9)], PROMISE, start_at=0.85).labels_needed
        == 1
    )


def test_what_a_lower_rung_delivers_the_upper_one_does_not() -> None:
    climbing = [Walk(id=str(at), group=str(at), drafts=drafts(at % 2 == 0, True)) for at in range(100)]
    low = np.where(np.arange(100) % 2 == 0, 0.9, np.nan)
    found = certify_threshold(climbing, [low, np.full(100, 0.95)], PROMISE, start_at=0.85)
    assert (found.n, found.wrong, found.state) == (100, 0, "certified")
    wrong_below = certify_threshold(climbing, [np.full(100, 0.9), np.full(100, 0.8)], PROMISE, start_at=0.85)
    assert (wrong_below.n, wrong_below.wrong) == (100, 50)


def test_a_draft_without_a_verdict_is_no_delivery_that_counts() -> None:
    unjudged = [Walk(id=str(at), group=str(at), drafts=drafts(None)) for at in range(50)]
    found = certify_threshold(unjudged, [np.full(50, 0.9)], PROMISE, start_at=0.85)
    assert (found.n, found.accuracy, found.labels_needed) == (0, None, 19)


@pytest.mark.parametrize("p", [[], [np.nan] * 3])
def test_where_nothing_can_be_tested_the_need_is_that_of_a_beginner(p: list[float]) -> None:
    found = cut([True] * len(p), p)
    assert (found.state, found.n, found.labels_needed) == ("not certified yet", 0, 19)
