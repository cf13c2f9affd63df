"""Roll-ups on tables: added up in the transaction of what they sum, read by any grouping.

Their rows are the last locks that a transaction takes, in the order of their keys. Replicas add to different shards, as far
as these go round, so that one rarely waits for another's disk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, Table, func, select

from surefoot.records import Entry, JournalEntry, Revenue
from surefoot.records.objective import HistogramCount
from surefoot.records.units import CostSum, RequestSum, Where, day_text
from surefoot.store import schema
from surefoot.store.histograms import Histograms
from surefoot.store.rollups import BOOKED_AHEAD, Rollups, Series, last_outcome, turn_of
from surefoot.store.sqlaudit import CHAIN
from surefoot.store.statements import Statements

SHARDS = 8
_decode = msgspec.json.Decoder(JournalEntry).decode


def add_up(
    connection: Connection, statements: Statements, rollups: Rollups, known: Mapping[Series, int]
) -> dict[Series, int]:
    """Add sums to the roll-ups in an open transaction; returns the ids of series that were not `known`."""
    places = sorted({*rollups.costs, *rollups.requests})
    if not places:
        return {}
    cursor = connection.connection.cursor()
    new = _numbered(cursor, statements, sorted({series for series, _ in places if series not in known}))
    shard = _shard(connection)
    for statement, sums in (
        (statements.daily_costs, rollups.costs),
        (statements.daily_requests, rollups.requests),
    ):
        rows = [
            (known.get(place[0]) or new[place[0]], place[1], shard, *each) for place, each in sums.items() if any(each)
        ]
        if rows:
            cursor.executemany(statement, sorted(rows))
    cursor.close()
    return new


def count_up(connection: Connection, statements: Statements, histograms: Histograms) -> None:
    """Add to the histograms in an open transaction."""
    if histograms.counts:
        shard = _shard(connection)
        rows = [
            (feature, step, slot, tenant, measure, bucket, shard, answers)
            for (feature, tenant, step, slot, measure, bucket), answers in histograms.counts.items()
        ]
        cursor = connection.connection.cursor()
        cursor.executemany(statements.histograms, sorted(rows))
        cursor.close()


def histogram_counts(
    connection: Connection, measures: Sequence[str], step_seconds: int, since_ns: int, *, by_tenant: bool
) -> list[HistogramCount]:
    """See `Ledger.histogram`."""
    table = schema.histograms.c
    groups = (table.feature, table.slot, table.measure, table.bucket, *((table.tenant,) if by_tenant else ()))
    since = since_ns // (step_seconds * 10**9)
    mine = (table.step_seconds == step_seconds, table.slot >= since, table.measure.in_(measures))
    wanted = select(*groups, func.sum(table.answers).label("answers")).where(*mine).group_by(*groups)
    return [
        HistogramCount(
            row.slot * step_seconds * 10**9, row.feature, row.tenant if by_tenant else "", row.measure, row.bucket,
            int(row.answers),
        )
        for row in connection.execute(wanted).all()
    ]  # fmt: skip


def spend(connection: Connection, statements: Statements, entries: Sequence[Entry]) -> None:
    """Write entries of requests that have ended, such as people's minutes, and add them up, in an open transaction."""
    connection.connection.cursor().executemany(statements.ledger, [msgspec.structs.astuple(entry) for entry in entries])
    rollups = Rollups()
    for request_id in sorted({entry.request_id for entry in entries}):
        journaled, lines = _held(connection, request_id)
        turn = None if journaled is None else turn_of(journaled, last_outcome(lines))
        rollups.spent(turn, [entry for entry in entries if entry.request_id == request_id])
    add_up(connection, statements, rollups, {})


def earn(connection: Connection, statements: Statements, lines: Iterable[Revenue]) -> list[bool]:
    """Which lines of revenue are new, written and added up in an open transaction; what they report moves its request."""
    new: list[bool] = []
    rollups = Rollups()
    for line in lines:
        journaled, before = _held(connection, line.request_id)
        row = msgspec.structs.astuple(line)
        new.append(connection.exec_driver_sql(statements.revenue, row).rowcount > 0)
        if not new[-1] or journaled is None:
            continue
        turn = turn_of(journaled, last_outcome(before))
        after = last_outcome([*before, line])
        if after and after != turn.outcome:
            turn = rollups.moved(turn, after, _entries(connection, line.request_id), before)
        rollups.earned(turn, [line])
    add_up(connection, statements, rollups, {})
    return new


