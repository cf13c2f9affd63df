"""Cases on tables. What becomes of a case is decided by `casework`; here it is read under a lock, written, and told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Update, and_, bindparam, func, or_, select

from surefoot.errors import StoreError
from surefoot.records import Case, Claim, Entry
from surefoot.records.case import PENDING, WAITING
from surefoot.store import casework, nearrows, schema
from surefoot.store.caseverbs import CaseVerbs, How, claim_of
from surefoot.store.casework import SKEW_NS, Change, Happened
from surefoot.store.database import Database
from surefoot.store.scribe import CASE_WORDS, case_label, hold_events
from surefoot.store.sqlaudit import chained
from surefoot.store.sqlcaseevents import SqlCaseEvents, opened_text
from surefoot.store.sqllabels import append_label
from surefoot.store.sqlrollups import spend

_table, _events = schema.cases, schema.case_events
_CLAIMS = 7_378_707  # any number that nobody else takes advisory locks of two numbers under


class SqlCases(SqlCaseEvents, CaseVerbs):
    """`Cases` on tables."""

    async def get(self, case_id: str, *, tenant: str) -> Case | None:
        """The case, or None when there is none or it belongs to another tenant."""
        return await self._first(_cases().where(_table.c.id == case_id, _table.c.tenant == tenant))

    async def find(self, case_id: str) -> Case | None:
        """The case, whoever's it is."""
        return await self._first(_cases().where(_table.c.id == case_id))

    async def open_cases(
        self, *, feature: str | None = None, kind: str | None = None, limit: int = 1000
    ) -> Sequence[Case]:
        """Cases in state "open", oldest first."""
        wanted = _cases().where(_table.c.state == "open").order_by(_table.c.opened_at_ns, _table.c.id).limit(limit)
        if feature is not None:
            wanted = wanted.where(_table.c.feature == feature)
        if kind is not None:
            wanted = wanted.where(_table.c.kind == kind)
        return await self._all(wanted)

    async def waiting(
        self, *, roles: Sequence[str] | None = None, states: Sequence[str] = WAITING, kind: str | None = None,
        feature: str | None = None, by: str | None = None, limit: int = 100, after: tuple[int, str] | None = None,
    ) -> Sequence[Case]:  # fmt: skip
        """The queue: by `rank_ns`, then id."""
        rank, case_id = _table.c.rank_ns, _table.c.id
        wanted = _cases().where(_table.c.state.in_(states)).order_by(rank, case_id).limit(limit)
        if roles is not None:
            wanted = wanted.where(_table.c.role.in_(roles))
        for column, value in ((_table.c.kind, kind), (_table.c.feature, feature), (_table.c.claimed_by, by)):
            if value is not None:
                wanted = wanted.where(column == value)
        if after is not None:
            wanted = wanted.where(or_(rank > after[0], and_(rank == after[0], case_id > after[1])))
        return await self._all(wanted)

    async def tally(self) -> Mapping[tuple[str, str], int]:
        """How many cases there are by (role, state)."""
        place = (_table.c.role, _table.c.state)
        wanted = select(*place, func.count()).where(_table.c.state.in_(PENDING)).group_by(*place)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return {(role, state): count for role, state, count in rows}

    async def find_waiting(
        self, fingerprint: str, *, tenant: str, feature: str, subject: str, states: Sequence[str] = PENDING
    ) -> Case | None:
        """The newest case of the same question of the same subject."""
        column = _table.c
        same = (column.fingerprint == fingerprint, column.tenant == tenant, column.feature == feature)
        mine = (column.subject == subject, column.kind == "question", column.state.in_(states))
        newest = _cases().where(*same, *mine).order_by(column.opened_at_ns.desc(), column.id.desc())
        return await self._first(newest.limit(1))

    async def claim(
        self, case_id: str, *, by: str, at_ns: int, lease_ns: int, capacity: Mapping[str, int] | None = None
    ) -> Claim | None:
        """The case for one person, until the lease ends."""

        def write(connection: Connection) -> Claim | None:
            held = _held(connection, by) if capacity else 0

            def take(case: Case) -> Change | None:
                return casework.claim(case, by=by, at_ns=at_ns, lease_ns=lease_ns, held=held, capacity=capacity)

            return claim_of(self._apply(connection, case_id, take))

        return await self.database.write(write, joins=True)

    async def claim_next(
        self, *, roles: Sequence[str] | None, by: str, at_ns: int, lease_ns: int,
        capacity: Mapping[str, int] | None = None,
    ) -> Claim | None:  # fmt: skip
        """The open case that comes first by rank and is not snoozed; on PostgreSQL locked ones are passed over."""
        wanted = select(_table.c.id).where(_table.c.state == "open", _table.c.snoozed_until_ns <= at_ns)
        if roles is not None:
            wanted = wanted.where(_table.c.role.in_(roles))
        first = wanted.order_by(_table.c.rank_ns, _table.c.id).limit(1).with_for_update(skip_locked=True)

        def write(connection: Connection) -> Claim | None:
            full = casework.full_roles(capacity, _held(connection, by)) if capacity else ()
            case_id = connection.execute(first.where(_table.c.role.not_in(full)) if full else first).scalar()
            if case_id is None:
                return None
            return claim_of(
                self._apply(
                    connection, case_id, lambda case: casework.claim(case, by=by, at_ns=at_ns, lease_ns=lease_ns)
                )
            )

        return await self.database.write(write, joins=True)

    async def change(self, case_id: str, how: How, entries: Sequence[Entry] = ()) -> Change | None:
        """Read a case under its lock, decide, and write what is new of it with its events, in one transaction."""
        return await self.database.write(lambda connection: self._apply(connection, case_id, how, entries), joins=True)

    async def deliver_due(self, *, now_ns: int, limit: int = 100) -> Sequence[Case]:
        """Answered cases whose undo window has ended, delivered now."""
        column = _table.c
        ripe = or_(column.deliver_at_ns <= now_ns, column.answered_at_ns > now_ns + SKEW_NS)
        wanted = select(column.id).where(column.state == "answered", ripe).order_by(column.deliver_at_ns, column.id)
        changes = await self._each(wanted.limit(limit), lambda case: casework.deliver(case, now_ns=now_ns))
        return [change.case for change in changes]

    async def lapse_leases(self, *, now_ns: int) -> int:
        """Put cases back into the queue whose lease has ended; returns how many."""
        column = _table.c
        ended = or_(column.lease_until_ns <= now_ns, column.lease_until_ns - column.lease_ns > now_ns)
        wanted = select(column.id).where(column.state == "claimed", ended).order_by(column.id)
        changes = await self._each(wanted, lambda case: casework.lapse(case, now_ns=now_ns))
        return sum(change.case.state == "open" for change in changes)

    async def overdue(self, *, now_ns: int, limit: int = 100) -> Sequence[Case]:
        """Waiting cases past their deadline, and expired ones whose safe default nobody is working on."""
        column = _table.c
        untold = column.delivered_at_ns == 0  # of waiting ones always; said for the index
        late = and_(column.state.in_(WAITING), untold, column.deadline_ns > 0, column.deadline_ns <= now_ns)
        begun = and_(column.state == "expired", untold, column.lease_until_ns <= now_ns)
        wanted = _cases().where(or_(late, begun)).order_by(column.deadline_ns, column.id)
        return await self._all(wanted.limit(limit))

    async def thread(self, subject: str, *, limit: int) -> Sequence[Case]:
        """A subject's cases in any state, newest first."""
        mine = _cases().where(_table.c.subject == subject, _table.c.kind == "question")
        return await self._all(mine.order_by(_table.c.opened_at_ns.desc(), _table.c.id.desc()).limit(limit))

    async def _first(self, wanted: Select[Any]) -> Case | None:
        database = self.database
        row = await database.read(lambda connection: connection.execute(wanted).first())
        return None if row is None else _case(database, row)

    async def _all(self, wanted: Select[Any]) -> Sequence[Case]:
        return [_case(self.database, row) for row in await self._rows(wanted)]

    async def _each(self, wanted: Select[Any], how: How) -> Sequence[Change]:
        """Change every case of a query, in one transaction; those that somebody else is changing are left out."""
        locked = wanted.with_for_update(skip_locked=True)

        def write(connection: Connection) -> list[Change]:
            found = [self._apply(connection, case_id, how) for case_id in connection.execute(locked).scalars().all()]
            return [change for change in found if change is not None]

        if not await self.database.read(lambda connection: connection.execute(wanted.limit(1)).first()):
            return []  # nearly always, every second
        return await self.database.write(write)

    def _apply(self, connection: Connection, case_id: str, how: How, entries: Sequence[Entry] = ()) -> Change | None:
        """Read a case under its lock, decide, write what is new of it with its events. Locks: case, budgets, events, cache."""
        database = self.database
        row = connection.execute(_BY_ID, {"of_case": case_id}).first()
        if row is None:
            return None
        case = _case(database, row)
        change = how(case)
        if change is None:
            return None
        texts = [(event.text, case_label(case_id, "event")) for event in change.events if event.text is not None]
        words = {
            name: text
            for name in CASE_WORDS
            if (text := getattr(change.case, name)) is not None and text != getattr(case, name)
        }
        texts += [(text, case_label(case_id, name)) for name, text in words.items()]
        others = _others(change.case, words, row)
        moving = [(text, case_label(case_id, name)) for name, text in others.items()]
        generation, sealed = (
            database.seal(connection, case.subject, texts, moving=moving, old=row.generation) if texts else (None, [])
        )
        if len(sealed) > len(texts):  # under a newer key they move along with what was written now
            words |= others
        told = iter(sealed)
        rows = [_event_row(case_id, event, generation, told) for event in change.events]
        _write(connection, row, change.case, dict(zip(words, told, strict=True)), generation)
        unjudged = change.audit is not None and connection.execute(_judged(change.audit)).first() is None
        audited = change.audit.id if change.audit is not None and unjudged else ""
        if change.done and change.events and (entries or change.case.is_worked):
            # Before the events: whoever commits a request locks budgets, then events.
            database.account(
                connection, case_id, entries, released=change.case.is_worked, ended=change.case.has_ended, audit=audited
            )  # fmt: skip
        if change.audit is not None and audited:
            connection.execute(_table.insert(), msgspec.structs.asdict(change.audit) | {"generation": row.generation})
            rows.append(_event_row(change.audit.id, casework.opened(change.audit), None, told))
        _append(connection, rows)
        if change.done and change.events and entries:
            spend(connection, database.statements, entries)
        if change.label is not None:
            if change.label.verdict == "wrong":  # before the label, which may move a near cache's account: as commits do
                nearrows.retract(connection, *_cached(case))
            new = append_label(connection, database.statements, change.label)
            if not new and change.case.state == "judged":
                raise StoreError(f"there is a label {change.label.id} already")
        return change


