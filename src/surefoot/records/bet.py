"""Bets: a change that somebody believes in, what it should move, and what was found out since. Everything is an event."""

from __future__ import annotations

from msgspec import Struct

CHANGES = ("policy", "prompt", "model", "threshold")
STAGES = ("trial", "replay", "shadow", "ab")  # of results, from the cheapest and most biased to what counts
OPENED, RESULT, PROMOTED, DROPPED = "opened", "result", "promoted", "dropped"


class BetEvent(Struct, frozen=True, kw_only=True):
    """One thing that was done with a bet. Append-only; the trail vouches for it."""

    bet_id: str
    at_ns: int
    kind: str  # OPENED | RESULT | PROMOTED | DROPPED
    by: str
    body: str  # JSON of a Stake or a Result; of an end why


class Stake(Struct, frozen=True, kw_only=True):
    """What is believed when a bet is opened."""

    feature: str
    objective: str  # by its name
    change: str  # of CHANGES
    what: str  # in words
    moves: float  # by how much the objective should get better, above 0, in the measure's unit
    worth_usd: float | None = None  # of one unit for one request; None: as the measure says, if it does


class Result(Struct, frozen=True, kw_only=True):
    """What one look at a bet found, on data of its own."""

    stage: str  # of STAGES
    effect: float  # by how much the objective got better, below 0: worse
    error: float  # its standard error, above 0
    n: int  # items, requests or labels
    cost_usd: float = 0.0
    source: str = ""  # the file or revision that it comes from


class Bet(Struct, frozen=True, kw_only=True):
    """A bet as its events have it."""

    id: str
    opened_at_ns: int
    by: str
    stake: Stake
    results: tuple[Result, ...] = ()
    state: str = "open"  # "open" | PROMOTED | DROPPED
    ended_at_ns: int | None = None
    why: str = ""
