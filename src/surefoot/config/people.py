"""What is wrong with roles, and with how a feature's cases wait for them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from surefoot.config.hours import parse_hours
from surefoot.config.problem import Problem, near
from surefoot.config.schema import FeatureSettings, File, PersonSettings
from surefoot.records.case import DEFAULTS

Path = tuple[str, ...]

SIGNS = ("session", "password")
_NOT_BELOW = ("hourly_cost_usd", "reserve_minutes", "deadline_seconds")
_ABOVE = ("retry_after_seconds", "capacity", "sla_seconds")
_LONGEST_SECONDS = 10 * 365 * 86_400.0
_SLOWEST_UNDO_SECONDS = 3600.0


def people_problems(settings: File) -> Iterator[Problem]:
    """Everything that is wrong with the roles."""
    for role, given in settings.people.items():
        yield from _person(("people", role), given, settings)


def desk_problems(path: Path, given: FeatureSettings, settings: File) -> Iterator[Problem]:
    """Everything that is wrong with how a feature's cases are answered."""
    if not 0 <= given.undo_seconds <= _SLOWEST_UNDO_SECONDS:
        yield Problem((*path, "undo_seconds"), "undo_seconds is from 0 to 3600")
    for tenant, weight in given.customers.items():
        if not 0 < weight < math.inf:
            yield Problem((*path, "customers"), f"the weight of {tenant!r} must be above 0")
    if not any(rule.red_flag for rule in given.admit):
        return
    if given.bulk:
        yield Problem((*path, "bulk"), "a feature with red flags has its cases looked at one by one: not with bulk")
    for role in _roles(given, settings):
        if role not in settings.people:
            continue
        if settings.people[role].hours and not settings.people[role].deadline_seconds:
            yield Problem(
                ("people", role, "deadline_seconds"),
                f"red flags of {path[-1]} come to {role}, who is not always there: set deadline_seconds, after which next_role "
                "is asked, or the caller is told that nobody could answer",
            )
        if settings.people[role].safe_default == "draft":
            yield Problem(
                ("people", role, "safe_default"),
                f'cases of {path[-1]} come to {role}, and it has red flags: "draft" would deliver what nobody looked at',
            )


def _person(path: Path, given: PersonSettings, settings: File) -> Iterator[Problem]:
    for option in _ABOVE:
        if not 0 < getattr(given, option) <= _LONGEST_SECONDS:
            yield Problem((*path, option), f"{option} must be above 0")
    for option in _NOT_BELOW:
        if not 0 <= getattr(given, option) <= _LONGEST_SECONDS:
            yield Problem((*path, option), f"{option} may not be below 0")
    if given.safe_default not in DEFAULTS:
        hint = near(given.safe_default, DEFAULTS)
        yield Problem((*path, "safe_default"), f'safe_default is "draft", "decline" or "stronger"{hint}')
    if given.sign not in SIGNS:
        yield Problem((*path, "sign"), f'sign is "session" or "password"{near(given.sign, SIGNS)}')
    if len(set(given.who)) != len(given.who) or not all(given.who):
        yield Problem((*path, "who"), "who names accounts, each once")
    yield from _when(path, given)
    yield from _next(path, given, settings)


def _when(path: Path, given: PersonSettings) -> Iterator[Problem]:
    try:
        parse_hours(given.hours)
    except ValueError as error:
        yield Problem((*path, "hours"), str(error))
    try:
        ZoneInfo(given.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield Problem((*path, "timezone"), f"there is no time zone {given.timezone!r}; write one like Europe/Vienna")


def _next(path: Path, given: PersonSettings, settings: File) -> Iterator[Problem]:
    if not given.next_role:
        return
    if given.next_role not in settings.people:
        hint = near(given.next_role, settings.people)
        yield Problem((*path, "next_role"), f"there is no [people.{given.next_role}]{hint}")
        return
    if not given.deadline_seconds:
        yield Problem((*path, "next_role"), "next_role is asked at the deadline: set deadline_seconds")
    seen, role = {path[-1]}, given.next_role
    while role in settings.people and role not in seen:
        seen.add(role)
        role = settings.people[role].next_role
    if role == path[-1]:
        yield Problem((*path, "next_role"), "the chain comes back to where it began")


def _roles(given: FeatureSettings, settings: File) -> list[str]:
    """Every role that the feature's cases may come to."""
    found: list[str] = []
    ahead = [given.person, *(rule.role for rule in given.admit if rule.role)]
    while ahead:
        role = ahead.pop(0)
        if role in found:
            continue
        found.append(role)
        if role in settings.people and settings.people[role].next_role:
            ahead.append(settings.people[role].next_role)
    return found
