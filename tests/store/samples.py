"""Records to write, with as little said as a test needs."""

from __future__ import annotations

from surefoot.records import (
    BudgetLimit,
    CacheEntry,
    Case,
    Commit,
    Content,
    Deliver,
    Entry,
    Incident,
    JournalEntry,
    Key,
    Label,
    Reservation,
    Settlement,
    Step,
)

KEY = "0b" * 32  # a master key for tests
MINUTE = 60_000_000_000
SCOPE, WINDOW = "key:k1/feature:triage", "2026-11"


def journal(
    name: str, *, at_ns: int = 1, tenant: str = "clinic", feature: str = "triage", subject: str = ""
) -> JournalEntry:
    """A journal entry with one step."""
    return JournalEntry(
        request_id=name, at_ns=at_ns, draw="0" * 32, tenant=tenant, key_id="k1", feature=feature, dialect="openai",
        surface="chat", subject=subject, policy="p1", mode="enforce", action="deliver", rung="small",
        steps=(Step(stage="decide", rung="small", value=Deliver("p >= 0.900, bar 0.85")),),
    )  # fmt: skip


def entry(name: str, nanodollars: int, *, kind: str = "input", feature: str = "triage") -> Entry:
    """A ledger line."""
    return Entry(
        request_id=name, at_ns=1, tenant="clinic", key_id="k1", feature=feature, rung="small", provider="acme",
        model="small-1", kind=kind, quantity=100, price_per_million=50, nanodollars=nanodollars, price_version="v1",
    )  # fmt: skip


def content(text: str = "hello") -> Content:
    """What was said."""
    return Content(request_body=text.encode(), answers=(("small", b"answer to " + text.encode()),))


def commit(
    name: str,
    *,
    settlements: tuple[Settlement, ...] = (),
    said: str | None = None,
    subject: str = "user:clinic:ann",
    pseudonym: str = "",
    case: Case | None = None,
    cache: CacheEntry | None = None,
) -> Commit:
    """What a request leaves behind."""
    said_content = None if said is None else content(said)
    return Commit(
        entry=journal(name, subject=pseudonym),
        settlements=settlements,
        content=said_content,
        subject=subject,
        case=case,
        cache=cache,
    )


def limit(nanodollars: int, *, scope: str = SCOPE) -> BudgetLimit:
    """A budget's bar."""
    return BudgetLimit(scope=scope, window=WINDOW, limit_nanodollars=nanodollars, resets_at_ns=99)


def reservation(name: str, nanodollars: int, *limits: BudgetLimit, at_ns: int = 1) -> Reservation:
    """Money set aside for a call of request `name`."""
    return Reservation(
        id=f"r-{name}", request_id=name, at_ns=at_ns, tenant="clinic", key_id="k1", feature="triage", rung="small",
        provider="acme", model="small-1", nanodollars=nanodollars, limits=limits,
    )  # fmt: skip


def settled(name: str, *nanodollars: int) -> tuple[Settlement, ...]:
    """The settlement of the reservation of request `name`."""
    return (Settlement(reservation_id=f"r-{name}", entries=tuple(entry(name, amount) for amount in nanodollars)),)


def case(name: str, *, tenant: str = "clinic", feature: str = "triage", at_ns: int = 1, kind: str = "question") -> Case:
    """A waiting question, or an audit."""
    audit = kind == "audit"
    return Case(
        id=f"case-{name}", request_id=name, tenant=tenant, feature=feature, role="nurse", state="open", reason="unsure",
        opened_at_ns=at_ns, subject="", fingerprint="f1", p=None if audit else 0.4, kind=kind, rung="small",
        propensity=0.1 if audit else None,
    )  # fmt: skip


def cached(
    name: str, *, fingerprint: str = "f1", tenant: str = "clinic", feature: str = "triage", epoch: int = 0
) -> CacheEntry:
    """A believed answer, alive for a minute."""
    return CacheEntry(
        fingerprint=fingerprint, tenant=tenant, feature=feature, epoch=epoch, request_id=name, at_ns=1,
        expires_at_ns=MINUTE, model="small-1", provider="acme", finish="stop", p=0.9, low=0.85, body=b"the answer",
        subject="",
    )  # fmt: skip


def key(name: str, *, at_ns: int = 1, scopes: tuple[str, ...] = ()) -> Key:
    """A virtual key."""
    return Key(
        id=name, prefix="sf-1", hash=f"hash of {name}", tenant="clinic", features=("triage",), created_at_ns=at_ns,
        scopes=scopes,
    )  # fmt: skip


def label(
    name: str, *, request: str = "a", verdict: str = "accepted", source: str = "audit", feature: str = "triage", at_ns: int = 1
) -> Label:  # fmt: skip
    """What somebody who knows says of a draft."""
    return Label(
        id=name, request_id=request, at_ns=at_ns, tenant="clinic", feature=feature, rung="small", edition="e1",
        verdict=verdict, source=source, group="f1", propensity=0.1 if source == "audit" else None, reason="tone", by="k1",
    )  # fmt: skip


def incident(name: str, *, feature: str = "triage", at_ns: int = 1) -> Incident:
    """An alarm."""
    return Incident(id=name, at_ns=at_ns, feature=feature, rung="small", kind="drift", detail="{}")
