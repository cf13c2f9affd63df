"""The same question at the same moment: of several requests one opens the case, the others join it, on whatever replica.

Decided in the commit's own transaction, since a look before it cannot see what another replica is about to write.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace
from sqlalchemy import Connection, select

from surefoot.records import Commit
from surefoot.records.case import PENDING
from surefoot.store import schema

_QUESTIONS = 7_378_708  # any number that nobody else takes advisory locks of two numbers under


class Asked(Struct, frozen=True, order=True):
    """Whose question it is; `subject` is a pseudonym."""

    tenant: str
    feature: str
    subject: str
    fingerprint: str


def asked(commit: Commit, subject: str) -> Asked | None:
    """What a commit asks, when its case need not be opened where that waits already; else None."""
    case = commit.case
    if case is None or not commit.joins or case.kind != "question":
        return None
    return Asked(case.tenant, case.feature, subject, case.fingerprint)


def joined(commit: Commit, case_id: str) -> Commit:
    """The commit without a case of its own: its journal entry names the one that waits."""
    return replace(commit, case=None, set_aside=None, entry=replace(commit.entry, case_id=case_id))


def waiting(connection: Connection, questions: Collection[Asked]) -> Mapping[Asked, str]:
    """The ids of the cases that questions wait in. On PostgreSQL nobody else opens one for them until the transaction ends.

    The locks are the first that a commit takes, in the order of their numbers. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        for number in sorted({_number(each) for each in questions}):
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_QUESTIONS}, {number})")
    found = {}
    for each in questions:
        column = schema.cases.c
        same = (column.fingerprint == each.fingerprint, column.tenant == each.tenant, column.feature == each.feature)
        mine = (column.subject == each.subject, column.kind == "question", column.state.in_(PENDING))
        newest = select(column.id).where(*same, *mine).order_by(column.opened_at_ns.desc(), column.id.desc()).limit(1)
        case_id = connection.execute(newest).scalar()
        if case_id is not None:
            found[each] = case_id
    return found


def _number(question: Asked) -> int:
    """A lock's number: 32 bits, signed. Questions that share one wait for each other, no more."""
    text = "\0".join((question.tenant, question.feature, question.subject, question.fingerprint))
    return int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), signed=True)
