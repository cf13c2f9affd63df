"""What one transaction writes: reservations and commits, in the order they arrived, as one executemany a table.

The scribe knows the head of this process's chain. It is only used on the writer's thread.
Locks are taken in one order everywhere (subjects, reservations, budgets, cache; each sorted), so that replicas
never wait for each other in a circle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec.structs import astuple
from sqlalchemy import Connection, select

from surefoot.errors import BudgetSpent
from surefoot.records import BudgetLimit, CacheEntry, Case, Commit, Content, Entry, JournalEntry, Reservation
from surefoot.store import nearrows, schema
from surefoot.store.balances import Balances, Budget, budgets_of, orphan_entry, returned_entry
from surefoot.store.chain import genesis, link
from surefoot.store.histograms import Histograms
from surefoot.store.joining import asked, joined, waiting
from surefoot.store.rollups import Rollups, Series, turn_of
from surefoot.store.sqlaudit import chained
from surefoot.store.sqlrollups import add_up, count_up
from surefoot.store.statements import RESERVATION_FIELDS, Statements
from surefoot.store.vault import Vault, plain_form

Row = tuple[Any, ...]
Key = tuple[int, bytes]  # (generation, wrapped key)
Held = tuple[Any, ...]  # a row of RESERVATION_FIELDS, and when it was booked as an orphan

_AMOUNT, _LIMITS = RESERVATION_FIELDS.index("nanodollars"), RESERVATION_FIELDS.index("limits")
_BOOKED = len(RESERVATION_FIELDS)

_encode = msgspec.json.Encoder().encode
_entry = msgspec.json.Decoder(JournalEntry).decode
_limits = lru_cache(4096)(msgspec.json.Decoder(tuple[BudgetLimit, ...]).decode)  # few texts, read once a request
CASE_WORDS = ("answer", "autosave", "note")  # of a case: what is sealed
_CASE_COLUMNS = tuple(column.name for column in schema.cases.c)
_EVENTS = 7_378_707_013  # any number that nobody else takes an advisory lock on
_SEEN = 100_000  # budgets that are known to have a row


class Prepared(msgspec.Struct):
    """A commit whose body and content are encoded: what can be done before the transaction is."""

    commit: Commit
    body: bytes
    plain: bytes | None
    subject: str  # pseudonym; "" when nothing of the commit is sealed


Record = Reservation | Prepared


class Page:
    """The rows of one transaction, by table."""

    def __init__(self) -> None:
        self.chain: list[Row] = []
        self.journal: list[Row] = []
        self.contents: list[Row] = []
        self.ledger: list[Row] = []
        self.revenue: list[Row] = []
        self.rollups, self.histograms = Rollups(), Histograms()
        self.reservations: list[Row] = []
        self.drop_reservations: list[Row] = []
        self.cases: list[Row] = []
        self.case_events: list[Mapping[str, object]] = []  # written one by one: the trail vouches for their numbers
        self.cache: list[Row] = []
        self.set_budgets: Sequence[Row] = []
        self.warnings: Sequence[Row] = []
        self.fresh: dict[str, Held] = {}  # reserved in this very transaction

    def write(self, connection: Connection, statements: Statements) -> None:
        """Send the rows, one executemany a table; the cache in the order of its keys."""
        self.cache.sort(key=lambda row: row[:3])
        cursor = connection.connection.cursor()
        for statement, rows in (
            (statements.chain, self.chain),
            (statements.set_budgets, self.set_budgets),
            (statements.warnings, self.warnings),
            (statements.reservations, self.reservations),
            (statements.drop_reservations, self.drop_reservations),
            (statements.journal, self.journal),
            (statements.ledger, self.ledger),
            (statements.revenue, self.revenue),
            (statements.contents, self.contents),
            (statements.cases, self.cases),
            (statements.cache, self.cache),
        ):
            if rows:
                cursor.executemany(statement, rows)
        cursor.close()


class Written(msgspec.Struct):
    """What a transaction did, to be adopted once it is committed."""

    outcomes: list[BudgetSpent | None]
    position: int
    head: bytes
    seen: set[Budget]
    fingerprints: list[str]  # put into the cache
    cases: list[str]  # of each record: the case that its journal entry names, "" for none
    series: dict[Series, int]  # that this process met for the first time
    warned: set[tuple[str, str, int, int]]  # levels of budgets that have a warning now


class Scribe:
    """Writes what requests leave behind. `write` may be tried again after a rollback; `adopt` follows each commit."""

    def __init__(
        self, statements: Statements, vault: Vault, chain: str, *, cached: Callable[[Sequence[str]], None]
    ) -> None:
        self._statements, self._vault, self._cached = statements, vault, cached
        self.chain = chain
        self._position, self._head = 0, genesis(chain)
        self._seen: set[Budget] = set()
        self.rotate_after_ns = 0  # how long a subject's key is used for new content; 0: until it is destroyed
        self._series: dict[Series, int] = {}  # ids of those that were added to before
        self._warned: set[tuple[str, str, int, int]] = set()  # levels that are known to have a warning

    def prepare(self, commit: Commit) -> Prepared:
        """Encode a commit. Raises TypeError, ValueError or the like when it cannot be written down."""
        sealed = commit.content is not None or commit.cache is not None or commit.case is not None
        return Prepared(
            commit,
            _encode(commit.entry),
            None if commit.content is None else plain_form(commit.content),
            self._vault.pseudonym(commit.subject or f"tenant:{commit.entry.tenant}") if sealed else "",
        )

    def write(self, connection: Connection, records: Sequence[Record]) -> Written:
        """Write records in an open transaction; an outcome is None, or why a reservation was refused."""
        records, cases = _one_case_each(connection, records)
        prepared = [record for record in records if isinstance(record, Prepared)]
        keys = self._keys(connection, {record.subject for record in prepared if record.subject})
        held = self._held(connection, prepared)
        wanted = {
            (limit.scope, limit.window) for text in {row[_LIMITS] for row in held.values()} for limit in _limits(text)
        }
        for record in records:
            asked = record if isinstance(record, Reservation) else record.commit.set_aside
            if asked is not None:
                wanted.update([(limit.scope, limit.window) for limit in asked.limits])
        balances = self.balances(connection, wanted)
        page, position, head = Page(), self._position, self._head
        outcomes: list[BudgetSpent | None] = []
        for record in records:
            if isinstance(record, Reservation):
                outcomes.append(self._reserve(page, balances, record))
                continue
            if position == 0:
                page.chain.append((self.chain, time.time_ns(), head))
            position, previous, head = position + 1, head, link(head, record.body)
            page.journal.append(_journal_row(self.chain, record, position, previous, head))
            self._settle(page, balances, record.commit, held)
            if record.commit.set_aside is not None:  # its limits are soft: it is never refused
                self._reserve(page, balances, record.commit.set_aside)
            self._seal(page, record, keys)
            outcomes.append(None)
        page.set_budgets = balances.changed()
        page.warnings = _warnings(balances, self._warned)
        if page.case_events:
            hold_events(connection)
        page.write(connection, self._statements)
        chained(connection, *page.case_events)
        count_up(connection, self._statements, page.histograms)
        nearrows.write(connection, (record.commit.proposal for record in prepared))
        series = add_up(connection, self._statements, page.rollups, self._series)
        fingerprints = [str(row[2]) for row in page.cache]
        warned = {(row[0], row[1], row[2], row[3]) for row in page.warnings}
        return Written(outcomes, position, head, wanted, fingerprints, cases, series, warned)

    def adopt(self, written: Written) -> None:
        """Take over what a committed transaction did."""
        self._position, self._head = written.position, written.head
        if len(self._seen) > _SEEN:
            self._seen.clear()
        self._seen |= written.seen
        if len(self._series) > _SEEN:
            self._series.clear()
        self._series.update(written.series)
        if len(self._warned) > _SEEN:
            self._warned.clear()
        self._warned |= written.warned
        if written.fingerprints:
            self._cached(written.fingerprints)

    def keep(self, connection: Connection, subject: str, name: str, content: Content) -> None:
        """Write one more content of a subject, sealed under its living key, in an open transaction."""
        key = self._keys(connection, {subject})[subject]
        sealed = self._vault.seal(subject, *key, plain_form(content), name)
        connection.exec_driver_sql(self._statements.contents, (name, subject, key[0], *sealed))

    def seal(
        self, connection: Connection, subject: str, texts: Sequence[tuple[str, str]], *,
        moving: Sequence[tuple[str, str]] = (), old: int | None = None,
    ) -> tuple[int, list[bytes]]:  # fmt: skip
        """(generation, sealed texts) of a subject's (text, label) pairs, under its living key, in an open transaction.

        `moving` are sealed too, after the others, where that key is not of the generation `old`.
        """
        key = self._keys(connection, {subject})[subject]
        if key[0] != old:
            texts = [*texts, *moving]
        return key[0], [_joined(self._vault, subject, key, text, label) for text, label in texts]

    def believe(self, connection: Connection, entry: CacheEntry) -> None:
        """Put an answer into the cache in an open transaction; `entry.subject` is a pseudonym."""
        key = self._keys(connection, {entry.subject})[entry.subject]
        connection.exec_driver_sql(self._statements.cache, self._cache_row(entry, entry.subject, key))
        self._cached([entry.fingerprint])

    def resume(self, connection: Connection) -> None:
        """Read the head of the chain again, after a commit that may or may not have happened."""
        table = schema.journal.c
        newest = select(table.position, table.hash).where(table.chain == self.chain)
        row = connection.execute(newest.order_by(table.position.desc()).limit(1)).first()
        self._position, self._head = (0, genesis(self.chain)) if row is None else (row.position, row.hash)

    def written(self, connection: Connection, record: Record) -> str | None:
        """The case of this very record when it stands in the database already, written by this process; "" without a case.

        None when it does not stand there.
        """
        if isinstance(record, Reservation):
            table = schema.reservations.c
            found = connection.execute(select(table.owner).where(table.id == record.id)).first()
            return "" if found is not None and found.owner == self.chain else None
        journal = schema.journal.c
        wanted = select(journal.chain, journal.body).where(journal.request_id == record.commit.entry.request_id)
        row = connection.execute(wanted).first()
        if row is None or row.chain != self.chain:
            return None
        entry = _entry(row.body)
        if record.commit.joins and entry.case_id:
            record = _bring(record, entry.case_id)
        return entry.case_id or "" if bytes(row.body) == record.body else None

    def balances(self, connection: Connection, budgets: Iterable[Budget]) -> Balances:
        """What is spent and reserved of budgets, their rows made where there are none, and locked."""
        wanted = sorted(budgets)
        if not wanted:
            return Balances()
        new = [(*budget, 0, 0) for budget in wanted if budget not in self._seen]
        if new:
            connection.connection.cursor().executemany(self._statements.new_budgets, new)
        rows = _fetch(connection, self._statements.budgets(wanted))
        return Balances({(scope, window): (spent, reserved) for scope, window, spent, reserved in rows})

    def book_orphans(self, connection: Connection, orphans: Sequence[Reservation]) -> None:
        """Turn reservations that nobody will settle into spending, at their worst case, marked as estimated."""
        balances = self.balances(connection, {budget for orphan in orphans for budget in budgets_of(orphan.limits)})
        page = Page()
        for orphan in orphans:
            balances.move(orphan.limits, spent=orphan.nanodollars, reserved=-orphan.nanodollars)
            page.ledger.append(astuple(orphan_entry(orphan)))
            page.rollups.spent(None, [orphan_entry(orphan)])
        page.set_budgets = balances.changed()
        page.warnings = _warnings(balances, self._warned)
        page.write(connection, self._statements)
        add_up(connection, self._statements, page.rollups, self._series)

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
        """Move the budgets of a case's minutes by what its entries book. Locks: reservation, budgets.

        Args:
            audit: id of a case that judges this one's draft from now on: its minutes go to the same budgets.
            released: whether nothing needs to be set aside any more: it is answered, or has ended.
            ended: whether no minutes can come any more.
        """
        rows = _fetch(connection, self._statements.held([case_id]))
        if not rows:
            return
        page, spent, held = Page(), sum(entry.nanodollars for entry in entries), rows[0][_AMOUNT]
        if spent or (released and held):
            limits = _limits(rows[0][_LIMITS])
            balances = self.balances(connection, budgets_of(limits))
            balances.move(limits, spent=spent, reserved=-held if released else 0)
            page.set_budgets = balances.changed()
            page.warnings = _warnings(balances, self._warned)
            if released and not ended:
                mine = schema.reservations.c.id == case_id
                connection.execute(schema.reservations.update().where(mine).values(nanodollars=0))
        if audit:
            kept = dict(zip(RESERVATION_FIELDS, rows[0], strict=False)) | {"id": audit, "nanodollars": 0}
            page.reservations.append((*kept.values(), self.chain))
        if ended:
            page.drop_reservations.append((case_id,))
        page.write(connection, self._statements)

    def _keys(self, connection: Connection, subjects: set[str]) -> dict[str, Key]:
        """The living key of each subject; new ones are made for those that have none, or whose key was destroyed or is old."""
        if not subjects:
            return {}
        wanted = sorted(subjects)
        oldest_ns = time.time_ns() - self.rotate_after_ns if self.rotate_after_ns else 0
        living, newest = self._read_keys(connection, wanted, oldest_ns)
        absent = [subject for subject in wanted if subject not in living]
        if absent:
            now = time.time_ns()
            numbers = [(subject, newest.get(subject, 0) + 1) for subject in absent]
            rows = [(*number, self._vault.new_key(*number), now) for number in numbers]
            connection.connection.cursor().executemany(self._statements.new_subjects, rows)
            living |= self._read_keys(connection, absent, 0)[0]  # another process may have been first
        return living

    def _read_keys(
        self, connection: Connection, subjects: Sequence[str], oldest_ns: int
    ) -> tuple[dict[str, Key], dict[str, int]]:
        """(living keys that are not older, newest generations), by subject."""
        living: dict[str, Key] = {}
        newest: dict[str, int] = {}
        for subject, generation, wrapped, created_at_ns in _fetch(connection, self._statements.subjects(subjects)):
            newest[subject] = generation
            if wrapped is not None and created_at_ns >= oldest_ns:
                living[subject] = (generation, wrapped)
        return living, newest

    def _held(self, connection: Connection, prepared: Sequence[Prepared]) -> dict[str, Held]:
        """The rows of the reservations that are to be settled, by id."""
        ids = {part.reservation_id for record in prepared for part in record.commit.settlements if part.reservation_id}
        if not ids:
            return {}
        return {row[0]: row for row in _fetch(connection, self._statements.held(sorted(ids)))}

    def _reserve(self, page: Page, balances: Balances, reservation: Reservation) -> BudgetSpent | None:
        refused = balances.reserve(reservation)
        if refused is None:
            row = (*astuple(reservation)[:_LIMITS], _encode(reservation.limits).decode(), self.chain)
            page.fresh[reservation.id] = (*row[:-1], None)
            page.reservations.append(row)
        return refused

    def _settle(self, page: Page, balances: Balances, commit: Commit, held: dict[str, Held]) -> None:
        turn = turn_of(commit.entry)
        if not commit.entry.shadow_of:
            page.rollups.came(turn)
            page.histograms.add(commit.entry)
        if commit.revenue:
            page.revenue += [astuple(line) for line in commit.revenue]
            page.rollups.earned(turn, commit.revenue)
        for settlement in commit.settlements:
            spent = 0
            for entry in settlement.entries:
                spent += entry.nanodollars
                page.ledger.append(astuple(entry))
            page.rollups.spent(turn, settlement.entries)
            name = settlement.reservation_id
            row = page.fresh.pop(name, None) or held.pop(name, None)
            if row is None:  # nothing was reserved, or it was settled before: its budgets are right already
                continue
            page.drop_reservations.append((name,))
            amount, limits = row[_AMOUNT], _limits(row[_LIMITS])
            if row[_BOOKED] is None:
                balances.move(limits, spent=spent, reserved=-amount)
            else:  # the estimate goes, what it really cost comes
                returned = returned_entry(reservation_of(row))
                page.ledger.append(astuple(returned))
                page.rollups.spent(None, [returned])
                balances.move(limits, spent=spent - amount, reserved=0)

    def _seal(self, page: Page, record: Prepared, keys: dict[str, Key]) -> None:
        """Add what is sealed under the subject's key: content, case and cached answer."""
        if not record.subject:
            return
        subject, commit = record.subject, record.commit
        key = keys[subject]
        if record.plain is not None:
            name = commit.entry.request_id
            page.contents.append((name, subject, key[0], *self._vault.seal(subject, *key, record.plain, name)))
        if commit.case is not None:
            page.cases.append(self._case_row(commit.case, subject, key))
            page.case_events.append({
                "case_id": commit.case.id, "at_ns": commit.case.opened_at_ns, "kind": "opened", "detail": commit.case.reason,
                "by": "", "state": commit.case.state, "generation": None, "text": None,
            })  # fmt: skip
        if commit.cache is not None:
            page.cache.append(self._cache_row(commit.cache, subject, key))

    def _case_row(self, case: Case, subject: str, key: Key) -> Row:
        words = {name: getattr(case, name) for name in CASE_WORDS}
        sealed = {
            name: None if text is None else _joined(self._vault, subject, key, text, case_label(case.id, name))
            for name, text in words.items()
        }
        given = {"subject": subject, "generation": key[0], **sealed}
        return tuple(given[name] if name in given else getattr(case, name) for name in _CASE_COLUMNS)

    def _cache_row(self, entry: CacheEntry, subject: str, key: Key) -> Row:
        label = cache_label(entry.tenant, entry.feature, entry.fingerprint)
        body = b"".join(self._vault.seal(subject, *key, entry.body, label))
        where = (entry.tenant, entry.feature, entry.fingerprint, entry.epoch, entry.request_id)
        what = (entry.at_ns, entry.expires_at_ns, entry.model, entry.provider, entry.finish, entry.p, entry.low)
        near = None
        if entry.near:
            label = near_label(entry.tenant, entry.feature, entry.fingerprint)
            near = b"".join(self._vault.seal(subject, *key, entry.near, label))
        return (*where, *what, subject, key[0], body, entry.context, entry.answer, near)


