"""Objectives read from the store: labels are read once and kept, everything else comes from roll-ups, whose size does not grow
with the number of requests.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

import msgspec
from msgspec import Struct

from surefoot.config.load import Config
from surefoot.config.objectives import build_objectives
from surefoot.errors import NotFound
from surefoot.evals.objectives import Assessment, Day, Labelled, among, of_days, of_labels, of_latency, within
from surefoot.learning.standing import unit
from surefoot.ledger.statement import HUMAN
from surefoot.records import Label
from surefoot.records.objective import (
    GROUNDING,
    JUDGE,
    LATENCY,
    OUTCOME,
    UNKNOWN_BUCKET,
    Objective,
    doubt_bucket,
    doubt_of,
)
from surefoot.records.units import Where, day_of
from surefoot.stats.ppi import Moments
from surefoot.store import HOUR_NS, Store
from surefoot.store.histograms import SCORES, delivery_of

_LATE_NS = 600 * 10**9  # within which replicas write labels out of order
_SCORED = 5000  # labels whose requests are read for what checks said: beyond them nothing is corrected
_JUDGED = 0.5  # share of deliveries that must bear a score before it corrects anything
_BURN_HOURS = 73
_PERSON = "person"


class Found(Struct, frozen=True, kw_only=True):
    """One objective: how it stands as a whole, and its subgroups by dimension, those that stand worst first."""

    whole: Assessment
    groups: tuple[Assessment, ...] = ()


class Objectives:
    """Reads how objectives stand. `clock` gives UTC nanoseconds."""

    def __init__(self, store: Store, config: Callable[[], Config], clock: Callable[[], int] = time.time_ns) -> None:
        self._store, self._config, self._clock = store, config, clock
        self._known: dict[str, _Labels] = {}
        self._recent: tuple[int, tuple[Found, ...], Config | None] = (0, (), None)

    @property
    def any(self) -> bool:
        """Whether any feature has one."""
        return any(feature.objectives for feature in self._config().settings.features.values())

    def now_ns(self) -> int:
        """The moment that a reading begun now is about."""
        return self._clock()

    async def read(self, feature: str | None = None, *, groups: bool = True) -> tuple[Found, ...]:
        """How each objective stands now, in the order of the configuration; () when there is none.

        Args:
            groups: whether subgroups are looked at too.
        Raises: StoreError; NotFound for a feature that is not configured.
        """
        settings, now = self._config().settings, self._clock()
        if feature is not None and feature not in settings.features:
            raise NotFound(f"there is no feature {feature!r}; there are {', '.join(settings.features) or 'none'}")
        configured = build_objectives(settings)
        wanted = {name: each for name, each in configured.items() if feature in (None, name)}
        if not wanted:
            return ()
        judged = {name for name in wanted if settings.features[name].judge is not None}
        await self._store.flush()
        past = await _past(self._store, wanted, judged, now, groups=groups)
        found: list[Found] = []
        for name, objectives in wanted.items():
            found += await self._feature(name, objectives, past[name], now, judge=name in judged, groups=groups)
        return tuple(found)

    async def recent(self, *, seconds: float = 60.0) -> tuple[int, tuple[Found, ...]]:
        """(when it was read, how all stand as wholes): what was read last, unless that is longer ago. Raises StoreError."""
        if self._clock() - self._recent[0] >= seconds * 10**9 or self._recent[2] is not self._config():
            self._recent = (self._clock(), await self.read(groups=False), self._config())
        return self._recent[0], self._recent[1]

    async def _feature(
        self, name: str, objectives: Sequence[Objective], past: _Past, now: int, *, judge: bool, groups: bool
    ) -> list[Found]:  # fmt: skip
        labels: _Labels | None = None
        if any(each.labelled for each in objectives):
            longest = max(each.window_seconds for each in objectives) * 10**9
            labels = self._known.setdefault(name, _Labels(name))
            await labels.read(self._store, since_ns=now - 2 * longest)
        found = []
        for each in objectives:
            scored = _scored(each, judge)
            mine: Sequence[Labelled] = ()
            if each.labelled and labels is not None:
                mine = await labels.labelled(self._store, each, now, scored)
            by = each.by if groups else ()
            found.append(
                await asyncio.to_thread(_assessed, each, mine, past, now, scored, by)
            )  # requests go on meanwhile
        return found


def _scored(objective: Objective, judge: bool) -> str:
    """The measure whose scores correct an objective's labels; "" for none."""
    if objective.measure == "hallucination_rate":
        return GROUNDING
    return JUDGE if judge and objective.measure == "delivered_error" else ""


