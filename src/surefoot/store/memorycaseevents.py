"""What happened to cases, in plain Python."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from msgspec.structs import replace

from surefoot.records import Case, CaseEvent, Entry, Moment
from surefoot.records.case import ANSWERS
from surefoot.store.casework import Happened


class Ledger(Protocol):
    """Where people's time is booked."""

    def add(self, entries: Sequence[Entry]) -> None:
        """Write lines that nothing was reserved for."""

    def account(self, case: Case, entries: Sequence[Entry], audit: Case | None = None) -> None:
        """Move the budgets that a case's opening set minutes aside in, by what its entries booked; an audit's follow suit."""

    def human_seconds(self, request_id: str, *, until_ns: int) -> int | None:
        """What is booked of people's time to a request up to a time; None when nothing is."""


class Audit(Protocol):
    """Where events are vouched for."""

    def chained(self, row: Mapping[str, object]) -> object:
        """Note an event."""


class MemoryCaseEvents:
    """The part of `CaseQueue` that tells what happened."""

    def __init__(self, ledger: Ledger, audit: Audit | None) -> None:
        self._ledger, self._audit = ledger, audit
        self._cases: dict[str, Case] = {}
        self.known: Mapping[str, Case] = self._cases  # by id, whoever's they are
        self._events: list[CaseEvent] = []

    async def history(self, case_id: str) -> Sequence[CaseEvent]:
        """What happened to a case, oldest first."""
        return [event for event in self._events if event.case_id == case_id]

    async def changes(self, *, after: int, limit: int = 1000) -> Sequence[CaseEvent]:
        """Events of all cases with an id above `after`, ascending, without texts."""
        start = max(after, 0)  # ids are places, counted from 1
        return [replace(event, text=None) for event in self._events[start : start + limit]]

    async def moments(self, *, since_ns: int, until_ns: int) -> AsyncIterator[Moment]:
        """Events of all cases in [since_ns, until_ns), the newest first."""
        for event in self._events[::-1]:
            if since_ns <= event.at_ns < until_ns:
                case = self._cases[event.case_id]
                booked = self._ledger.human_seconds(case.request_id, until_ns=event.at_ns)
                yield Moment(
                    event=replace(event, text=None), request_id=case.request_id, kind=case.kind, role=case.role,
                    rung=case.rung, seconds=booked if event.kind in ANSWERS else None,
                )  # fmt: skip

    async def last_change(self) -> int:
        """The id of the newest event; 0 before the first."""
        return len(self._events)

    def append(self, case: Case, event: Happened) -> None:
        """Note what happened to a case, and vouch for it."""
        self._events.append(
            CaseEvent(
                id=len(self._events) + 1, case_id=case.id, at_ns=event.at_ns, kind=event.kind, detail=event.detail,
                by=event.by, tenant=case.tenant, feature=case.feature, state=event.state, text=event.text,
            )
        )  # fmt: skip
        if self._audit is not None:
            self._audit.chained({
                "case_id": case.id, "at_ns": event.at_ns, "kind": event.kind, "detail": event.detail, "by": event.by,
                "state": event.state,
            })  # fmt: skip
