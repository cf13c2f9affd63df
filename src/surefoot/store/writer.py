"""The one writer thread: whatever waits becomes one transaction, and one bad record fails alone.

A group that cannot be written is rolled back and its records are tried one by one, each in a transaction of its own.
The event loop is woken once a group, not once a record.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

from msgspec import MsgspecError
from sqlalchemy import Connection, Engine
from sqlalchemy.engine.interfaces import DBAPIModule
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from surefoot.errors import StoreError
from surefoot.records import Commit, Reservation
from surefoot.store.scribe import Prepared, Record, Scribe

T = TypeVar("T")
Work = Callable[[Connection], None]
Begin = Callable[[Connection, bool], None]  # opens a transaction; the flag says whether its commit must reach the disk

GROUP = 512  # records in one transaction, at most
LINGER_SECONDS = 0.05  # how long "batched" records may wait for company
RETRY_SECONDS = 20.0  # after this long of trying one by one, the rest of a failed group fails too
BACKLOG = 20_000  # records that may wait before even "batched" ones wait for their write
WAITS = 10_000

BUSY_GROUP = 4  # from this many records in a group on, the next group waits a moment to grow
PAUSE_SECONDS = 0.002  # that moment: a transaction costs the same for four records as for forty

# What one record may do wrong, beside the driver's own errors. Anything else is a fault of ours and ends the thread,
# which then refuses everything.
_RECORD_FAULTS = (MsgspecError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)

_log = logging.getLogger("surefoot.store")


class Task:
    """One thing to be written and who waits for it; nobody does when `future` is None."""

    __slots__ = ("future", "is_commit", "is_work", "joins", "record", "result", "since")

    def __init__(self, record: Reservation | Commit | Work, future: Future[Any] | None, *, joins: bool = False) -> None:
        self.record, self.future, self.since = record, future, time.perf_counter()
        self.is_commit = isinstance(record, Commit)
        self.is_work = not (self.is_commit or isinstance(record, Reservation))
        self.result: str | None = None  # of a commit: the case that its entry names, "" for none
        self.joins = joins  # whether it may share its transaction with other work


_RECORDS, _ALONE, _JOINING = range(3)  # kinds of tasks, as they are put together into transactions

Outcome = tuple[Task, Exception | None]
Told = tuple["Future[Any]", Exception | None, str | None]
Ready = tuple[Task, Record | Work]


def refusal(error: BaseException) -> StoreError:
    """The error as a StoreError, in the database's own first line: the rest may quote what was being written."""
    if isinstance(error, StoreError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).splitlines()
    said = type(cause).__name__ if isinstance(cause, _RECORD_FAULTS) or not lines else lines[0]
    return StoreError(f"the database did not take it: {said}")


