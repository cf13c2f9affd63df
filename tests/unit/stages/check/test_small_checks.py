"""The checks that only look at the answer: complete, reported, refusal, arithmetic, question."""

import pytest
from check_support import scores, seen

from surefoot.stages.check import AboutQuestion, Complete, Refusal, Reported, Sums


@pytest.mark.parametrize(
    ("finish", "found"),
    [
        ("stop", {"complete": 1.0}), ("tools", {"complete": 1.0}), ("length", {"complete": 0.0}),
        ("filter", {"complete": 0.0}), ("other", {}),
    ],
)  # fmt: skip
def test_an_answer_is_complete_when_its_model_ended_it(finish: str, found: dict[str, float]) -> None:
    assert scores(Complete()(seen("text", finish=finish))) == found


def test_what_the_provider_says_of_itself_is_passed_on() -> None:
    assert scores(Reported()(seen("text", signals=(("quote", 0.4), ("self_score", 0.9))))) == {
        "quote": 0.4, "self_score": 0.9,
    }  # fmt: skip
    assert scores(Reported()(seen("text"))) == {}


def test_refusals_and_hedges_are_two_signals() -> None:
    assert scores(Refusal()(seen("I cannot answer that."))) == {"refusal": 0.0, "hedging": 1.0}
    assert scores(Refusal()(seen(""))) == {"refusal": None, "hedging": None}


def test_sums_are_recomputed_and_the_detail_counts_them() -> None:
    (signal,) = Sums()(seen("1 + 1 = 2, and 2 * 2 = 5")).signals
    assert (signal.score, signal.detail) == (0.5, "1 of 2 equations do not hold")
    assert scores(Sums()(seen("Desk 2."))) == {"arithmetic": None}


def test_what_read_found_of_the_question_is_evidence_on_every_draft() -> None:
    known = (("injection", 0.0), ("personal", 1.0))
    assert scores(AboutQuestion()(seen("text", scores=known))) == dict(known)
    assert scores(AboutQuestion()(seen("text"))) == {}