class _Labels:
    """The first blind label of each question of one feature, and what checks said of its answer."""

    def __init__(self, feature: str) -> None:
        self._feature, self._count, self._newest_ns = feature, -1, 0
        self._first: dict[str, Label] = {}
        self._scores: dict[str, dict[str, float | None]] = {}  # by request: measure -> doubt; None: no score

    async def read(self, store: Store, *, since_ns: int) -> None:
        """Take in what is new. Raises StoreError."""
        count = await store.labels.count(feature=self._feature)
        if count == self._count:
            return
        start = max(since_ns, self._newest_ns - _LATE_NS) if self._count >= 0 else since_ns
        for label in await store.labels.all(feature=self._feature, since_ns=start):
            if unit(label) is None:
                continue
            group = label.group or label.request_id
            before = self._first.get(group)
            if before is None or (label.at_ns, label.id) < (before.at_ns, before.id):
                self._first[group] = label
            self._newest_ns = max(self._newest_ns, label.at_ns)
        self._first = {name: label for name, label in self._first.items() if label.at_ns >= since_ns}
        self._count = count

    async def labelled(self, store: Store, objective: Objective, now: int, scored: str) -> list[Labelled]:
        """The labels of an objective's window, with what a check said of each where they are few enough."""
        since = now - objective.window_seconds * 10**9
        mine = [label for label in self._first.values() if since < label.at_ns <= now]
        if scored and len(mine) <= _SCORED:
            await self._read_scores(store, mine)
        return [
            Labelled(
                at_ns=label.at_ns, wrong=_wrong(label, objective), propensity=label.propensity or 1.0, customer=label.tenant,
                rung=label.rung, doubt=self._scores.get(label.request_id, {}).get(scored),
            )
            for label in mine
        ]  # fmt: skip

    async def _read_scores(self, store: Store, labels: Iterable[Label]) -> None:
        for label in labels:
            if label.request_id in self._scores:
                continue
            entry = await store.journal.get(label.request_id)
            found = delivery_of(entry) if entry is not None else None
            doubts: dict[str, float | None] = {}
            if found is not None and found[0] == label.rung:
                doubts = {name: doubt_of(doubt_bucket(found[1].score(signal))) for name, signal in SCORES.items()}
            self._scores[label.request_id] = doubts


def _wrong(label: Label, objective: Objective) -> bool:
    """Whether a label speaks against its answer. A wrong answer of which nobody said why counts as made up, too."""
    if label.accepted or objective.measure == "delivered_error":
        return not label.accepted
    return not label.reason or label.reason in objective.reasons


class _Sums(Struct):
    """What a day came to."""

    delivered: int = 0
    passed: int = 0  # to a person
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    cost: int = 0  # nano-dollars
    revenue: int = 0
    human_seconds: int = 0


class _Past(Struct, frozen=True):
    """What a feature's roll-ups say, by customer and UTC day; "" is all customers."""

    sums: defaultdict[str, defaultdict[int, _Sums]]
    latency: defaultdict[str, defaultdict[int, dict[int, int]]]
    scores: defaultdict[
        tuple[str, str], defaultdict[int, dict[int, int]]
    ]  # (measure, customer) -> day -> bucket -> answers
    hours: defaultdict[int, dict[int, int]]

    @classmethod
    def empty(cls) -> _Past:
        """Nothing yet."""
        return cls(
            defaultdict(lambda: defaultdict(_Sums)), defaultdict(lambda: defaultdict(dict)),
            defaultdict(lambda: defaultdict(dict)), defaultdict(dict),
        )  # fmt: skip

    def on(self, group: Sequence[str], *, by_tenant: bool) -> list[_Sums]:
        """The sums that a group of (feature, day, tenant) counts in: everybody's, and its customer's where it is told."""
        day = _day(group[1])
        return [self.sums[""][day], *([self.sums[group[2]][day]] if by_tenant else [])]


