"""What the provider says of its own answer."""

from __future__ import annotations

from surefoot.records import Draft, Signal, Tried


class Reported:
    """The provider's own scores, as they are: "quote" of the extractive answerer, "self_score" of simulated models.

    A model's word about itself is a score like any other; only a map makes a probability of it.
    """

    def __call__(self, tried: Tried, /) -> tuple[Signal, ...]:
        """One signal for each score that came with the draft."""
        draft = tried.attempt.draft
        if not isinstance(draft, Draft):
            return ()
        return tuple(Signal(name=name, score=score) for name, score in draft.signals)