def _one_case_each(connection: Connection, records: Sequence[Record]) -> tuple[Sequence[Record], list[str]]:
    """The records, those that join a case without one of their own; and the case of each, "" for none."""
    questions = [(isinstance(each, Prepared) and asked(each.commit, each.subject)) or None for each in records]
    known = dict(waiting(connection, {each for each in questions if each is not None})) if any(questions) else {}
    done: list[Record] = []
    cases: list[str] = []
    for record, question in zip(records, questions, strict=True):
        if isinstance(record, Prepared) and question is not None and record.commit.case is not None:
            own = record.commit.case.id
            found = known.setdefault(question, own)
            record = record if found == own else _bring(record, found)
        done.append(record)
        cases.append(record.commit.entry.case_id or "" if isinstance(record, Prepared) else "")
    return done, cases


def _bring(record: Prepared, case_id: str) -> Prepared:
    """The record as it is written when it joins a case."""
    if record.commit.entry.case_id == case_id:
        return record
    commit = joined(record.commit, case_id)
    return Prepared(commit, _encode(commit.entry), record.plain, record.subject)


def _journal_row(chain: str, record: Prepared, position: int, previous: bytes, head: bytes) -> Row:
    entry = record.commit.entry
    named = (entry.request_id, entry.at_ns, entry.tenant, entry.key_id, entry.feature, entry.subject)
    return (chain, position, *named, record.body, previous, head)


