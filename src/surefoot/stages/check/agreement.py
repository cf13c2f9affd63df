"""Agreement of two models on the final answer."""

from __future__ import annotations

from surefoot.records import Signal, Tried
from surefoot.signals.final_answer import agree


class Agreement:
    """1 when both models of a pair give the same final answer, 0 when they differ; abstains when either gives none.

    What is compared is the normalised final answer, never the wording. It catches slips that two models do not share;
    it cannot catch what both believe wrongly.
    """

    def __call__(self, tried: Tried, /) -> tuple[Signal, ...]:
        """The signal "agreement", for pairs only."""
        answer, others = tried.attempt.answer, tried.attempt.others
        if answer is None or not others:
            return ()
        score = agree(answer.text, others[0].text)
        detail = "no final answer to compare" if score is None else ""
        return (Signal(name="agreement", score=score, detail=detail),)
