"""Whether an answer suffered from what was left out of its passages."""

from __future__ import annotations

from surefoot.records import Signal
from surefoot.signals.grounding import ground
from surefoot.signals.hedging import refusal
from surefoot.stages.check.seen import NOTHING, Findings, Seen


class Compression:
    """ "compression", 0 when an answer over compressed passages refuses, or has a claim that the full passages do not support,
    or one that they support and what was sent does not; 1 when neither. Nothing at all where nothing was compressed.

    What it sees counts towards the feature's harm: above `max_harm` compression stops itself.
    """

    def __call__(self, seen: Seen, /) -> Findings:
        """The signal."""
        shortened = seen.tried.ask.shortened
        if shortened is None or shortened.compressed is None or not seen.text.strip():
            return NOTHING
        return Findings(signals=(Signal(name="compression", score=_score(seen)),))


def _score(seen: Seen) -> float | None:
    if refusal(seen.text) == 0:
        return 0.0
    full = ground(seen.text, seen.passages)
    if full is None:
        return None  # nothing is claimed
    if not all(claim.supported for claim in full.sentences):
        return 0.0
    sent = ground(seen.text, seen.sent)
    return 1.0 if sent is not None and all(claim.supported for claim in sent.sentences) else 0.0
