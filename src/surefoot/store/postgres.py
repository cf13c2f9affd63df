"""PostgreSQL: for any number of replicas. Budgets are decided under row locks, so that they never overspend together."""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine, Table, create_engine, make_url
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.engine.interfaces import IsolationLevel
from sqlalchemy.exc import ArgumentError

from surefoot.errors import StoreError
from surefoot.store.database import READERS
from surefoot.store.sql import SqlStore

ORPHAN_AGE_NS = 3_600_000_000_000  # no request lives for an hour; other replicas' younger ones are not ours to book
CONNECT_SECONDS = 10
_OPTIONS = "-c lock_timeout=5s -c statement_timeout=60s -c idle_in_transaction_session_timeout=60s"
_MIGRATING = 7_378_707_012  # any number that nobody else takes an advisory lock on


class PostgresBackend:
    """How a PostgreSQL database is opened. A hung replica cannot hold locks for ever: every wait has an end."""

    def __init__(self, url: str) -> None:
        self._url = url

    def insert(self, table: Table) -> Insert:
        """INSERT with ON CONFLICT."""
        return insert(table)

    def engines(self) -> tuple[Engine, Engine]:
        """(reader, writer). Raises StoreError when the URL is malformed or the driver is not installed."""
        try:
            return self._engine(READERS, isolation="AUTOCOMMIT"), self._engine(1, isolation="READ COMMITTED")
        except ArgumentError:
            raise StoreError("the database URL is malformed: write postgresql://user@host/name") from None
        except ImportError:
            raise StoreError("PostgreSQL needs its driver: pip install 'surefoot[postgres]'") from None

    def begin(self, connection: Connection, durable: bool) -> None:
        """A commit that may wait does not wait for the server's disk.

        The driver begins by itself, but SQLAlchemy must know of it: what follows uses the driver's cursor, and a commit or
        rollback of a transaction that SQLAlchemy does not know of does nothing.
        """
        connection.begin()
        if not durable:
            connection.exec_driver_sql("SET LOCAL synchronous_commit = off")

    def lock(self, connection: Connection) -> None:
        """An advisory lock: replicas that start together migrate one after another."""
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATING})")

    def orphans_before(self) -> tuple[bool, int | None]:
        """Only old reservations are orphans: younger ones may belong to replicas that live."""
        return True, time.time_ns() - ORPHAN_AGE_NS

    def after_erasure(self) -> None:
        """Nothing to do: the server's vacuum and log rotation are its operator's."""
        return

    def close(self) -> None:
        """Nothing else is open."""

    def _engine(self, connections: int, *, isolation: IsolationLevel) -> Engine:
        return create_engine(
            make_url(self._url).set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,
            isolation_level=isolation,
            paramstyle="format",
            connect_args={"connect_timeout": CONNECT_SECONDS, "options": _OPTIONS, "application_name": "surefoot"},
        )


class PostgresStore(SqlStore):
    """`Store` in a PostgreSQL database."""

    def __init__(self, url: str, *, durability: str, key: str | bytes) -> None:
        super().__init__(PostgresBackend(url), durability=durability, key=key)
