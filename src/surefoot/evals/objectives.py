"""How objectives stand: met, at risk, missed, or unknown with what is still needed. Never a number without its n and interval.

Two kinds. What blind labels know (delivered error, hallucinations) is tested by bets over the labels in the rolling window
(`stats.rolling`). What is counted (cost, margin, automation, minutes, latency, outcomes) is known exactly, and what is
uncertain is whether other days would look alike: days are the clusters, only whole UTC days count, and since a state can then
change once a day, the p-value is multiplied by the days of the window (Bonferroni). Either way "met" and "missed" hold, with
the assurance, at every look within a window. The interval that is shown is a plain one, for the look at hand.

Subgroups are told by Holm's rule, each side by itself: the chance that any subgroup is called met (or missed) by mistake is at
most 1 - assurance, whatever their dependence. That is stricter than a false discovery rate; somebody is going to be called.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from surefoot.evals.burn import HOURLY, Burn, burns
from surefoot.evals.outlook import line_of_days, line_of_rate
from surefoot.records.objective import Objective, latency_seconds
from surefoot.stats.intervals import Estimate, binomial_ends, clopper_pearson
from surefoot.stats.metrics import rate
from surefoot.stats.ppi import Moments, ppi_rate
from surefoot.stats.ratios import Ratio, days_needed, ratio
from surefoot.stats.rolling import holm, rolled

MET, AT_RISK, MISSED, UNKNOWN = "met", "at risk", "missed", "unknown"
LABELS_LEAST, DAYS_LEAST = 20, 7  # below which nothing is "at risk": too little is known even for that
_QUANTILE = 0.95
_HOURS_LEAST = 3  # below which hours tell no variance
_MANY = 1000  # independent answers from which on the ends' ranks are normal
_DAY = 86_400
_Z = 1.959963984540054  # of 95 % of a normal distribution


class Labelled(Struct, frozen=True, kw_only=True):
    """One blind label of what was, or would have been, delivered: the first of its question."""

    at_ns: int
    wrong: bool
    propensity: float  # in (0, 1]
    customer: str = ""
    rung: str = ""
    doubt: float | None = None  # what the check or judge said against the answer, in [0, 1]; None: it was not asked for


class Day(Struct, frozen=True, kw_only=True):
    """One whole UTC day of what is counted."""

    day: int  # since the epoch
    top: float
    bottom: float


class Budget(Struct, frozen=True, kw_only=True):
    """What the target leaves room for, and how much of that is gone. Shares of the whole budget; 1 is all of it."""

    size: float | None  # in answers or requests of the window; None where the measure is no share
    spent: float | None
    spent_low: float
    spent_high: float | None  # None: unbounded, nothing is known


class Assessment(Struct, frozen=True, kw_only=True):
    """How an objective stands, for all or for one subgroup."""

    objective: Objective
    dimension: str = ""  # "" for all
    group: str = ""
    state: str  # MET | AT_RISK | MISSED | UNKNOWN
    value: float | None
    low: float | None  # 95 %, for this look; None: not known
    high: float | None
    n: int  # labels, requests
    what: str  # what n counts: "labels" | "requests"
    method: str
    needed: int | None  # more labels or days until it is met or missed, on average; None: unknown
    needs: str  # "labels" | "days"
    p_now: float | None  # that the target is met in this window; None: nothing is known
    p_due: float | None  # that it is in the window that ends when it is due
    budget: Budget | None = None
    burns: tuple[Burn, ...] = ()
    met_p: float = 1.0  # p-values, valid at every look of a window and adjusted among subgroups
    missed_p: float = 1.0

    @property
    def firing(self) -> bool:
        """Whether the budget burns so fast that somebody should know."""
        return any(each.firing for each in self.burns)


def of_labels(
    objective: Objective, labels: Sequence[Labelled], now_ns: int, *, deliveries: int = 0, doubts: Moments | None = None,
    among: int = 1, grouped: tuple[str, str] = ("", ""),
) -> Assessment:  # fmt: skip
    """An objective that blind labels know.

    Args:
        labels: one for each question, at any time; those outside the window are left out.
        deliveries: in the window, for the size of the budget.
        doubts: what check or judge said of all deliveries; None without one.
        among: how many subgroups are told together.
        grouped: (dimension, group) that the labels are of.
    """
    limit, since_ns = objective.target, now_ns - objective.window_seconds * 10**9
    mine = [each for each in labels if since_ns < each.at_ns <= now_ns]
    least = min((each.propensity for each in mine), default=1.0)
    found = rolled(
        [each.wrong for each in mine], [least / each.propensity for each in mine], limit=limit, doubt=objective.doubt / among
    )  # fmt: skip
    seen, method = _rate(mine, doubts)
    window_ns = objective.window_seconds * 10**9
    p_now = p_due = None
    if mine:
        line = line_of_rate(
            [(now_ns - each.at_ns) / window_ns for each in mine], [each.wrong for each in mine],
            [1 / each.propensity for each in mine], limit,
        )  # fmt: skip
        bar = math.log(limit / (1 - limit))
        p_now, p_due = line.below(bar, 0.0), line.below(bar, _windows_to_due(objective, now_ns))
    assessed = Assessment(
        objective=objective, dimension=grouped[0], group=grouped[1], state=UNKNOWN, value=seen.estimate,
        low=None if seen.estimate is None else seen.low, high=None if seen.estimate is None else seen.high, n=seen.n,
        what="labels", method=method, needed=found.labels_needed, needs="labels", p_now=p_now, p_due=p_due,
        budget=Budget(
            size=limit * deliveries, spent=None if seen.estimate is None else seen.estimate / limit,
            spent_low=seen.low / limit, spent_high=None if seen.estimate is None else seen.high / limit,
        ),
        burns=() if grouped[0] else burns(lambda since: _rate([e for e in mine if e.at_ns > since], None)[0], limit, now_ns),
        met_p=found.kept_p, missed_p=found.exceeded_p,
    )  # fmt: skip
    return _told(assessed, enough=seen.n >= LABELS_LEAST)


def of_days(
    objective: Objective, days: Sequence[Day], now_ns: int, *, requests: int, among: int = 1,
    grouped: tuple[str, str] = ("", ""),
) -> Assessment:  # fmt: skip
    """An objective that is counted by days: a ratio of sums. `requests` is the n behind it in the window."""
    mine = within(objective, days, now_ns)
    found = ratio([each.top for each in mine], [each.bottom for each in mine])
    return _counted(objective, mine, found, now_ns, requests, among, grouped)


def of_latency(
    objective: Objective, days: Mapping[int, Mapping[int, int]], now_ns: int, *,
    hours: Mapping[int, Mapping[int, int]] | None = None, among: int = 1, grouped: tuple[str, str] = ("", ""),
) -> Assessment:  # fmt: skip
    """The 95th percentile of latency, from histograms: by UTC day, or hour, since the epoch, answers by bucket.

    The target is tested as what it says: at most one answer in twenty is slower, where an answer in the target's own bucket
    counts as slower. The percentile's interval is of order statistics, at the number of answers that independent ones would
    need for the same variance over days; latencies are the upper edges of their buckets.
    """
    slow = [
        Day(day=day, top=_slower(each, objective.target), bottom=sum(each.values()))
        for day, each in sorted(days.items())
    ]  # fmt: skip
    mine = within(objective, slow, now_ns)
    share = ratio([each.top for each in mine], [each.bottom for each in mine])
    requests = sum(int(each.bottom) for each in mine)
    limited = replace(objective, target=1 - _QUANTILE)
    assessed = _counted(limited, mine, share, now_ns, requests, among, grouped)
    in_window = [days[each.day] for each in mine]
    value, low, high = _quantile(in_window)
    burning: tuple[Burn, ...] = ()
    if hours is not None:
        burning = burns(lambda since: _slow(hours, objective.target, since), 1 - _QUANTILE, now_ns, HOURLY)
    assessed = replace(
        assessed,
        objective=objective,
        value=value,
        low=low,
        high=high,
        method="order statistics over days",
        burns=burning,
    )
    return _told(assessed, enough=len(mine) >= DAYS_LEAST)


def among(found: Sequence[Assessment]) -> list[Assessment]:
    """Subgroups of one objective told together: p-values by Holm's rule."""
    met, missed = holm([each.met_p for each in found]), holm([each.missed_p for each in found])
    adjusted = [replace(each, met_p=a, missed_p=b) for each, a, b in zip(found, met, missed, strict=True)]
    return [
        _told(each, enough=each.n >= LABELS_LEAST if each.what == "labels" else each.low is not None)
        for each in adjusted
    ]  # fmt: skip


