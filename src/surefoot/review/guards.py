"""What forbids that one question gets another's answer by likeness alone: no cosine sees "enable" turn into "disable"."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.review.differences import Facts, differences

GUARDED = frozenset({"number", "date", "name", "negation", "opposite", "personal", "attachment", "conversation"})


def veto(asked: Facts, known: Sequence[Facts]) -> str:
    """What differs from every one of an answer's questions, in words; "" when one of them differs in nothing guarded.

    Args:
        asked: of the new question.
        known: of the questions that have the answer, nearest first. () is a veto: there is nothing to be like.
    """
    first = ""
    for each in known:
        found = [difference for difference in differences(each, asked) if difference.kind in GUARDED]
        if not found:
            return ""
        first = first or str(found[0])
    return first or "no known question"
