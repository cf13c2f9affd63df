"""Dates and times mean the same whatever way they are written."""

import pytest

from surefoot.signals.dates import Calendar, Date, moments


def has(text: str, said: str) -> bool:
    calendar = Calendar(moments(text), frozenset({2024}))
    return all(calendar.has(moment) for moment in moments(said)) and bool(moments(said))


@pytest.mark.parametrize(
    "text",
    [
        "3 March 2024", "3rd of March 2024", "March 3rd, 2024", "march 3 2024", "Mar. 3, 2024", "2024-03-03", "2024/3/3",
        "03.03.2024", "3/3/2024",
    ],
)  # fmt: skip
def test_a_date_is_read_however_it_is_written(text: str) -> None:
    (found,) = moments(f"It began on {text}, they say.")
    assert found.dates == (Date(2024, 3, 3),)
    assert found.words == ("3", "march", "2024")


def test_a_date_of_numbers_keeps_both_readings() -> None:
    (found,) = moments("on 03/04/2024")
    assert found.dates == (Date(2024, 4, 3), Date(2024, 3, 4))


@pytest.mark.parametrize(
    "text", ["31/31/2024", "2024-13-01", "1.2.3", "May I go?", "you may 3", "12:60", "10:30:45", "13 pm", "3 mar2"]
)
def test_what_cannot_be_a_moment_is_none(text: str) -> None:
    assert not any(found.dates and found.dates[0].day not in (None, 3) for found in moments(text))
    assert not any(found.minutes is not None for found in moments(text))


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("8:00", 480), ("8 am", 480), ("8.30 p.m.", 1230), ("12 am", 0), ("12 pm", 720), ("14:05", 845), ("noon", 720)],
)
def test_a_time_is_minutes_of_the_day(text: str, minutes: int) -> None:
    assert [found.minutes for found in moments(f"at {text}")] == [minutes]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3 March 2024", "March 3"),
        ("3 March 2024", "in March 2024"),
        ("3 March", "3 March 2024"),  # the year stands somewhere else
        ("04/03/2024", "3 April 2024"),
        ("04/03/2024", "4 March 2024"),
        ("8:00 to 18:00", "8 am to 6 pm"),
        ("at 8:00", "8 pm"),  # nobody says which half of the day
        ("at 8 pm", "at 8:00"),
    ],
)
def test_a_part_or_another_way_of_writing_is_there(text: str, said: str) -> None:
    assert has(text, said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("3 March 2024", "4 March 2024"),
        ("3 March 2024", "3 March 2023"),
        ("3 March 2024", "3 May 2024"),
        ("March 2024", "3 March 2024"),
        ("3 March", "3 March 2023"),
        ("3 March 2023 and 4 March 2024", "3 March 2024"),
        ("8 am", "8 pm"),
        ("8:00 to 18:00", "8 pm"),  # a clock of 24 hours
        ("8:00", "8:30"),
        ("nothing", "noon"),
    ],
)
def test_a_wrong_day_month_year_or_hour_is_not(text: str, said: str) -> None:
    assert not has(text, said)
