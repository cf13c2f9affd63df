"""The protocol of webhooks: who is to be called about which case, and the log of every call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from surefoot.records.hook import Hook, HookAttempt, HookClaim


class Hooks(Protocol):
    """Addresses to be called once a case has ended. Nothing is called twice at the same time, nothing is forgotten."""

    async def add(self, hook: Hook) -> bool:
        """Whether the hook is new: the same id is taken once. Durable before it returns."""

    async def claim_due(self, *, now_ns: int, lease_ns: int, limit: int) -> Sequence[HookClaim]:
        """Waiting hooks of ended cases that are due and that nobody else is calling, longest due first.

        Each belongs to the caller until `now_ns + lease_ns`; then another may take it. Durable before it returns.
        """

    async def record(self, claim: HookClaim, attempt: HookAttempt, *, state: str, due_at_ns: int = 0) -> bool:
        """Append a line to the log and move the hook, in one transaction; durable before it returns.

        Returns whether the hook was moved: False when the lease was lost meanwhile. The line is kept all the same.
        """

    async def of(self, case_id: str) -> Sequence[Hook]:
        """The hooks of a case, oldest first."""

    async def all(self, *, state: str | None = None, limit: int = 1000) -> Sequence[Hook]:
        """Hooks, newest first."""

    async def attempts(self, hook_id: str) -> Sequence[HookAttempt]:
        """The log of a hook, oldest first."""
