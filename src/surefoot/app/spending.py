"""Spend is watched while requests are served: a surge is an incident within the hour, once an episode."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import msgspec
import structlog
from msgspec import Struct

from surefoot.app.bill import compare_windows
from surefoot.app.incidents import Acknowledged, acknowledgements
from surefoot.app.loops import keep
from surefoot.ledger.bill import HOUR_NS, TOTAL, billed
from surefoot.ledger.surge import HISTORY_HOURS, KIND, Surge, find_surge
from surefoot.records import Incident
from surefoot.stats.surge import WINDOWS
from surefoot.store import Store

LOOK_SECONDS = 120.0
_AGAIN_HOURS = 2  # that are read anew at each look: what settles late is not missed

log = structlog.get_logger("surefoot")


class Seen(Struct, frozen=True, kw_only=True):
    """A surge that was raised, in words, and who has seen to it."""

    id: str
    at_ns: int
    feature: str
    text: str
    acknowledged: tuple[Acknowledged, ...]


async def surges(store: Store, *, since_ns: int, until_ns: int, feature: str | None = None) -> tuple[Seen, ...]:
    """Surges of a time, oldest first. Raises StoreError."""
    raised = [
        each
        for each in await store.incidents.all(feature=feature)
        if each.kind == KIND and since_ns <= each.at_ns < until_ns
    ]
    known = await acknowledgements(store) if raised else {}
    return tuple(
        Seen(
            id=each.id, at_ns=each.at_ns, feature=each.feature, text=told(each)[0], acknowledged=tuple(known.get(each.id, ()))
        )
        for each in raised
    )  # fmt: skip


class Spending:
    """Keeps the hours of the last weeks by feature, and raises alarms. `clock` gives UTC nanoseconds."""

    def __init__(self, store: Store, lost: Callable[[str], None], clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self._lost, self._clock = store, lost, clock
        self._hours: dict[str, dict[int, int]] = {}
        self._read_to: int | None = None  # hour since the epoch up to which nothing has to be read again

    async def keep_watching(self) -> None:
        """For ever: look every two minutes. What breaks off is counted and tried again."""
        await keep(self.look, every_seconds=LOOK_SECONDS, what="spend watch", on_lost=self._lost, at_once=True)

    async def look(self) -> Sequence[Incident]:
        """Look once; returns the incidents that are new, durably raised. Raises StoreError."""
        now = self._clock()
        await self._refresh(now)
        raised: dict[str, list[int]] = {}
        for incident in await self._store.incidents.all():
            if incident.kind == KIND:
                raised.setdefault(incident.feature, []).append(incident.at_ns)
        found = await asyncio.to_thread(self._surges, now, raised)
        new = []
        for surge in found:
            incident = await self._incident(surge)
            if await self._store.incidents.add(incident):
                new.append(incident)
                log.warning("spend left its interval", feature=surge.feature, incident=incident.id)
        return new

    def _surges(self, now: int, raised: dict[str, list[int]]) -> list[Surge]:
        names = [name for name in self._hours if name != TOTAL]
        if len(names) > 1:
            names.append(TOTAL)
        looked = [find_surge(name, self._hours[name], now, raised.get(name, [])) for name in names]
        return [surge for surge in looked if surge is not None]

    async def _refresh(self, now: int) -> None:
        """Read the hours that may have changed since the last look."""
        oldest = now // HOUR_NS - HISTORY_HOURS
        since = oldest if self._read_to is None else max(oldest, self._read_to)
        rows = billed(await self._store.ledger.spent(by=("feature", "kind"), since_ns=since * HOUR_NS))
        for hours in self._hours.values():
            for hour in [hour for hour in hours if hour >= since or hour < oldest]:
                del hours[hour]
        for row in rows:
            for name in (row.feature, TOTAL):
                hours = self._hours.setdefault(name, {})
                hours[row.at_ns // HOUR_NS] = hours.get(row.at_ns // HOUR_NS, 0) + row.nanodollars
        self._hours = {name: hours for name, hours in self._hours.items() if hours}
        self._read_to = now // HOUR_NS - _AGAIN_HOURS

    async def _incident(self, found: Surge) -> Incident:
        """The alarm with what the same hours of a week before had not."""
        end = found.at_ns + HOUR_NS
        change = await compare_windows(
            self._store,
            end - found.window_hours * HOUR_NS,
            end,
            feature=None if found.feature == TOTAL else found.feature,
        )
        detail = {
            "window_hours": found.window_hours, "spent_nanodollars": found.spent, "expected_nanodollars": found.expected,
            "limit_nanodollars": found.limit, "since_a_week_ago": change,
        }  # fmt: skip
        return Incident(
            id=found.id, at_ns=found.at_ns, feature=found.feature, rung="", kind=KIND,
            detail=msgspec.json.encode(detail).decode(),
        )  # fmt: skip


def told(incident: Incident) -> tuple[str, dict[str, int]]:
    """A spend incident in words, and its numbers."""
    detail = msgspec.json.decode(incident.detail)
    hours, spent, expected = (int(detail[key]) for key in ("window_hours", "spent_nanodollars", "expected_nanodollars"))
    name = "all features together" if incident.feature == TOTAL else incident.feature
    within = "within this hour" if hours == WINDOWS[0] else f"in {hours} hours"
    text = f"{name} spent {spent / 1e9:.2f} USD {within}, where {expected / 1e9:.2f} were expected"
    numbers = {key: int(detail[key]) for key in detail if key.endswith("_nanodollars")}
    return text, {**numbers, "window_hours": hours}