async def _past(
    store: Store, wanted: Mapping[str, Sequence[Objective]], judged: Container[str], now: int, *, groups: bool
) -> dict[str, _Past]:
    """By feature, what roll-ups say: one reading of each for all features."""
    every = [each for objectives in wanted.values() for each in objectives]
    since_ns = now - max(each.window_seconds for each in every) * 10**9
    by_tenant = groups and any("customer" in each.by for each in every)
    by = ("feature", "day", "tenant") if by_tenant else ("feature", "day")
    only = (("feature", next(iter(wanted))),) if len(wanted) == 1 else ()
    where = Where(since_day=day_of(since_ns), equals=only)
    slow = any(each.measure == "p95_latency" for each in every)
    scores = {_scored(each, name in judged) for name, objectives in wanted.items() for each in objectives} - {""}
    measures = [*sorted(scores), *([LATENCY] if slow else [])]
    traffic, costs, days, hours = await asyncio.gather(
        store.ledger.traffic((*by, "rung", "outcome"), where), store.ledger.costs(by, where),
        store.ledger.histogram(measures, by_tenant=by_tenant, since_ns=since_ns),
        store.ledger.histogram([LATENCY] if slow else [], hourly=True, since_ns=now - _BURN_HOURS * HOUR_NS),
    )  # fmt: skip
    found = {name: _Past.empty() for name in wanted}
    for asked in traffic:
        rung, outcome = asked.group[-2:]
        for each in found[asked.group[0]].on(asked.group, by_tenant=by_tenant) if asked.group[0] in found else ():
            each.revenue += asked.revenue_nanodollars
            if rung:
                each.outcomes[outcome] = each.outcomes.get(outcome, 0) + asked.requests
                each.passed += asked.requests if rung == _PERSON else 0
                each.delivered += asked.requests if rung != _PERSON else 0
    for spent in costs:
        for each in found[spent.group[0]].on(spent.group, by_tenant=by_tenant) if spent.group[0] in found else ():
            each.cost += spent.nanodollars
            each.human_seconds += spent.quantity if spent.kind == HUMAN else 0
    for count in hours:
        if count.feature in found:
            found[count.feature].hours[count.at_ns // HOUR_NS][count.bucket] = count.answers
    for count in days:
        if count.feature in found:
            past, day = found[count.feature], day_of(count.at_ns)
            for customer in {"", count.tenant}:
                place = past.latency[customer] if count.measure == LATENCY else past.scores[count.measure, customer]
                place[day][count.bucket] = place[day].get(count.bucket, 0) + count.answers
    return found


@lru_cache(1024)
def _day(text: str) -> int:
    """The day since the epoch that a text names."""
    return (date.fromisoformat(text) - date(1970, 1, 1)).days


def _assessed(
    objective: Objective, labels: Sequence[Labelled], past: _Past, now: int, scored: str, by: Sequence[str]
) -> Found:  # fmt: skip
    whole = _one(objective, labels, past, now, scored, "", ("", ""), 1)
    groups: list[Assessment] = []
    for dimension in by:
        if objective.labelled:
            parts: dict[str, list[Labelled]] = defaultdict(list)
            for label in labels:
                parts[label.customer if dimension == "customer" else label.rung].append(label)
        else:
            parts = {name: [] for name in (past.latency if objective.measure == "p95_latency" else past.sums) if name}
        told = [
            _one(objective, mine, past, now, scored, name if dimension == "customer" else "", (dimension, name), len(parts))
            for name, mine in parts.items()
        ]  # fmt: skip
        groups += sorted(among([each for each in told if each.n]), key=_worst)
    return Found(whole=whole, groups=tuple(groups))


def _worst(found: Assessment) -> tuple[float, str]:
    return (found.p_now if found.p_now is not None else 0.5, found.group)


def _one(
    objective: Objective, labels: Sequence[Labelled], past: _Past, now: int, scored: str, customer: str,
    grouped: tuple[str, str], count: int,
) -> Assessment:  # fmt: skip
    since_ns = now - objective.window_seconds * 10**9
    sums: Mapping[int, _Sums] = past.sums.get(customer, {})
    if objective.labelled:
        first = day_of(since_ns)
        by_rung = grouped[0] == "rung"  # of which roll-ups know no scores and, per outcome, no deliveries
        deliveries = 0 if by_rung else sum(each.delivered for day, each in sums.items() if day >= first)
        doubts = None if by_rung or not scored else _doubts(past.scores.get((scored, customer), {}), first)
        return of_labels(
            objective, labels, now, deliveries=deliveries, doubts=doubts, among=count, grouped=grouped
        )  # fmt: skip
    if objective.measure == "p95_latency":
        hours = past.hours if not customer else None
        return of_latency(objective, past.latency.get(customer, {}), now, hours=hours, among=count, grouped=grouped)
    days = [_counted(objective, day, each) for day, each in sorted(sums.items())]
    inside = {each.day for each in within(objective, days, now)}
    asked = sum(each.delivered + each.passed for day, each in sums.items() if day in inside)
    return of_days(objective, days, now, requests=asked, among=count, grouped=grouped)


def _counted(objective: Objective, day: int, sums: _Sums) -> Day:
    answered = sums.delivered + sums.passed
    match objective.measure:
        case "automation_rate":
            top, bottom = float(sums.delivered), answered
        case "human_minutes_per_100":
            top, bottom = sums.human_seconds / 60 * 100, answered
        case "cost_per_resolution":
            resolved = sums.outcomes.get(objective.outcome, 0) if objective.outcome else answered
            top, bottom = sums.cost / 1e9, resolved
        case "margin":
            return Day(day=day, top=(sums.revenue - sums.cost) / 1e9, bottom=sums.revenue / 1e9)
        case _:
            top, bottom = float(sums.outcomes.get(objective.measure.removeprefix(OUTCOME), 0)), answered
    return Day(day=day, top=top, bottom=float(bottom))


def _doubts(days: Mapping[int, Mapping[int, int]], first: int) -> Moments | None:
    """What a check said of all deliveries from a day on; None where most bear no score."""
    total: dict[int, int] = {}
    for day, counts in days.items():
        if day >= first:
            for bucket, count in counts.items():
                total[bucket] = total.get(bucket, 0) + count
    n = sum(total.values())
    if not n or n - total.get(UNKNOWN_BUCKET, 0) < _JUDGED * n:
        return None
    merged: dict[float, int] = {}
    for bucket, count in total.items():
        merged[doubt_of(bucket)] = merged.get(doubt_of(bucket), 0) + count
    return Moments.counted(merged)
