"""Which keys hold nothing young any more, and destroying them: the content is unreadable, its chains stay whole."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, or_, select, tuple_

from surefoot.records import Expired
from surefoot.records.audit import AuditEvent
from surefoot.records.case import PENDING
from surefoot.store import schema
from surefoot.store.sqlaudit import append
from surefoot.store.sqlholds import lock, standing

_MARGIN_NS = 600_000_000_000  # longer than a transaction takes that still seals under the key


def old_keys(before_ns: int, limit: int) -> Select[Any]:
    """(subject, generation) of living keys under which nothing is younger and nothing is needed, the oldest first."""
    subjects, contents, cases = schema.subjects.c, schema.contents.c, schema.cases.c
    journal, labels, events = schema.journal.c, schema.labels.c, schema.case_events.c
    cache, hooks = schema.cache.c, schema.hooks.c
    held = standing().order_by(None).subquery()
    mine = and_(contents.subject == subjects.subject, contents.generation == subjects.generation)
    asked = and_(cases.subject == subjects.subject, cases.kind == "question", cases.state.in_(PENDING))
    needed = exists().where(mine, contents.request_id == cases.request_id).correlate(schema.subjects, schema.cases)
    young: Sequence[ColumnElement[bool]] = (
        exists().where(mine, journal.request_id == contents.request_id, journal.at_ns >= before_ns),
        exists().where(mine, labels.id == contents.request_id, labels.at_ns >= before_ns),
        exists().where(
            cases.subject == subjects.subject, events.case_id == cases.id, events.generation == subjects.generation,
            events.at_ns >= before_ns,
        ),
        exists().where(
            cache.subject == subjects.subject, cache.generation == subjects.generation, cache.at_ns >= before_ns
        ),
    )  # fmt: skip
    used: Sequence[ColumnElement[bool]] = (
        exists().where(asked, or_(cases.generation == subjects.generation, needed)),
        exists().where(
            hooks.subject == subjects.subject, hooks.generation == subjects.generation, hooks.state == "waiting"
        ),
        exists().where(held.c.subject == subjects.subject),
    )
    living = and_(subjects.wrapped_key.is_not(None), subjects.created_at_ns < before_ns - _MARGIN_NS)
    wanted = select(subjects.subject, subjects.generation).where(living, *(~each for each in (*young, *used)))
    return wanted.order_by(subjects.created_at_ns, subjects.subject, subjects.generation).limit(limit)


def destroy_old(connection: Connection, before_ns: int, limit: int) -> tuple[Sequence[str], Expired]:
    """(whose keys are destroyed, what that came to), in an open writing transaction; an event for each subject."""
    lock(connection)
    found = [tuple(row) for row in connection.execute(old_keys(before_ns, limit)).all()]
    if not found:
        return (), Expired()
    subjects, contents = schema.subjects, schema.contents
    lost = select(contents.c.subject, func.count()).group_by(contents.c.subject)
    rows = connection.execute(lost.where(tuple_(contents.c.subject, contents.c.generation).in_(found))).all()
    counts = {subject: 0 for subject, _ in found} | {row[0]: row[1] for row in rows}
    gone = subjects.update().where(tuple_(subjects.c.subject, subjects.c.generation).in_(found))
    connection.execute(gone.values(wrapped_key=None, destroyed_at_ns=time.time_ns()))
    append(connection, [
        AuditEvent(kind="subject.erased", on=subject, detail=f"retention: {counts[subject]} contents")
        for subject in sorted(counts)
    ])  # fmt: skip
    return sorted(counts), Expired(keys=len(found), contents=sum(counts.values()))
