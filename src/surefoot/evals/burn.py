"""How fast an error budget burns: by pairs of windows, on the lower end of the rate.

A burn of 1 spends exactly the budget over the window of the objective. An alarm needs both windows of a pair: the long one says
that it matters, the short one that it goes on. With few labels a single wrong one would look like a fire, so what is compared
is the lower end of the exact interval; too few labels never raise an alarm. Source: Beyer et al. (2018), The Site Reliability
Workbook, chapter 5; the lower end is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct

from surefoot.stats.intervals import Estimate

HOUR = 3600
PAIRS = ((HOUR, 300, 14.4), (6 * HOUR, 1800, 6.0), (72 * HOUR, 6 * HOUR, 1.0))  # seconds, seconds, burn
HOURLY = ((6 * HOUR, HOUR, 6.0), (72 * HOUR, 6 * HOUR, 1.0))  # of what is counted by the hour


class Burn(Struct, frozen=True, kw_only=True):
    """One pair of windows. A burn is None where nothing was seen."""

    long_seconds: int
    short_seconds: int
    alarm_at: float
    long: float | None  # burn by the estimate
    long_low: float  # by the lower end, 0 when nothing is known
    long_n: int
    short_low: float
    short_n: int

    @property
    def firing(self) -> bool:
        """Whether the budget surely burns faster than `alarm_at`, and still does."""
        return self.long_low > self.alarm_at and self.short_low > self.alarm_at

    @property
    def page(self) -> bool:
        """Whether somebody should be woken for it; else it can wait for the morning."""
        return self.alarm_at > 1


def burns(
    rate_since: Callable[[int], Estimate], limit: float, now_ns: int, pairs: Sequence[tuple[int, int, float]] = PAIRS
) -> tuple[Burn, ...]:
    """The burns of a budget.

    Args:
        rate_since: the rate of what spends the budget since a moment (UTC nanoseconds).
        limit: the rate that spends exactly the budget, in (0, 1). Where a pair's alarm would need a rate of 1 or more it is
            left out: nothing burns so fast.
    """
    found = []
    for long, short, alarm_at in pairs:
        if alarm_at * limit >= 1:
            continue
        slow, fast = rate_since(now_ns - long * 10**9), rate_since(now_ns - short * 10**9)
        found.append(
            Burn(
                long_seconds=long, short_seconds=short, alarm_at=alarm_at,
                long=None if slow.estimate is None else slow.estimate / limit,
                long_low=slow.low / limit, long_n=slow.n, short_low=fast.low / limit, short_n=fast.n,
            )
        )  # fmt: skip
    return tuple(found)
