"""What is kept of a request: steps, entries, content, reservations and labels. Cases have a module of their own."""

from __future__ import annotations

from msgspec import Struct

from surefoot.records.case import Case
from surefoot.records.draft import Ask, Draft, NoDraft, Shortened
from surefoot.records.evidence import Confidence, Evidence
from surefoot.records.money import Budget, BudgetLimit
from surefoot.records.near import Proposal
from surefoot.records.request import Attribution, Question
from surefoot.records.route import Routed, ShadowCall
from surefoot.records.units import Revenue
from surefoot.records.verdict import Deliver, Escalate, Fail, Lot, Stronger


class Fitted(Struct, frozen=True, kw_only=True, tag="fitted"):
    """What the journal keeps of an `Ask`: the request is already there."""

    models: tuple[str, ...] = ()
    reserve_nanodollars: tuple[int, ...] = ()
    refusal: str | None = None
    shortened: Shortened | None = None

    @classmethod
    def of(cls, ask: Ask) -> Fitted:
        """The part of an ask that is worth keeping."""
        return cls(
            models=ask.models, reserve_nanodollars=ask.reserve_nanodollars, refusal=ask.refusal, shortened=ask.shortened
        )


class Read(Struct, frozen=True, kw_only=True, tag="read"):
    """What `read` returned."""

    question: Question


class Checked(Struct, frozen=True, kw_only=True, tag="checked"):
    """What `check` returned."""

    evidence: Evidence


class Weighed(Struct, frozen=True, kw_only=True, tag="weighed"):
    """What `weigh` made of the evidence."""

    confidence: Confidence


class Step(Struct, frozen=True, kw_only=True):
    """One stage or rule of one rung, with what it returned. Content is left out; digests stand for it."""

    stage: str  # "read" | "admit" | "route" | "shadow" | "fit" | "call" | "check" | "weigh" | "decide"
    rung: str | None
    value: (
        Read | Routed | ShadowCall | Fitted | Draft | NoDraft | Checked | Weighed | Deliver | Stronger | Escalate | Fail
    )


class JournalEntry(Struct, frozen=True, kw_only=True):
    """The account of one request, as it stands in the hash chain: no prompt, no answer, no personal datum."""

    request_id: str
    at_ns: int
    draw: str
    tenant: str
    key_id: str
    feature: str
    dialect: str
    surface: str
    subject: str  # pseudonym of whoever the content belongs to
    policy: str  # version of the policy that decided
    mode: str
    steps: tuple[Step, ...]
    action: str  # "deliver" | "escalate" | "default" | "fail" | "refuse" | "shadow" (nobody was given anything)
    rung: str | None
    case_id: str | None = None
    content_digest: str = ""  # sha256 of the encrypted content's plain form, hex; "" when none is kept
    error: str = ""  # code of the refusal, "" when there was none
    nanodollars: int = 0
    own_us: int = 0  # microseconds spent, less the time providers took
    tags: tuple[str, ...] = ()  # the caller's labels for its own accounting; they must not name persons
    edition: str = ""  # digest of the feature as it was then: what a promise holds for
    lot: Lot | None = None  # whether a delivered answer was drawn for a blind audit
    model: str = ""  # that answered, by the name that it is billed under; "": as the draft says
    baseline_nanodollars: int | None = (
        None  # memo: what the baseline would have cost; None: not known, or nothing delivered
    )
    shadow_of: str = ""  # the request whose shadow call this is; "" for a request itself


class Embedded(Struct, frozen=True, kw_only=True):
    """The vector that an embedder gave for a question. It says what was asked nearly as well as the words do."""

    embedder: str  # vectors of another one are not to be compared with it
    vector: bytes  # int8, as `signals.embedding.packed` writes it


class Content(Struct, frozen=True, kw_only=True):
    """What was said, encrypted under the subject's key and kept outside the chain."""

    request_body: bytes
    answers: tuple[tuple[str, bytes], ...] = ()  # (rung, complete body)
    attribution: Attribution = Attribution()
    context: tuple[str, ...] = ()  # passages of the request's `surefoot.context`, which its body does not hold
    embedded: Embedded | None = None  # of what users said since the last answer; None where no embedder was asked


