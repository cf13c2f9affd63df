"""Roles and how cases wait for them, as they are configured: what is refused, and what becomes of the rest."""

from __future__ import annotations

import pytest

from surefoot.config.hours import parse_hours
from surefoot.config.load import load_text, problems
from surefoot.policy import Feature

TEXT = """
[providers.docs]
kind = "openai"
[models.small]
provider = "docs"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 1.0 }}
[features.f]
ladder = ["small"]
person = "nurse"
{feature}
[people.nurse]
{nurse}
[people.doctor]
{doctor}
"""
RED = '[[features.f.admit]]\nname = "pain"\nphrases = ["chest pain"]\nred_flag = true\nholding = "Call 112."'


def text(nurse: str = "", *, feature: str = "", doctor: str = "") -> str:
    return TEXT.format(nurse=nurse, feature=feature, doctor=doctor)


def feature(*given: str, **more: str) -> Feature:
    return load_text(text(*given, **more)).policy.features["f"]


@pytest.mark.parametrize(
    ("nurse", "key"),
    [
        ("capacity = 0", "capacity"), ("sla_seconds = 0", "sla_seconds"), ("deadline_seconds = -1", "deadline_seconds"),
        ("hourly_cost_usd = -1.0", "hourly_cost_usd"), ("sla_seconds = nan", "sla_seconds"),
        ("deadline_seconds = inf", "deadline_seconds"), ('safe_default = "shrug"', "safe_default"),
        ('hours = "always"', "hours"), ('hours = "Mon 25:00-26:00"', "hours"), ('timezone = "Mars/Base"', "timezone"),
        ('sign = "pin"', "sign"), ('who = ["amy", "amy"]', "who"), ('next_role = "docter"\ndeadline_seconds = 1', "next_role"),
        ('next_role = "doctor"', "next_role"), ('next_role = "nurse"\ndeadline_seconds = 1', "next_role"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_of_a_role_is_named(nurse: str, key: str) -> None:
    assert [found.key for found in problems(text(nurse))] == [f"people.nurse.{key}"]


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("undo_seconds = -1", "undo_seconds"),
        ("undo_seconds = 4000", "undo_seconds"),
        ("customers = { acme = 0.0 }", "customers"),
    ],
)
def test_what_makes_no_sense_of_waiting_is_named(given: str, key: str) -> None:
    assert [found.key for found in problems(text(feature=given))] == [f"features.f.{key}"]


def test_a_chain_that_comes_back_is_refused() -> None:
    chain = 'next_role = "{}"\ndeadline_seconds = 1'
    assert len(problems(text(chain.format("doctor"), doctor=chain.format("nurse")))) == 2


def test_red_flags_are_never_resolved_in_bulk() -> None:
    assert [found.key for found in problems(text(feature="bulk = true\n" + RED))] == ["features.f.bulk"]
    assert problems(text(feature="bulk = true")) == ()


@pytest.mark.parametrize("who", ["nurse", "doctor"])
def test_a_draft_is_no_safe_default_for_anybody_whom_a_red_flag_may_come_to(who: str) -> None:
    chain = 'next_role = "doctor"\ndeadline_seconds = 1\n'
    draft = {who: 'safe_default = "draft"'}
    found = problems(text(chain + draft.get("nurse", ""), feature=RED, doctor=draft.get("doctor", "")))
    assert [each.key for each in found] == [f"people.{who}.safe_default"]


def test_a_feature_knows_everybody_whom_its_cases_may_come_to() -> None:
    given = feature(
        'next_role = "doctor"\nsla_seconds = 60\ndeadline_seconds = 120\nhourly_cost_usd = 48.5',
        doctor='safe_default = "stronger"',
    )
    assert sorted(given.people) == ["doctor", "nurse"]
    assert (given.person.next_role, given.person.hourly_nanodollars) == ("doctor", 48_500_000_000)
    assert given.person_of("doctor").safe_default == "stronger"
    assert given.person_of("gone").role == "gone" and given.person_of("gone").next_role == ""


def test_how_cases_wait_does_not_end_a_certificate() -> None:
    plain, other = load_text(text()).policy, load_text(
        text("sla_seconds = 60", feature="two_persons = true\nundo_seconds = 3\ncustomers = { acme = 2.0 }\nbulk = true")
    ).policy  # fmt: skip
    assert plain.editions == other.editions and plain.version != other.version


def test_hours_are_minutes_of_the_week() -> None:
    found = parse_hours("Mon-Fri 08:00-17:00, Sat 09:00-12:30")
    assert found[0] == [(480, 1020)] and found[5] == [(540, 750)] and 6 not in found
    assert parse_hours("") == {}


def test_a_night_shift_goes_on_the_next_day() -> None:
    assert parse_hours("Sun 22:00-06:00") == {6: [(1320, 1440)], 0: [(0, 360)]}
    assert parse_hours("Fri-Mon 00:00-24:00").keys() == {4, 5, 6, 0}


def test_an_update_of_the_program_does_not_end_a_certificate() -> None:
    assert load_text(text()).policy.editions == {"f": "41338de42f770aab"}