def _others(case: Case, words: Mapping[str, str], row: Row[Any]) -> dict[str, str]:
    """The words of a case that stay as they are while others are written; none whose key is destroyed."""
    if not words or row.wrapped_key is None:
        return {}
    return {name: text for name in CASE_WORDS if name not in words and (text := getattr(case, name)) is not None}


def _held(connection: Connection, by: str) -> int:
    """How many claims a person has. Until the transaction ends nobody else claims for the same person.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_CLAIMS, func.hashtext(by))))
    mine = select(func.count()).where(_table.c.state == "claimed", _table.c.claimed_by == by)
    return int(connection.execute(mine).scalar_one())


def _write(connection: Connection, row: Row[Any], case: Case, words: dict[str, bytes], generation: int | None) -> None:
    """Write the columns that changed. Words whose key is destroyed are dropped: they cannot be read any more."""
    old = row._mapping
    values: dict[str, object] = {
        name: getattr(case, name)
        for name in case.__struct_fields__
        if name not in CASE_WORDS and getattr(case, name) != _plain(old[name])
    }
    for name in CASE_WORDS:
        if name in words:
            values[name] = words[name]
        elif getattr(case, name) is None and old[name] is not None and (old.wrapped_key is not None):
            values[name] = None
    if words and generation != old["generation"]:
        values |= {name: None for name in CASE_WORDS if name not in words}
        values["generation"] = generation
    if values:
        connection.execute(_update(tuple(sorted(values))), values | {"of_case": case.id})


def _append(connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
    """Append events, on PostgreSQL one transaction after the other: no reader sees a number before a lower one."""
    if rows:
        hold_events(connection)
        chained(connection, *rows)


def _event_row(case_id: str, event: Happened, generation: int | None, sealed: Any) -> dict[str, object]:
    text = None if event.text is None else next(sealed)
    return {
        "case_id": case_id, "at_ns": event.at_ns, "kind": event.kind, "detail": event.detail, "by": event.by,
        "state": event.state, "generation": None if text is None else generation, "text": text,
    }  # fmt: skip


def _cached(case: Case) -> tuple[ColumnElement[bool], ...]:
    """Where the answer to a case's question is cached, and the one that it was given for a near question."""
    table = schema.cache.c
    named = or_(table.fingerprint == case.fingerprint, table.fingerprint.in_(nearrows.given(case.request_id)))
    return (table.tenant == case.tenant, table.feature == case.feature, named)


