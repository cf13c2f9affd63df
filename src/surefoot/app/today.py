"""Where things stand: each feature's ladder with share, cost and error of its rungs, the queue, budgets, alarms.

Read from roll-ups, labels and small tables, never from the journal, so that a million requests make it no slower.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from surefoot.app.incidents import acknowledgements
from surefoot.app.killswitch import ALL
from surefoot.app.levels import Level, levels
from surefoot.learning.standing import unit
from surefoot.policy import Budgets, Feature, Policy
from surefoot.records import Incident, Label
from surefoot.records.audit import Stop
from surefoot.records.case import PENDING
from surefoot.records.units import DAY_NS, CostSum, RequestSum, Where, day_of, day_text
from surefoot.stats import Estimate, clopper_pearson
from surefoot.stats.metrics import rate
from surefoot.store import Store

PERSON, GONE = "person", "gone"  # kinds of steps beside those of rungs
_NOBODY = ""  # the rung of requests that nobody answered: refused and failed ones


class Step(Struct, frozen=True, kw_only=True):
    """One rung of a feature's ladder, over the time that is asked for."""

    rung: str
    kind: str  # of the rung; PERSON; GONE: it is on the ladder no more
    answered: Estimate  # of the feature's requests, how many ended here
    nanodollars: int  # everything booked at this rung, tries that were climbed over included
    wrong: Estimate  # of blind labels on its drafts, weighted by their propensity; n = 0: nothing is known

    @property
    def requests(self) -> int:
        """How many requests ended here."""
        return round((self.answered.estimate or 0) * self.answered.n)

    @property
    def per_answer(self) -> int | None:
        """Nano-dollars booked here for each request that ended here; None when none did."""
        return round(self.nanodollars / self.requests) if self.requests else None


class FeatureDay(Struct, frozen=True, kw_only=True):
    """One feature."""

    feature: str
    mode: str
    bar: float
    standing: str  # of its promise, in words; "" without one
    stopped: Stop | None
    requests: int
    unanswered: int  # refused or failed
    steps: tuple[Step, ...]  # rungs of the past, then the ladder from the bottom, the person last
    nanodollars: int  # everything, people included
    revenue_nanodollars: int
    earns: bool  # whether anything was booked as revenue
    days: tuple[str, ...]  # for the drawing, oldest first, days without traffic included
    shares: Mapping[str, tuple[int, ...]]  # by rung, requests that ended there, a day each
    spend: tuple[int, ...]  # nano-dollars a day


class Waiting(Struct, frozen=True, kw_only=True):
    """The queue of one role."""

    role: str
    by_state: Mapping[str, int]

    @property
    def cases(self) -> int:
        """All of them."""
        return sum(self.by_state.values())


class Today(Struct, frozen=True, kw_only=True):
    """The whole page."""

    features: tuple[FeatureDay, ...]  # busiest first
    queue: tuple[Waiting, ...]
    budgets: tuple[Level, ...]  # fullest first
    alarms: tuple[Incident, ...]  # that nobody has acknowledged, newest first
    first_day: str  # of the time, as "2026-11-24"


async def today(
    store: Store, policy: Policy, budgets: Budgets, standings: Mapping[str, str], *, now_ns: int, days: int,
    feature: str = "",
) -> Today:  # fmt: skip
    """The last so many UTC days, today included. Raises StoreError.

    Args:
        standings: by feature, how its promise stands.
        feature: only this one; "" all of them.
    """
    await store.flush()
    first = day_of(now_ns) + 1 - days
    names = [name for name in policy.features if feature in ("", name)]
    equals = (("feature", feature),) if feature else ()
    by, where = ("day", "feature", "rung"), Where(since_day=first, equals=equals)
    traffic, costs, tally, full = await asyncio.gather(
        store.ledger.traffic(by, where), store.ledger.costs(by, where), store.cases.tally(),
        levels(store, budgets, names, now_ns),
    )  # fmt: skip
    stops, incidents, seen = await asyncio.gather(
        store.audit.stops(), store.incidents.all(feature=feature or None), acknowledgements(store)
    )
    stopped = {stop.feature: stop for stop in stops}
    labels = {name: await store.labels.all(feature=name, since_ns=first * DAY_NS) for name in names}
    calendar = tuple(day_text(day) for day in range(first, first + days))
    found = [
        _feature(
            policy.features[name], [row for row in traffic if row.group[1] == name],
            [row for row in costs if row.group[1] == name], labels[name], calendar, standings.get(name, ""),
            stopped.get(name) or stopped.get(ALL),
        )
        for name in names
    ]  # fmt: skip
    return Today(
        features=tuple(sorted(found, key=lambda each: (-each.requests, each.feature))),
        queue=_queue(tally), budgets=tuple(full), first_day=calendar[0],
        alarms=tuple(sorted((each for each in incidents if each.id not in seen), key=lambda each: -each.at_ns)),
    )  # fmt: skip


def _feature(
    rules: Feature, traffic: Sequence[RequestSum], costs: Sequence[CostSum], labels: Sequence[Label],
    calendar: tuple[str, ...], standing: str, stopped: Stop | None,
) -> FeatureDay:  # fmt: skip
    place = {day: at for at, day in enumerate(calendar)}
    shares: dict[str, list[int]] = defaultdict(lambda: [0] * len(calendar))
    spent: dict[str, int] = defaultdict(int)
    spend = [0] * len(calendar)
    for row in traffic:
        shares[row.group[2]][place[row.group[0]]] += row.requests
    for cost in costs:
        spent[cost.group[2]] += cost.nanodollars
        spend[place[cost.group[0]]] += cost.nanodollars
    ended = {rung: sum(counts) for rung, counts in shares.items()}
    requests = sum(ended.values())
    kinds = {rung.name: rung.kind for rung in rules.ladder} | {PERSON: PERSON}
    kinds = dict.fromkeys(sorted({*ended, *spent} - {*kinds, _NOBODY}), GONE) | kinds
    return FeatureDay(
        feature=rules.name, mode=rules.mode, bar=rules.confidence, standing=standing, stopped=stopped, requests=requests,
        unanswered=ended.get(_NOBODY, 0), days=calendar, spend=tuple(spend), nanodollars=sum(spend),
        revenue_nanodollars=sum(row.revenue_nanodollars for row in traffic), earns=any(row.earnings for row in traffic),
        shares={rung: tuple(counts) for rung, counts in shares.items()},
        steps=tuple(
            Step(
                rung=rung, kind=kind, answered=clopper_pearson(ended.get(rung, 0), requests), nanodollars=spent[rung],
                wrong=_wrong([label for label in labels if label.rung == rung]),
            )
            for rung, kind in kinds.items()
        ),
    )  # fmt: skip


def _wrong(labels: Sequence[Label]) -> Estimate:
    """How often drafts that were or would have been delivered are wrong: the first blind label of each request counts."""
    told: dict[str, Label] = {}
    for label in labels:
        if unit(label) is not None:
            told.setdefault(label.request_id, label)
    blind = list(told.values())
    return rate(
        [not label.accepted for label in blind], weights=[1 / (label.propensity or 1.0) for label in blind],
        groups=[label.group or label.request_id for label in blind],
    )  # fmt: skip


def _queue(tally: Mapping[tuple[str, str], int]) -> tuple[Waiting, ...]:
    roles: dict[str, dict[str, int]] = defaultdict(dict)
    for (role, state), cases in tally.items():
        if state in PENDING and cases:
            roles[role][state] = cases
    return tuple(Waiting(role=role, by_state=states) for role, states in sorted(roles.items()))
