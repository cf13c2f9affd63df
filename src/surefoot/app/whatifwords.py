"""Answers in words, for the terminal and the page: a number never without its n and its interval."""

from __future__ import annotations

import math
from collections.abc import Iterator

from surefoot.app.whatif import Answers
from surefoot.evals.load import Load
from surefoot.evals.whatif import (
    AUTOMATION,
    COST,
    ERROR,
    ESTIMATED,
    MINUTES,
    MODELS,
    NO_DATA,
    UNIDENTIFIED,
    WAITING,
    Answer,
    Question,
    WhatIf,
)
from surefoot.stats import Estimate

_NANO, _THOUSAND = 1e9, 1000
UNITS = {
    AUTOMATION: "of requests", ERROR: "of deliveries", MODELS: "USD per 1,000 requests",
    COST: "USD per 1,000 requests, people included", MINUTES: "per 100 requests", WAITING: "seconds a request",
}  # fmt: skip
_SHARES, _MONEY = (AUTOMATION, ERROR), (MODELS, COST)


def value(question: str, number: float | None) -> str:
    """A number in the unit of its question; "?" for an end that nobody knows."""
    if number is None:
        return "?"
    if question in _SHARES:
        return f"{number:.1%}"
    return f"{number * _THOUSAND / _NANO:,.4f}" if question in _MONEY else f"{number:,.2f}"


def answer(question: Question, given: Answer) -> str:
    """One answer: number, interval, n and effective n; or why there is none."""
    name = question.name
    ends = f"{value(name, given.low)} to {value(name, given.high)}"
    sizes = f"n = {given.n:,}" + (f", effective n = {given.effective_n:,.0f}" if given.n else "")
    if given.state == NO_DATA:
        return f"{NO_DATA} ({sizes})"
    if given.state == UNIDENTIFIED:
        bounds = f"somewhere from {ends}" if given.high is not None else f"at least {value(name, given.low)}"
        return f"{UNIDENTIFIED}: {bounds} {UNITS[name]}, {sizes}"
    told = f" ({ESTIMATED})" if given.state == ESTIMATED else ""
    return f"{value(name, given.estimate)} [{ends}] {UNITS[name]}, {sizes}{told}"


def change(question: Question) -> str:
    """What the candidate changes, on the same requests."""
    found, name = question.change, question.name
    if found is None or found.value is None:
        return "not known"
    told = "no change" if found.low == found.high == 0 else f"{_signed(name, found.value)}"
    if found.low is None or found.high is None or found.low == found.high:
        return told
    return f"{told} [{_signed(name, found.low)} to {_signed(name, found.high)}]"


def share(rate: Estimate) -> str:
    """A share of the requests and how many these are."""
    if rate.estimate is None:
        return f"{NO_DATA} (n = 0)"
    return f"{rate.estimate:.1%}, {round(rate.estimate * rate.n):,} of {rate.n:,}"


def fixes_of(found: WhatIf) -> tuple[str, ...]:
    """What would make more of it known, each once."""
    return tuple(dict.fromkeys(each.fix for each in found.questions if each.fix))


def load_lines(found: Answers) -> Iterator[tuple[str, str]]:
    """(name, words) of what the people have to do."""
    staffing = found.staffing
    if staffing is None:
        yield "people", found.staffing_missing
        return
    minutes = f"{staffing.within_seconds / 60:g} min"
    yield "people", f"{staffing.role}: {staffing.share:.0%} of the cases answered within {minutes}, busiest hour"
    yield "now", _load(staffing.now, staffing.people)
    if staffing.least == staffing.most:
        yield "what if", _load(staffing.least, staffing.people)
    else:
        yield "what if, least", _load(staffing.least, staffing.people)
        yield "what if, most", _load(staffing.most, staffing.people)


def _load(load: Load, people: int | None) -> str:
    if load.need.per_hour is None:
        return NO_DATA
    told = f"{load.need.per_hour:.1f} cases an hour"
    if not load.need.reachable:
        return f"{told}; handling alone takes too long for any number of people"
    told += f", {load.need.people} needed"
    if load.need.people_hours is not None:
        told += f", {math.ceil(load.need.people_hours)} hours of people a week"
    return told if load.in_time is None else f"{told}; {people} answer {load.in_time:.1%} in time"


def _signed(question: str, number: float) -> str:
    told = value(question, abs(number))
    return f"{'-' if number < 0 else '+'}{told}"
