"""Legal holds in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.errors import LegalHold
from surefoot.records.audit import Hold
from surefoot.store.memoryaudit import MemoryAudit


class MemoryHolds:
    """`Holds` in a dictionary."""

    def __init__(self, audit: MemoryAudit) -> None:
        self._audit = audit
        self._holds: dict[str, Hold] = {}

    async def place(self, hold: Hold) -> bool:
        """Whether the hold is new."""
        if hold.subject in self._holds:
            return False
        self._holds[hold.subject] = hold
        self._audit.note(kind="subject.held", by=hold.by, on=hold.subject, detail=hold.reason)
        return True

    async def release(self, hold: Hold) -> bool:
        """Whether the subject was under hold; it is not any more."""
        if self._holds.pop(hold.subject, None) is None:
            return False
        self._audit.note(kind="subject.released", by=hold.by, on=hold.subject, detail=hold.reason)
        return True

    async def all(self) -> Sequence[Hold]:
        """What is under hold now, the longest first."""
        return sorted(self._holds.values(), key=lambda hold: hold.at_ns)

    def holds(self, subject: str) -> bool:
        """Whether a subject is under hold."""
        return subject in self._holds

    def see_free(self, subject: str) -> None:
        """See that a subject may be erased. Raises LegalHold."""
        found = self._holds.get(subject)
        if found is not None:
            raise LegalHold(by=found.by, at_ns=found.at_ns)
