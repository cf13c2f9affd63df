"""Whether the answer refuses or hedges."""

from __future__ import annotations

from surefoot.records import Signal
from surefoot.signals.hedging import hedging, refusal
from surefoot.stages.check.seen import Findings, Seen


class Refusal:
    """Two signals: "refusal", 0 when the answer begins by refusing, and "hedging", lower the more it hedges.

    None without text. English phrases only; in other languages both stay at 1 and a map learns that they say nothing.
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signals "refusal" and "hedging"."""
        text = seen.text
        return Findings(
            signals=(Signal(name="refusal", score=refusal(text)), Signal(name="hedging", score=hedging(text)))
        )
