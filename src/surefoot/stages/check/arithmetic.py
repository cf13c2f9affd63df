"""The answer's own sums, recomputed."""

from __future__ import annotations

from surefoot.records import Signal
from surefoot.signals.arithmetic import arithmetic
from surefoot.stages.check.seen import Findings, Seen


class Sums:
    """The share of equations in the answer that hold; None when it has none. A right sum may still answer another question."""

    def __call__(self, seen: Seen, /) -> Findings:
        """The signal "arithmetic"."""
        found = arithmetic(seen.text)
        detail = f"{found.wrong} of {found.equations} equations do not hold" if found.wrong else ""
        return Findings(signals=(Signal(name="arithmetic", score=found.score, detail=detail),))
