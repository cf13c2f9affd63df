"""The ledger in plain Python: entries, revenue, budgets and roll-ups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from surefoot.records import Commit, Entry, JournalEntry, Revenue, Settlement, Spent
from surefoot.records.objective import HistogramCount
from surefoot.records.units import DIMENSIONS, CostSum, RequestSum, Where, day_text
from surefoot.store import EVERYTHING, HOUR_NS
from surefoot.store.balances import orphan_entry, returned_entry
from surefoot.store.histograms import DAYS, HOURS, Histograms
from surefoot.store.memorybudgets import MemoryBalances
from surefoot.store.rollups import Place, Rollups, Turn, last_outcome, turn_of
from surefoot.store.spent import check_spent


class MemoryLedger(MemoryBalances):
    """`Ledger` in lists and dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self._entries: list[Entry] = []
        self._revenue: dict[str, Revenue] = {}
        self._journal: dict[str, JournalEntry] = {}
        self._rollups, self._histograms = Rollups(), Histograms()

    async def entries(self, *, request_id: str | None = None, feature: str | None = None) -> Sequence[Entry]:
        """Ledger lines, oldest first."""
        return _lines(self._entries, request_id, feature)

    async def of(self, request_ids: Sequence[str]) -> tuple[Sequence[Entry], Sequence[Revenue]]:
        """What requests spent and earned, each oldest first."""
        wanted = set(request_ids)
        return (
            [entry for entry in self._entries if entry.request_id in wanted],
            [line for line in await self.revenue() if line.request_id in wanted],
        )

    async def total(self, *, feature: str | None = None, tenant: str | None = None) -> int:
        """The sum of all entries, in nano-dollars; 0 when there is none."""
        lines = self._entries
        return sum(e.nanodollars for e in lines if feature in (None, e.feature) and tenant in (None, e.tenant))

    async def costs(self, by: Sequence[str], where: Where = EVERYTHING) -> Sequence[CostSum]:
        """What groups spent, by kind of entry, from the roll-ups; in any order."""
        summed = _summed(self._rollups.costs, (*by, "kind"), where)
        return [CostSum(group[:-1], group[-1], *sums) for group, sums in summed]

    async def traffic(self, by: Sequence[str], where: Where = EVERYTHING) -> Sequence[RequestSum]:
        """Groups' requests, what they earned and the memo, from the roll-ups; in any order."""
        return [RequestSum(group, *sums) for group, sums in _summed(self._rollups.requests, by, where)]

    async def histogram(
        self, measures: Sequence[str], *, hourly: bool = False, by_tenant: bool = False, since_ns: int = 0
    ) -> Sequence[HistogramCount]:
        """Deliveries of each feature by latency and by score, in any order."""
        wanted, found = HOURS if hourly else DAYS, Counter[tuple[int, str, str, str, int]]()
        for (feature, tenant, step, slot, measure, bucket), answers in self._histograms.counts.items():
            if step == wanted and measure in measures and slot >= since_ns // (step * 10**9):
                found[slot * step * 10**9, feature, tenant if by_tenant else "", measure, bucket] += answers
        return [HistogramCount(*place, answers) for place, answers in found.items()]

    async def earn(self, lines: Sequence[Revenue]) -> Sequence[bool]:
        """Which lines of revenue are new; what they report moves their requests."""
        return [self._earn(line) for line in lines]

    async def revenue(self, *, request_id: str | None = None, feature: str | None = None) -> Sequence[Revenue]:
        """What was earned, oldest first."""
        found = [
            line
            for line in self._revenue.values()
            if request_id in (None, line.request_id) and feature in (None, line.feature)
        ]
        return sorted(found, key=lambda line: (line.at_ns, line.id))

    async def spent(
        self, *, by: Sequence[str] = (), since_ns: int = 0, until_ns: int | None = None, step_ns: int = HOUR_NS
    ) -> Sequence[Spent]:
        """The lines of a time, added up by stretches and groups."""
        check_spent(by, step_ns)
        groups: dict[tuple[int, tuple[str, ...]], list[Entry]] = {}
        for line in self._entries:
            if since_ns <= line.at_ns and (until_ns is None or line.at_ns < until_ns):
                group = line.at_ns - line.at_ns % step_ns, tuple(getattr(line, name) for name in by)
                groups.setdefault(group, []).append(line)
        return [
            Spent(
                at_ns=at_ns, requests=len({line.request_id for line in lines}), quantity=sum(e.quantity for e in lines),
                nanodollars=sum(e.nanodollars for e in lines), **dict(zip(by, names, strict=True)),
            )
            for (at_ns, names), lines in sorted(groups.items())
        ]  # fmt: skip

    async def settle_orphans(self, *, older_than_ns: int | None = None) -> int:
        """Book reservations that no living request will settle as estimated; returns how many."""
        held = self._reservations.values()
        models = [r for r in held if r.rung != "person"]  # the others wait for people
        orphans = [r for r in models if older_than_ns is None or r.at_ns < older_than_ns]
        for orphan in orphans:
            self._booked[orphan.id] = self._reservations.pop(orphan.id)
            self._balances.move(orphan.limits, spent=orphan.nanodollars, reserved=-orphan.nanodollars)
            self._write(None, [orphan_entry(orphan)])
        return len(orphans)

    def add(self, entries: Sequence[Entry]) -> None:
        """Write lines that nothing was reserved for, of requests that have ended."""
        for entry in entries:
            self._write(self._turn(entry.request_id), [entry])

    def human_seconds(self, request_id: str, *, until_ns: int) -> int | None:
        """What is booked of people's time to a request up to a time; None when nothing is."""
        mine = (e for e in self._entries if (e.request_id, e.kind) == (request_id, "human") and e.at_ns <= until_ns)
        booked = [e.quantity for e in mine]
        return sum(booked) if booked else None

    def settle(self, commit: Commit) -> None:
        """Write what a request spent and earned, and move the budgets from reserved to spent."""
        turn = turn_of(commit.entry)
        self._journal[commit.entry.request_id] = commit.entry
        if not commit.entry.shadow_of:
            self._rollups.came(turn)
            self._histograms.add(commit.entry)
        for line in commit.revenue:
            self._revenue[line.id] = line
        self._rollups.earned(turn, commit.revenue)
        for settlement in commit.settlements:
            self._settle(turn, settlement)

    def _settle(self, turn: Turn, settlement: Settlement) -> None:
        """A second settlement of a reservation moves nothing."""
        self._write(turn, settlement.entries)
        spent = sum(entry.nanodollars for entry in settlement.entries)
        held = self._reservations.pop(settlement.reservation_id, None)
        if held is not None:
            self._balances.move(held.limits, spent=spent, reserved=-held.nanodollars)
            return
        booked = self._booked.pop(settlement.reservation_id, None)
        if booked is not None:
            self._write(None, [returned_entry(booked)])
            self._balances.move(booked.limits, spent=spent - booked.nanodollars, reserved=0)

    def _write(self, turn: Turn | None, entries: Sequence[Entry]) -> None:
        self._entries += entries
        self._rollups.spent(turn, entries)

    def _earn(self, line: Revenue) -> bool:
        if line.id in self._revenue:
            return False
        turn, before = self._turn(line.request_id), self._earned(line.request_id)
        self._revenue[line.id] = line
        if turn is not None:
            after = last_outcome([*before, line])
            if after and after != turn.outcome:
                turn = self._rollups.moved(turn, after, _lines(self._entries, line.request_id, None), before)
            self._rollups.earned(turn, [line])
        return True

    def _turn(self, request_id: str) -> Turn | None:
        entry = self._journal.get(request_id)
        return None if entry is None else turn_of(entry, last_outcome(self._earned(request_id)))

    def _earned(self, request_id: str) -> list[Revenue]:
        return [line for line in self._revenue.values() if line.request_id == request_id]


def _lines(entries: Sequence[Entry], request_id: str | None, feature: str | None) -> list[Entry]:
    """The lines of a request, of a feature, or all, oldest first."""
    return [e for e in entries if request_id in (None, e.request_id) and feature in (None, e.feature)]


def _summed(
    sums: Mapping[Place, Sequence[int]], by: Sequence[str], where: Where
) -> list[tuple[tuple[str, ...], list[int]]]:
    """(group, sums), in the order of groups; what moved away leaves nothing."""
    found: dict[tuple[str, ...], list[int]] = {}
    for (series, day), each in sums.items():
        if day < where.since_day or (where.until_day is not None and day >= where.until_day):
            continue
        values = {"day": day_text(day), **dict(zip(DIMENSIONS, series, strict=True))}
        if any(values[name] != value for name, value in where.equals):
            continue
        group = tuple(values[name] for name in by)
        old = found.get(group, [0] * len(each))
        found[group] = [a + b for a, b in zip(old, each, strict=True)]
    return [(group, each) for group, each in sorted(found.items()) if any(each)]
