"""Whether the model came to an end."""

from __future__ import annotations

from surefoot.records import Signal
from surefoot.stages.check.seen import NOTHING, Findings, Seen


class Complete:
    """1 when the model ended by itself, called a tool, or was stopped by us after a sentence; 0 when a limit or a filter cut it
    off.
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signal "complete"; abstains when the provider gives another reason."""
        return _FINDINGS.get(seen.draft.finish, NOTHING)


_FINDINGS = {
    finish: Findings(signals=(Signal(name="complete", score=score, detail=detail),))
    for finish, score, detail in (
        ("stop", 1.0, ""),
        ("tools", 1.0, ""),
        ("stopped", 1.0, ""),
        ("length", 0.0, "cut off at the token limit"),
        ("filter", 0.0, "stopped by the provider's filter"),
    )
}