def cost_sums(connection: Connection, by: Sequence[str], where: Where) -> list[CostSum]:
    """What groups spent, by kind; see `Ledger.costs`."""
    names = ("entries", "quantity", "nanodollars", "estimated_nanodollars")
    rows = connection.execute(_grouped(schema.daily_costs, names, (*by, "kind"), where)).all()
    return [
        CostSum(_group(by, row), row[len(by)], *map(int, row[len(by) + 1 :])) for row in rows if any(row[len(by) + 1 :])
    ]


def request_sums(connection: Connection, by: Sequence[str], where: Where) -> list[RequestSum]:
    """What groups were asked and earned; see `Ledger.traffic`."""
    names = (
        "requests", "earnings", "revenue_nanodollars", "baseline_requests", "baseline_nanodollars", "compared_nanodollars",
    )  # fmt: skip
    rows = connection.execute(_grouped(schema.daily_requests, names, by, where)).all()
    return [RequestSum(_group(by, row), *map(int, row[len(by) :])) for row in rows if any(row[len(by) :])]


def _grouped(table: Table, names: Sequence[str], by: Sequence[str], where: Where) -> Select[Any]:
    """Sums by group; what moved away leaves groups of nothing. Days are added up first, so that a series is looked up once."""
    series, sums = schema.series.c, [func.sum(table.c[name]).label(name) for name in names]
    part = [table.c.day >= where.since_day]
    if where.until_day is not None:
        part.append(table.c.day < where.until_day)
    if "day" in by:  # a series has one row a day: there is nothing to add up first
        rows: Any = table
    else:
        rows = select(table.c.series, *sums).where(*part).group_by(table.c.series).subquery()
        part = []
    groups: list[ColumnElement[Any]] = [rows.c.day if name == "day" else series[name] for name in by]
    wanted = select(*groups, *(func.sum(rows.c[name]) for name in names))
    joined = wanted.select_from(rows.join(schema.series, series.id == rows.c.series)).where(*part)
    for name, value in where.equals:
        joined = joined.where(series[name] == value)
    return joined.group_by(*groups)


def _group(by: Sequence[str], row: Sequence[Any]) -> tuple[str, ...]:
    return tuple(
        day_text(value) if name == "day" else str(value) for name, value in zip(by, row, strict=False)
    )  # fmt: skip


def _numbered(cursor: Any, statements: Statements, wanted: Sequence[Series]) -> dict[Series, int]:
    """The ids of series; those that are new are made. They are asked for one by one: each is new to a process once."""
    found: dict[Series, int] = {}
    for series in wanted:
        for again in (False, True):
            cursor.execute(statements.series_id, series)
            row = cursor.fetchone()
            if row is not None:
                found[series] = int(row[0])
                break
            if not again:
                cursor.execute(statements.new_series, series)
    return found


def _held(connection: Connection, request_id: str) -> tuple[JournalEntry | None, list[Revenue]]:
    """A request's journal entry and what it has earned, its row locked: nobody else moves it until the transaction ends."""
    journal, revenue = schema.journal.c, schema.revenue.c
    body = connection.execute(select(journal.body).where(journal.request_id == request_id).with_for_update()).scalar()
    rows = connection.execute(select(*revenue).where(revenue.request_id == request_id)).all()
    return None if body is None else _decode(body), [Revenue(**row._mapping) for row in rows]


def _entries(connection: Connection, request_id: str) -> list[Entry]:
    table = schema.ledger.c
    wanted = select(*(column for column in table if column.name != "id")).where(table.request_id == request_id)
    return [
        Entry(**row._mapping)
        for row in connection.execute(wanted.where(table.kind != BOOKED_AHEAD)).all()
    ]  # fmt: skip


def _shard(connection: Connection) -> int:
    """Which shard this process adds to: SQLite has one writer at a time anyway."""
    if connection.dialect.name == "sqlite":
        return 0
    return crc32(str(connection.get_execution_options().get(CHAIN, "")).encode()) % SHARDS
