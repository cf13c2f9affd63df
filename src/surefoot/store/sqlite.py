"""SQLite: one file beside the program, nothing else to run. One process owns it; others may look in and administer."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects.sqlite import Insert, insert
from sqlalchemy.pool import QueuePool

from surefoot.errors import StoreError
from surefoot.store.database import READERS
from surefoot.store.sql import SqlStore

BUSY_SECONDS = 5.0
_LEVELS = {True: "FULL", False: "NORMAL"}  # FULL waits for the disk at every commit, NORMAL at checkpoints


class SqliteBackend:
    """How a SQLite file is opened: write-ahead log, deleted data overwritten, patient with other processes."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._level: bool | None = None
        self._claim: sqlite3.Connection | None = None

    def insert(self, table: Table) -> Insert:
        """INSERT with ON CONFLICT."""
        return insert(table)

    def engines(self) -> tuple[Engine, Engine]:
        """(reader, writer). Raises StoreError when the file cannot be made or is no database."""
        try:  # made here, so that only its owner may read it; the log files inherit that
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
            self._claim = _claim(self._path)
        except (OSError, sqlite3.Error) as error:
            said = error.strerror if isinstance(error, OSError) else error
            raise StoreError(f"the database {self._path} cannot be opened: {said}") from None
        return self._engine(READERS), self._engine(1)

    def begin(self, connection: Connection, durable: bool) -> None:
        """Take the write lock at once, so that what is read in the transaction still holds when it writes."""
        if durable is not self._level:
            connection.exec_driver_sql(f"PRAGMA synchronous={_LEVELS[durable]}")
            self._level = durable
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    def lock(self, connection: Connection) -> None:
        """Nothing to do: the transaction holds the write lock already."""

    def orphans_before(self) -> tuple[bool, int | None]:
        """All reservations are orphans, unless another process has the file open: then they may be its own."""
        return self._claim is not None, None

    def after_erasure(self) -> Callable[[Connection], None]:
        """Empties the write-ahead log, where pages with the key may still stand."""
        return _checkpoint

    def close(self) -> None:
        """Give up the claim on the file."""
        if self._claim is not None:
            self._claim.close()
            self._claim = None

    def _engine(self, connections: int) -> Engine:
        engine = create_engine(
            URL.create("sqlite", database=str(self._path)),
            poolclass=QueuePool,
            pool_size=connections,
            max_overflow=0,
            hide_parameters=True,
            connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False, "isolation_level": None},
        )
        event.listen(engine, "connect", _prepare)
        return engine


def _prepare(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA secure_delete=ON")  # a destroyed key must not stand on in a free page


def _checkpoint(connection: Connection) -> None:
    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def _claim(path: Path) -> sqlite3.Connection | None:
    """A lock held as long as the process lives, or None when another one holds it. Never waits, never goes stale."""
    claim = sqlite3.connect(f"{path}.lock", timeout=0, isolation_level=None, check_same_thread=False)
    try:
        claim.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        claim.close()
        return None
    return claim


class SqliteStore(SqlStore):
    """`Store` in a SQLite file."""

    def __init__(self, path: str, *, durability: str, key: str | bytes) -> None:
        super().__init__(SqliteBackend(path), durability=durability, key=key)
