"""What is expected of each rung before anything is asked, where the ladder was begun because of it, and shadow calls."""

from __future__ import annotations

from msgspec import Struct


class Prospect(Struct, frozen=True, kw_only=True):
    """What `read` expects of one rung for one question."""

    rung: str
    p: float  # that its draft is acceptable, in [0, 1]
    gain: float  # over the ladder's first model, in [-1, 1]; 0 for that one itself
    nanodollars: int  # what asking it is expected to cost, with what its prefix cache spares
    warm_tokens: int = 0  # of the session that the provider's prefix cache is expected to hold
    seconds: float | None = None  # median that a caller waited for this rung's drafts lately; None: too few are known
    seconds_p95: float | None = None


class Candidate(Struct, frozen=True, kw_only=True):
    """One place to begin."""

    rung: str
    p: float
    gain: float
    nanodollars: int  # expected of the whole way from here, the person included
    propensity: float  # how probable it was that the ladder is begun here


class Routed(Struct, frozen=True, kw_only=True, tag="routed"):
    """Where the ladder is begun, and why."""

    start: str
    source: str  # "fitted": from labels | "heuristic": declared, no label says so
    candidates: tuple[Candidate, ...]  # in the ladder's order
    explored: bool  # drawn by lot, not the cheapest
    reason: str

    @property
    def propensity(self) -> float:
        """How probable the start was."""
        return next(each.propensity for each in self.candidates if each.rung == self.start)


class ShadowCall(Struct, frozen=True, kw_only=True, tag="shadow"):
    """A rung that is asked after the answer went out, to learn what it would have said; nobody is given it."""

    rung: str
    propensity: float  # how probable it was that this rung is asked, given which ones the request had asked itself
    asked: tuple[str, ...]  # rungs that the request had asked itself
    against: str = ""  # the rung whose answer went out, or would have been shown to a person
    agreement: float | None = None  # with that answer, in [0, 1], as the check "agreement" has it; None: not comparable
    again: bool = False  # the rung whose answer went out, asked once more; `agreement` is 1 where both mean the same, else 0
