"""Cases: questions that wait for a person, what happened to them, and what a person says.

    open -> claimed -> answered -> delivered        proposed stands between claimed and answered where two persons must agree
    open, claimed, proposed -> expired              the deadline: the safe default is the answer
    open, claimed, proposed -> withdrawn            the caller needs no answer any more
    claimed -> open                                 released, handed over, snoozed, or its lease lapsed
    answered, proposed -> claimed                   taken back before it is delivered
    proposed -> open                                the second person rejects it
    open, claimed -> judged                         audits: a verdict, and nobody to tell

A case is a row, never a suspended coroutine. Each change appends its event in the same transaction.
"""

from __future__ import annotations

from msgspec import Struct

from surefoot.records.money import cost

WAITING = ("open", "claimed", "proposed")  # nobody has answered for good
PENDING = (*WAITING, "answered")  # the caller has nothing yet
ENDED = ("delivered", "expired", "withdrawn", "judged")

PERSON = "person"  # what stands for provider, model and rung where a person is one
ANSWERS = ("answered", "proposed", "judged")  # kinds of events in which a person answers
VERBS = ("accept", "edit", "replace", "reject", "ask")
DEFAULTS = ("draft", "decline", "stronger")
IN_SESSION, WITH_PASSWORD, UNPROVEN = "in a session", "with the password", "by command line, not proven"
WAITS = ("poll", "held", "sse", "webhook")

_MILLION = 1_000_000


class Case(Struct, frozen=True, kw_only=True):
    """A question that waits for a person. A row, not a coroutine: deploys and crashes do not matter to it."""

    id: str
    request_id: str
    tenant: str
    feature: str
    role: str
    state: str  # "open" | "claimed" | "proposed" | "answered" | "delivered" | "expired" | "withdrawn" | "judged"
    reason: str
    opened_at_ns: int
    subject: str
    fingerprint: str
    p: float | None = None
    answer: str | None = None  # sealed; the caller may have it from `delivered_at_ns` on, not before
    kind: str = "question"  # "question": the caller waits | "audit": a delivered answer is judged blind
    rung: str = ""  # whose draft is to be judged; "" when there is none
    propensity: float | None = None  # how probable it was that this draft is judged
    risk: float = 1.0  # in [0, 1]: how bad it is to leave it lying; see `review.priority`
    weight: float = 1.0  # of the customer, above 0
    red_flag: bool = False  # a rule sent it past every model
    two_persons: bool = False  # whether an answer needs a second, different person
    wait: str = "poll"  # how the caller waits
    webhook: str = ""  # where it wants to be told, without what may be secret
    rank_ns: int = 0  # when its priority reaches 1: the queue's order, the earliest first
    due_at_ns: int = 0  # by when its role should have answered; 0: no matter when
    deadline_ns: int = 0  # when the safe default happens; 0: never
    fence: int = 0  # grows with every new claim; a write with an older one is refused
    claimed_by: str = ""
    lease_until_ns: int = 0
    lease_ns: int = 0  # how long the lease was given for
    snoozed_until_ns: int = 0
    autosave: str | None = None  # sealed; what was being written, kept for whoever goes on
    note: str | None = None  # sealed; from whoever handed it over
    verb: str = ""  # of the answer: one of VERBS, or "default:" and one of DEFAULTS
    general: bool = False  # whether the answer holds for others too; else it is for this person
    answered_by: str = ""
    answered_at_ns: int = 0
    approved_by: str = ""
    deliver_at_ns: int = 0  # the end of the undo window
    delivered_at_ns: int = 0  # from when on the caller may know; 0: it may not
    label: bytes | None = None  # JSON of the label that is appended when it is delivered

    @property
    def told(self) -> str | None:
        """The answer as far as the caller may know it; None before it is delivered, and after its subject was erased."""
        return self.answer if self.delivered_at_ns else None

    @property
    def is_worked(self) -> bool:
        """Whether somebody has answered it, or nobody will: no minutes need to be set aside for it."""
        return self.state not in ("open", "claimed")

    @property
    def has_ended(self) -> bool:
        """Whether nothing can happen to it any more; an expired one ends with its safe default."""
        return self.state in ENDED and (self.state != "expired" or self.delivered_at_ns > 0)


class Signed(Struct, frozen=True, kw_only=True):
    """What a signature says beside who and when."""

    meaning: str = ""  # as the person read it
    how: str = IN_SESSION  # IN_SESSION, WITH_PASSWORD or UNPROVEN: how it was known to be this person


class CaseAnswer(Struct, frozen=True, kw_only=True):
    """What a person says to a case."""

    verb: str  # "accept" | "edit" | "replace" | "reject" | "ask"
    text: str  # what the caller is told; of an audit what nobody is told
    by: str
    general: bool = False  # may be given to others; else it is for this person
    meaning: str = ""  # what the signature means, as the person read it: "answered", "approved", ...
    seconds: float | None = None  # handling time; None: not known, and then it is estimated
    signed_at_ns: int = 0  # 0: when it is written
    signed: str = ""  # how, as the event says it: "in a session", "with the password", ...


class CaseEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to a case. Append-only; ids grow in the order in which events become visible."""

    id: int
    case_id: str
    at_ns: int
    kind: str  # "opened", "claimed", "released", "lapsed", "answered", "delivered", ...
    detail: str = ""  # plain words without content: a role, a verb, a meaning
    by: str = ""  # who did it: an account; "" is the machine or the caller
    tenant: str = ""
    feature: str = ""
    state: str = ""  # of the case after it; "" for events from before states were written
    text: str | None = (
        None  # sealed content: a refused answer, a hand-over's note; None: none, or its subject is erased
    )


class Moment(Struct, frozen=True, kw_only=True):
    """An event as reports read it: with what its case is, and the human time that was booked by then."""

    event: CaseEvent
    request_id: str
    kind: str  # of the case: "question" | "audit"
    role: str  # whose the case is now
    rung: str  # whose draft the case is about; "" when there is none
    seconds: int | None = None  # of people, booked to the request up to an answer; None: none was, or it is no answer


class Claim(Struct, frozen=True, kw_only=True):
    """A lease on a case. Whoever holds it writes with its fence; after a later claim that fence is refused."""

    case: Case
    fence: int


def human_price(hourly_nanodollars: int) -> int:
    """Nano-dollars per million seconds of a person's time, rounded half up: the price of a ledger line of kind "human"."""
    return (hourly_nanodollars * _MILLION + 1800) // 3600


def human_cost(seconds: int, hourly_nanodollars: int) -> int:
    """Nano-dollars of whole seconds of a person's time."""
    return cost(seconds, human_price(hourly_nanodollars))
