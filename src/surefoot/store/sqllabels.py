"""Labels, revisions and incidents on tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, func, select

from surefoot.errors import NotFound, StoreError
from surefoot.records import Incident, Label, Revision
from surefoot.store import schema
from surefoot.store.database import Room


class SqlLabels(Room):
    """`Labels` on a table."""

    async def add(self, label: Label) -> bool:
        """Whether the label is new. Durable before it returns."""
        fields = msgspec.structs.asdict(label)
        row = fields | {"grouped": fields.pop("group")}

        def insert(connection: Connection) -> bool:
            known = select(schema.labels.c.id).where(schema.labels.c.id == label.id)
            if connection.execute(known).first() is not None:
                return False
            connection.execute(schema.labels.insert().values(row))
            return True

        return await self.database.write(insert)

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

        try:
            return await self.database.write(insert)
        except StoreError:  # another process took the number
            return await self.database.write(insert)

    async def get(self, number: int) -> Revision | None:
        """A revision, or None."""
        return next((found for found in await self.all() if found.number == number), None)

    async def all(self) -> Sequence[Revision]:
        """Every revision, oldest first."""
        table, promoted = schema.revisions.c, schema.promotions.c
        times = select(promoted.number, func.max(promoted.at_ns)).group_by(promoted.number)

        def query(connection: Connection) -> list[Revision]:
            at = dict(connection.execute(times).tuples().all())
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
        await self.database.write(lambda connection: connection.execute(schema.promotions.insert().values(row)))

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
        table = schema.incidents

        def insert(connection: Connection) -> bool:
            if connection.execute(select(table.c.id).where(table.c.id == incident.id)).first() is not None:
                return False
            connection.execute(table.insert().values(msgspec.structs.asdict(incident)))
            return True

        return await self.database.write(insert)

    async def all(self, *, feature: str | None = None) -> Sequence[Incident]:
        """Incidents, oldest first."""
        table = schema.incidents.c
        wanted = select(*table).order_by(table.at_ns, table.id)
        if feature is not None:
            wanted = wanted.where(table.feature == feature)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [Incident(**row._mapping) for row in rows]
