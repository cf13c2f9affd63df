"""Spend that leaves its interval: which hour, by how much, and whether it is news."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.ledger.bill import HOUR_NS
from surefoot.stats.surge import WEEK, WINDOWS, surge

KIND = "spend"  # of incidents
HISTORY_HOURS = 8 * WEEK
QUIET_HOURS = 24  # without an hour over its limit: then what comes next is another episode
_TEACHES_NOT = WEEK  # hours from an alarm on: by then the week before is as dear


class Surge(Struct, frozen=True, kw_only=True):
    """An hour, with those before it, that cost more than its limit. Money is in nano-dollars."""

    id: str  # the same in every replica that sees it
    feature: str
    at_ns: int  # when the hour began
    window_hours: int  # how many hours were added up, the last of them still under way
    spent: int
    expected: int  # by the week before and the hours of the week
    limit: int


def find_surge(feature: str, hours: Mapping[int, int], now_ns: int, raised: Sequence[int]) -> Surge | None:
    """The surge that is under way and that nobody was told of; None when there is none, or too little is known.

    All is computed from the ledger and the alarms that were raised, so that a new start or another replica says the same.

    Args:
        hours: nano-dollars by hour since the epoch; hours without spend need not be there.
        raised: when surges of this feature were told before, in UTC nanoseconds. Until spend kept within its limits for a
            whole day, the last of them goes on, and is no news.
    """
    now = now_ns // HOUR_NS
    begun = min((hour for hour, spent in hours.items() if spent > 0), default=now)
    first = max(begun, now - HISTORY_HOURS + 1)
    amounts = np.array([max(hours.get(hour, 0), 0) for hour in range(first, now + 1)], dtype=np.float64)
    unusual = np.zeros(amounts.size, dtype=np.bool_)
    before = sorted(at_ns // HOUR_NS for at_ns in raised)
    for hour in before:
        unusual[max(hour - first, 0) : max(hour - first + _TEACHES_NOT, 0)] = True
    found = surge(amounts, hour=(first + 72) % WEEK, unusual=unusual)  # the epoch was a Thursday
    if found is None or not found.over[-1] or _goes_on(np.flatnonzero(found.over) + first, now, before):
        return None
    sums = [float(amounts[-window:].sum()) for window in WINDOWS]
    over = [sums[place] / max(found.limit[place, -1], 1.0) for place in range(len(WINDOWS))]
    place = next(place for place, each in enumerate(over) if each > 1)
    return Surge(
        id=f"inc_{blake2b(feature.encode(), digest_size=8).hexdigest()}_{KIND}_{now}", feature=feature, at_ns=now * HOUR_NS,
        window_hours=WINDOWS[place], spent=round(sums[place]), expected=round(float(found.expected[place, -1])),
        limit=round(float(found.limit[place, -1])),
    )  # fmt: skip


def _goes_on(over: NDArray[np.int64], now: int, before: Sequence[int]) -> bool:
    """Whether the last alarm's episode is not over: no quiet day lies between it and now."""
    if not before:
        return False
    last = before[-1]
    steps = np.diff(np.array([last, *(int(hour) for hour in over if last < hour <= now)]))
    return not (steps > QUIET_HOURS).any()
