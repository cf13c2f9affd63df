"""Warnings and rates on tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, select

from surefoot.store import schema
from surefoot.store.balances import Warned, wait_ns
from surefoot.store.budgets import Grant
from surefoot.store.database import Room

_warnings, _rates = schema.budget_warnings, schema.rates
_FIELDS = Warned.__struct_fields__


class SqlWarnings(Room):
    """`Warnings` on a table that the scribe writes."""

    async def all(self, *, since_ns: int = 0) -> Sequence[Warned]:
        """Warnings, oldest first."""
        wanted = _found().where(_warnings.c.at_ns >= since_ns)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [Warned(**row._mapping) for row in rows]

    async def claim(self, *, now_ns: int, since_ns: int, limit: int) -> Sequence[Warned]:
        """Warnings that nobody was told of and that are due, oldest first. Looked up without a lock: mostly there is none."""
        table = _warnings.c
        due = _found().where(table.told_at_ns == 0, table.due_at_ns <= now_ns, table.at_ns >= since_ns)
        if not await self.database.read(lambda connection: connection.execute(due.limit(1)).first()):
            return ()

        def claim(connection: Connection) -> list[Warned]:
            rows = connection.execute(due.limit(limit).with_for_update(skip_locked=True)).all()
            found = [Warned(**{**row._mapping, "attempts": row.attempts + 1}) for row in rows]
            for each in found:
                taken = _warnings.update().where(_is(each))
                connection.execute(taken.values(attempts=each.attempts, due_at_ns=now_ns + wait_ns(each.attempts)))
            return found

        return await self.database.write(claim)

    async def told(self, warned: Warned, *, at_ns: int) -> None:
        """Somebody was told. Durable before it returns."""
        changed = _warnings.update().where(_is(warned)).values(told_at_ns=at_ns)
        await self.database.write(lambda connection: connection.execute(changed))


class SqlRates(Room):
    """`Rates` on a table."""

    @property
    def shared(self) -> bool:
        """Whether other processes may draw from it: a SQLite file has one process."""
        return self.database.statements.shared

    async def grant(self, scope: str, minute: int, *, asked: tuple[int, int], most: tuple[int, int]) -> Grant:
        """What is granted of what was asked for."""
        statement = self.database.statements.new_rates
        mine = and_(_rates.c.scope == scope, _rates.c.minute == minute)
        wanted = select(_rates.c.requests, _rates.c.tokens).where(mine).with_for_update()

        def draw(connection: Connection) -> Grant:
            if connection.exec_driver_sql(statement, (scope, minute, 0, 0)).rowcount:
                connection.execute(_rates.delete().where(_rates.c.scope == scope, _rates.c.minute < minute))
            requests, tokens = connection.execute(wanted).one()
            grant = Grant.of((requests, tokens), asked, most)
            given = grant.given
            changed = _rates.update().where(mine)
            connection.execute(changed.values(requests=requests + given[0], tokens=tokens + given[1]))
            return grant

        return await self.database.write(draw)


def _found() -> Select[Any]:
    order = (
        _warnings.c.at_ns,
        _warnings.c.scope,
        _warnings.c.window,
        _warnings.c.limit_nanodollars,
        _warnings.c.level_ppm,
    )
    return select(*(_warnings.c[name] for name in _FIELDS)).order_by(*order)


def _is(warned: Warned) -> Any:
    names = ("scope", "window", "limit_nanodollars", "level_ppm")
    return and_(*(_warnings.c[name] == value for name, value in zip(names, warned.key, strict=True)))
