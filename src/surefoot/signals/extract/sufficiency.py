"""The grounding test before anything is sent: is what the question needs still there? In doubt less is left out, or nothing."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from surefoot.signals.extract.extract import Compressed, compress, read_passages

ENOUGH = 0.98  # likelihood that must be kept
_COVERED = 0.75  # share of the question's weight that must still be there, of what was there
_STEPS = (0.25, 0.5, 0.75)  # what is tried after the target, from less to more


class Sendable(Struct, frozen=True, kw_only=True):
    """What may be sent."""

    compressed: Compressed | None  # None: the passages in full
    share: float  # of the characters that is sent, (0, 1]
    tried: tuple[tuple[float, str], ...] = ()  # (target, why not; "" for the one that passed)


def doubt(given: Compressed) -> str:
    """Why compressed passages may not be sent: "protected" | "name" | "kind" | "words" | "likelihood"; "" when they may."""
    if given.lost_protected:
        return "protected"
    if given.lost_names:
        return "name"
    if given.lost_kind:
        return "kind"
    if given.covered < _COVERED:
        return "words"
    return "likelihood" if given.kept_p < ENOUGH else ""


def sendable(question: str, passages: Sequence[str], target: float) -> Sendable:
    """Passages for a question at the target, at the next larger shares while the test fails, or in full.

    Args:
        target: share of the characters, (0, 1).
    """
    read = read_passages(question, passages)
    if read is None:
        return Sendable(compressed=None, share=1.0, tried=((target, "unreadable"),))
    tried: list[tuple[float, str]] = []
    for share in (target, *(step for step in _STEPS if step > target)):
        made = compress(read, share)
        why = doubt(made)
        tried.append((share, why))
        if not why and made.share < 1:
            return Sendable(compressed=made, share=made.share, tried=tuple(tried))
    return Sendable(compressed=None, share=1.0, tried=tuple(tried))
