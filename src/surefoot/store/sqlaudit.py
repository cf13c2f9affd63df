"""Writing the audit trail on tables: events are written in the transaction of what they tell, on the writer's thread.

A writer's connections know the name of its chain (`CHAIN`). Its newest row is read in the transaction itself, so that a
rollback needs no thought: nobody else writes this chain.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from msgspec.structs import replace
from sqlalchemy import BindParameter, Connection, Dialect, Double, bindparam, func, select

from surefoot.errors import StoreError
from surefoot.records.audit import AuditEvent, Head
from surefoot.store import schema
from surefoot.store.audit import VOUCHED, began, encode, genesis, vouching
from surefoot.store.bets import KINDS
from surefoot.store.chain import link

CHAIN = "surefoot_chain"  # the execution option of a writer's engine
_NAMED = 50  # chains whose heads a new one names: the newest


def chained(connection: Connection, *rows: Mapping[str, object]) -> None:
    """Insert events of cases, vouched for in the trail, in an open writing transaction.

    Args:
        rows: all columns of `case_events` but the id, with the very values that are stored.
    """
    statement, names = _events(connection.dialect)
    cursor, written = connection.connection.cursor(), []
    for row in rows:
        cursor.execute(statement, tuple(row[name] for name in names))
        ((number,),) = cursor.fetchall()
        written.append({"id": number, **row})
    cursor.close()
    vouch(connection, schema.case_events.name, written)


def vouch(connection: Connection, table: str, rows: Iterable[Mapping[str, object]], *, kind: str = "") -> None:
    """Vouch for rows that are written in the same transaction, their keys included.

    `kind` says what was done, else the table does.
    """
    (key,) = schema.metadata.tables[table].primary_key
    append(connection, [vouching(_event(table, row, kind), table, key.name, stored(table, row)) for row in rows])


def insert(connection: Connection, table: str, row: Mapping[str, object]) -> None:
    """Insert a row that the database numbers, vouched for in the trail, in an open writing transaction."""
    key = connection.execute(schema.metadata.tables[table].insert(), dict(row)).inserted_primary_key
    if key is None:
        raise StoreError(f"{table} did not say the number of its new row")
    vouch(connection, table, [{"id": key[0], **row}])


def note(connection: Connection, *, kind: str, by: str, on: str = "", detail: str = "") -> None:
    """Write an event that has no row of its own, in an open writing transaction."""
    append(connection, [AuditEvent(kind=kind, by=by, on=on, detail=detail)])


def append(connection: Connection, events: Sequence[AuditEvent]) -> None:
    """Write events at the end of the writer's chain, at the server's time, which never goes back."""
    if not events:
        return
    chain = connection.get_execution_options().get(CHAIN)
    if chain is None:
        raise StoreError("an audit event can only be written by the store's writer")
    add, newest = _statements(connection.dialect)
    cursor = connection.connection.cursor()
    cursor.execute(newest, (chain, chain))
    position, head, at_ns = cursor.fetchone() or (0, genesis(chain), 0)
    if not position:
        events = [began(heads(connection, "audit", limit=_NAMED)), *events]
    at_ns = max(at_ns, time.time_ns())
    rows = []
    for event in events:
        body, previous = encode(replace(event, at_ns=at_ns)), bytes(head)
        position, head = position + 1, link(previous, body)
        rows.append((chain, position, at_ns, event.kind, event.by, event.on, body, previous, head))
    cursor.executemany(add, rows)
    cursor.close()


def adopt(connection: Connection) -> int:
    """Vouch for the rows that were there before the trail was, once; returns how many."""
    table = schema.audit_events.c
    if connection.execute(select(table.chain).limit(1)).first() is not None:
        return 0
    count = 0
    for name in VOUCHED:
        rows = [row._asdict() for row in connection.execute(select(*schema.metadata.tables[name].c)).all()]
        vouch(connection, name, rows, kind="trail.adopted")
        count += len(rows)
    return count


def heads(connection: Connection, trail: str, *, limit: int | None = None) -> list[Head]:
    """The newest row of each chain of "journal" or "audit", the newest chains first."""
    table = (schema.journal if trail == "journal" else schema.audit_events).c
    last = select(table.chain, func.max(table.position).label("position")).group_by(table.chain).subquery()
    wanted = select(table.chain, table.position, table.hash, table.at_ns).join(
        last, (last.c.chain == table.chain) & (last.c.position == table.position)
    )
    rows = connection.execute(wanted.order_by(table.at_ns.desc(), table.chain).limit(limit)).all()
    return [Head(trail=trail, chain=row.chain, position=row.position, hash=bytes(row.hash).hex()) for row in rows]


def _event(table: str, row: Mapping[str, Any], kind: str) -> AuditEvent:
    """What an event says of a row of a vouched table."""
    by = str(row.get("by", ""))
    match table:
        case "case_events":
            return AuditEvent(
                kind=kind or f"case.{row['kind']}", by=by, on=row["case_id"], detail=row.get("detail", "")
            )
        case "labels":
            return AuditEvent(kind=kind or "label.added", by=by, on=row["request_id"], detail=row["verdict"])
        case "promotions":
            return AuditEvent(kind=kind or "revision.promoted", by=by, on=str(row["number"]))
        case "stops":
            said = {"stop": "feature.stopped", "resume": "feature.resumed"}
            return AuditEvent(kind=kind or said[row["verb"]], by=by, on=row["feature"], detail=row["reason"])
        case "holds":
            said = {"hold": "subject.held", "release": "subject.released"}
            return AuditEvent(kind=kind or said[row["verb"]], by=by, on=row["subject"], detail=row["reason"])
        case "bet_events":
            return AuditEvent(kind=kind or KINDS[row["kind"]], by=by, on=row["bet_id"])
    raise StoreError(f"{table} is not vouched for")


def stored(table: str, row: Mapping[str, Any]) -> dict[str, object]:
    """A row as it is read back, where a whole number may have become a float: what a digest is over."""
    floats = _floats(table)
    return {name: float(value) if name in floats and value is not None else value for name, value in row.items()}


@lru_cache(32)
def _floats(table: str) -> frozenset[str]:
    return frozenset(column.name for column in schema.metadata.tables[table].c if isinstance(column.type, Double))


@lru_cache(8)
def _statements(dialect: Dialect) -> tuple[str, str]:
    """(INSERT of an event, SELECT of a chain's newest row) as text."""
    table = schema.audit_events
    values: dict[str, BindParameter[object]] = {column.name: bindparam(column.name) for column in table.c}
    last = select(func.max(table.c.position)).where(table.c.chain == bindparam("chain")).scalar_subquery()
    newest = select(table.c.position, table.c.hash, table.c.at_ns).where(
        table.c.chain == bindparam("of_chain"), table.c.position == last
    )
    return str(table.insert().inline().values(values).compile(dialect=dialect)), str(newest.compile(dialect=dialect))


@lru_cache(8)
def _events(dialect: Dialect) -> tuple[str, tuple[str, ...]]:
    """(INSERT of a case's event that says its id, the names of its values in order)."""
    table = schema.case_events
    names = tuple(column.name for column in table.c if column.name != "id")
    values: dict[str, BindParameter[object]] = {name: bindparam(name) for name in names}
    return str(table.insert().values(values).returning(table.c.id).compile(dialect=dialect)), names
