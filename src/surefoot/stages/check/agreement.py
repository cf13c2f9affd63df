"""Agreement of several answers to the same question: of a rung's own, and with the rungs below."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.records import Signal
from surefoot.signals.likeness import likeness
from surefoot.stages.check.seen import NOTHING, Findings, Seen


class Agreement:
    """The mean likeness of the delivered answer to the other answers of its rung (a second model, or more samples).

    Compared are normalised final answers, else JSON values (1 when the same, 0 when not), else the wording (a share of
    common words and word pairs). It catches slips that two models do not share, never what all believe wrongly. Nothing is
    said where only one answer was asked for; None when the texts cannot be compared.
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signal "agreement"."""
        return _mean("agreement", seen.text, seen.others) if seen.others else NOTHING


class Below:
    """The same against the drafts of the rungs below, which were not good enough alone.

    A stronger model that comes to what a weaker one said is more often right than one that stands alone. None on the first
    rung.
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signal "agreement.below"."""
        before = [
            text for attempt in seen.tried.before for text in (attempt.answer, *attempt.others) if text is not None
        ]
        return _mean("agreement.below", seen.text, [answer.text for answer in before])


def _mean(name: str, text: str, others: Sequence[str]) -> Findings:
    scores = [score for other in others if (score := likeness(text, other)) is not None]
    if not scores:
        return Findings(signals=(Signal(name=name, score=None, detail="nothing to compare"),))
    return Findings(signals=(Signal(name=name, score=sum(scores) / len(scores)),))
