"""Legal holds, as a protocol: whose content may not be destroyed, whoever asks for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from surefoot.records.audit import Hold


class Holds(Protocol):
    """Subjects under legal hold, by pseudonym. Append-only; the trail vouches for every row.

    While one stands, `Journal.erase_subject` raises LegalHold and `Journal.expire` passes the subject over.
    """

    async def place(self, hold: Hold) -> bool:
        """Whether the hold is new: a subject has one at a time. Durable before it returns. Raises StoreError."""

    async def release(self, hold: Hold) -> bool:
        """Whether the subject was under hold; it is not any more. `by` and `reason` are of the release. Durable."""

    async def all(self) -> Sequence[Hold]:
        """What is under hold now, the longest first."""