# Lines that cost nothing themselves: `quantity` tokens were not paid for at `price_per_million`; the premium was paid on top.
MEMOS = ("memo.shortened", "memo.cache_read", "memo.cache_premium")


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the ledger."""

    request_id: str
    at_ns: int
    tenant: str
    key_id: str
    feature: str
    rung: str
    provider: str
    model: str
    # "input" | "cached_input" | "cache_write" | "output" | "embedding" | "request" | "reservation" | "human" | MEMOS
    kind: str
    quantity: int  # tokens, calls for "request", seconds for "human"
    price_per_million: int  # nano-dollars
    nanodollars: int
    price_version: str
    estimated: bool = False
    note: str = ""


class Spent(Struct, frozen=True, kw_only=True):
    """Ledger lines of one stretch of time and one group, added up; what they are not grouped by is ""."""

    at_ns: int  # where the stretch begins
    requests: int  # that have a line in it
    quantity: int
    nanodollars: int
    tenant: str = ""
    key_id: str = ""
    feature: str = ""
    rung: str = ""
    model: str = ""
    kind: str = ""


class Reservation(Struct, frozen=True, kw_only=True):
    """Money set aside for the worst case of one model call; an orphan of it is booked as estimated.

    One on the rung "person" bears its case's id: it is for the minutes of a waiting case, and goes with the answer.
    """

    id: str
    request_id: str
    at_ns: int
    tenant: str
    key_id: str
    feature: str
    rung: str
    provider: str
    model: str
    nanodollars: int
    limits: tuple[BudgetLimit, ...] = ()


class Settlement(Struct, frozen=True, kw_only=True):
    """What a call cost in the end: its reservation goes, its entries come."""

    reservation_id: str  # "" when nothing was reserved
    entries: tuple[Entry, ...]


class Label(Struct, frozen=True, kw_only=True):
    """What somebody who knows says of a draft. Append-only; a later label of the same source does not undo an earlier one.

    Only labels of people with a known propensity, about drafts that were or would have been delivered, certify a promise.
    """

    id: str
    request_id: str
    at_ns: int
    tenant: str
    feature: str
    rung: str
    edition: str  # of the feature when the draft was judged
    verdict: str  # "accepted" | "edited" | "wrong"
    source: str  # "audit" | "round" | "case" | "client"
    group: str  # labels of one group are one unit: repeats of a question
    propensity: float | None = None  # None: nobody knows how this draft came to be labelled
    reason: str = ""  # the labeller's code, at most 64 of a-z, 0-9, _ and -; free words are a remark, kept as content
    by: str = ""  # key id or the labeller's name as configured

    @property
    def accepted(self) -> bool:
        """Whether the draft could have been delivered as it was."""
        return self.verdict == "accepted"


class Revision(Struct, frozen=True, kw_only=True):
    """One numbered candidate of what labels taught; `promoted_at_ns` None while it never served."""

    number: int
    at_ns: int
    note: str
    data: bytes  # of `Learned`
    serving: bool = False
    promoted_at_ns: int | None = None


class Incident(Struct, frozen=True, kw_only=True):
    """An alarm that was raised, with what changed around it."""

    id: str
    at_ns: int
    feature: str
    rung: str
    kind: str  # "drift" | "spend" | "burn"
    detail: str  # JSON for people: before, after, what changed


class CacheEntry(Struct, frozen=True, kw_only=True):
    """A believed answer, kept for its tenant and feature only."""

    fingerprint: str
    tenant: str
    feature: str
    epoch: int
    request_id: str  # whose answer it is, so that it can be retracted
    at_ns: int
    expires_at_ns: int
    model: str
    provider: str
    finish: str
    p: float
    low: float
    body: bytes
    subject: str
    context: str = ""  # hex; of everything but the question's words that must be equal for a near hit; "": exact hits only
    answer: str = ""  # id of the answer among near questions: entries that say the same have one
    near: bytes = b""  # the question's vector and facts; not read back by `Cache.get`


class Commit(Struct, frozen=True, kw_only=True):
    """Everything that one request leaves behind; written in one transaction or not at all."""

    entry: JournalEntry
    settlements: tuple[Settlement, ...] = ()
    content: Content | None = None
    subject: str = ""  # in clear, to find the key; never stored in clear
    case: Case | None = None
    joins: bool = False  # where the same question of the same subject waits already, its case is joined, none is opened
    cache: CacheEntry | None = None
    revenue: tuple[Revenue, ...] = ()  # what it earned by being delivered
    proposal: Proposal | None = None  # of the near cache, watched or judged; one that was served stands already
    set_aside: Reservation | None = None  # for the minutes of the case that it opens; its limits are soft


class Expired(Struct, frozen=True, kw_only=True):
    """What a pass of retention destroyed."""

    keys: int = 0
    contents: int = 0  # that are unreadable by it


class Key(Struct, frozen=True, kw_only=True):
    """A virtual key as it is stored: never the key itself."""

    id: str
    prefix: str  # first characters, for people
    hash: str  # sha256 of the whole key, hex
    tenant: str
    features: tuple[str, ...] = ()
    budget_nanodollars: int | None = None  # on each feature, per `budget_window`
    budget_window: str = "month"
    budgets: tuple[Budget, ...] = ()  # over all features
    scopes: tuple[str, ...] = ()  # beyond asking: "outcomes"
    created_at_ns: int = 0
    revoked_at_ns: int | None = None
