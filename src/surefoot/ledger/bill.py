"""The month's bill: what was spent so far, and what it will have come to at the end, with intervals.

It is what model calls cost; people's minutes are no vendor's to bill. The total is forecast as a series of its own: features
move together or against each other, and the ends of their intervals do not add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

import numpy as np
from msgspec import Struct

from surefoot.ledger.changes import Change
from surefoot.records import Spent
from surefoot.stats.arrays import Floats
from surefoot.stats.forecast import LONGEST, Forecast, Today, TooShort, forecast
from surefoot.stats.intervals import Estimate

DAY_NS = 86_400_000_000_000
HOUR_NS = DAY_NS // 24
PROFILE_DAYS = 28  # earlier days that say how much of a day is over by now
TOTAL = "*"  # all features together
NOT_BILLED = ("human",)  # kinds that no vendor bills
_UNKNOWN = Estimate(estimate=None, low=0.0, high=1.0, n=0)


class Month(Struct, frozen=True, kw_only=True):
    """A calendar month in UTC, and the moment that it is looked at."""

    start_ns: int
    end_ns: int
    now_ns: int

    @property
    def name(self) -> str:
        """Such as 2026-11."""
        return f"{datetime.fromtimestamp(self.start_ns // 1_000_000_000, UTC):%Y-%m}"

    @property
    def over(self) -> bool:
        """Whether nothing more comes."""
        return self.now_ns >= self.end_ns

    @property
    def days_left(self) -> int:
        """Days that still come, today included; 0 when it is over."""
        return max(0, (self.end_ns - self.now_ns // DAY_NS * DAY_NS) // DAY_NS)


def month_of(year: int, month: int, now_ns: int) -> Month:
    """A month. Raises ValueError for one that is none, or has not begun."""
    start = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    found = Month(start_ns=int(start.timestamp()) * 10**9, end_ns=int(end.timestamp()) * 10**9, now_ns=now_ns)
    if found.start_ns > now_ns:
        raise ValueError(f"{found.name} has not begun")
    return found


class Outlook(Struct, frozen=True, kw_only=True):
    """One feature's month, or the total's; in nano-dollars. `median` and the intervals are None when nobody can tell."""

    feature: str
    so_far: int
    median: int | None
    interval80: tuple[int, int] | None
    interval95: tuple[int, int] | None
    more_days: int = 0  # that are needed before anything can be told
    tested80: Estimate = _UNKNOWN  # how often such intervals held on this series' own past
    tested95: Estimate = _UNKNOWN
    width: float = 1.0  # what that made of the intervals' width
    growth: tuple[float, float, float] | None = None  # a week, as a factor: low, median, high (95 %)
    weekdays: tuple[float, ...] = ()  # factors from Monday


class Limit(Struct, frozen=True, kw_only=True):
    """A monthly budget and what counts in it; "" is everybody, and everything."""

    key_id: str = ""
    feature: str = ""
    tenant: str = ""
    nanodollars: int

    def counts(self, row: Spent) -> bool:
        """Whether a row of spending counts in it."""
        return (
            self.key_id in ("", row.key_id) and self.feature in ("", row.feature) and self.tenant in ("", row.tenant)
        )  # fmt: skip


class Risk(Struct, frozen=True, kw_only=True):
    """A monthly budget and how likely it is to be spent before the month ends, were nothing refused."""

    limit: Limit
    so_far: int
    probability: float | None  # None: not enough data
    more_days: int = 0


class Bill(Struct, frozen=True, kw_only=True):
    """A month, feature by feature, the dearest first."""

    month: Month
    features: tuple[Outlook, ...]
    total: Outlook
    change: Change | None  # of the last seven days that are over against the seven before; None: there are no such days
    risks: tuple[Risk, ...] = ()


def billed(rows: Iterable[Spent]) -> list[Spent]:
    """The rows that vendors bill."""
    return [row for row in rows if row.kind not in NOT_BILLED]


def outlook(name: str, days: Sequence[Spent], hours: Sequence[Spent], month: Month) -> Outlook:
    """What a series' month will have come to.

    Args:
        name: of the feature, or TOTAL.
        days: its rows by day, of the last `LONGEST` days and the whole month.
        hours: its rows by hour, of the last `PROFILE_DAYS` days and today.
    """
    so_far, found = _ahead(days, hours, month)
    if found is None:
        return Outlook(feature=name, so_far=so_far, median=so_far, interval80=(so_far,) * 2, interval95=(so_far,) * 2)
    if isinstance(found, TooShort):
        return Outlook(
            feature=name, so_far=so_far, median=None, interval80=None, interval95=None, more_days=found.more_days
        )  # fmt: skip
    (low80, high80), (low95, high95) = found.interval(0.8), found.interval(0.95)
    return Outlook(
        feature=name, so_far=so_far, median=so_far + round(found.median),
        interval80=(so_far + round(low80), so_far + round(high80)),
        interval95=(so_far + round(low95), so_far + round(high95)), tested80=found.tested80, tested95=found.tested95,
        width=found.width, growth=found.growth, weekdays=found.weekdays,
    )  # fmt: skip


def risk(limit: Limit, days: Sequence[Spent], hours: Sequence[Spent], month: Month) -> Risk:
    """How likely a monthly budget is to be spent; arguments as in `outlook`, of the key's own spend on the feature."""
    so_far, found = _ahead(days, hours, month)
    if found is None or so_far >= limit.nanodollars:
        return Risk(limit=limit, so_far=so_far, probability=float(so_far >= limit.nanodollars))
    if isinstance(found, TooShort):
        return Risk(limit=limit, so_far=so_far, probability=None, more_days=found.more_days)
    return Risk(limit=limit, so_far=so_far, probability=found.above(limit.nanodollars - so_far))


