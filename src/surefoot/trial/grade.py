"""Whether a delivered answer was right, as far as a labelled row can tell."""

from __future__ import annotations

from surefoot.providers.rows import Row
from surefoot.signals.final_answer import final_answer

NEVER_BY_A_MODEL = frozenset({"red-flag", "unanswerable"})


def grade(row: Row, *, recorded_as: str | None, text: str) -> bool | None:
    """The verdict on an answer; None when the row cannot tell.

    Args:
        row: the labelled row.
        recorded_as: the model whose recorded answer this is; None for an answer made on the spot.
        text: the answer.
    Returns: a recorded answer's own verdict; for others, whether every fact the row asks for is in the text (a row that no
        model should answer counts as wrong), else whether the final answer equals the reference's.
    """
    if recorded_as is not None:
        recorded = row.answers.get(recorded_as)
        return recorded.correct if recorded else None
    if NEVER_BY_A_MODEL & set(row.tags):
        return False
    if row.facts:
        return all(fact.casefold() in text.casefold() for fact in row.facts)
    same = [answer.correct for answer in row.answers.values() if answer.text == text and answer.correct is not None]
    if same:  # the exact cache may give what another row's model said in the same words
        return all(same)
    return _by_reference(row, text)


def is_gradable(row: Row) -> bool:
    """Whether `grade` can tell right from wrong of any answer to a row that states a final answer."""
    if NEVER_BY_A_MODEL & set(row.tags) or row.facts:
        return True
    return isinstance(row.reference, str) and final_answer(row.reference) is not None


def _by_reference(row: Row, text: str) -> bool | None:
    if not isinstance(row.reference, str):
        return None
    wanted, given = final_answer(row.reference), final_answer(text)
    return None if wanted is None or given is None else wanted == given
