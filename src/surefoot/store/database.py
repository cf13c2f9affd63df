"""One open database: reads on a few threads of their own, writes through the one writer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError

from surefoot.errors import StoreError
from surefoot.records import CacheEntry, Content, Entry, Reservation
from surefoot.store import schema
from surefoot.store.scribe import Scribe, reservation_of
from surefoot.store.statements import RESERVATION_FIELDS, Statements
from surefoot.store.vault import Vault
from surefoot.store.writer import Writer, refusal

T = TypeVar("T")
READERS = 4
DAY_NS = 86_400_000_000_000


class Database:
    """What the parts of a store share. `reader` gives connections without transactions, for single queries."""

    def __init__(self, reader: Engine, writer: Writer, scribe: Scribe, statements: Statements, vault: Vault) -> None:
        self._reader, self._scribe = reader, scribe
        self.writer, self.statements, self.vault = writer, statements, vault
        self._closed = False
        self._threads = ThreadPoolExecutor(READERS, thread_name_prefix="surefoot-read")

    async def read(self, query: Callable[[Connection], T]) -> T:
        """The result of a query, run on a reader thread. Raises StoreError."""
        if self._closed:
            raise StoreError("the store is closed")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, query)
        except SQLAlchemyError as error:
            raise refusal(error) from None

    async def write(self, work: Callable[[Connection], T], *, joins: bool = False) -> T:
        """The result of a piece of work in a transaction of its own, durable before this returns. Raises StoreError.

        Work that `joins` may share the transaction with other such work; what one of them breaks hurts no other.
        """
        return await self.writer.work(work, joins=joins)

    def keep(self, connection: Connection, subject: str, name: str, content: Content) -> None:
        """Seal one more content of a subject (a pseudonym) within a piece of work."""
        self._scribe.keep(connection, subject, name, content)

    def seal(
        self, connection: Connection, subject: str, texts: Sequence[tuple[str, str]], *,
        moving: Sequence[tuple[str, str]] = (), old: int | None = None,
    ) -> tuple[int, list[bytes]]:  # fmt: skip
        """(generation, sealed texts) of a subject's (text, label) pairs, within a piece of work.

        `moving` are sealed too, after the others, where the living key is not of the generation `old`.
        """
        return self._scribe.seal(connection, subject, texts, moving=moving, old=old)

    def account(
        self,
        connection: Connection,
        case_id: str,
        entries: Sequence[Entry],
        *,
        released: bool,
        ended: bool,
        audit: str = "",
    ) -> None:
        """Book people's minutes on a case within a piece of work; see `Scribe.account`."""
        self._scribe.account(connection, case_id, entries, released=released, ended=ended, audit=audit)

    def believe(self, connection: Connection, entry: CacheEntry) -> None:
        """Put an answer into the cache within a piece of work."""
        self._scribe.believe(connection, entry)

    def rotate_keys(self, after_ns: int) -> None:
        """Seal a subject's content under a new key after so long; 0: never."""
        self._scribe.rotate_after_ns = after_ns

    async def settle_orphans(self, older_than_ns: int | None) -> int:
        """Book reservations as estimated spending; see `Ledger.settle_orphans`."""
        return await self.write(lambda connection: self._book(connection, older_than_ns))

    async def close(self) -> None:
        """Write what waits, then let go of threads and connections. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        await asyncio.get_running_loop().run_in_executor(self._threads, self.writer.stop)
        self._threads.shutdown(wait=True)
        self._reader.dispose()

    def _read(self, query: Callable[[Connection], T]) -> T:
        with self._reader.connect() as connection:
            return query(connection)

    def _book(self, connection: Connection, older_than_ns: int | None) -> int:
        table, now = schema.reservations, time.time_ns()
        wanted = select(*(table.c[name] for name in RESERVATION_FIELDS)).where(table.c.booked_at_ns.is_(None))
        wanted = wanted.where(table.c.rung != "person")  # those wait for people, whatever processes do
        if older_than_ns is not None:
            wanted = wanted.where(table.c.at_ns < older_than_ns)
        rows = connection.execute(wanted.order_by(table.c.id).with_for_update(skip_locked=True)).all()
        orphans: Sequence[Reservation] = [reservation_of(row) for row in rows]
        if orphans:
            self._scribe.book_orphans(connection, orphans)
            booked = table.update().where(table.c.id.in_([orphan.id for orphan in orphans]))
            connection.execute(booked.values(booked_at_ns=now))
        connection.execute(table.delete().where(table.c.booked_at_ns < now - DAY_NS))
        return len(orphans)


class Room:
    """A part of a store. It has no database before the store is started and after it is closed."""

    def __init__(self) -> None:
        self._opened: Database | None = None

    def enter(self, database: Database | None) -> None:
        """Take the database, or with None let go of it."""
        self._opened = database

    @property
    def database(self) -> Database:
        """The open database. Raises StoreError when there is none."""
        if self._opened is None:
            raise StoreError("the store is not open")
        return self._opened
