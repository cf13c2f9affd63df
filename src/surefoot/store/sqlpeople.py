"""Accounts, sessions and one-time links on tables."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Row, func, select

from surefoot.errors import StoreError
from surefoot.records.person import Account, Change, Link, Session
from surefoot.store import schema
from surefoot.store.database import Room
from surefoot.store.people import DAY_NS, Delay
from surefoot.store.sqlaudit import note

_TRIES = 5  # of a first attempt at a door, when other processes hear one at the same moment


class SqlAccounts(Room):
    """`Accounts` on tables."""

    async def add(self, account: Account, *, by: str, only_first: bool = False) -> bool:
        """Whether the account is new: its name is free, and with `only_first` there is no other account."""
        table = schema.accounts

        def insert(connection: Connection) -> bool:
            if only_first:
                _alone(connection)
            taken = select(table.c.name) if only_first else select(table.c.name).where(table.c.name == account.name)
            if connection.execute(taken.limit(1)).first() is not None:
                return False
            connection.execute(table.insert().values(msgspec.structs.asdict(account)))
            note(connection, kind="account.created", by=by, on=account.name, detail=account.role)
            return True

        try:
            return await self.database.write(insert)
        except StoreError:  # another process took the name between the look and the insert
            if await self.get(account.name) is None:
                raise
            return False

    async def get(self, name: str) -> Account | None:
        """The account, disabled or not; None when there is none."""
        wanted = select(*schema.accounts.c).where(schema.accounts.c.name == name)
        row = await self.database.read(lambda connection: connection.execute(wanted).first())
        return None if row is None else _account(row)

    async def all(self) -> Sequence[Account]:
        """Every account, disabled ones too, by name."""
        wanted = select(*schema.accounts.c)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return sorted((_account(row) for row in rows), key=lambda account: account.name)

    async def change(self, name: str, change: Change, *, kind: str, by: str, detail: str = "") -> bool:
        """Whether there was such an account to change; its sessions and links end."""
        changed = schema.accounts.update().where(schema.accounts.c.name == name).values(change.values())

        def put(connection: Connection) -> bool:
            if not connection.execute(changed).rowcount:
                return False
            for kept in (schema.sessions, schema.links):
                connection.execute(kept.delete().where(kept.c.account == name))
            note(connection, kind=f"account.{kind}", by=by, on=name, detail=detail)
            return True

        return await self.database.write(put)

    async def knock(self, door: str, *, at_ns: int, delay: Delay) -> tuple[int, int]:
        """(failures, until_ns): count an attempt as failed before it is looked at; (0, until_ns) when it is not heard."""
        table = schema.knocks

        def count(connection: Connection) -> tuple[int, int]:
            row = connection.execute(select(*table.c).where(table.c.door == door).with_for_update()).first()
            if row is not None and row.until_ns > at_ns:
                return 0, int(row.until_ns)
            failures = 1 if row is None or at_ns - row.last_ns > DAY_NS else row.failures + 1
            values = {"failures": failures, "until_ns": at_ns + delay(failures), "last_ns": at_ns}
            if row is None:
                connection.execute(table.insert().values(values | {"door": door}))
            else:
                connection.execute(table.update().where(table.c.door == door).values(values))
            return failures, int(values["until_ns"])

        for left in reversed(range(_TRIES)):
            try:
                return await self.database.write(count)
            except StoreError:  # another process counted the first attempt
                if not left:
                    raise
        raise AssertionError("the last try returns or raises")

    async def relent(self, door: str) -> None:
        """Forget the failed attempts at a door. Durable before it returns."""
        forgotten = schema.knocks.delete().where(schema.knocks.c.door == door)
        await self.database.write(lambda connection: connection.execute(forgotten))


class SqlSessions(Room):
    """`Sessions` on tables."""

    async def open(self, session: Session) -> None:
        """Keep a session. Durable before it returns."""
        row = schema.sessions.insert().values(msgspec.structs.asdict(session))
        await self.database.write(lambda connection: connection.execute(row))

    async def get(self, session_id: str) -> Session | None:
        """The session, or None."""
        wanted = select(*schema.sessions.c).where(schema.sessions.c.id == session_id)
        row = await self.database.read(lambda connection: connection.execute(wanted).first())
        return None if row is None else Session(**row._mapping)

    async def seen(self, session_id: str, *, at_ns: int) -> None:
        """Its person did something. Never goes back in time."""
        table = schema.sessions
        later = table.update().where(table.c.id == session_id, table.c.seen_at_ns < at_ns).values(seen_at_ns=at_ns)
        await self.database.write(lambda connection: connection.execute(later))

    async def end(self, session_id: str) -> bool:
        """Whether there was such a session; it is gone when this returns."""
        gone = schema.sessions.delete().where(schema.sessions.c.id == session_id)
        return await self.database.write(lambda connection: connection.execute(gone).rowcount > 0)

    async def sweep(self, *, opened_before_ns: int, seen_before_ns: int, now_ns: int) -> int:
        """Drop sessions opened or last seen before these times, dead links and old failures; returns how many sessions."""
        table, links, knocks = schema.sessions, schema.links, schema.knocks
        old = table.delete().where((table.c.opened_at_ns < opened_before_ns) | (table.c.seen_at_ns < seen_before_ns))

        def drop(connection: Connection) -> int:
            connection.execute(links.delete().where(links.c.expires_at_ns <= now_ns))
            connection.execute(knocks.delete().where(knocks.c.last_ns < now_ns - DAY_NS))
            return int(connection.execute(old).rowcount)

        return await self.database.write(drop)

    async def offer(self, link: Link) -> None:
        """Keep a link; another one of the same purpose and account ends. Durable before it returns."""
        table = schema.links
        same = table.delete().where(table.c.purpose == link.purpose, table.c.account == link.account)

        def put(connection: Connection) -> None:
            connection.execute(same)
            connection.execute(table.insert().values(msgspec.structs.asdict(link)))

        await self.database.write(put)

    async def look(self, link_id: str, *, at_ns: int) -> Link | None:
        """A link that can still be used, without using it."""
        table = schema.links
        wanted = select(*table.c).where(table.c.id == link_id, table.c.expires_at_ns > at_ns)
        row = await self.database.read(lambda connection: connection.execute(wanted).first())
        return None if row is None else Link(**row._mapping)

    async def take(self, link_id: str, *, at_ns: int) -> Link | None:
        """Use a link up: of several at once one gets it. Durable before it returns."""
        table = schema.links
        used = table.delete().where(table.c.id == link_id).returning(*table.c)
        row = await self.database.write(lambda connection: connection.execute(used).first())
        return None if row is None or row.expires_at_ns <= at_ns else Link(**row._mapping)


def _account(row: Row[tuple[object, ...]]) -> Account:
    return Account(**row._mapping)


def _alone(connection: Connection) -> None:
    """Let no other process add an account until the transaction ends; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(0x50_656F_706C_65)))
