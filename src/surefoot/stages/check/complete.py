"""Whether the model came to an end."""

from __future__ import annotations

from surefoot.records import Draft, Signal, Tried


class Complete:
    """1 when the model ended by itself or called a tool, 0 when it was cut off by a limit or a filter."""

    def __call__(self, tried: Tried, /) -> tuple[Signal, ...]:
        """The signal "complete"; abstains when the provider gives another reason."""
        draft = tried.attempt.draft
        return (_SIGNALS[draft.finish],) if isinstance(draft, Draft) and draft.finish in _SIGNALS else ()


_SIGNALS = {
    "stop": Signal(name="complete", score=1.0),
    "tools": Signal(name="complete", score=1.0),
    "length": Signal(name="complete", score=0.0, detail="cut off at the token limit"),
    "filter": Signal(name="complete", score=0.0, detail="stopped by the provider's filter"),
}
