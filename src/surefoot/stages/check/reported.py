"""What the provider says of its own answer."""

from __future__ import annotations

from surefoot.records import Signal
from surefoot.stages.check.seen import Findings, Seen


class Reported:
    """The provider's own scores, as they are: "quote" of the extractive answerer, "self_score" of simulated models.

    A model's word about itself is a score like any other; only a map makes a probability of it.
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """One signal for each score that came with the draft."""
        return Findings(signals=tuple(Signal(name=name, score=score) for name, score in seen.draft.signals))
