"""Webhooks on tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, Select, exists, or_, select

from surefoot.records.hook import Hook, HookAttempt, HookClaim
from surefoot.store import schema
from surefoot.store.database import Room

_FIELDS = Hook.__struct_fields__
_LINE = HookAttempt.__struct_fields__


class SqlHooks(Room):
    """`Hooks` on two tables: the hooks, and the log of calls."""

    async def add(self, hook: Hook) -> bool:
        """Whether the hook is new. Durable before it returns."""
        statement, row = self.database.statements.hooks, (*msgspec.structs.astuple(hook), 0, 0)
        return await self.database.write(lambda connection: connection.exec_driver_sql(statement, row).rowcount > 0)

    async def claim_due(self, *, now_ns: int, lease_ns: int, limit: int) -> Sequence[HookClaim]:
        """Due hooks that nobody else is calling. Looked up without a lock first: mostly there is none."""
        if not await self.database.read(lambda connection: connection.execute(_due(now_ns, 1)).first()):
            return ()
        table = schema.hooks

        def claim(connection: Connection) -> list[HookClaim]:
            rows = connection.execute(_due(now_ns, limit).with_for_update(skip_locked=True, of=table)).all()
            taken = table.update().where(table.c.id.in_([row.id for row in rows]))
            if rows:
                connection.execute(taken.values(fence=table.c.fence + 1, leased_until_ns=now_ns + lease_ns))
            return [HookClaim(hook=_hook(row), fence=row.fence + 1) for row in rows]

        return await self.database.write(claim)

    async def record(self, claim: HookClaim, attempt: HookAttempt, *, state: str, due_at_ns: int = 0) -> bool:
        """Append a line to the log and move the hook; False when the lease was lost meanwhile. Durable before it returns."""
        table = schema.hooks
        mine = table.update().where(table.c.id == claim.hook.id, table.c.fence == claim.fence)
        moved = mine.values(state=state, attempts=claim.hook.attempts + 1, due_at_ns=due_at_ns, leased_until_ns=0)

        def write(connection: Connection) -> bool:
            connection.execute(schema.hook_attempts.insert().values(msgspec.structs.asdict(attempt)))
            return connection.execute(moved).rowcount > 0

        return await self.database.write(write)

    async def of(self, case_id: str) -> Sequence[Hook]:
        """The hooks of a case, oldest first."""
        table = schema.hooks.c
        return await self._hooks(select(*table).where(table.case_id == case_id).order_by(table.at_ns, table.id))

    async def all(self, *, state: str | None = None, limit: int = 1000) -> Sequence[Hook]:
        """Hooks, newest first."""
        table = schema.hooks.c
        wanted = select(*table).order_by(table.at_ns.desc(), table.id.desc()).limit(limit)
        return await self._hooks(wanted if state is None else wanted.where(table.state == state))

    async def attempts(self, hook_id: str) -> Sequence[HookAttempt]:
        """The log of a hook, oldest first."""
        table = schema.hook_attempts.c
        wanted = select(*(table[name] for name in _LINE)).where(table.hook_id == hook_id).order_by(table.id)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [HookAttempt(**row._mapping) for row in rows]

    async def _hooks(self, wanted: Select[Any]) -> Sequence[Hook]:
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [_hook(row) for row in rows]


def _due(now_ns: int, limit: int) -> Select[Any]:
    hooks, cases = schema.hooks.c, schema.cases.c
    ended = exists().where(cases.id == hooks.case_id, or_(cases.delivered_at_ns > 0, cases.state == "withdrawn"))
    free = select(*hooks).where(hooks.state == "waiting", hooks.due_at_ns <= now_ns, hooks.leased_until_ns <= now_ns)
    return free.where(ended).order_by(hooks.due_at_ns, hooks.id).limit(limit)


def _hook(row: Row[Any]) -> Hook:
    return Hook(**{name: row._mapping[name] for name in _FIELDS})
