"""Webhooks on tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, Row, Select, and_, exists, or_, select

from surefoot.records.hook import Hook, HookAttempt, HookClaim
from surefoot.store import schema
from surefoot.store.database import Database, Room
from surefoot.store.vault import NONCE

_FIELDS = Hook.__struct_fields__
_SEALED = ("subject", "generation", "sealed")
_LINE = HookAttempt.__struct_fields__


class SqlHooks(Room):
    """`Hooks` on two tables: the hooks, and the log of calls."""

    async def add(self, hook: Hook) -> bool:
        """Whether the hook is new. Its address is sealed under its tenant's key. Durable before it returns."""
        database = self.database

        def write(connection: Connection) -> bool:
            values = (
                *msgspec.structs.astuple(replace(hook, url=hook.place)),
                0,
                0,
                *_sealed(database, connection, hook),
            )
            return connection.exec_driver_sql(database.statements.hooks, values).rowcount > 0

        return await database.write(write)

    async def seal_old(self) -> None:
        """Seal what an older program wrote in clear. Raises StoreError."""
        table, database = schema.hooks, self.database
        old = select(*(table.c[name] for name in _FIELDS)).where(table.c.sealed.is_(None))
        if await database.read(lambda connection: connection.execute(old.limit(1)).first()) is None:
            return

        def write(connection: Connection) -> None:
            for row in connection.execute(old.order_by(table.c.id).with_for_update(skip_locked=True)).all():
                hook = Hook(**row._mapping)
                sealed = dict(zip(_SEALED, _sealed(database, connection, hook), strict=True))
                connection.execute(table.update().where(table.c.id == hook.id).values(url=hook.place, **sealed))

        await database.write(write)

    async def claim_due(self, *, now_ns: int, lease_ns: int, limit: int) -> Sequence[HookClaim]:
        """Due hooks that nobody else is calling. Looked up without a lock first: mostly there is none."""
        if not await self.database.read(lambda connection: connection.execute(_due(now_ns, 1)).first()):
            return ()
        table, database = schema.hooks, self.database

        def claim(connection: Connection) -> list[HookClaim]:
            rows = connection.execute(_due(now_ns, limit).with_for_update(skip_locked=True, of=table)).all()
            taken = table.update().where(table.c.id.in_([row.id for row in rows]))
            if rows:
                connection.execute(taken.values(fence=table.c.fence + 1, leased_until_ns=now_ns + lease_ns))
            return [HookClaim(hook=_hook(database, row), fence=row.fence + 1) for row in rows]

        return await database.write(claim)

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
        return await self._hooks(_all().where(table.case_id == case_id).order_by(table.at_ns, table.id))

    async def all(self, *, state: str | None = None, limit: int = 1000) -> Sequence[Hook]:
        """Hooks, newest first."""
        table = schema.hooks.c
        wanted = _all().order_by(table.at_ns.desc(), table.id.desc()).limit(limit)
        return await self._hooks(wanted if state is None else wanted.where(table.state == state))

    async def attempts(self, hook_id: str) -> Sequence[HookAttempt]:
        """The log of a hook, oldest first."""
        table = schema.hook_attempts.c
        wanted = select(*(table[name] for name in _LINE)).where(table.hook_id == hook_id).order_by(table.id)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [HookAttempt(**row._mapping) for row in rows]

    async def _hooks(self, wanted: Select[Any]) -> Sequence[Hook]:
        database = self.database
        rows = await database.read(lambda connection: connection.execute(wanted).all())
        return [_hook(database, row) for row in rows]


def _due(now_ns: int, limit: int) -> Select[Any]:
    hooks, cases = schema.hooks.c, schema.cases.c
    ended = exists().where(cases.id == hooks.case_id, or_(cases.delivered_at_ns > 0, cases.state == "withdrawn"))
    free = _all().where(hooks.state == "waiting", hooks.due_at_ns <= now_ns, hooks.leased_until_ns <= now_ns)
    return free.where(ended).order_by(hooks.due_at_ns, hooks.id).limit(limit)


def _all() -> Select[Any]:
    hooks, subjects = schema.hooks, schema.subjects
    key = and_(subjects.c.subject == hooks.c.subject, subjects.c.generation == hooks.c.generation)
    return select(*hooks.c, subjects.c.wrapped_key).select_from(hooks.outerjoin(subjects, key))


def _hook(database: Database, row: Row[Any]) -> Hook:
    hook = Hook(**{name: row._mapping[name] for name in _FIELDS})
    if row.sealed is None:
        return hook
    if row.wrapped_key is None:
        return replace(hook, url="")
    parts = (row.sealed[:NONCE], row.sealed[NONCE:])
    url = database.vault.unseal(row.subject, row.generation, row.wrapped_key, parts, _label(hook))
    return replace(hook, url=url.decode())


def _sealed(database: Database, connection: Connection, hook: Hook) -> tuple[str, int, bytes]:
    """The values of _SEALED: whose key the address is sealed under, which, and the address."""
    subject = database.vault.pseudonym(f"tenant:{hook.tenant}")
    generation, (sealed,) = database.seal(connection, subject, [(hook.url, _label(hook))])
    return subject, generation, sealed


def _label(hook: Hook) -> str:
    return f"hook {hook.id}"
