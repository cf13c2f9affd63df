"""Open time: when somebody is there, and how long it takes until so much of it has passed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.config.hours import open_hours
from surefoot.policy import Hours, Person
from surefoot.policy.hours import HORIZON_NS

NS = 1_000_000_000
VIENNA = "Europe/Vienna"
OFFICE = open_hours("Mon-Fri 08:00-17:00", VIENNA)
NIGHT = open_hours("Mon-Sun 22:00-06:00", VIENNA)
PLACES = st.sampled_from(
    [VIENNA, "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
)
MOMENTS = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2029, 1, 1, tzinfo=UTC).timestamp())
)
MINUTES = st.integers(0, 7 * 1440 - 1)


@st.composite
def hours(draw: st.DrawFn) -> Hours:
    marks = sorted(draw(st.sets(MINUTES, min_size=2, max_size=8)))
    return Hours(week=tuple(zip(marks[::2], marks[1::2], strict=False)), timezone=draw(PLACES))


def at(year: int, month: int, day: int, hour: int, minute: int = 0, *, fold: int = 0, zone: str = VIENNA) -> int:
    return round(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone), fold=fold).timestamp()) * NS


def is_open_by_the_wall(given: Hours, moment_ns: int) -> bool:
    local = datetime.fromtimestamp(moment_ns // NS, ZoneInfo(given.timezone))
    minute = local.weekday() * 1440 + local.hour * 60 + local.minute
    return any(first <= minute < last for first, last in given.week)


@pytest.mark.parametrize(
    ("asked", "due"),
    [
        (at(2026, 11, 27, 16, 55), at(2026, 11, 30, 8, 10)),  # Friday evening, Monday morning
        (at(2026, 3, 27, 16, 55), at(2026, 3, 30, 8, 10)),  # the clocks go forward on the Sunday between
        (at(2026, 10, 23, 16, 55), at(2026, 10, 26, 8, 10)),  # and back
        (at(2026, 11, 27, 16, 45), at(2026, 11, 27, 17, 0)),
        (at(2026, 11, 28, 12, 0), at(2026, 11, 30, 8, 15)),
    ],
)
def test_a_quarter_of_an_hour_from_friday_evening_is_over_on_monday(asked: int, due: int) -> None:
    assert OFFICE.after(asked, 900.0) == due


@pytest.mark.parametrize(
    ("from_", "to", "hours_"),
    [((2026, 3, 28), (2026, 3, 29), 7), ((2026, 10, 24), (2026, 10, 25), 9), ((2026, 6, 1), (2026, 6, 2), 8)],
)
def test_a_night_in_which_the_clocks_change_is_as_long_as_it_is(
    from_: tuple[int, int, int], to: tuple[int, int, int], hours_: int
) -> None:
    start, end = at(*from_, 22), at(*to, 6)
    assert NIGHT.between(start, end) == NIGHT.between(start - NS, end + NS) == hours_ * 3600
    assert NIGHT.after(start, hours_ * 3600.0) == end


def test_an_hour_that_is_skipped_is_nobodys_and_one_that_comes_twice_counts_twice() -> None:
    early = open_hours("Sun 02:00-03:00", VIENNA)
    assert early.between(at(2026, 3, 29, 0), at(2026, 3, 29, 12)) == 0
    assert early.between(at(2026, 10, 25, 0), at(2026, 10, 25, 12)) == 7200
    assert early.is_open(at(2026, 10, 25, 2, 30)) and early.is_open(at(2026, 10, 25, 2, 30, fold=1))


@given(hours(), MOMENTS, st.floats(0.001, 3e6))
def test_the_open_seconds_until_it_is_due_are_the_sla(given_: Hours, moment: int, sla: float) -> None:
    asked = moment * NS
    due = given_.after(asked, sla)
    if due < asked + HORIZON_NS:
        assert given_.between(asked, due) == pytest.approx(sla, abs=1e-6)
        assert is_open_by_the_wall(given_, due - 1) and given_.between(due - 1, due) > 0


@given(hours(), MOMENTS)
def test_it_is_open_exactly_when_the_clock_on_the_wall_says_so(given_: Hours, moment: int) -> None:
    asked = moment * NS
    opens = given_.opens_ns(asked)
    assert given_.is_open(asked) == is_open_by_the_wall(given_, asked) == (opens == asked)
    assert is_open_by_the_wall(given_, opens) and not given_.between(asked, opens)


@given(hours(), MOMENTS, st.integers(1, 200))
def test_open_time_is_what_a_watch_with_a_step_of_a_minute_counts(given_: Hours, moment: int, minutes: int) -> None:
    start = moment // 60 * 60 * NS
    ticks = [start + number * 60 * NS for number in range(minutes)]
    assert given_.between(start, start + minutes * 60 * NS) == 60 * sum(is_open_by_the_wall(given_, t) for t in ticks)


@given(hours(), MOMENTS, st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_is_asked_later_or_takes_longer_is_never_due_sooner(
    given_: Hours, moment: int, one: float, other: float
) -> None:
    asked, less, more = moment * NS, min(one, other), max(one, other)
    assert given_.after(asked, less) <= given_.after(asked, more)
    assert given_.after(asked, less) <= given_.after(asked + round(more * NS), less)


@given(MOMENTS, st.floats(0, 1e7))
def test_without_hours_and_with_all_of_them_time_is_what_the_watch_says(moment: int, seconds: float) -> None:
    for always in (
        Hours(),
        open_hours("Mon-Sun 00:00-24:00", VIENNA),
        open_hours("Mon-Wed 00:00-24:00, Thu-Sun 00:00-24:00", "UTC"),
    ):
        assert always.after(moment * NS, seconds) == moment * NS + round(seconds * NS)
        assert always.is_open(moment * NS)


def test_nothing_is_put_off_beyond_the_horizon() -> None:
    seldom = open_hours("Mon 08:00-08:01", VIENNA)
    asked = at(2026, 11, 27, 12)
    assert seldom.after(asked, 3e8) == asked + HORIZON_NS == seldom.after(asked, 1e300)


def test_outside_the_hours_a_caller_is_told_when_somebody_is_there() -> None:
    nurse = Person(role="nurse", holding="Wait, please.", hours=OFFICE)
    friday = at(2026, 11, 27, 16, 55)
    assert nurse.holding_at(friday) == "Wait, please."
    late = friday + round(timedelta(minutes=5).total_seconds()) * NS
    assert nurse.holding_at(late) == "Wait, please. Nobody is there before 2026-11-30 08:00 (Europe/Vienna)."
    own = Person(role="nurse", holding="Wait.", holding_closed="Zu bis {opens}.", hours=OFFICE)
    assert own.holding_at(late) == "Zu bis 2026-11-30 08:00 (Europe/Vienna)."
