"""Cases in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from surefoot.errors import StoreError
from surefoot.records import Case, Claim, Entry
from surefoot.records.case import PENDING, WAITING
from surefoot.store import casework
from surefoot.store.caseverbs import CaseVerbs, How
from surefoot.store.casework import Change
from surefoot.store.joining import Asked
from surefoot.store.memorycaseevents import Audit, Ledger, MemoryCaseEvents
from surefoot.store.memorylabels import MemoryLabels

Forget = Callable[[Case], None]  # drops the cached answer to a case's question


class MemoryCases(MemoryCaseEvents, CaseVerbs):
    """`Cases` in dictionaries."""

    def __init__(self, labels: MemoryLabels, forget: Forget, ledger: Ledger, audit: Audit | None = None) -> None:
        super().__init__(ledger, audit)
        self._labels, self._forget = labels, forget

    async def get(self, case_id: str, *, tenant: str) -> Case | None:
        """The case, or None when there is none or it belongs to another tenant."""
        case = self._cases.get(case_id)
        return case if case is not None and case.tenant == tenant else None

    async def find(self, case_id: str) -> Case | None:
        """The case, whoever's it is."""
        return self._cases.get(case_id)

    async def open_cases(
        self, *, feature: str | None = None, kind: str | None = None, limit: int = 1000
    ) -> Sequence[Case]:
        """Cases in state "open", oldest first."""
        waiting = [
            case
            for case in self._cases.values()
            if case.state == "open" and feature in (None, case.feature) and kind in (None, case.kind)
        ]
        return sorted(waiting, key=lambda case: (case.opened_at_ns, case.id))[:limit]

    async def waiting(
        self, *, roles: Sequence[str] | None = None, states: Sequence[str] = WAITING, kind: str | None = None,
        feature: str | None = None, by: str | None = None, limit: int = 100, after: tuple[int, str] | None = None,
    ) -> Sequence[Case]:  # fmt: skip
        """The queue: by `rank_ns`, then id."""
        found = [
            case
            for case in self._cases.values()
            if case.state in states
            and (roles is None or case.role in roles)
            and kind in (None, case.kind)
            and feature in (None, case.feature)
            and by in (None, case.claimed_by)
            and (after is None or _place(case) > after)
        ]
        return sorted(found, key=_place)[:limit]

    async def tally(self) -> Mapping[tuple[str, str], int]:
        """How many cases there are by (role, state)."""
        return Counter((case.role, case.state) for case in self._cases.values() if case.state in PENDING)

    async def find_waiting(
        self, fingerprint: str, *, tenant: str, feature: str, subject: str, states: Sequence[str] = PENDING
    ) -> Case | None:
        """The newest case of the same question of the same subject."""
        found = [
            case
            for case in self._cases.values()
            if (case.fingerprint, case.tenant, case.feature, case.subject) == (fingerprint, tenant, feature, subject)
            and case.kind == "question"
            and case.state in states
        ]
        return max(found, key=lambda case: (case.opened_at_ns, case.id), default=None)

    async def claim(
        self, case_id: str, *, by: str, at_ns: int, lease_ns: int, capacity: Mapping[str, int] | None = None
    ) -> Claim | None:
        """The case for one person, until the lease ends."""
        held = held_by(self._cases.values(), by)

        def take(case: Case) -> Change | None:
            return casework.claim(case, by=by, at_ns=at_ns, lease_ns=lease_ns, held=held, capacity=capacity)

        return await self._claimed(case_id, take)

    async def claim_next(
        self, *, roles: Sequence[str] | None, by: str, at_ns: int, lease_ns: int,
        capacity: Mapping[str, int] | None = None,
    ) -> Claim | None:  # fmt: skip
        """The open case that comes first by rank and is not snoozed."""
        full = casework.full_roles(capacity, held_by(self._cases.values(), by))
        waiting = (
            case
            for case in self._cases.values()
            if case.state == "open" and (roles is None or case.role in roles) and case.snoozed_until_ns <= at_ns
            if case.role not in full
        )
        first = min(waiting, key=_place, default=None)
        return None if first is None else await self.claim(first.id, by=by, at_ns=at_ns, lease_ns=lease_ns)

    async def deliver_due(self, *, now_ns: int, limit: int = 100) -> Sequence[Case]:
        """Answered cases whose undo window has ended, delivered now."""
        answered = sorted(
            (case for case in self._cases.values() if case.state == "answered"),
            key=lambda case: (case.deliver_at_ns, case.id),
        )
        due = [case.id for case in answered if casework.deliver(case, now_ns=now_ns) is not None][:limit]
        for case_id in due:
            await self.change(case_id, lambda case: casework.deliver(case, now_ns=now_ns))
        return [self._cases[case_id] for case_id in due]

    async def lapse_leases(self, *, now_ns: int) -> int:
        """Put cases back into the queue whose lease has ended; returns how many."""
        claimed = [case.id for case in self._cases.values() if case.state == "claimed"]
        for case_id in claimed:
            await self.change(case_id, lambda case: casework.lapse(case, now_ns=now_ns))
        return sum(self._cases[case_id].state == "open" for case_id in claimed)

    async def overdue(self, *, now_ns: int, limit: int = 100) -> Sequence[Case]:
        """Waiting cases past their deadline, and expired ones whose safe default nobody is working on."""
        late = [case for case in self._cases.values() if casework.is_overdue(case, now_ns=now_ns)]
        return sorted(late, key=lambda case: (case.deadline_ns, case.id))[:limit]

    async def thread(self, subject: str, *, limit: int) -> Sequence[Case]:
        """A subject's cases in any state, newest first."""
        found = [case for case in self._cases.values() if case.subject == subject and case.kind == "question"]
        return sorted(found, key=lambda case: (case.opened_at_ns, case.id), reverse=True)[:limit]

    def open(self, case: Case) -> None:
        """Add a case and its first event."""
        self._cases[case.id] = case
        self.append(case, casework.opened(case))

    def erase(self, subject: str) -> None:
        """Drop what was said to a subject's questions; the cases and their events stay."""
        mine = {case.id for case in self._cases.values() if case.subject == subject}
        for case_id in mine:
            self._cases[case_id] = replace(self._cases[case_id], answer=None, autosave=None, note=None)
        self._events = [replace(event, text=None) if event.case_id in mine else event for event in self._events]

    async def change(self, case_id: str, how: How, entries: Sequence[Entry] = ()) -> Change | None:
        """Decide what becomes of a case, and keep it with its events."""
        case = self._cases.get(case_id)
        change = None if case is None else how(case)
        if case is None or change is None:
            return None
        if change.label is not None and change.case.state == "judged" and self._labels.knows(change.label.id):
            raise StoreError(f"there is a label {change.label.id} already")
        self._cases[case_id] = change.case
        for event in change.events:
            self.append(change.case, event)
        if change.label is not None:
            self._labels.append(change.label)
            if change.label.verdict == "wrong":
                self._forget(case)
        audit = change.audit
        if audit is not None and self._labels.is_judged(audit.request_id, audit.rung):
            audit = None
        if audit is not None:
            self.open(audit)
        if change.done and change.events:
            self._ledger.add(entries)
            self._ledger.account(change.case, entries, audit)
        return change


def _place(case: Case) -> tuple[int, str]:
    return case.rank_ns, case.id


def held_by(cases: Iterable[Case], by: str) -> int:
    """How many claims a person has."""
    return sum(case.state == "claimed" and case.claimed_by == by for case in cases)


def is_waited_for(cases: Iterable[Case], subject: str) -> bool:
    """Whether a question of a subject waits."""
    mine = (case for case in cases if case.subject == subject and case.kind == "question")
    return any(case.state in PENDING for case in mine)


def waiting_in(cases: Iterable[Case], question: Asked) -> str:
    """The id of the case that a question waits in, the newest; "" when there is none."""
    found = [
        (case.opened_at_ns, case.id)
        for case in cases
        if case.kind == "question" and case.state in PENDING
        if Asked(case.tenant, case.feature, case.subject, case.fingerprint) == question
    ]
    return max(found, default=(0, ""))[1]
