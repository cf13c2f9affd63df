"""What the policy says of a draft, and what was done about it."""

from __future__ import annotations

from msgspec import Struct

from surefoot.records.draft import Attempt, Rung
from surefoot.records.evidence import Confidence, Evidence


class Deliver(Struct, frozen=True, tag="deliver"):
    """The draft is safe enough."""

    reason: str


class Stronger(Struct, frozen=True, tag="stronger"):
    """The next rung shall try."""

    reason: str


class Escalate(Struct, frozen=True, tag="escalate"):
    """A person decides."""

    reason: str
    role: str
    rule: str = ""  # the admit rule that sent it
    withheld: bool = False  # good enough for delivery, but the promise is not certified: it becomes a label


class Fail(Struct, frozen=True, tag="fail"):
    """Nobody can answer: the caller gets the provider's own error."""

    reason: str
    status: int


Verdict = Deliver | Stronger | Escalate | Fail


class Lot(Struct, frozen=True, kw_only=True):
    """A lot that was drawn for a purpose: the outcome and how probable it was."""

    drawn: bool
    propensity: float  # in [0, 1]


class Decision(Struct, frozen=True, kw_only=True):
    """The end of the page. `verdict` is what the policy says, `action` is what was done; in `observe` they may differ."""

    verdict: Verdict
    action: str  # "deliver" | "escalate" | "default" (no money for a person: the safe default at once) | "fail"
    mode: str  # "observe" | "enforce"
    rung: Rung | None  # whose draft is delivered, or was the best one
    confidence: Confidence = Confidence()
    evidence: Evidence = Evidence()
    attempt: Attempt | None = None