def _judged(audit: Case) -> Any:
    """Whether somebody judged the draft blind already."""
    column = schema.labels.c
    same = (column.request_id == audit.request_id, column.rung == audit.rung, column.source.in_(casework.BLIND))
    return select(column.id).where(*same).limit(1)


def _cases() -> Select[Any]:
    subjects = schema.subjects
    of_subject = and_(subjects.c.subject == _table.c.subject, subjects.c.generation == _table.c.generation)
    return select(*_table.c, subjects.c.wrapped_key).select_from(_table.outerjoin(subjects, of_subject))


_BY_ID = _cases().where(_table.c.id == bindparam("of_case")).with_for_update(of=_table)


@lru_cache(256)
def _update(names: tuple[str, ...]) -> Update:
    """An update of some columns of one case: few sets of names, and building a statement costs more than running it."""
    return _table.update().where(_table.c.id == bindparam("of_case")).values({name: bindparam(name) for name in names})


def _case(database: Database, row: Row[Any]) -> Case:
    fields = dict(row._mapping)
    for name in CASE_WORDS:
        fields[name] = opened_text(database, row, name, row.id, name)
    del fields["wrapped_key"], fields["generation"]
    if fields["label"] is not None:
        fields["label"] = bytes(fields["label"])
    return Case(**fields)


def _plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
