"""Bets on a table."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import asdict
from sqlalchemy import Connection, select

from surefoot.records.bet import Bet, BetEvent
from surefoot.store import schema
from surefoot.store.bets import bets_of, check_event, takes
from surefoot.store.database import Room
from surefoot.store.sqlaudit import insert

_LOCK = 7_378_707_015  # any number that nobody else takes an advisory lock on


class SqlBets(Room):
    """`Bets` on a table of events."""

    async def append(self, event: BetEvent) -> bool:
        """Whether it was taken. Durable before it returns."""
        check_event(event)
        table = schema.bet_events.c

        def write(connection: Connection) -> bool:
            if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyway
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            before = connection.execute(select(table.kind).where(table.bet_id == event.bet_id)).scalars().all()
            if not takes(event.kind, before):
                return False
            insert(connection, schema.bet_events.name, asdict(event))
            return True

        return await self.database.write(write)

    async def all(self) -> Sequence[Bet]:
        """Every bet, oldest first."""
        table = schema.bet_events.c
        wanted = select(table.bet_id, table.at_ns, table.kind, table.by, table.body).order_by(table.id)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return bets_of(BetEvent(**row._mapping) for row in rows)