class Writer:
    """Takes records from any event loop and writes them in the order they came."""

    def __init__(self, engine: Engine, scribe: Scribe, begin: Begin, *, batched: bool) -> None:
        self._engine, self._scribe, self._begin, self._batched = engine, scribe, begin, batched
        self._dialect = engine.dialect
        self._alone = engine.dialect.name == "sqlite"  # one writer at a time, whoever it is
        self._driver_error: type[DBAPIModule.Error] = engine.dialect.loaded_dbapi.Error
        self._faults = (self._driver_error, SQLAlchemyError, StoreError, *_RECORD_FAULTS)
        self._queue: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._connection: Connection | None = None
        self._open, self._door = True, threading.Lock()
        self._last = 0  # records in the last group
        self._begun = False  # whether the last transaction began at all
        self._unsure = False  # whether the last commit may or may not have happened
        self._trusted = batched  # whether "batched" records may be acknowledged before they are written
        self._thread = threading.Thread(target=self._run, name="surefoot-writer", daemon=True)
        self.waits_us: deque[float] = deque(maxlen=WAITS)
        self.lost = 0  # "batched" commits that were acknowledged and then could not be written

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end the thread. Blocks; whatever comes later is refused."""
        with self._door:
            self._open = False
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def submit(self, record: Reservation | Commit) -> Future[Any]:
        """Queue a record; the future is done when it is written, or at once for a commit that may wait.

        Its result is None for a reservation, else as `Store.commit` says.
        """
        future: Future[Any] = asyncio.get_running_loop().create_future()
        early = self._trusted and isinstance(record, Commit) and record.case is None
        if early and self._queue.qsize() < BACKLOG and self._enqueue(Task(record, None)):
            self.waits_us.append(0.0)
            future.set_result(record.entry.case_id or "" if isinstance(record, Commit) else None)
        elif not self._enqueue(Task(record, future)):
            future.set_exception(StoreError("the store is closed"))
        return future

    async def work(self, work: Callable[[Connection], T], *, joins: bool = False) -> T:
        """Run something in a transaction of its own on the writer's thread, durable before this returns.

        Work that `joins` may share the transaction with other such work, each in a savepoint of its own, so that many small
        writes wait for the disk once. Only where nobody else writes at the same time: locks are held until all are done.
        """
        result: list[T] = []
        future: Future[None] = asyncio.get_running_loop().create_future()
        task = Task(lambda connection: result.append(work(connection)), future, joins=joins and self._alone)
        if not self._enqueue(task):
            raise StoreError("the store is closed")
        await future
        return result[-1]

    def _enqueue(self, task: Task) -> bool:
        with self._door:  # so that nothing can be queued behind the end
            if self._open:
                self._queue.put(task)
            return self._open

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        finally:
            with self._door:
                self._open = False
            waiting = [task for task in self._waiting(self._queue.qsize()) if task is not None]
            self._resolve([(task, StoreError("the store is closed")) for task in waiting])
            if self._connection is not None:
                self._connection.close()

    def _turn(self) -> bool:
        """Write what waits; False when the end was asked for."""
        first = self._queue.get()
        if self._last >= BUSY_GROUP and self._queue.qsize() < GROUP:
            time.sleep(PAUSE_SECONDS)
        got = [first, *self._waiting(GROUP - 1)]
        self._last = len(got)
        if self._batched and None not in got and all(task is None or task.future is None for task in got):
            self._linger(got)
        tasks = [task for task in got if task is not None]
        for kind, group in groupby(tasks, key=_kind):
            if kind == _JOINING:
                self._resolve(self._write_joined(list(group)))
                continue
            for some in [[task] for task in group] if kind == _ALONE else [list(group)]:
                self._resolve(self._write(some))
        return len(tasks) == len(got)

    def _waiting(self, most: int) -> list[Task | None]:
        return [self._queue.get() for _ in range(min(self._queue.qsize(), most))]

    def _linger(self, got: list[Task | None]) -> None:
        """Wait for more, until somebody waits for an answer, the group is full or the time is up."""
        end = time.monotonic() + LINGER_SECONDS
        while len(got) < GROUP:
            try:
                got.append(self._queue.get(timeout=max(0.0, end - time.monotonic())))
            except queue.Empty:
                return
            if got[-1] is None or got[-1].future is not None:
                return

    def _write(self, tasks: Sequence[Task]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        ready: list[Ready] = []
        for task in tasks:
            try:
                ready.append((task, _prepared(self._scribe, task.record)))
            except self._faults as error:
                outcomes.append((task, refusal(error)))
        if ready:
            try:
                outcomes += self._transaction(ready)
            except self._faults as error:
                self._roll_back(error)
                outcomes += self._one_by_one(ready, error)
        return outcomes

    def _write_joined(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Work in one transaction, each in its savepoint: one that fails is undone alone. All fail when it is not committed."""
        try:
            self._begun = False
            connection = self._connected()
            self._begin(connection, True)
            self._begun = True
            outcomes: list[Outcome] = [(task, _within(connection, task, self._faults)) for task in tasks]
            self._commit(connection)
        except self._faults as error:
            self._roll_back(error)
            return [(task, refusal(error)) for task in tasks]
        return outcomes

    def _transaction(self, ready: Sequence[Ready], *, doubtful: bool = False) -> list[Outcome]:
        """Write everything in one transaction, or nothing and raise; `doubtful` ones may stand there already."""
        self._begun = False
        connection = self._connected()
        self._begin(connection, not self._batched or any(_is_urgent(task) for task, _ in ready))
        self._begun = True
        if self._unsure:
            self._scribe.resume(connection)
        task, record = ready[0]
        if task.is_work:
            if callable(record):
                record(connection)
            self._commit(connection)
            return [(task, None)]
        records = [record for _, record in ready if isinstance(record, (Reservation, Prepared))]
        if doubtful and (case_id := self._scribe.written(connection, records[0])) is not None:
            connection.rollback()
            task.result = case_id if task.is_commit else None
            return [(task, None)]
        written = self._scribe.write(connection, records)
        self._commit(connection)
        self._scribe.adopt(written)
        for (task, _), case_id in zip(ready, written.cases, strict=True):
            task.result = case_id if task.is_commit else None
        return [(task, outcome) for (task, _), outcome in zip(ready, written.outcomes, strict=True)]

    def _commit(self, connection: Connection) -> None:
        self._unsure = True  # until the database has said yes, nobody knows
        connection.commit()
        self._unsure = False

    def _one_by_one(self, ready: Sequence[Ready], error: Exception) -> list[Outcome]:
        """Each record in a transaction of its own, so that only the culprit fails; all fail when no transaction begins."""
        if len(ready) == 1 and (ready[0][0].is_work or not self._unsure):
            return [(ready[0][0], refusal(error))]
        doubtful = self._unsure
        end = time.monotonic() + RETRY_SECONDS
        outcomes: list[Outcome] = []
        for place, one in enumerate(ready):
            try:
                outcomes += self._transaction([one], doubtful=doubtful)
            except self._faults as fault:
                begun = self._roll_back(fault)
                outcomes.append((one[0], refusal(fault)))
                if not begun or time.monotonic() > end:
                    return outcomes + [(task, refusal(fault)) for task, _ in ready[place + 1 :]]
        return outcomes

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = self._engine.connect()
        return self._connection

    def _roll_back(self, error: Exception) -> bool:
        """Undo what is open and drop a broken connection; whether a transaction had begun on a living one."""
        connection = self._connection
        if connection is None:
            return False
        try:
            if isinstance(error, self._driver_error) and self._is_gone(connection, error):
                connection.invalidate(error)
            begun = self._begun and not connection.invalidated
            connection.rollback()
        except SQLAlchemyError as fault:
            _log.warning("a transaction could not be rolled back: %s", refusal(fault))
            connection.invalidate()
            connection.close()
            self._connection, begun = None, False
        return begun

    def _is_gone(self, connection: Connection, error: DBAPIModule.Error) -> bool:
        raw = None if connection.invalidated else connection.connection.dbapi_connection
        return raw is not None and self._dialect.is_disconnect(error, raw, None)

    def _resolve(self, outcomes: Sequence[Outcome]) -> None:
        """Tell those who wait: one wake-up for each event loop."""
        now = time.perf_counter()
        told: dict[AbstractEventLoop, list[Told]] = {}
        if self._batched:
            self._account([error for task, error in outcomes if task.future is None], outcomes)
        for task, error in outcomes:
            if task.future is None:
                continue
            if task.is_commit:
                self.waits_us.append((now - task.since) * 1e6)
            told.setdefault(task.future.get_loop(), []).append((task.future, error, task.result))
        for loop, done in told.items():
            try:
                loop.call_soon_threadsafe(_tell, done)
            except RuntimeError:  # the loop is closed: nobody waits any more
                _log.warning("%d writes were finished after their event loop was closed", len(done))

    def _account(self, early: Sequence[Exception | None], outcomes: Sequence[Outcome]) -> None:
        """Count what was acknowledged and then lost; nothing more is acknowledged early until a group is written whole."""
        self._trusted = not any(isinstance(error, StoreError) for _, error in outcomes)
        for error in early:
            if error is not None:
                self.lost += 1
                _log.error("a request that was acknowledged early could not be written: %s", error)


def _tell(done: Sequence[Told]) -> None:
    for future, error, result in done:
        if future.done():  # whoever asked has left
            continue
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)


def _prepared(scribe: Scribe, record: Reservation | Commit | Work) -> Record | Work:
    return scribe.prepare(record) if isinstance(record, Commit) else record


def _within(connection: Connection, task: Task, faults: tuple[type[Exception], ...]) -> StoreError | None:
    """Do work in a savepoint; why it was undone, None when it was not."""
    savepoint = connection.begin_nested()
    try:
        if callable(task.record):
            task.record(connection)
        savepoint.commit()
    except faults as error:
        savepoint.rollback()
        return refusal(error)
    return None


def _kind(task: Task) -> int:
    return _RECORDS if not task.is_work else _JOINING if task.joins else _ALONE


def _is_urgent(task: Task) -> bool:
    """Whether the commit must reach the disk even when "batched": cases, keys and whatever is not a request."""
    return task.is_work or (isinstance(task.record, Commit) and task.record.case is not None)
