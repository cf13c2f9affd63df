"""Hours of the week from timestamps, and people from hours."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from surefoot.review.staffing import HOURS, enough, hour_of, need, rates, staffed

MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
HOUR = 3_600_000_000_000
START = int(MONDAY.timestamp()) * 1_000_000_000
WEEK = HOURS * HOUR
ASKED = {"handle_seconds": 120.0, "seconds": 600.0, "share": 0.8}


def test_a_rate_is_the_mean_over_the_weeks_watched() -> None:
    arrivals = [START + 9 * HOUR, START + 9 * HOUR + 1, START + WEEK + 9 * HOUR]
    found = rates(arrivals, start_ns=START, end_ns=START + 2 * WEEK, zone=UTC)
    assert found[9] == 1.5 and found[10] == 0.0 and len(found) == HOURS


def test_an_hour_that_was_not_watched_is_unknown_and_not_quiet() -> None:
    found = rates([START + 1], start_ns=START, end_ns=START + 24 * HOUR, zone=UTC)
    assert found[0] == 1.0 and found[23] == 0.0 and found[24] is None


def test_half_an_hour_counts_for_what_it_is_and_less_is_unknown() -> None:
    found = rates([START + 1], start_ns=START, end_ns=START + HOUR + HOUR // 4, zone=UTC)
    assert found[0] == 1.0 and found[1] is None
    assert rates([START + 1], start_ns=START, end_ns=START + HOUR // 2, zone=UTC)[0] == 2.0


def test_arrivals_outside_of_the_time_watched_are_left_out() -> None:
    assert rates([START - 1, START + HOUR], start_ns=START, end_ns=START + HOUR, zone=UTC)[0] == 0.0


def test_the_week_is_that_of_the_time_zone() -> None:
    found = rates([START], start_ns=START, end_ns=START + WEEK, zone=ZoneInfo("Europe/Vienna"))
    assert found[1] == 1.0 and found[0] == 0.0


def test_summer_time_loses_no_hour() -> None:
    start = int(datetime(2026, 10, 25, tzinfo=ZoneInfo("Europe/Vienna")).timestamp()) * 1_000_000_000  # 25 hours long
    found = rates([], start_ns=start, end_ns=start + 25 * HOUR, zone=ZoneInfo("Europe/Vienna"))
    assert [each for each in found if each is not None] == [0.0] * 24


def test_hours_count_from_monday() -> None:
    assert hour_of(MONDAY) == 0 and hour_of(datetime(2026, 11, 8, 23, tzinfo=UTC)) == 167


def test_more_arrivals_need_more_people_and_leverage_fewer() -> None:
    few, many = staffed([5.0, 120.0], **ASKED)
    assert few is not None and many is not None and few < many
    (levered,) = staffed([120.0], leverage=3.0, **ASKED)
    assert levered is not None and levered < many


def test_a_quiet_hour_needs_nobody_and_an_unknown_one_is_unknown() -> None:
    assert staffed([0.0, None], **ASKED) == (0, None)


def test_a_week_needs_its_busiest_hour() -> None:
    found = need([0.0, 120.0, None], **ASKED)
    assert found.per_hour == 120.0 and found.people == staffed([120.0], **ASKED)[0]
    assert found.people_hours == pytest.approx((found.people or 0) * HOURS / 2)


def test_nothing_watched_needs_nothing_known() -> None:
    found = need([None] * HOURS, **ASKED)
    assert found.people is None and found.per_hour is None and found.reachable


def test_a_promise_shorter_than_the_handling_is_said_to_be_out_of_reach() -> None:
    found = need([10.0], handle_seconds=600, seconds=60, share=0.8)
    assert not found.reachable and found.people is None


def test_too_little_data_says_how_much_is_missing() -> None:
    assert enough(20, 10, 24.0) == ""
    assert enough(3, 0, 1.5) == "not enough data: 3 cases of 20, 0 handling times of 10, 1 hours watched of 24"
