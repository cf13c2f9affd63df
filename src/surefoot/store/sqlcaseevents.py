"""What happened to cases, read from tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Row, Select, and_, func, select
from sqlalchemy import case as when

from surefoot.records import CaseEvent, Moment
from surefoot.records.case import ANSWERS
from surefoot.store import schema
from surefoot.store.cases import SLACK_NS
from surefoot.store.database import Database, Room
from surefoot.store.scribe import case_label
from surefoot.store.vault import NONCE

_table, _events = schema.cases, schema.case_events
_PAGE = 1000


class SqlCaseEvents(Room):
    """The part of `CaseQueue` that tells what happened."""

    async def history(self, case_id: str) -> Sequence[CaseEvent]:
        """What happened to a case, oldest first, with the texts that were said."""
        subjects = schema.subjects
        key = and_(subjects.c.subject == _table.c.subject, subjects.c.generation == _events.c.generation)
        joined = _told_of().add_columns(_events.c.generation, _events.c.text, _table.c.subject, subjects.c.wrapped_key)
        wanted = joined.outerjoin(subjects, key).where(_events.c.case_id == case_id).order_by(_events.c.id)
        database = self.database
        rows = await database.read(lambda connection: connection.execute(wanted).all())
        return [_event(row, opened_text(database, row, "text", row.case_id, "event")) for row in rows]

    async def changes(self, *, after: int, limit: int = 1000) -> Sequence[CaseEvent]:
        """Events of all cases with an id above `after`, ascending, without texts."""
        wanted = _told_of().where(_events.c.id > after).order_by(_events.c.id).limit(limit)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [_event(row, None) for row in rows]

    async def moments(self, *, since_ns: int, until_ns: int) -> AsyncIterator[Moment]:
        """Events of all cases in [since_ns, until_ns), the newest first.

        Pages go back along the ids, which grow as events become visible, until a whole page is older than anything asked for.
        """
        page = _MOMENTS.order_by(_events.c.id.desc()).limit(_PAGE)
        wanted = page
        while True:
            rows = await self._rows(wanted)
            for row in rows:
                if since_ns <= row.at_ns < until_ns:
                    yield _moment(row)
            if len(rows) < _PAGE or max(row.at_ns for row in rows) < since_ns - SLACK_NS:
                return
            wanted = page.where(_events.c.id < rows[-1].id)

    async def last_change(self) -> int:
        """The id of the newest event; 0 before the first."""
        wanted = select(func.coalesce(func.max(_events.c.id), 0))
        return int(await self.database.read(lambda connection: connection.execute(wanted).scalar_one()))

    async def _rows(self, wanted: Select[Any]) -> Sequence[Row[Any]]:
        return await self.database.read(lambda connection: connection.execute(wanted).all())


def opened_text(database: Database, row: Row[Any], column: str, case_id: str, name: str) -> str | None:
    """A sealed text in clear; None when there is none or its subject's key is destroyed."""
    sealed = row._mapping[column]
    if sealed is None or row.wrapped_key is None:
        return None
    parts = (sealed[:NONCE], sealed[NONCE:])
    label = case_label(case_id, name)
    return database.vault.unseal(row.subject, row.generation, row.wrapped_key, parts, label).decode()


def _told_of() -> Select[Any]:
    """Events with what is known of their cases."""
    event = _events.c
    columns = (event.id, event.case_id, event.at_ns, event.kind, event.detail, event.by, event.state)
    joined = _events.outerjoin(_table, _table.c.id == event.case_id)
    return select(*columns, _table.c.tenant, _table.c.feature).select_from(joined)


def _moments() -> Select[Any]:
    """Events with their cases; of an answer also the time that was booked by then."""
    line = schema.ledger.c
    of_request = and_(line.request_id == _table.c.request_id, line.kind == "human", line.at_ns <= _events.c.at_ns)
    booked = select(func.sum(line.quantity)).where(of_request).correlate(_table, _events).scalar_subquery()
    seconds = when((_events.c.kind.in_(ANSWERS), booked), else_=None).label("seconds")
    joined = _told_of().where(_table.c.id.is_not(None))
    case = _table.c
    return joined.add_columns(case.request_id, case.kind.label("of_kind"), case.role, case.rung, seconds)


_MOMENTS = _moments()


def _moment(row: Row[Any]) -> Moment:
    return Moment(
        event=_event(row, None), request_id=row.request_id, kind=row.of_kind, role=row.role, rung=row.rung,
        seconds=None if row.seconds is None else int(row.seconds),
    )  # fmt: skip


def _event(row: Row[Any], text: str | None) -> CaseEvent:
    return CaseEvent(
        id=row.id, case_id=row.case_id, at_ns=row.at_ns, kind=row.kind, detail=row.detail, by=row.by,
        tenant=row.tenant or "", feature=row.feature or "", state=row.state, text=text,
    )  # fmt: skip
