"""What the question and its passages are like, whatever the answer."""

from __future__ import annotations

from surefoot.records import Signal
from surefoot.stages.check.seen import Findings, Seen


class AboutQuestion:
    """Two signals, the same for every rung: "injection", 1 when no known form of prompt injection is in what users said or in
    the passages, lower when one is; and "personal", 0 when personal data is in them, else 1.

    Scores of the request, not of the answer: what they say of it only a map can tell. They are computed once, in `read`, and
    only for features that name the check "question".
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The scores that `read` found; nothing when it did not look."""
        scores = seen.tried.ask.question.scores
        return Findings(signals=tuple(Signal(name=name, score=score) for name, score in scores))
