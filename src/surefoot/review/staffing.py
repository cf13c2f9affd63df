"""How many people are needed, hour by hour of the week: arrivals as they were, handling times, Erlang's C.

A rate is known for an hour of the week only when that hour was watched; an hour that was never watched is None, not quiet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, tzinfo

from msgspec import Struct

from surefoot.stats.queueing import people_needed

HOURS = 168  # of a week, from Monday 00:00
LEAST_CASES, LEAST_TIMES, LEAST_HOURS = 20, 10, 24  # below which nothing is planned
_NS_PER_HOUR = 3_600_000_000_000


class Need(Struct, frozen=True, kw_only=True):
    """People for a load that changes over the week."""

    per_hour: float | None  # arrivals in the busiest hour that was watched
    people: int | None  # then; None: not known, or no number of people is enough
    people_hours: float | None  # of a week, watched hours scaled up to all
    reachable: bool = True  # False: handling alone takes longer than is promised


class Moved(Struct, frozen=True, kw_only=True):
    """What a confidence bar would send to people: certainly, and at most, where the journal cannot tell."""

    bar: float
    requests: int
    certain: int  # nothing that was drafted passes, and every rung was tried
    possible: int  # further ones: a rung that was not tried might have answered
    least: Need
    most: Need


def rates(arrivals_ns: Sequence[int], *, start_ns: int, end_ns: int, zone: tzinfo) -> tuple[float | None, ...]:
    """Arrivals an hour for each of 168 hours of the week in a time zone, as a mean over the weeks watched.

    Args:
        arrivals_ns: UTC nanoseconds, in any order; those outside of the time watched are left out.
        start_ns: from when arrivals were watched.
        end_ns: until when. Broken hours at both ends count as far as they were watched.
    Returns: None for an hour of which less than half was watched.
    """
    watched = [0.0] * HOURS
    at = datetime.fromtimestamp(start_ns // _NS_PER_HOUR * 3600, zone)
    while at.timestamp() * 1e9 < end_ns:
        begun, over = at.timestamp() * 1e9, at.timestamp() * 1e9 + _NS_PER_HOUR
        watched[hour_of(at)] += (min(over, end_ns) - max(begun, start_ns)) / _NS_PER_HOUR
        at = datetime.fromtimestamp(at.timestamp() + 3600, zone)  # whatever summer time does
    counts = [0] * HOURS
    for each in arrivals_ns:
        if start_ns <= each < end_ns:
            counts[hour_of(datetime.fromtimestamp(each / 1e9, zone))] += 1
    return tuple(
        count / hours if hours >= 0.5 else None for count, hours in zip(counts, watched, strict=True)
    )  # fmt: skip


def hour_of(at: datetime) -> int:
    """The hour of the week in [0, 168), from Monday 00:00."""
    return 24 * at.weekday() + at.hour


def staffed(
    per_hour: Sequence[float | None], *, handle_seconds: float, seconds: float, share: float, leverage: float = 1.0
) -> tuple[int | None, ...]:
    """People for each hour; None where the rate is not known or no number is enough.

    Args:
        per_hour: arrivals.
        handle_seconds: mean time for an answer.
        seconds: within which a case is to be answered.
        share: of the cases.
        leverage: cases that one answer resolves; so many fewer have to be handled.
    """
    return tuple(
        None
        if each is None
        else people_needed(per_hour=each / leverage, handle_seconds=handle_seconds, seconds=seconds, share=share)
        for each in per_hour
    )


def need(
    per_hour: Sequence[float | None], *, handle_seconds: float, seconds: float, share: float, leverage: float = 1.0
) -> Need:
    """What a week needs, as `staffed`; all None when no hour was watched."""
    known = [each for each in per_hour if each is not None]
    if not known:
        return Need(per_hour=None, people=None, people_hours=None)
    asked = {"handle_seconds": handle_seconds, "seconds": seconds, "share": share, "leverage": leverage}
    people = [each for each in staffed(known, **asked) if each is not None]
    if len(people) < len(known):
        return Need(per_hour=max(known), people=None, people_hours=None, reachable=False)
    return Need(per_hour=max(known), people=max(people), people_hours=sum(people) * HOURS / len(known))


def enough(cases: int, timed: int, hours: float) -> str:
    """Why nothing can be planned yet, in words; "" when it can."""
    missing = []
    if cases < LEAST_CASES:
        missing.append(f"{cases} cases of {LEAST_CASES}")
    if timed < LEAST_TIMES:
        missing.append(f"{timed} handling times of {LEAST_TIMES}")
    if hours < LEAST_HOURS:
        missing.append(f"{math.floor(hours)} hours watched of {LEAST_HOURS}")
    return f"not enough data: {', '.join(missing)}" if missing else ""