def within(objective: Objective, days: Sequence[Day], now_ns: int) -> list[Day]:
    """The whole UTC days of the window, those without anything left out."""
    today = now_ns // (_DAY * 10**9)
    first = today - objective.window_seconds // _DAY
    return [each for each in days if first <= each.day < today and (each.bottom or each.top)]


def _told(found: Assessment, *, enough: bool) -> Assessment:
    doubt = found.objective.doubt
    state = MET if found.met_p <= doubt else MISSED if found.missed_p <= doubt else UNKNOWN
    doubtful = state == UNKNOWN and enough and found.p_now is not None and found.p_now < 0.5
    if state != MISSED and (found.firing or doubtful):
        state = AT_RISK
    return replace(found, state=state)


def _counted(
    objective: Objective, days: Sequence[Day], found: Ratio, now_ns: int, requests: int, among: int, grouped: tuple[str, str],
) -> Assessment:  # fmt: skip
    looks = max(1, objective.window_seconds // _DAY)
    below, above = (min(1.0, looks * p) for p in found.beyond(objective.target))
    met, missed = (below, above) if objective.at_most else (above, below)
    if len(days) < DAYS_LEAST:
        met = missed = 1.0
    needed = days_needed(found, objective.target, objective.doubt / among, looks=looks)
    if len(days) < DAYS_LEAST:
        needed = max(DAYS_LEAST - len(days), needed or 0)
    now, window_ns = now_ns, objective.window_seconds * 10**9
    ages = [(now - (each.day + 0.5) * _DAY * 10**9) / window_ns for each in days]
    line = line_of_days(ages, [each.top for each in days], [each.bottom for each in days], found)
    p_now = p_due = None
    if line is not None and found.error is not None:
        noise = found.error**2 * found.days / looks  # of a whole window's own days
        p_now = line.below(objective.target, 0.0)
        p_due = line.below(objective.target, _windows_to_due(objective, now_ns), noise=noise)
        if not objective.at_most:
            p_now, p_due = 1 - p_now, 1 - p_due
    if found.error == 0 and found.value in (0.0, 1.0) and _is_share(objective):
        low, high = binomial_ends(found.value * found.days, found.days)  # a day of another kind may yet come
        found = replace(found, low=low, high=high)
    assessed = Assessment(
        objective=objective, dimension=grouped[0], group=grouped[1], state=UNKNOWN, value=found.value, low=found.low,
        high=found.high, n=requests, what="requests", method="ratio over days", needed=needed, needs="days", p_now=p_now,
        p_due=p_due, budget=_budget(objective, found, requests), met_p=met, missed_p=missed,
    )  # fmt: skip
    return _told(assessed, enough=len(days) >= DAYS_LEAST)


def _is_share(objective: Objective) -> bool:
    """Whether what is tested is a share of requests, as the slow ones are."""
    return objective.measure == "p95_latency" or (objective.unit == "share" and objective.measure != "margin")


def _budget(objective: Objective, found: Ratio, requests: int) -> Budget | None:
    """Of shares, what may go wrong; of amounts with a most, the amount. A margin has none."""
    if objective.measure == "margin":
        return None
    room = objective.target if objective.at_most else 1 - objective.target
    spent, one, other = (
        None if each is None else (each if objective.at_most else 1 - each) / room
        for each in (found.value, found.low, found.high)
    )
    known = [each for each in (one, other) if each is not None]
    return Budget(
        size=room * requests if _is_share(objective) else None, spent=spent,
        spent_low=max(0.0, min(known)) if known else 0.0, spent_high=max(known) if known else None,
    )  # fmt: skip


def _rate(labels: Sequence[Labelled], doubts: Moments | None) -> tuple[Estimate, str]:
    """The rate with its plain interval; narrowed by a judge where one was asked of nearly everything."""
    wrong, shares = [each.wrong for each in labels], [each.propensity for each in labels]
    plain = rate(wrong, weights=[1 / share for share in shares], by_design=True)
    judged = [each.doubt for each in labels if each.doubt is not None]
    if doubts is None or doubts.n < len(labels) or len(judged) < len(labels) or not labels:
        return plain, "inverse propensity"
    found = ppi_rate([float(each) for each in wrong], judged, doubts, propensities=shares)
    if not found.tuning:
        return plain, "inverse propensity"
    return Estimate(estimate=found.estimate, low=found.low, high=found.high, n=found.n), "PPI++"


def _windows_to_due(objective: Objective, now_ns: int) -> float:
    """How many windows from now the outlook is about; 1 without a date, 0 for one that has passed."""
    if objective.due_ns is None:
        return 1.0
    return max(0.0, (objective.due_ns - now_ns) / (objective.window_seconds * 10**9))


def _quantile(days: Sequence[Mapping[int, int]]) -> tuple[float | None, float | None, float | None]:
    """(95th percentile, its ends) in seconds, by upper edges of buckets."""
    total: dict[int, int] = {}
    for day in days:
        for bucket, count in day.items():
            total[bucket] = total.get(bucket, 0) + count
    n = sum(total.values())
    if not n:
        return None, None, None
    middle = _rank(total, _QUANTILE)
    over = ratio([sum(c for b, c in day.items() if b > middle) for day in days], [sum(day.values()) for day in days])
    if over.value is None or over.error is None:
        return latency_seconds(middle), None, None
    share = over.value
    independent = n if over.error == 0 else min(n, max(share * (1 - share) / over.error**2, 1.0))
    low, high = _ends(independent)
    return latency_seconds(middle), latency_seconds(_rank(total, low)), latency_seconds(_rank(total, high))


def _ends(independent: float) -> tuple[float, float]:
    """Between which shares of the answers the true percentile lies with 95 %."""
    if independent < _MANY:
        return binomial_ends(_QUANTILE * independent, independent)
    half = _Z * math.sqrt(_QUANTILE * (1 - _QUANTILE) / independent)
    return _QUANTILE - half, _QUANTILE + half


def _rank(counts: Mapping[int, int], share: float) -> int:
    """The bucket below or in which a share of the answers lies."""
    n, so_far = sum(counts.values()), 0
    for bucket in sorted(counts):
        so_far += counts[bucket]
        if so_far >= share * n:
            return bucket
    return max(counts)


def _slower(counts: Mapping[int, int], target: float) -> int:
    """How many answers may have taken longer than the target: whole buckets."""
    return sum(count for bucket, count in counts.items() if latency_seconds(bucket) > target)


def _slow(hours: Mapping[int, Mapping[int, int]], target: float, since_ns: int) -> Estimate:
    """The share of slow answers in the hours from a moment on, its lower end over hours where there are enough of them."""
    first = since_ns // (3600 * 10**9) + 1
    mine = [each for hour, each in hours.items() if hour >= first]
    slow = [_slower(each, target) for each in mine]
    every = [sum(each.values()) for each in mine]
    exact, found = clopper_pearson(sum(slow), sum(every)), ratio(slow, every)
    if len(mine) < _HOURS_LEAST or found.value is None or found.low is None or found.high is None:
        return exact
    low = min(max(found.low, 0.0), exact.low)
    return Estimate(estimate=found.value, low=low, high=min(1.0, max(found.high, exact.high)), n=sum(every))
