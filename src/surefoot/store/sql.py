"""A store on tables, whichever database they are in. `sqlite` and `postgres` say how one is opened."""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio import Future
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import Connection, Engine, Table, select
from sqlalchemy.exc import SQLAlchemyError

from surefoot.errors import StoreError
from surefoot.records import Commit, Reservation
from surefoot.store import Audit, Cache, Incidents, Journal, Keys, Labels, Ledger, Policies, Revisions, schema
from surefoot.store.bets import Bets
from surefoot.store.budgets import Rates, Warnings
from surefoot.store.cases import Cases
from surefoot.store.chain import new_id
from surefoot.store.database import Database
from surefoot.store.holds import Holds
from surefoot.store.hooks import Hooks
from surefoot.store.migrate import migrate
from surefoot.store.near import Near
from surefoot.store.people import Accounts, Sessions
from surefoot.store.scribe import Scribe
from surefoot.store.sqlaudit import CHAIN, adopt
from surefoot.store.sqlbets import SqlBets
from surefoot.store.sqlbudgets import SqlRates, SqlWarnings
from surefoot.store.sqlcache import SqlCache
from surefoot.store.sqlcases import SqlCases
from surefoot.store.sqlholds import SqlHolds
from surefoot.store.sqlhooks import SqlHooks
from surefoot.store.sqljournal import SqlJournal
from surefoot.store.sqllabels import SqlIncidents, SqlLabels, SqlRevisions
from surefoot.store.sqlnear import SqlNear
from surefoot.store.sqlparts import SqlKeys, SqlLedger, SqlPolicies
from surefoot.store.sqlpeople import SqlAccounts, SqlSessions
from surefoot.store.sqltrail import SqlAudit
from surefoot.store.statements import Statements
from surefoot.store.vault import Vault, master_key
from surefoot.store.writer import Writer, refusal

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

DURABILITIES = ("acknowledged", "batched")
POLL_SECONDS = 2.0  # how soon this process sees what another one put into the cache, or a new epoch
SWEEP_SECONDS = 60.0
_MASTER = "master key"  # the setting that tells whether this is the key that the database was written with

_log = logging.getLogger("surefoot.store")


class Backend(Protocol):
    """How one kind of database is opened and written."""

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """The dialect's INSERT, which knows ON CONFLICT."""

    def engines(self) -> tuple[Engine, Engine]:
        """(reader, writer): the reader's connections are in autocommit. Raises StoreError."""

    def begin(self, connection: Connection, durable: bool) -> None:
        """Open a writing transaction; `durable` says whether its commit must have reached the disk."""

    def lock(self, connection: Connection) -> None:
        """Keep other processes from migrating, until the transaction ends."""

    def orphans_before(self) -> tuple[bool, int | None]:
        """Whether to book orphans at the start, and the time before which a reservation is one (None: all are)."""

    def after_erasure(self) -> Callable[[Connection], None] | None:
        """What wipes the last copies of a destroyed key, run outside a transaction; None when nothing is needed."""

    def close(self) -> None:
        """Let go of everything else that was opened."""


