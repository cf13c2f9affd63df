"""Budgets, their warnings and rates in plain Python."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from surefoot.errors import StoreError
from surefoot.records import Case, Entry, Reservation
from surefoot.store.balances import Balances, Warned, wait_ns
from surefoot.store.budgets import Grant

Known = dict[tuple[str, str, int, int], Warned]


class MemoryBalances:
    """The part of the ledger that budgets are kept in."""

    def __init__(self) -> None:
        self._balances = Balances()
        self._reservations: dict[str, Reservation] = {}
        self._booked: dict[str, Reservation] = {}
        self._warned: Known = {}

    async def budget(self, scope: str, window: str) -> tuple[int, int]:
        """(spent, reserved) of a budget in nano-dollars; (0, 0) before its first use."""
        return self._balances.get((scope, window))

    def account(self, case: Case, entries: Sequence[Entry], audit: Case | None = None) -> None:
        """Move the budgets that a case's opening set minutes aside in, by what its entries booked; an audit's follow suit."""
        held = self._reservations.get(case.id)
        if held is None:
            return
        spent = sum(entry.nanodollars for entry in entries)
        self._balances.move(held.limits, spent=spent, reserved=-held.nanodollars if case.is_worked else 0)
        if case.is_worked:
            self._reservations[case.id] = replace(held, nanodollars=0)
        if audit is not None:
            self._reservations[audit.id] = replace(held, id=audit.id, nanodollars=0)
        if case.has_ended:
            del self._reservations[case.id]

    def warnings(self) -> Known:
        """Every warning, those that are new since the last look with them."""
        for key, found in self._balances.warnings().items():
            self._warned.setdefault(key, replace(found, at_ns=time.time_ns()))
        return self._warned

    def reserve(self, reservation: Reservation) -> Exception | None:
        """Set money aside, or say why not."""
        if reservation.id in self._reservations or reservation.id in self._booked:
            return StoreError(f"there is a reservation {reservation.id} already")
        refused = self._balances.reserve(reservation)
        if refused is None:
            self._reservations[reservation.id] = reservation
        return refused


class MemoryWarnings:
    """`Warnings` over what the ledger saw."""

    def __init__(self, known: Callable[[], Known]) -> None:
        self._known = known
        self._due: dict[tuple[str, str, int, int], int] = {}

    async def all(self, *, since_ns: int = 0) -> Sequence[Warned]:
        """Warnings, oldest first."""
        return sorted((found for found in self._known().values() if found.at_ns >= since_ns), key=_order)

    async def claim(self, *, now_ns: int, since_ns: int, limit: int) -> Sequence[Warned]:
        """Warnings that nobody was told of and that are due, oldest first."""
        known = self._known()
        due = [found for found in await self.all(since_ns=since_ns) if not found.told_at_ns]
        claimed = []
        for found in [each for each in due if self._due.get(each.key, 0) <= now_ns][:limit]:
            known[found.key] = replace(found, attempts=found.attempts + 1)
            self._due[found.key] = now_ns + wait_ns(found.attempts + 1)
            claimed.append(known[found.key])
        return claimed

    async def told(self, warned: Warned, *, at_ns: int) -> None:
        """Somebody was told."""
        known = self._known()
        known[warned.key] = replace(known[warned.key], told_at_ns=at_ns)


class MemoryRates:
    """`Rates` in a dictionary."""

    shared = False

    def __init__(self) -> None:
        self._granted: dict[tuple[str, int], tuple[int, int]] = {}

    async def grant(self, scope: str, minute: int, *, asked: tuple[int, int], most: tuple[int, int]) -> Grant:
        """What is granted of what was asked for."""
        old = self._granted.get((scope, minute), (0, 0))
        grant = Grant.of(old, asked, most)
        self._granted = {key: value for key, value in self._granted.items() if key[1] >= minute}
        self._granted[scope, minute] = (old[0] + grant.given[0], old[1] + grant.given[1])
        return grant


def _order(warned: Warned) -> tuple[int, tuple[str, str, int, int]]:
    return warned.at_ns, warned.key
