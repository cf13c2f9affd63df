"""The cheapest ladder that is as right as its top rung, with and without a person who has a price."""

import random
from collections.abc import Sequence

import numpy as np
import pytest

from surefoot.learning.cheapest import Table, cheapest, cheapest_with_person
from surefoot.learning.examples import Example, Walk
from surefoot.policy import Promise
from surefoot.stats.arrays import Floats

NEVER = 1.5


def walk(place: int, *drafts: bool | None, group: str = "", cost: Sequence[int] = (1, 10)) -> Walk:
    name = group or f"g{place}"
    examples = [
        None
        if right is None
        else Example(id=f"w{place}", group=name, signals={}, accepted=right, nanodollars=nanodollars)
        for right, nanodollars in zip(drafts, cost, strict=True)
    ]
    return Walk(id=f"w{place}", group=name, drafts=tuple(examples))


def world(n: int, seed: int, *, top: float = 0.95) -> tuple[list[Walk], list[Floats]]:
    """A small model whose p is what it is, over a top rung that is right in so many of all questions."""
    rng = random.Random(seed)
    p = [rng.betavariate(4, 1) for _ in range(n)]
    walks = [walk(place, rng.random() < each, rng.random() < top) for place, each in enumerate(p)]
    return walks, [np.array(p), np.full(n, top)]


def test_a_small_model_that_is_as_right_answers_alone() -> None:
    walks = [walk(place, place % 20 != 0, place % 20 != 0) for place in range(200)]
    small, top = cheapest(walks, [np.full(200, 0.95), np.full(200, 0.95)])
    assert small <= 0.95 and top == 0


def test_a_small_model_that_is_never_right_is_never_delivered() -> None:
    walks = [walk(place, False, True) for place in range(200)]
    assert cheapest(walks, [np.full(200, 0.4), np.full(200, 0.9)])[0] > 1


def test_only_what_is_sure_enough_stays_below() -> None:
    walks, scores = world(2000, 1)
    threshold, _ = cheapest(walks, scores)
    assert 0.6 < threshold < 0.99


def test_drafts_that_nothing_judges_are_climbed_over() -> None:
    walks = [walk(place, False, True) for place in range(100)]
    assert cheapest(walks, [np.full(100, np.nan), np.full(100, 0.9)])[0] in (0.0, 2.0)
    table = Table.of(walks, [np.full(100, np.nan), np.full(100, 0.9)])
    assert (table.p[0] == -1).all()


def test_repeats_of_a_question_do_not_look_like_more_evidence() -> None:
    """A loss of 3 in 4 groups is chance for 4 groups, whatever number of rows they have; for 400 groups it is not."""
    few = [walk(place, place % 4 == 0, True, group=f"g{place % 4}") for place in range(400)]
    many = [walk(place, place % 4 == 0, True) for place in range(400)]
    scores = [np.full(400, 0.9), np.full(400, 0.9)]
    assert cheapest(many, scores)[0] > 1
    assert cheapest(few, scores)[0] > 1  # even so: 3 standard errors
    assert cheapest([walk(0, False, True)], [np.array([0.9]), np.array([0.9])])[0] > 1  # one group says nothing


def test_rows_without_a_verdict_on_the_top_draft_are_left_out() -> None:
    walks = [
        *(walk(place, True, True) for place in range(100)),
        *(walk(place, False, None) for place in range(100, 200)),
    ]
    assert Table.of(walks, [np.full(200, 0.9), np.full(200, 0.9)]).groups.size == 100
    assert cheapest(walks, [np.full(200, 0.9), np.full(200, 0.9)])[0] <= 0.9


def test_nothing_to_learn_from_climbs_to_the_top() -> None:
    assert cheapest([], [np.array([]), np.array([])]) == (2.0, 0.0)
    assert cheapest([walk(0, True, cost=(1,))], [np.array([0.9])]) == (0.0,)


PROMISE = Promise(accuracy=0.85, assurance=0.95)


def test_with_a_dear_person_the_promise_is_kept_at_few_escalations() -> None:
    walks, scores = world(1200, 3)
    fitted, held = (walks[:600], [each[:600] for each in scores]), (walks[600:], [each[600:] for each in scores])
    thresholds, cut = cheapest_with_person(fitted, held, PROMISE, person_nanodollars=1e6)
    assert cut.state == "certified" and cut.wrong <= cut.n * 0.15
    assert thresholds[-1] <= 0.95  # the top rung delivers


def test_a_promise_that_cannot_be_kept_delivers_nothing_and_says_how_many_labels_are_missing() -> None:
    walks = [walk(place, False, place % 2 == 0) for place in range(400)]
    scores = [np.full(400, 0.3), np.full(400, 0.5)]
    halves = (walks[:200], [each[:200] for each in scores]), (walks[200:], [each[200:] for each in scores])
    thresholds, cut = cheapest_with_person(*halves, PROMISE, person_nanodollars=1e3)
    assert min(thresholds) > NEVER and cut.state == "not certified yet"


@pytest.mark.parametrize("top", [0.845, 0.855])
def test_at_the_limit_the_promise_is_broken_no_more_often_than_its_doubt(top: float) -> None:
    """Both models are right in a share at the limit whatever their p says: a certificate is then a mistake."""
    mistakes = 0
    for seed in range(100):
        rng = random.Random(seed)
        walks = [walk(place, rng.random() < 0.845, rng.random() < 0.845) for place in range(400)]
        scores = [np.array([rng.random() for _ in walks]), np.full(400, top)]
        halves = (walks[:200], [each[:200] for each in scores]), (walks[200:], [each[200:] for each in scores])
        mistakes += cheapest_with_person(*halves, PROMISE, person_nanodollars=100.0)[1].state == "certified"
    assert mistakes <= 11  # 5 of 100 at most on average; 11 has a chance of one in 200
