"""A model is asked for a number: what it says, and what it costs."""

import asyncio

import pytest
from check_support import scores, seen

from surefoot.errors import BudgetSpent
from surefoot.records import PricedCall, Usage
from surefoot.stages.check import Findings, Judge, Seen
from surefoot.stages.check.judge import number_in

CALL = PricedCall(rung="judge.small", provider="p", model="j", usage=Usage(input_tokens=9), price=None)


class Says:
    """A judge's model that says one thing and remembers what it was asked."""

    def __init__(self, text: str | None) -> None:
        self.text, self.prompts = text, list[str]()

    async def __call__(self, given: Seen, prompt: str) -> tuple[str | None, tuple[PricedCall, ...]]:
        self.prompts.append(prompt)
        return self.text, (CALL,)


def judged(says: Says, given: Seen, instructions: str = "") -> Findings:
    return asyncio.run(Judge(says, instructions)(given))


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("85", 0.85), ("85%", 0.85), ("90/100", 0.9), ("I would say 90 out of 100.", 0.9), ("0.9", 0.9), ("1.0", 1.0), ("1", 0.01),
        ("Between 0 and 100: 30", 0.3), ("3 of 5 facts hold: 60", 0.6), ("**77.5**", 0.775), ("150", None), ("-5", None),
        ("1,000", None), ("", None), ("very likely", None),
    ],
)  # fmt: skip
def test_the_last_number_of_the_reply_counts(text: str, score: float | None) -> None:
    assert number_in(text) == score


def test_its_score_and_its_cost_come_back() -> None:
    found = judged(Says("80"), seen("Two days."))
    assert scores(found) == {"judge": 0.8} and found.priced == (CALL,)


def test_a_judge_that_fails_is_paid_and_says_nothing() -> None:
    found = judged(Says(None), seen("Two days."))
    assert scores(found) == {"judge": None} and found.priced == (CALL,)


def test_it_sees_question_passages_and_answer_and_may_be_told_otherwise() -> None:
    says = Says("80")
    judged(says, seen("Two days.", question="How long?", passages=("It takes two days.",)), "Be strict.")
    (prompt,) = says.prompts
    assert prompt.startswith("Be strict.")
    assert prompt.index("How long?") < prompt.index("It takes two days.") < prompt.index("Two days.")


def test_a_tool_call_has_no_text_to_judge() -> None:
    says = Says("80")
    assert scores(judged(says, seen(""))) == {} and not says.prompts


def test_a_budget_without_room_for_the_judge_leaves_the_draft_unjudged() -> None:
    async def spent(given: Seen, prompt: str) -> tuple[str | None, tuple[PricedCall, ...]]:
        raise BudgetSpent("key:k/feature:f", spent=1, limit=1, resets_at_ns=None)

    found = asyncio.run(Judge(spent)(seen("Two days.")))
    assert scores(found) == {"judge": None} and found.priced == ()
