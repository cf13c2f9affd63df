"""Opening hours as people write them: "Mon-Fri 08:00-17:00, Sat 09:00-12:00"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from surefoot.policy import Hours

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
DAY_MINUTES = 24 * 60

_PART = re.compile(r"(?P<first>[A-Z][a-z]{2})(?:-(?P<last>[A-Z][a-z]{2}))? (?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d)")

Span = tuple[int, int]  # minutes since midnight, the end not included


def parse_hours(text: str) -> Mapping[int, Sequence[Span]]:
    """By weekday (0 = Monday) when somebody is there; {} for "", which means always.

    A span that ends before it begins goes on until that time of the next day. Raises ValueError, in words for the writer.
    """
    found: dict[int, list[Span]] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        match = _PART.fullmatch(part)
        if match is None or match["first"] not in DAYS or (match["last"] or "Mon") not in DAYS:
            raise ValueError(f'{part!r} is not like "Mon-Fri 08:00-17:00"')
        start, end = _minutes(match["from"]), _minutes(match["to"])
        first, last = DAYS.index(match["first"]), DAYS.index(match["last"] or match["first"])
        for day in range(first, first + (last - first) % 7 + 1):
            if start < end:
                found.setdefault(day % 7, []).append((start, end))
            else:
                found.setdefault(day % 7, []).append((start, DAY_MINUTES))
                if end:
                    found.setdefault((day + 1) % 7, []).append((0, end))
    return {day: sorted(spans) for day, spans in found.items()}


def open_hours(text: str, timezone: str) -> Hours:
    """Opening hours as the rules take them: spans that touch or overlap are one. Raises ValueError, as `parse_hours`."""
    merged: list[tuple[int, int]] = []
    for day, spans in sorted(parse_hours(text).items()):
        for first, last in ((day * DAY_MINUTES + start, day * DAY_MINUTES + end) for start, end in spans):
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
    return Hours(week=tuple(merged), timezone=timezone)


def _minutes(text: str) -> int:
    hour, minute = int(text[:2]), int(text[3:])
    if minute > 59 or hour * 60 + minute > DAY_MINUTES:
        raise ValueError(f"{text} is not a time of day")
    return hour * 60 + minute
