"""Reading the audit trail on tables, verifying it, and the stops of features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import MsgspecError
from sqlalchemy import ColumnElement, Connection, Select, func, select
from sqlalchemy.engine import Row

from surefoot.errors import TrailBroken
from surefoot.records.audit import AuditEvent, AuditRow, Checkpoint, Head, Stop
from surefoot.store import schema
from surefoot.store.audit import BEGAN, VOUCHED, Walk, decode, named
from surefoot.store.database import Room
from surefoot.store.sqlaudit import append, heads, insert, stored

PAGE = 1000
_TABLE = "audit_events"


class SqlAudit(Room):
    """`Audit` on a table."""

    async def add(self, event: AuditEvent) -> None:
        """Write an event, durable before this returns. Raises StoreError."""
        await self.database.write(lambda connection: append(connection, [event]))

    async def events(
        self, *, kind: str = "", by: str = "", on: str = "", since_ns: int = 0, limit: int = 1000
    ) -> Sequence[AuditRow]:
        """Events, newest first; `kind` is the beginning of one."""
        table = schema.audit_events.c
        wanted = select(*table).where(table.at_ns >= since_ns)
        for column, value in ((table.by, by), (table.on, on)):
            if value:
                wanted = wanted.where(column == value)
        if kind:
            wanted = wanted.where(table.kind.startswith(kind, autoescape=True))
        newest = wanted.order_by(table.at_ns.desc(), table.chain.desc(), table.position.desc()).limit(limit)
        rows = await self.database.read(lambda connection: connection.execute(newest).all())
        return [_row(row) for row in rows]

    async def heads(self) -> Sequence[Head]:
        """The newest row of every chain, of the journal too."""
        return await self.database.read(lambda c: [*heads(c, "journal"), *heads(c, "audit")])

    async def verify(self, checkpoint: Checkpoint | None = None) -> int:
        """How many rows verify. Raises TrailBroken at the first that does not."""
        return await self.database.read(lambda connection: _verify(connection, checkpoint))

    async def stop(self, stop: Stop) -> None:
        """Stop a feature, or "*". Durable before this returns."""
        await self._switch(stop, "stop")

    async def resume(self, feature: str, *, by: str, reason: str, at_ns: int) -> bool:
        """Whether the feature was stopped; it is not any more. Durable before this returns."""
        if feature not in {stop.feature for stop in await self.stops()}:
            return False
        await self._switch(Stop(feature=feature, at_ns=at_ns, by=by, reason=reason), "resume")
        return True

    async def stops(self) -> Sequence[Stop]:
        """What is stopped now, by name."""
        table = schema.stops.c
        last = select(func.max(table.id)).group_by(table.feature)
        wanted = select(*table).where(table.id.in_(last), table.verb == "stop").order_by(table.feature)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [
            Stop(feature=row.feature, at_ns=row.at_ns, by=row.by, reason=row.reason, refuse=bool(row.refuse))
            for row in rows
        ]

    async def _switch(self, stop: Stop, verb: str) -> None:
        row = {
            "at_ns": stop.at_ns, "feature": stop.feature, "verb": verb, "by": stop.by, "reason": stop.reason,
            "refuse": stop.refuse,
        }  # fmt: skip

        def write(connection: Connection) -> None:
            insert(connection, schema.stops.name, row)

        await self.database.write(write)


def _verify(connection: Connection, checkpoint: Checkpoint | None) -> int:
    """In one snapshot: what is written meanwhile is not looked at."""
    if connection.dialect.name == "postgresql":
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            return _walk(connection, checkpoint)
    connection.exec_driver_sql("BEGIN")
    try:
        return _walk(connection, checkpoint)
    finally:
        connection.exec_driver_sql("ROLLBACK")


def _walk(connection: Connection, checkpoint: Checkpoint | None) -> int:
    table = schema.audit_events.c
    firsts = select(table.chain).group_by(table.chain).order_by(func.min(table.at_ns), table.chain)
    chains = list(connection.execute(firsts).scalars())
    beginnings = select(table.chain, table.position, table.body).where(table.kind == BEGAN)
    wanted = []
    for first in connection.execute(beginnings).all():
        place = f"{first.chain}/{first.position}"
        wanted += named(place, _decoded(place, first.body))
    anchored = () if checkpoint is None else checkpoint.heads
    wanted += [(head, "the checkpoint") for head in anchored if head.trail == "audit"]
    walk = Walk(wanted)
    for chain in chains:
        walk.begin(chain)
        for row in _rows_of(connection, chain):
            event = walk.step(row.position, bytes(row.prev_hash), bytes(row.hash), bytes(row.body))
            if (event.kind, event.by, event.on, event.at_ns) != (row.kind, row.by, row.on, row.at_ns):
                raise TrailBroken(_TABLE, f"{chain}/{row.position}", "its columns do not say what its body says")
    walk.end()
    for head in anchored:
        if head.trail == "journal":
            _check_journal(connection, head)
    for name in VOUCHED:
        guarded = schema.metadata.tables[name]
        (key,) = guarded.primary_key
        for found in _pages(connection, select(*guarded.c), key):
            walk.compare(name, str(found._mapping[key]), stored(name, found._asdict()))
    walk.close()
    return walk.rows


def _check_journal(connection: Connection, head: Head) -> None:
    table = schema.journal.c
    wanted = select(table.hash).where(table.chain == head.chain, table.position == head.position)
    found = connection.execute(wanted).scalar()
    if found is None or bytes(found).hex() != head.hash:
        why = "the row is missing" if found is None else "it is not the row that was there"
        raise TrailBroken("journal", f"{head.chain}/{head.position}", f"{why}: the checkpoint names it")


def _rows_of(connection: Connection, chain: str) -> Iterator[Row[Any]]:
    table = schema.audit_events.c
    yield from _pages(connection, select(*table).where(table.chain == chain), table.position)


def _pages(connection: Connection, query: Select[Any], key: ColumnElement[Any]) -> Iterator[Row[Any]]:
    """All rows of a query, by a unique column; read page by page, so that a long trail needs little memory."""
    page = query.order_by(key).limit(PAGE)
    rows = connection.execute(page).all()
    while rows:
        yield from rows
        rows = connection.execute(page.where(key > rows[-1]._mapping[key])).all() if len(rows) == PAGE else []


def _decoded(place: str, body: bytes) -> AuditEvent:
    try:
        return decode(bytes(body))
    except MsgspecError:
        raise TrailBroken(_TABLE, place, "its body cannot be read") from None


def _row(row: Row[Any]) -> AuditRow:
    event = _decoded(f"{row.chain}/{row.position}", row.body)
    return AuditRow(chain=row.chain, position=row.position, event=event, hash=bytes(row.hash).hex())