def _ahead(days: Sequence[Spent], hours: Sequence[Spent], month: Month) -> tuple[int, Forecast | TooShort | None]:
    """(spent in the month so far, what is still to come; None when the month is over)."""
    so_far = sum(row.nanodollars for row in days if month.start_ns <= row.at_ns < month.end_ns)
    if month.over:
        return so_far, None
    today_ns = month.now_ns // DAY_NS * DAY_NS
    first_ns = min((row.at_ns for row in days if row.at_ns < today_ns), default=today_ns)
    first_ns = max(first_ns // DAY_NS * DAY_NS, today_ns - LONGEST * DAY_NS)
    amounts = series(days, first_ns, (today_ns - first_ns) // DAY_NS, DAY_NS)
    weekday = (first_ns // DAY_NS + 3) % 7  # 1970-01-01 was a Thursday
    begun = float(sum(row.nanodollars for row in days if today_ns <= row.at_ns < today_ns + DAY_NS))
    today = Today(so_far=max(begun, 0.0), shares=_shares(hours, today_ns, month.now_ns))
    return so_far, forecast(np.maximum(amounts, 0.0), weekday=weekday, days=month.days_left, today=today)


def series(rows: Iterable[Spent], first_ns: int, steps: int, step_ns: int) -> Floats:
    """Shape (steps,): nano-dollars by stretch from `first_ns` on; rows outside are left out."""
    amounts = np.zeros(max(steps, 0))
    for row in rows:
        place = (row.at_ns - first_ns) // step_ns
        if 0 <= place < steps:
            amounts[place] += row.nanodollars
    return amounts


def _shares(hours: Sequence[Spent], today_ns: int, now_ns: int) -> Floats:
    """Which share of each earlier day was over at this time of day, of days with an amount; an hour counts by its minutes."""
    table = series(hours, today_ns - PROFILE_DAYS * DAY_NS, PROFILE_DAYS * 24, HOUR_NS).reshape(PROFILE_DAYS, 24)
    table = table[table.sum(axis=1) > 0]
    hour, within = divmod(now_ns - today_ns, HOUR_NS)
    over = table[:, :hour].sum(axis=1) + table[:, min(hour, 23)] * (within / HOUR_NS)
    return np.asarray(np.clip(over / table.sum(axis=1), 0.0, 1.0), dtype=np.float64)


def by_name(rows: Iterable[Spent]) -> Mapping[str, list[Spent]]:
    """Rows by feature."""
    found: dict[str, list[Spent]] = {}
    for row in rows:
        found.setdefault(row.feature, []).append(row)
    return found


def bill(
    days: Sequence[Spent], hours: Sequence[Spent], month: Month, *, change: Change | None, limits: Sequence[Limit] = ()
) -> Bill:
    """The month's bill.

    Args:
        days, hours: rows of all features by tenant, key, feature and kind, of the times that `outlook` names.
        change: against last week.
        limits: monthly budgets; the likeliest to be spent comes first.
    """
    days, hours = billed(days), billed(hours)
    by_day, by_hour = by_name(days), by_name(hours)
    lines = [outlook(name, rows, by_hour.get(name, []), month) for name, rows in by_day.items()]
    risks = [
        risk(
            limit,
            [row for row in days if limit.counts(row)],
            [row for row in hours if limit.counts(row)],
            month,
        )
        for limit in limits
    ]
    return Bill(
        month=month, features=tuple(sorted(lines, key=lambda line: (-(line.median or line.so_far), line.feature))),
        total=outlook(TOTAL, days, hours, month), change=change,
        risks=tuple(sorted(risks, key=lambda each: -(-1.0 if each.probability is None else each.probability))),
    )  # fmt: skip
