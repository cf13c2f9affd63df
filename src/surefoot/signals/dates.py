"""Dates and times of day in a text, whatever way they are written, and whether one can be another.

Read are "3 March 2024", "3rd of March", "March 3, 2024", "March 2024", "2024-03-03", "03/04/2024" and "3.4.2024" (day or month
first: both readings are kept), "8:00", "8 am", "8.30 p.m.", "14:30". A bare year is a number. English month names only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_YEAR = r"[12]\d{3}(?!\d|[.,:/]\d)"
_DAY = r"\d{1,2}(?:st|nd|rd|th)?(?![\d\w]|[.,:/]\d)"
_MOMENT = re.compile(
    rf"(?<![\d.,:/])(?:(?P<iso>[12]\d{{3}}([-/.])\d{{1,2}}\2\d{{1,2}}(?!\d))"
    rf"|(?P<plain>\d{{1,2}}([-/.])\d{{1,2}}\4[12]\d{{3}}(?!\d))"
    rf"|(?P<d1>{_DAY})[ \t]{{1,3}}(?:of[ \t])?(?P<m1>{_MONTH})(?:,?[ \t]{{1,3}}(?P<y1>{_YEAR}))?"
    rf"|(?P<h1>\d{{1,2}})(?:[:.](?P<min1>[0-5]\d))?[ \t]?(?P<half>[ap])(?:m\b|\.[ \t]?m\b\.?)"
    rf"|(?P<h2>[01]?\d|2[0-3]):(?P<min2>[0-5]\d)(?!\d|:\d))"
    rf"|\b(?P<m2>{_MONTH})[ \t]{{1,3}}(?:the[ \t])?(?:(?P<d2>{_DAY})(?:,?[ \t]{{1,3}}(?P<y2>{_YEAR}))?|(?P<y3>{_YEAR}))"
    rf"|\b(?P<named>noon|midday|midnight)\b",
    re.IGNORECASE,
)
# Where a moment may begin: looking for a digit or a first letter is many times faster than trying everything everywhere.
_DIGITS = re.compile(r"\d+")
_NAMES = re.compile(
    r"[jfmasondJFMASOND](?<!\w.)(?:an|eb|a[ry]|pr|u[nlg]|ep|ct|ov|ec|oon|id)", re.DOTALL | re.IGNORECASE
)
_HALF_DAY = 720  # minutes
_NAMED = {"noon": 720, "midday": 720, "midnight": 0}


class Date(Struct, frozen=True):
    """A date or a part of one; None is what it does not say."""

    year: int | None
    month: int
    day: int | None


class Moment(Struct, frozen=True):
    """A date with its readings, or a time of day."""

    start: int
    end: int
    dates: tuple[Date, ...] = ()
    minutes: int | None = None  # of the day, in [0, 1440)
    exact: bool = False  # whether a time says which half of the day is meant
    plain: bool = False  # whether a time is of digits only

    @property
    def words(self) -> tuple[str, ...]:
        """The moment in one way of writing: day, month, year; a time on a clock of twelve hours."""
        if self.minutes is not None:
            hour, minute = divmod(self.minutes % _HALF_DAY, 60)
            return (f"{hour or 12}:{minute:02}",)
        date = self.dates[0]
        return tuple(str(part) for part in (date.day, MONTHS[date.month - 1], date.year) if part is not None)


def moments(text: str) -> tuple[Moment, ...]:
    """The dates and times of a text, in order; what cannot be one ("31/31/2024") is left out."""
    starts = [match.start() for match in _DIGITS.finditer(text)]
    named = [match.start() for match in _NAMES.finditer(text)]
    found: list[Moment] = []
    end = 0
    for start in sorted(starts + named) if starts and named else starts or named:
        match = _MOMENT.match(text, start) if start >= end else None
        if match is None:
            continue
        made = _clock(match) if match["h1"] or match["h2"] or match["named"] else _date(match)
        if made is not None:
            found.append(made)
            end = match.end()
    return tuple(_on_24_hours(found))


def _on_24_hours(found: list[Moment]) -> list[Moment]:
    """Where one plain time says 13:00 or later, every plain time of the text means the morning when it says so."""
    if not any(each.minutes is not None and each.plain and each.minutes >= _HALF_DAY + 60 for each in found):
        return found
    return [replace(each, exact=True) if each.plain else each for each in found]


class Calendar:
    """The dates and times of passages, asked for one by one."""

    def __init__(self, held: Iterable[Moment], years: frozenset[int]) -> None:
        """`years` are those that stand anywhere in the passages: a date there that says no year may be of any of them."""
        self._days: dict[tuple[int, int | None], set[int | None]] = {}  # (month, day) -> years; day None: any or none
        self._exact: set[int] = set()  # minutes of the day
        self._either: set[int] = set()  # minutes of the half day, of times that do not say which half is meant
        self._every: set[int] = set()  # minutes of the half day
        self._years = years
        for moment in held:
            if moment.minutes is not None:
                self._every.add(moment.minutes % _HALF_DAY)
                (self._exact if moment.exact else self._either).add(
                    moment.minutes if moment.exact else moment.minutes % _HALF_DAY
                )
            for date in moment.dates:
                for day in {date.day, None}:
                    self._days.setdefault((date.month, day), set()).add(date.year)

    def has(self, moment: Moment) -> bool:
        """Whether a moment is one of these or a part of one; day, month and year must all be said of one date.

        A time matches one of the other half of the day unless both say which half is meant.
        """
        if moment.minutes is not None:
            half = moment.minutes % _HALF_DAY
            return half in self._either or (moment.minutes in self._exact if moment.exact else half in self._every)
        return any(self._has(date) for date in moment.dates)

    def _has(self, date: Date) -> bool:
        years = self._days.get((date.month, date.day))
        if years is None:
            return False
        return date.year is None or date.year in years or (None in years and date.year in self._years)


def _clock(match: re.Match[str]) -> Moment | None:
    start, end = match.span()
    if match["named"]:
        return Moment(start, end, minutes=_NAMED[match["named"].lower()], exact=True)
    if match["h2"]:
        hour = int(match["h2"])
        return Moment(
            start, end, minutes=60 * hour + int(match["min2"]), exact=hour > 12 or match["h2"][0] == "0", plain=True
        )
    hour = int(match["h1"])
    if not 1 <= hour <= 12:
        return None
    hour = hour % 12 + (12 if match["half"].lower() == "p" else 0)
    return Moment(start, end, minutes=60 * hour + int(match["min1"] or 0), exact=True)


def _date(match: re.Match[str]) -> Moment | None:
    if match["iso"]:
        year, month, day = (int(part) for part in re.split(r"[-/.]", match["iso"]))
        readings = [Date(year, month, day)]
    elif match["plain"]:
        first, second, year = (int(part) for part in re.split(r"[-/.]", match["plain"]))
        readings = [Date(year, second, first), Date(year, first, second)]
    else:
        named, day_text = match["m1"] or match["m2"], match["d1"] or match["d2"]
        year_text = match["y1"] or match["y2"] or match["y3"]
        number = next(place for place, name in enumerate(MONTHS, start=1) if name[:3] == named[:3].lower())
        day_of = int(re.sub(r"\D", "", day_text)) if day_text else None
        readings = [Date(int(year_text) if year_text else None, number, day_of)]
    valid = tuple(
        dict.fromkeys(
            date for date in readings if 1 <= date.month <= 12 and (date.day is None or 1 <= date.day <= 31)
        )
    )  # fmt: skip
    return Moment(*match.span(), dates=valid) if valid else None
