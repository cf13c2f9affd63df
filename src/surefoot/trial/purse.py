"""One amount of money for several stores in memory: what either of them sets aside and spends counts against it."""

from __future__ import annotations

import asyncio
from asyncio import Future

from surefoot.errors import BudgetSpent
from surefoot.records import Commit, Reservation
from surefoot.store.memory import MemoryStore


class Purse:
    """At most so many nano-dollars; None: no end. Worst cases are set aside, so that it is never exceeded."""

    def __init__(self, most_nanodollars: int | None) -> None:
        self.most, self.spent = most_nanodollars, 0
        self._held: dict[str, int] = {}

    def take(self, reservation: Reservation) -> BudgetSpent | None:
        """Set the worst case of a call aside, or say why not."""
        if self.most is not None and self.spent + sum(self._held.values()) + reservation.nanodollars > self.most:
            return BudgetSpent(
                "cap", spent=self.spent, limit=self.most, resets_at_ns=0, window="total", message="the cap is reached"
            )
        self._held[reservation.id] = reservation.nanodollars
        return None

    def settle(self, reservation_id: str, nanodollars: int) -> None:
        """A call ended: what it cost counts instead of its worst case."""
        self._held.pop(reservation_id, None)
        self.spent += nanodollars


class PursedStore(MemoryStore):
    """A store in memory whose calls are paid from a purse."""

    def __init__(self, purse: Purse) -> None:
        super().__init__()
        self._purse = purse

    def reserve(self, reservation: Reservation) -> Future[None]:
        """Set money aside. Fails with BudgetSpent when the purse has not enough."""
        refused = self._purse.take(reservation)
        if refused is None:
            return super().reserve(reservation)
        future: Future[None] = asyncio.get_running_loop().create_future()
        future.set_exception(refused)
        return future

    def commit(self, commit: Commit) -> Future[str]:
        """Write what a request leaves behind; what it cost leaves the purse."""
        for settlement in commit.settlements:
            cost = sum(entry.nanodollars for entry in settlement.entries)
            self._purse.settle(settlement.reservation_id, cost)
        return super().commit(commit)