class SqlStore:
    """`Store` on tables. `start` opens it, `close` writes what waits."""

    def __init__(self, backend: Backend, *, durability: str, key: str | bytes) -> None:
        if durability not in DURABILITIES:
            raise StoreError(f"durability {durability!r} is unknown: write one of {', '.join(DURABILITIES)}")
        self._backend, self._batched, self._key = backend, durability == "batched", key
        self._database: Database | None = None
        self._writer_engine: Engine | None = None
        self._tending: asyncio.Task[None] | None = None
        cases, journal, ledger = SqlCases(), SqlJournal(backend.after_erasure()), SqlLedger()
        policies, keys, self._cache = SqlPolicies(), SqlKeys(), SqlCache()
        labels, revisions, incidents, hooks = SqlLabels(), SqlRevisions(), SqlIncidents(), SqlHooks()
        audit, accounts, sessions, holds = SqlAudit(), SqlAccounts(), SqlSessions(), SqlHolds()
        warnings, rates, bets, near = SqlWarnings(), SqlRates(), SqlBets(), SqlNear()
        self._rooms = (
            accounts, sessions, audit, holds, self._cache, cases, journal, ledger, policies, keys, labels, revisions,
            incidents, hooks, warnings, rates, bets, near,
        )  # fmt: skip
        self.cache: Cache = self._cache
        self.near: Near = near
        self.cases: Cases = cases
        self.journal: Journal = journal
        self.ledger: Ledger = ledger
        self.policies: Policies = policies
        self.keys: Keys = keys
        self.labels: Labels = labels
        self.revisions: Revisions = revisions
        self.incidents: Incidents = incidents
        self.hooks: Hooks = hooks
        self.holds: Holds = holds
        self._hooks = hooks
        self.warnings: Warnings = warnings
        self.rates: Rates = rates
        self.bets: Bets = bets
        self.audit: Audit = audit
        self.accounts: Accounts = accounts
        self.sessions: Sessions = sessions

    async def start(self) -> None:
        """Open, migrate, book orphans, load what lookups need. Raises StoreError."""
        try:
            database = await asyncio.to_thread(self._open)
        except SQLAlchemyError as error:
            self._backend.close()
            raise StoreError(f"the database cannot be opened: {refusal(error)}") from None
        self._database = database
        for room in self._rooms:
            room.enter(database)
        sweep, older_than_ns = self._backend.orphans_before()
        if sweep:
            await self.ledger.settle_orphans(older_than_ns=older_than_ns)
        await self._hooks.seal_old()
        await self._cache.refresh()
        self._tending = asyncio.create_task(self._tend())

    async def close(self) -> None:
        """Write what waits, then close."""
        if self._tending is not None:
            self._tending.cancel()
            await asyncio.gather(self._tending, return_exceptions=True)
        if self._database is not None:
            await self._database.close()
        if self._writer_engine is not None:
            self._writer_engine.dispose()
        self._backend.close()

    def rotate_keys(self, after_ns: int) -> None:
        """Seal a subject's new content under a new key after so long; 0: never."""
        self._living().rotate_keys(after_ns)

    def pseudonym(self, subject: str) -> str:
        """The name that stands for a subject in the journal: a keyed hash, 32 hex digits. Never call before `start`."""
        return self._living().vault.pseudonym(subject)

    def reserve(self, reservation: Reservation) -> Future[None]:
        """Set money aside; done when durable. Fails with BudgetSpent, and then nothing else of its group is hurt."""
        return self._living().writer.submit(reservation)

    def commit(self, commit: Commit) -> Future[str]:
        """Write what a request leaves behind, all or nothing; done when durable. Fails with StoreError."""
        return self._living().writer.submit(commit)

    async def flush(self) -> None:
        """Wait until everything that was acknowledged can be read. At once unless commits are "batched"."""
        if self._batched:
            await self._living().writer.work(lambda connection: None)

    def waits_us(self) -> Sequence[float]:
        """The last commit waits in microseconds (at most 10,000), for p50 and p99; empty before the first."""
        return list(self._living().writer.waits_us)

    def lost(self) -> int:
        """How many "batched" commits were acknowledged and could then not be written; 0 when all is well."""
        return self._living().writer.lost

    def _living(self) -> Database:
        if self._database is None:
            raise StoreError("the store is not open")
        return self._database

    def _open(self) -> Database:
        """Connect, migrate, and see that the master key is the right one."""
        reader, self._writer_engine = self._backend.engines()
        with self._writer_engine.connect() as connection:
            self._backend.begin(connection, True)
            migrate(connection, self._backend.lock)
            statements = Statements(self._writer_engine.dialect, self._backend.insert)
            vault = self._unlock(connection, statements)
            chain = new_id()
            self._writer_engine.update_execution_options(**{CHAIN: chain})
            adopt(connection.execution_options(**{CHAIN: chain}))
            connection.commit()
        scribe = Scribe(statements, vault, chain, cached=self._cache.learn)
        writer = Writer(self._writer_engine, scribe, self._backend.begin, batched=self._batched)
        writer.start()
        return Database(reader, writer, scribe, statements, vault)

    def _unlock(self, connection: Connection, statements: Statements) -> Vault:
        settings = schema.settings.c
        wanted = select(settings.value).where(settings.name == _MASTER)
        known = connection.execute(wanted).scalar()
        vault = Vault(master_key(self._key, create=known is None))
        if known is None:
            connection.exec_driver_sql(statements.settings, (_MASTER, vault.fingerprint))
            known = connection.execute(wanted).scalar()
        if known != vault.fingerprint:
            raise StoreError("the master key is not the one that this database was written with")
        return vault

    async def _tend(self) -> None:
        """Learn what other processes put into the cache, and remove what has expired."""
        swept = time.monotonic()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            try:
                await self._cache.refresh()
                if time.monotonic() - swept > SWEEP_SECONDS:
                    swept = time.monotonic()
                    await self._cache.sweep(time.time_ns())
            except StoreError as error:  # misses stay misses until the database is back
                _log.warning("the cache could not be refreshed: %s", error)