def _warnings(balances: Balances, known: set[tuple[str, str, int, int]]) -> Sequence[Row]:
    """A warning of each level that was reached; of one that another process wrote before, that one stands."""
    new = [warned for warned in balances.warnings().values() if warned.key not in known]
    at_ns = time.time_ns() if new else 0
    return sorted((*warned.key, at_ns, warned.spent, 0, 0, 0) for warned in new)


def hold_events(connection: Connection) -> None:
    """Let nobody else append events of cases until the transaction ends: no reader then sees a number before a lower one.

    SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_EVENTS})")


def _joined(vault: Vault, subject: str, key: Key, text: str, label: str) -> bytes:
    """Nonce and ciphertext as one value; lone surrogates, which no encoding has, are replaced."""
    return b"".join(vault.seal(subject, *key, text.encode("utf-8", "replace"), label))


def _fetch(connection: Connection, queries: Iterable[tuple[str, Sequence[str]]]) -> list[tuple[Any, ...]]:
    """All rows of some queries. The driver's cursor is used as it is: SQLAlchemy's results cost more than the query."""
    cursor = connection.connection.cursor()
    rows: list[tuple[Any, ...]] = []
    for statement, values in queries:
        cursor.execute(statement, values)
        rows += cursor.fetchall()
    cursor.close()
    return rows


def reservation_of(row: Sequence[Any]) -> Reservation:
    """The reservation that a row of RESERVATION_FIELDS, and perhaps more, holds."""
    fields = dict(zip(RESERVATION_FIELDS, row, strict=False))
    fields["limits"] = _limits(fields["limits"])
    return Reservation(**fields)


def case_label(case_id: str, name: str = "answer") -> str:
    """What a case's answer, autosaved text, note or event is sealed as."""
    return f"case {case_id}" if name == "answer" else f"case {name} {case_id}"


def cache_label(tenant: str, feature: str, fingerprint: str) -> str:
    """What a cached answer is sealed as: it does not open under another tenant or feature."""
    return f"cache {tenant}/{feature}/{fingerprint}"


def near_label(tenant: str, feature: str, fingerprint: str) -> str:
    """What a cached question's vector and facts are sealed as."""
    return f"near {tenant}/{feature}/{fingerprint}"
