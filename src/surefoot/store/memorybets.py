"""Bets in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.records.bet import Bet, BetEvent
from surefoot.store.bets import KINDS, bets_of, check_event, takes
from surefoot.store.memoryaudit import MemoryAudit


class MemoryBets:
    """`Bets` in a list of events."""

    def __init__(self, audit: MemoryAudit) -> None:
        self._audit = audit
        self._events: list[BetEvent] = []

    async def append(self, event: BetEvent) -> bool:
        """Whether it was taken."""
        check_event(event)
        if not takes(event.kind, [each.kind for each in self._events if each.bet_id == event.bet_id]):
            return False
        self._events.append(event)
        self._audit.note(kind=KINDS[event.kind], by=event.by, on=event.bet_id)
        return True

    async def all(self) -> Sequence[Bet]:
        """Every bet, oldest first."""
        return bets_of(self._events)
