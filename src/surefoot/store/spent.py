"""What lines of the ledger are added up by."""

from __future__ import annotations

from collections.abc import Iterable

SPENT_BY = ("tenant", "key_id", "feature", "rung", "model", "kind")


def check_spent(by: Iterable[str], step_ns: int) -> None:
    """Raises ValueError for a name that lines are not grouped by, or a step below 1."""
    if unknown := [name for name in by if name not in SPENT_BY]:
        raise ValueError(f"lines are not grouped by {', '.join(unknown)}; know {', '.join(SPENT_BY)}")
    if step_ns < 1:
        raise ValueError(f"a step of {step_ns} ns")
