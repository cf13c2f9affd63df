"""Legal holds on a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Select, func, select

from surefoot.errors import LegalHold
from surefoot.records.audit import Hold
from surefoot.store import schema
from surefoot.store.database import Room
from surefoot.store.sqlaudit import insert

_LOCK = 7_378_707_014  # any number that nobody else takes an advisory lock on


class SqlHolds(Room):
    """`Holds` on a table: the newest row of a subject counts."""

    async def place(self, hold: Hold) -> bool:
        """Whether the hold is new. Durable before it returns."""
        return await self._switch(hold, "hold")

    async def release(self, hold: Hold) -> bool:
        """Whether the subject was under hold; it is not any more. Durable before it returns."""
        return await self._switch(hold, "release")

    async def all(self) -> Sequence[Hold]:
        """What is under hold now, the longest first."""
        rows = await self.database.read(lambda connection: connection.execute(standing()).all())
        return [Hold(subject=row.subject, at_ns=row.at_ns, by=row.by, reason=row.reason) for row in rows]

    async def _switch(self, hold: Hold, verb: str) -> bool:
        def write(connection: Connection) -> bool:
            lock(connection)
            held = connection.execute(standing().where(schema.holds.c.subject == hold.subject)).first() is not None
            if held == (verb == "hold"):
                return False
            insert(connection, schema.holds.name, asdict(hold) | {"verb": verb})
            return True

        return await self.database.write(write)


def standing() -> Select[Any]:
    """The holds that stand."""
    table = schema.holds.c
    last = select(func.max(table.id)).group_by(table.subject)
    return select(*table).where(table.id.in_(last), table.verb == "hold").order_by(table.at_ns, table.id)


def lock(connection: Connection) -> None:
    """Let nobody else place, release or destroy until the transaction ends. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def see_free(connection: Connection, subject: str) -> None:
    """See, in the transaction that destroys, that a subject may be erased. Raises LegalHold."""
    lock(connection)
    row = connection.execute(standing().where(schema.holds.c.subject == subject)).first()
    if row is not None:
        raise LegalHold(by=row.by, at_ns=row.at_ns)
