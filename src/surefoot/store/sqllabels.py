"""Labels, revisions and incidents on tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from surefoot.errors import NotFound, StoreError
from surefoot.records import Content, Incident, Label, Revision
from surefoot.store import nearrows, schema
from surefoot.store.database import Room
from surefoot.store.sqlaudit import insert, vouch
from surefoot.store.sqljournal import read_content
from surefoot.store.statements import Statements

_TRIES = 20  # of processes that number revisions at once, one comes through each time


class SqlLabels(Room):
    """`Labels` on a table."""

    async def add(self, label: Label) -> bool:
        """Whether the label is new. Durable before it returns."""
        return (await self.add_all([label]))[0]

    async def add_all(self, labels: Sequence[Label], *, remarks: Mapping[str, str] | None = None) -> Sequence[bool]:
        """Which labels are new, in one transaction. Durable before it returns."""
        database, said = self.database, remarks or {}

        def write(connection: Connection) -> list[bool]:
            new = []
            for label in labels:
                new.append(append_label(connection, database.statements, label))
                if new[-1] and label.id in said:
                    content = Content(request_body=said[label.id].encode())
                    database.keep(connection, _subject(connection, label), label.id, content)
            return new

        return await database.write(write) if labels else []

    async def remark(self, label_id: str) -> str | None:
        """What was said with a label in free words; None when nothing was, or its subject's key is destroyed."""
        kept = await read_content(self.database, label_id)
        return None if kept is None else kept.request_body.decode()

    async def of(self, request_id: str) -> Sequence[Label]:
        """What was said of a request's drafts, oldest first."""
        table = schema.labels.c
        return await self._labels(select(*table).where(table.request_id == request_id))

    async def all(self, *, feature: str | None = None, since_ns: int = 0) -> Sequence[Label]:
        """Labels, oldest first."""
        table = schema.labels.c
        wanted = select(*table).where(table.at_ns >= since_ns)
        return await self._labels(wanted if feature is None else wanted.where(table.feature == feature))

    async def count(self, *, feature: str) -> int:
        """How many labels a feature has."""
        wanted = select(func.count()).where(schema.labels.c.feature == feature)
        return int(await self.database.read(lambda connection: connection.execute(wanted).scalar_one()))

    async def _labels(self, wanted: Select[Any]) -> Sequence[Label]:
        table = schema.labels.c
        query = wanted.order_by(table.at_ns, table.id)
        rows = await self.database.read(lambda connection: connection.execute(query).all())
        return [_label(row) for row in rows]


def append_label(connection: Connection, statements: Statements, label: Label) -> bool:
    """Whether a label is new, written in an open transaction. Of two processes with the same id one is told no."""
    row = msgspec.structs.astuple(label)
    if not connection.exec_driver_sql(statements.labels, row).rowcount:
        return False
    columns = [column.name for column in schema.labels.c]
    vouch(connection, schema.labels.name, [dict(zip(columns, row, strict=True))])
    nearrows.hear(connection, label)
    return True


def _subject(connection: Connection, label: Label) -> str:
    """The pseudonym whose content a label's request is. Raises StoreError when the request is not in the journal."""
    table = schema.journal.c
    found = connection.execute(select(table.subject).where(table.request_id == label.request_id)).scalar()
    if found is None:
        raise StoreError(f"request {label.request_id} is not in the journal: nobody's key can seal what was said")
    return str(found)


def _label(row: Row[tuple[object, ...]]) -> Label:
    fields = dict(row._mapping)
    fields["group"] = fields.pop("grouped")
    return Label(**fields)


class SqlRevisions(Room):
    """`Revisions` on two tables: what was learned, and what was promoted when."""

    async def add(self, data: bytes, *, note: str, at_ns: int) -> int:
        """The number of a new candidate, one above the last. Durable before it returns."""
        table = schema.revisions

        def insert(connection: Connection) -> int:
            last = connection.execute(select(func.max(table.c.number))).scalar() or 0
            connection.execute(table.insert().values(number=last + 1, at_ns=at_ns, note=note, data=data))
            return int(last) + 1

        for left in reversed(range(_TRIES)):
            try:
                return await self.database.write(insert)
            except StoreError:  # another process took the number
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def get(self, number: int) -> Revision | None:
        """A revision, or None."""
        return next((found for found in await self.all() if found.number == number), None)

    async def all(self) -> Sequence[Revision]:
        """Every revision, oldest first."""
        table, promoted = schema.revisions.c, schema.promotions.c
        times = select(promoted.number, func.max(promoted.at_ns).label("last")).group_by(promoted.number)

        def query(connection: Connection) -> list[Revision]:
            at = {row.number: row.last for row in connection.execute(times).all()}
            serving = _serving(connection)
            return [
                Revision(
                    number=row.number, at_ns=row.at_ns, note=row.note, data=row.data,
                    serving=row.number == serving, promoted_at_ns=at.get(row.number),
                )
                for row in connection.execute(select(*table).order_by(table.number)).all()
            ]  # fmt: skip

        return await self.database.read(query)

    async def promote(self, number: int, *, at_ns: int) -> None:
        """Serve a revision from now on; 0 serves the configuration alone. Raises NotFound. Durable before it returns."""
        if number and await self.get(number) is None:
            raise NotFound(f"there is no revision {number}")
        row = {"number": number, "at_ns": at_ns}

        await self.database.write(lambda connection: insert(connection, schema.promotions.name, row))

    async def serving(self) -> int:
        """The number that serves; 0 before the first promotion."""
        return await self.database.read(_serving)

    async def promotions(self) -> Sequence[tuple[int, int]]:
        """(at_ns, number) of every promotion, oldest first."""
        table = schema.promotions.c
        wanted = select(table.at_ns, table.number).order_by(table.id)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [(at_ns, number) for at_ns, number in rows]


def _serving(connection: Connection) -> int:
    table = schema.promotions.c
    return int(connection.execute(select(table.number).order_by(table.id.desc()).limit(1)).scalar() or 0)


class SqlIncidents(Room):
    """`Incidents` on a table."""

    async def add(self, incident: Incident) -> bool:
        """Whether the incident is new. Durable before it returns."""
        statement, row = self.database.statements.incidents, msgspec.structs.astuple(incident)
        return await self.database.write(lambda connection: connection.exec_driver_sql(statement, row).rowcount > 0)

    async def all(self, *, feature: str | None = None) -> Sequence[Incident]:
        """Incidents, oldest first."""
        table = schema.incidents.c
        wanted = select(*table).order_by(table.at_ns, table.id)
        if feature is not None:
            wanted = wanted.where(table.feature == feature)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [Incident(**row._mapping) for row in rows]
