"""What a feature is to reach, and histograms of what it delivered: the values that roll-ups, objectives and pages share."""

from __future__ import annotations

import math

from msgspec import Struct

# What can be an objective: (its unit, whether the target is a most or a least; "" leaves the choice)
MEASURES = {
    "delivered_error": ("share", "at_most"),
    "hallucination_rate": ("share", "at_most"),
    "automation_rate": ("share", "at_least"),
    "cost_per_resolution": ("USD", "at_most"),
    "margin": ("share", "at_least"),
    "p95_latency": ("seconds", "at_most"),
    "human_minutes_per_100": ("minutes", "at_most"),
}
OUTCOME = "outcome:"  # begins the measures of reported outcomes: the share of requests they are reported of
LABELLED = ("delivered_error", "hallucination_rate")  # known from blind labels, each at its own moment
SUBGROUPS = ("customer", "rung")
LATENCY, GROUNDING, JUDGE = "latency", "grounding", "judge"  # what histograms are kept of
UNKNOWN_BUCKET = -1  # of a score that no check gave
_STEPS = 8  # buckets of latency to a doubling: each is 9 % wide
_LEVELS = 20  # of scores


class Objective(Struct, frozen=True, kw_only=True):
    """What a feature is to reach: one measure, its target, and over which time."""

    name: str
    feature: str
    measure: str  # of MEASURES, or "outcome:NAME"
    target: float  # a share, USD, seconds or minutes
    at_most: bool  # whether the measure should stay at or below it, rather than above
    window_seconds: int = 28 * 86_400
    assurance: float = 0.95  # that "met" and "missed" are right, however often one looks within a window
    by: tuple[str, ...] = ()  # of SUBGROUPS: which are looked at beside the whole
    due_ns: int | None = None  # the moment that the outlook is about; None: a window from now
    outcome: str = (
        ""  # of cost_per_resolution: what counts as a resolution; "": answered by a model or passed to a person
    )
    reasons: tuple[str, ...] = ()  # of hallucination_rate: codes of labels that say so

    @property
    def labelled(self) -> bool:
        """Whether it is known from labels; else it is counted by whole UTC days."""
        return self.measure in LABELLED

    @property
    def unit(self) -> str:
        """What its numbers are: "share", "USD", "seconds" or "minutes"."""
        return MEASURES.get(self.measure, ("share", ""))[0]

    @property
    def doubt(self) -> float:
        """1 - assurance."""
        return 1 - self.assurance


class HistogramCount(Struct, frozen=True):
    """How many deliveries fell into one bucket in a stretch of time."""

    at_ns: int  # where the stretch begins
    feature: str
    tenant: str  # "" where tenants are told together
    measure: str  # LATENCY | GROUNDING | JUDGE
    bucket: int
    answers: int


def latency_bucket(microseconds: int) -> int:
    """The bucket of a latency: eight to a doubling, from a millisecond on; what is shorter is in the first."""
    return max(0, math.floor(_STEPS * math.log2(max(microseconds, 1) / 1000)))


def latency_seconds(bucket: int) -> float:
    """The upper edge of a bucket of latency."""
    return float(2 ** ((bucket + 1) / _STEPS) / 1000)


def doubt_bucket(score: float | None) -> int:
    """The bucket of how far a score in [0, 1] speaks against an answer; UNKNOWN_BUCKET without one."""
    return UNKNOWN_BUCKET if score is None else round((1 - score) * _LEVELS)


def doubt_of(bucket: int) -> float:
    """The doubt that a bucket stands for, in [0, 1]; undecided, a half, where no check gave a score."""
    return 0.5 if bucket == UNKNOWN_BUCKET else bucket / _LEVELS
