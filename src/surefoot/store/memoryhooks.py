"""Webhooks in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from surefoot.records.hook import Hook, HookAttempt, HookClaim
from surefoot.store.cases import Cases


class MemoryHooks:
    """`Hooks` in dictionaries."""

    def __init__(self, cases: Cases) -> None:
        self._cases = cases
        self._hooks: dict[str, Hook] = {}
        self._leases: dict[str, tuple[int, int]] = {}  # (fence, until when)
        self._log: list[HookAttempt] = []

    async def add(self, hook: Hook) -> bool:
        """Whether the hook is new."""
        return self._hooks.setdefault(hook.id, hook) is hook

    async def claim_due(self, *, now_ns: int, lease_ns: int, limit: int) -> Sequence[HookClaim]:
        """Waiting hooks of ended cases that are due and that nobody else is calling, longest due first."""
        due = [hook for hook in list(self._hooks.values()) if await self._due(hook, now_ns)]
        claims = []
        for hook in sorted(due, key=_order)[:limit]:
            fence = self._leases.get(hook.id, (0, 0))[0] + 1
            self._leases[hook.id] = (fence, now_ns + lease_ns)
            claims.append(HookClaim(hook=hook, fence=fence))
        return claims

    async def record(self, claim: HookClaim, attempt: HookAttempt, *, state: str, due_at_ns: int = 0) -> bool:
        """Append a line to the log and move the hook; False when the lease was lost meanwhile."""
        self._log.append(attempt)
        name = claim.hook.id
        if self._leases[name][0] != claim.fence:
            return False
        self._leases[name] = (claim.fence, 0)
        self._hooks[name] = replace(
            self._hooks[name], state=state, attempts=claim.hook.attempts + 1, due_at_ns=due_at_ns
        )
        return True

    async def of(self, case_id: str) -> Sequence[Hook]:
        """The hooks of a case, oldest first."""
        return sorted((hook for hook in self._hooks.values() if hook.case_id == case_id), key=lambda h: (h.at_ns, h.id))

    async def all(self, *, state: str | None = None, limit: int = 1000) -> Sequence[Hook]:
        """Hooks, newest first."""
        wanted = (hook for hook in self._hooks.values() if state in (None, hook.state))
        return sorted(wanted, key=lambda hook: (hook.at_ns, hook.id), reverse=True)[:limit]

    async def attempts(self, hook_id: str) -> Sequence[HookAttempt]:
        """The log of a hook, oldest first."""
        return [line for line in self._log if line.hook_id == hook_id]

    def erase(self, is_gone: Callable[[str], bool]) -> None:
        """Drop the addresses of tenants that are erased."""
        for name, hook in self._hooks.items():
            if is_gone(hook.tenant):
                self._hooks[name] = replace(hook, url="")

    def is_waited_for(self, is_mine: Callable[[str], bool]) -> bool:
        """Whether an address of some tenant is still to be called."""
        return any(hook.state == "waiting" and is_mine(hook.tenant) for hook in self._hooks.values())

    async def _due(self, hook: Hook, now_ns: int) -> bool:
        leased = self._leases.get(hook.id, (0, 0))[1]
        if hook.state != "waiting" or hook.due_at_ns > now_ns or leased > now_ns:
            return False
        case = await self._cases.find(hook.case_id)
        return case is not None and case.has_ended


def _order(hook: Hook) -> tuple[int, str]:
    return hook.due_at_ns, hook.id
