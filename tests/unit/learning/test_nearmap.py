"""Answers compete for a question, and the map learns from what was not served."""

import numpy as np
import pytest

from surefoot.learning.nearmap import NearMap, compete


def test_nothing_near_proposes_nothing() -> None:
    assert compete([]) is None


def test_the_answer_whose_three_nearest_are_most_alike_leads_the_next() -> None:
    near = compete([("q1", "a", 0.9), ("q2", "b", 0.8), ("q3", "b", 0.7), ("q4", "b", 0.6), ("q5", "b", 0.5)])
    assert near is not None and (near.answer, near.item, near.items) == ("b", "q2", ("q2", "q3", "q4", "q5"))
    assert near.score == pytest.approx(0.7) and near.lead == pytest.approx(0.7 - 0.3) and near.crowd == 2


def taught(labels: int, *, better: str = "", seed: int = 1) -> NearMap:
    """A map of answers that are right the more surely the larger their lead; one of them always."""
    found, rng = NearMap(), np.random.default_rng(seed)
    for _ in range(labels):
        answer, lead = f"a{rng.integers(4)}", float(rng.random())
        near = compete([("q", answer, lead), ("r", answer, lead), ("s", answer, lead)])
        assert near is not None
        found.learn(near, found.inputs(near), answer == better or bool(rng.random() < lead))
    return found


def believed(found: NearMap, answer: str, lead: float) -> float | None:
    near = compete([("q", answer, lead), ("r", answer, lead), ("s", answer, lead)])
    assert near is not None
    return found.p(found.inputs(near))


def test_too_few_labels_are_no_probability() -> None:
    assert believed(taught(199), "a0", 0.9) is None and believed(taught(200), "a0", 0.9) is not None


def test_the_map_says_how_often_it_is_right() -> None:
    found = taught(3000)
    for lead in (0.3, 0.6, 0.9):
        assert believed(found, "a0", lead) == pytest.approx(lead, abs=0.08)


def test_an_answers_own_record_moves_what_is_believed_of_it() -> None:
    found = taught(1500, better="a1")
    one, other = believed(found, "a1", 0.5), believed(found, "a0", 0.5)
    assert one is not None and other is not None and one > other + 0.15
