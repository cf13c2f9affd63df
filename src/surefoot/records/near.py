"""The near cache's records: what is proposed to a question, what became of it, and a feature's account of wrong answers."""

from __future__ import annotations

from msgspec import Struct

HIT, EXPLORED, WATCHED = "hit", "explored", "watched"


class Nearness(Struct, frozen=True, kw_only=True):
    """The cached answer that is proposed to a question by likeness, with what speaks for it; scalars only."""

    answer: str  # the answer's id: entries that say the same have one
    item: str  # fingerprint of its nearest question, whose body would be given
    lead: float  # over the next answer, in [0, 1]
    score: float  # mean cosine of the answer's three nearest questions, missing ones 0
    nearest: float  # cosine of the nearest
    support: int  # its questions among the neighbours
    crowd: int  # answers among the neighbours
    record: float  # verdicts on the answer less what was believed of them, shrunk; in (-1, 1), 0 without any
    vetoed: str = ""  # what forbids that the two questions have one answer, in words; "" when nothing was found


class Gate(Struct, frozen=True, kw_only=True):
    """How a feature's account stood when a proposal was weighed."""

    requests: int  # so far
    most_wrong: (
        int | None
    )  # most that were served wrong, with the assurance, if this one is wrong; None: no limit a request
    lowest: float  # p below which the budget per request would not last
    certified: float | None  # p from which on the limit per hit is certified; None: nowhere


class Proposed(Struct, frozen=True, kw_only=True):
    """What was done about a proposal, and why."""

    action: str  # HIT | EXPLORED (within the bound, withheld by lot and judged) | WATCHED (a miss that is judged)
    p: float | None  # that the same answer is right; None: too few labels for a map
    propensity: float  # probability, before the lot was drawn, that it would be judged
    reason: str
    gate: Gate | None = None  # None: the account was not looked at


class Proposal(Struct, frozen=True, kw_only=True):
    """One proposal as it is kept, with its verdict when that is known."""

    request_id: str
    at_ns: int
    tenant: str
    feature: str
    answer: str
    item: str
    inputs: tuple[float, ...]  # of the map, in the order of `policy.near.INPUTS`
    p: float | None
    action: str  # HIT | EXPLORED | WATCHED
    vetoed: bool = False  # whether a guard forbade it
    right: bool | None = None  # whether it was what the model, a person or a client then said; None: nobody knows
    source: str = ""  # of the verdict: "model" | "person" | "client" | "silence" (it never came); "" without one
    judged_at_ns: int = 0  # 0 without a verdict
    nanodollars: int = 0  # what the request cost; of a hit nothing


class NearAccount(Struct, frozen=True, kw_only=True):
    """What a feature's near cache did so far, over all processes. `pending` verdicts count as wrong until they come."""

    requests: int = 0
    hits: int = 0
    explored: int = 0
    seen_wrong: int = 0  # of the explored ones
    pending: int = 0  # explored, no verdict yet


class NearMapRow(Struct, frozen=True, kw_only=True):
    """One version of a feature's near map, as it was fitted."""

    feature: str
    labels: int  # that it was fitted on: its version, no two of a feature have the same
    at_ns: int
    data: bytes  # of `policy.near.NearLine`


class NearItem(Struct, frozen=True, kw_only=True):
    """A cached question as the index needs it."""

    fingerprint: str
    tenant: str
    feature: str
    context: str  # hex; equal for questions that may share an answer
    answer: str
    by_person: bool
    at_ns: int
    near: bytes  # vector and facts, unsealed; see `signals.embedding.packed` and `review.guards.Witness`
