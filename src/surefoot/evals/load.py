"""What a policy's cases ask of the people: the busiest hour, how many it takes, how many cases are answered in time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from msgspec import Struct

from surefoot.review.staffing import Need, need, rates
from surefoot.stats.queueing import answered_within


class Desk(Struct, frozen=True, kw_only=True):
    """Who answers, and what is asked of them."""

    role: str
    handle_seconds: float  # of a case
    within_seconds: float  # to an answer, handling included
    share: float  # of the cases that are to be answered within it
    zone: tzinfo
    start_ns: int
    end_ns: int
    people: int | None = None  # on duty; None: as many as it takes


class Load(Struct, frozen=True, kw_only=True):
    """A policy's cases."""

    need: Need
    in_time: (
        float | None
    )  # share answered within the time in the busiest hour by `people`; None: not known, or not asked


class Staffing(Struct, frozen=True, kw_only=True):
    """The load of the policy that serves, and of the candidate: at least and at most, where a part is not identifiable."""

    role: str
    within_seconds: float
    share: float
    people: int | None
    now: Load
    least: Load
    most: Load


def load(desk: Desk, arrivals_ns: Sequence[int], *, times: float = 1.0) -> Load:
    """The load of cases that came at these moments, each standing for `times` cases."""
    per_hour = [
        None if each is None else each * times
        for each in rates(arrivals_ns, start_ns=desk.start_ns, end_ns=desk.end_ns, zone=desk.zone)
    ]
    found = need(per_hour, handle_seconds=desk.handle_seconds, seconds=desk.within_seconds, share=desk.share)
    in_time = None
    if desk.people is not None and found.per_hour is not None:
        in_time = answered_within(
            desk.people, per_hour=found.per_hour, handle_seconds=desk.handle_seconds, seconds=desk.within_seconds
        )
    return Load(need=found, in_time=in_time)
