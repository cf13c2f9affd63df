"""When cases of a role that is not always there are urgent, due and over, and what their callers are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from app_support import Gateway
from msgspec.structs import replace

from surefoot.app.times import LONGEST_RETRY_SECONDS, ask_again_after, urgency
from surefoot.app.waiting import Waiting
from surefoot.config.load import load_text, problems
from surefoot.records import Case
from surefoot.trial.asking import request_of

Make = Callable[..., Gateway]
NS = 1_000_000_000
VIENNA = ZoneInfo("Europe/Vienna")
FEATURES = """
[features.f]
mode = "enforce"
ladder = ["small"]
person = "nurse"
{more}
[people.nurse]
sla_seconds = 900
deadline_seconds = 1800
holding = "Please wait."
{nurse}
[people.doctor]
sla_seconds = 60
deadline_seconds = 120
hours = "Mon-Fri 10:00-12:00"
timezone = "Europe/Vienna"
"""
OFFICE = 'hours = "Mon-Fri 08:00-17:00"\ntimezone = "Europe/Vienna"\n'
FLAG = '[[features.f.admit]]\nname = "any"\nphrases = ["question"]\nholding = "Call 112."\nred_flag = {}\n'
UNSURE = "[features.f.maps.small]\np = 0.5\n"


def at(day: int, hour: int, minute: int = 0) -> int:
    return round(datetime(2026, 11, day, hour, minute, tzinfo=VIENNA).timestamp()) * NS


FRIDAY, MONDAY = at(27, 16, 55), 30


def features(nurse: str = OFFICE, more: str = UNSURE) -> str:
    return FEATURES.format(nurse=nurse, more=more)


def asked(app: Gateway, at_ns: int) -> tuple[Case, str]:
    """The case of a question that is asked at a time, and what its caller is told."""
    request = replace(request_of(app.app, app.app.policy.features["f"], app.rows[0]), at_ns=at_ns)
    reply = app.runner.run(app.app.answer(request))
    case = app.case(reply)
    assert case is not None
    return case, msgspec.json.decode(reply.body)["choices"][0]["message"]["content"]


def test_a_question_of_friday_evening_is_due_on_monday_morning(gateway: Make) -> None:
    case, told = asked(gateway(features()), FRIDAY)
    assert (case.due_at_ns, case.deadline_ns) == (at(MONDAY, 8, 10), at(MONDAY, 8, 25))
    assert case.rank_ns == at(MONDAY, 8, 25)  # risk 0.5: half an hour of open time
    assert told == "Please wait."


def test_a_caller_who_asks_at_night_is_told_from_when_on_somebody_is_there(gateway: Make) -> None:
    app = gateway(features())
    assert asked(app, at(28, 12))[1] == "Please wait. Nobody is there before 2026-11-30 08:00 (Europe/Vienna)."
    app = gateway(features(OFFICE + 'holding_closed = "Ab {opens}."'))
    assert asked(app, at(28, 12))[1] == "Ab 2026-11-30 08:00 (Europe/Vienna)."


def test_a_red_flag_counts_by_the_clock_and_its_own_words_are_said_at_any_hour(gateway: Make) -> None:
    case, told = asked(gateway(features(more=FLAG.format("true"))), at(28, 12))
    assert (case.due_at_ns, case.deadline_ns, told) == (at(28, 12, 15), at(28, 12, 30), "Call 112.")


def test_what_a_rule_without_a_red_flag_sends_waits_for_the_opening(gateway: Make) -> None:
    case, told = asked(gateway(features(more=FLAG.format("false"))), at(28, 12))
    assert (case.due_at_ns, told) == (at(MONDAY, 8, 15), "Call 112.")


def test_the_next_role_has_hours_of_its_own(gateway: Make) -> None:
    app = gateway(features(OFFICE + 'next_role = "doctor"'))
    case, _ = asked(app, FRIDAY)
    waiting = Waiting(app.app.store, app.app.serving, app.app.settler, clock=lambda: at(MONDAY, 8, 25))
    app.runner.run(waiting.see_to_deadlines())
    found = app.runner.run(app.store.cases.find(case.id))
    assert found is not None and (found.role, found.due_at_ns) == ("doctor", at(MONDAY, 10, 1))
    assert found.deadline_ns == at(MONDAY, 10, 2)


def test_what_waited_over_a_week_end_is_as_urgent_as_the_hours_it_waited_in(gateway: Make) -> None:
    app = gateway(features())
    case, _ = asked(app, FRIDAY)
    hours = app.app.policy.features["f"].person.hours
    urgent = urgency(case, hours, now_ns=at(MONDAY, 8, 10))
    assert urgent.explanation == "risk 0.50 x 15 of 15 min = 0.50"
    assert urgency(case, hours, now_ns=case.rank_ns).value == pytest.approx(1.0)
    assert urgency(case, hours, now_ns=at(29, 12)).value == pytest.approx(5 / 30)


@pytest.mark.parametrize(
    ("now", "seconds"),
    [
        (FRIDAY, 60), (at(28, 12), LONGEST_RETRY_SECONDS), (at(MONDAY, 7, 30), 1800), (at(MONDAY, 7, 59) + 30 * NS, 60),
        (at(MONDAY, 8), 60),
    ],
)  # fmt: skip
def test_while_nobody_is_there_callers_ask_less_often_but_are_there_at_the_opening(
    gateway: Make, now: int, seconds: int
) -> None:
    app = gateway(features())
    case, _ = asked(app, FRIDAY)
    person = app.app.policy.features["f"].person
    assert ask_again_after(case, person, now_ns=now) == seconds
    assert ask_again_after(replace(case, state="claimed"), person, now_ns=now) == 60
    assert ask_again_after(replace(case, red_flag=True), person, now_ns=now) == 60
    soon = replace(case, deadline_ns=now + 90 * NS)
    assert ask_again_after(soon, person, now_ns=now) in (60, 90)


def test_hours_and_closed_words_end_no_certificate() -> None:
    text = '[providers.docs]\nkind = "openai"\n[models.small]\nprovider = "docs"\n[models.small.price]\ninput_usd_per_million = 1.0\noutput_usd_per_million = 1.0\n'
    plain, more = (load_text(text + features(nurse)).policy for nurse in ("", OFFICE + 'holding_closed = "Zu."'))
    assert plain.editions == more.editions and plain.version != more.version


@pytest.mark.parametrize(("flag", "deadline", "wrong"), [("true", 0, True), ("true", 60, False), ("false", 0, False)])
def test_red_flags_for_a_role_that_is_not_always_there_need_a_deadline(flag: str, deadline: int, wrong: bool) -> None:
    text = '[providers.docs]\nkind = "openai"\n[models.small]\nprovider = "docs"\n[models.small.price]\ninput_usd_per_million = 1.0\noutput_usd_per_million = 1.0\n'
    given = features(more=FLAG.format(flag)).replace("deadline_seconds = 1800", f"deadline_seconds = {deadline}")
    assert [found.key for found in problems(text + given)] == (["people.nurse.deadline_seconds"] if wrong else [])
