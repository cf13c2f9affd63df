"""When a case of a role is urgent, due and over, in the role's open time. Pure.

A red flag's times are the wall clock's, whoever is there: it must not lie until Monday. At its deadline it goes on to the next
role, or its caller is told that nobody could answer.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from surefoot.policy import Hours, Person
from surefoot.records import Case
from surefoot.review.priority import SECOND_NS, Priority, priority, rank_ns

LONGEST_RETRY_SECONDS = 3600  # a caller looks at least every hour: somebody may come early
_ALWAYS = Hours()


class Times(Struct, frozen=True, kw_only=True):
    """UTC nanoseconds."""

    rank_ns: int
    due_at_ns: int
    deadline_ns: int  # 0: never


def hours_of(case: Case, person: Person) -> Hours:
    """The hours that a case's times count in."""
    return _ALWAYS if case.red_flag else person.hours


def times_of(case: Case, person: Person, *, now_ns: int) -> Times:
    """Its rank counts from when it was opened, however many roles it came through; due and over count from now."""
    hours = hours_of(case, person)
    span = rank_ns(0, sla_seconds=person.sla_seconds, risk=case.risk, weight=case.weight) / SECOND_NS
    return Times(
        rank_ns=hours.after(case.opened_at_ns, span),
        due_at_ns=hours.after(now_ns, person.sla_seconds),
        deadline_ns=hours.after(now_ns, person.deadline_seconds) if person.deadline_seconds else 0,
    )


def urgency(case: Case, hours: Hours, *, now_ns: int) -> Priority:
    """How urgent a case is now, counted in open time as its rank is: what waited over a week-end waited for no minute of it."""
    hours, opened = _ALWAYS if case.red_flag else hours, case.opened_at_ns
    span = round(hours.between(opened, case.rank_ns) * SECOND_NS)
    waited = round(hours.between(opened, now_ns) * SECOND_NS)
    return priority(replace(case, rank_ns=opened + span), now_ns=opened + waited)


def ask_again_after(case: Case, person: Person, *, now_ns: int) -> int:
    """Seconds after which a caller should ask for its case again.

    That is the role's `retry_after_seconds`; for a case that nobody has begun, and while nobody is there, the time until
    somebody is or its deadline comes, but not more than LONGEST_RETRY_SECONDS.
    """
    opens = hours_of(case, person).opens_ns(now_ns)
    if case.state != "open" or opens == now_ns:
        return person.retry_after_seconds
    until = min(opens, case.deadline_ns or opens) - now_ns
    return max(person.retry_after_seconds, min(-(-until // SECOND_NS), LONGEST_RETRY_SECONDS))
