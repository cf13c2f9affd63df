"""What the audit trail holds: who did what to what and when, stops of features, and signed checkpoints."""

from __future__ import annotations

from msgspec import Struct


class AuditEvent(Struct, frozen=True, kw_only=True):
    """Something that somebody did. It holds no content and no personal datum beyond who acted.

    Where a row was written beside it, the event vouches for that row: `digest` is over `columns` of `row` of `table`.
    """

    kind: str  # what was done: "case.claimed", "label.added", "access.reveal", "feature.stopped"
    by: str = ""  # a person's or a key's name; "" is the program itself
    on: str = ""  # what it was done to: a case, a label, a feature, a person
    detail: str = ""  # a reason, an old and a new value
    at_ns: int = 0  # the server's clock when it was written; whoever adds an event does not say
    table: str = ""
    row: str = ""  # its key
    columns: tuple[str, ...] = ()
    digest: str = ""  # sha256, hex


class AuditRow(Struct, frozen=True, kw_only=True):
    """An event with its place in its writer's chain."""

    chain: str
    position: int  # from 1, without gaps
    event: AuditEvent
    hash: str  # hex


class Stop(Struct, frozen=True, kw_only=True):
    """A feature that is stopped, or all of them."""

    feature: str  # "*": all
    at_ns: int
    by: str
    reason: str
    refuse: bool = False  # requests are refused; else they wait for the person


class Hold(Struct, frozen=True, kw_only=True):
    """A legal hold: what a subject said may not be destroyed. Of a release: who ended it, when and why."""

    subject: str  # a pseudonym
    at_ns: int
    by: str
    reason: str


class Head(Struct, frozen=True, kw_only=True):
    """How long a chain was and the hash of its newest row."""

    trail: str  # "journal" | "audit"
    chain: str
    position: int
    hash: str  # hex


class Checkpoint(Struct, frozen=True, kw_only=True):
    """The heads of every chain at one moment, signed. Kept elsewhere, it shows that rows were cut off or rewritten since."""

    at_ns: int
    heads: tuple[Head, ...]
    public_key: str  # Ed25519, hex
    signature: str = ""  # hex, over everything else
