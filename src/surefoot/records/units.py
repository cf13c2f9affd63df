"""Unit economics: what is earned, and sums of what is spent and earned over the dimensions that money is asked about."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec import Struct

_EPOCH = date(1970, 1, 1)
DAY_NS = 86_400_000_000_000

# What money can be grouped by, beside the day.
DIMENSIONS = ("tenant", "feature", "key_id", "prompt", "outcome", "rung", "provider", "model", "kind")

MOST_USD = 1_000_000  # that one line of revenue may be, either way
UNSETTLED = "unsettled"  # the outcome of what is booked before its request has ended
OUTCOMES = {
    "deliver": "delivered",
    "escalate": "escalated",
    "fail": "failed",
    "refuse": "refused",
    "shadow": "shadow",
}  # by action


class Revenue(Struct, frozen=True, kw_only=True):
    """One line of what a request earned. Append-only; the same id is taken once, so that nothing is earned twice."""

    id: str
    request_id: str
    at_ns: int
    tenant: str
    key_id: str  # of the request
    feature: str
    outcome: str  # what was reported; "" for the price of a delivered request
    nanodollars: int  # below 0 for what is given back
    price_version: str  # "config" | "reported"
    by: str = ""  # id of the key that reported it


class Where(Struct, frozen=True, kw_only=True):
    """Which part of the roll-ups is asked for: whole UTC days, counted since the epoch, and values of dimensions."""

    since_day: int = 0
    until_day: int | None = None  # not included; None: no end
    equals: tuple[tuple[str, str], ...] = ()  # (dimension, value); `kind` means nothing to requests


class CostSum(Struct, frozen=True):
    """What a group spent on one kind of entry."""

    group: tuple[str, ...]  # values in the order they were asked for; a day as "2026-11-24"
    kind: str
    entries: int
    quantity: int  # as of an entry: tokens, calls, seconds
    nanodollars: int
    estimated_nanodollars: int  # part of it


class RequestSum(Struct, frozen=True):
    """A group's requests, what they earned, and the memo: what those would have cost whose baseline is known."""

    group: tuple[str, ...]
    requests: int
    earnings: int  # lines of revenue
    revenue_nanodollars: int
    baseline_requests: int  # whose baseline is known
    baseline_nanodollars: int  # what the baseline would have cost them
    compared_nanodollars: int  # what they did cost, people included


def day_of(at_ns: int) -> int:
    """The UTC day of a moment, counted since the epoch."""
    return at_ns // DAY_NS


def day_text(day: int) -> str:
    """A day since the epoch as "2026-11-24"."""
    return (_EPOCH + timedelta(days=int(day))).isoformat()
