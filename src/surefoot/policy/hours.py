"""When a role is there, as data, and the arithmetic of open time. Pure: no clock.

Somebody is there at a moment whose time on the wall clock, in the role's time zone, lies in its hours. So a change of the
clocks needs no rule of its own: an hour that is skipped is nobody's, one that comes twice counts twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

_SECOND_NS = 1_000_000_000
_MINUTE_NS = 60 * _SECOND_NS
_DAY_NS = 24 * 60 * _MINUTE_NS
_WEEK_NS = 7 * _DAY_NS
_MONDAY_NS = -3 * _DAY_NS  # 1970-01-01 was a Thursday
HORIZON_NS = 20 * 365 * _DAY_NS  # nothing is put off for longer, so that every time has its place in the store

Span = tuple[int, int]  # UTC nanoseconds, the end not included


class Hours(Struct, frozen=True, kw_only=True):
    """Opening hours. `week` holds spans of minutes since Monday 00:00 on the wall, the end not included; (): always open.

    `week` ascends and its spans lie apart; each is in [0, 10 080].
    """

    week: tuple[tuple[int, int], ...] = ()
    timezone: str = "UTC"

    def is_open(self, at_ns: int) -> bool:
        """Whether somebody is there."""
        return self.opens_ns(at_ns) == at_ns

    def opens_ns(self, at_ns: int) -> int:
        """When somebody is there again: `at_ns` itself while it is open."""
        return self.after(at_ns, 0.0)

    def after(self, at_ns: int, seconds: float) -> int:
        """The moment by which it has been open for so many seconds (at least 0) since `at_ns`.

        It is at the end of a span rather than at the beginning of the next, and never later than HORIZON_NS from `at_ns`.
        """
        left, latest = round(min(seconds, HORIZON_NS / _SECOND_NS) * _SECOND_NS), at_ns + HORIZON_NS
        if not self.week:
            return at_ns + left
        for start, end in self._spans(at_ns):
            if start >= latest:
                break
            if left <= end - start:
                return min(start + left, latest)
            left -= end - start
        return latest

    def between(self, start_ns: int, end_ns: int) -> float:
        """Open seconds between two moments; 0 when the second is not after the first."""
        if not self.week:
            return max(0, end_ns - start_ns) / _SECOND_NS
        total = 0
        for start, end in self._spans(start_ns):
            if start >= end_ns:
                break
            total += min(end, end_ns) - start
        return total / _SECOND_NS

    def on_the_wall(self, at_ns: int) -> str:
        """A moment as people there write it, to the minute: "2026-11-30 08:00 (Europe/Vienna)"."""
        local = datetime.fromtimestamp(at_ns // _SECOND_NS, ZoneInfo(self.timezone))
        return f"{local:%Y-%m-%d %H:%M} ({self.timezone})"

    def _spans(self, at_ns: int) -> Iterator[Span]:
        """Open spans from a moment on, for ever; a span may come in pieces. `week` is not empty."""
        zone, start = ZoneInfo(self.timezone), at_ns
        while True:
            offset = _offset_ns(zone, start)
            end = _steady_until(zone, start, start + _DAY_NS)
            monday = start + offset - (start + offset - _MONDAY_NS) % _WEEK_NS
            for base in (monday, monday + _WEEK_NS):
                for first, last in self.week:
                    opens = max(start, base + first * _MINUTE_NS - offset)
                    closes = min(end, base + last * _MINUTE_NS - offset)
                    if opens < closes:
                        yield opens, closes
            start = end


def _offset_ns(zone: ZoneInfo, at_ns: int) -> int:
    """How far the wall clock is ahead of UTC."""
    ahead = datetime.fromtimestamp(at_ns // _SECOND_NS, zone).utcoffset() or timedelta()
    return round(ahead.total_seconds()) * _SECOND_NS


def _steady_until(zone: ZoneInfo, start_ns: int, end_ns: int) -> int:
    """Up to when the wall clock is not changed, at most `end_ns`: clocks are changed on a whole second, once a day at most."""
    offset = _offset_ns(zone, start_ns)
    if _offset_ns(zone, end_ns) == offset:
        return end_ns
    low, high = start_ns // _SECOND_NS, end_ns // _SECOND_NS
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_ns(zone, middle * _SECOND_NS) == offset:
            low = middle
        else:
            high = middle
    return high * _SECOND_NS
