"""The parts of a store on tables: cases, ledger, policies and keys. Journal and cache have modules of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Delete, Row, Select, and_, func, select

from surefoot.errors import StoreError
from surefoot.records import Case, Entry, Key, Label
from surefoot.store import schema
from surefoot.store.database import Database, Room
from surefoot.store.scribe import case_label
from surefoot.store.sqllabels import append_label
from surefoot.store.vault import NONCE


class SqlCases(Room):
    """`Cases` on tables."""

    async def get(self, case_id: str, *, tenant: str) -> Case | None:
        """The case, or None when there is none or it belongs to another tenant."""
        table, database = schema.cases, self.database
        wanted = _cases().where(table.c.id == case_id, table.c.tenant == tenant)
        row = await database.read(lambda connection: connection.execute(wanted).first())
        return None if row is None else _case(database, row)

    async def open_cases(
        self, *, feature: str | None = None, kind: str | None = None, limit: int = 1000
    ) -> Sequence[Case]:
        """Waiting cases, oldest first."""
        table, database = schema.cases, self.database
        wanted = _cases().where(table.c.state == "open").order_by(table.c.opened_at_ns, table.c.id).limit(limit)
        if feature is not None:
            wanted = wanted.where(table.c.feature == feature)
        if kind is not None:
            wanted = wanted.where(table.c.kind == kind)
        rows = await database.read(lambda connection: connection.execute(wanted).all())
        return [_case(database, row) for row in rows]

    async def events(self, case_id: str) -> Sequence[tuple[int, str, str]]:
        """What happened to a case, oldest first: (at_ns, kind, detail)."""
        table = schema.case_events.c
        wanted = select(table.at_ns, table.kind, table.detail).where(table.case_id == case_id).order_by(table.id)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [(at_ns, kind, detail) for at_ns, kind, detail in rows]

    async def resolve(self, case_id: str, *, state: str, at_ns: int, detail: str = "") -> bool:
        """Whether an open case was moved to a state, with its event, in one transaction."""
        table, event = schema.cases, {"case_id": case_id, "at_ns": at_ns, "kind": state, "detail": detail}

        def move(connection: Connection) -> bool:
            changed = table.update().where(table.c.id == case_id, table.c.state == "open").values(state=state)
            if not connection.execute(changed).rowcount:
                return False
            connection.execute(schema.case_events.insert().values(event))
            return True

        return await self.database.write(move)

    async def judge(self, case_id: str, *, label: Label, at_ns: int) -> bool:
        """Whether an open case was moved to "judged" and its label appended, with its event, in one transaction."""
        table, database = schema.cases, self.database
        event = {"case_id": case_id, "at_ns": at_ns, "kind": "judged", "detail": label.verdict}
        of_request = (table.c.id == case_id, table.c.request_id == label.request_id)
        question = (table.c.tenant, table.c.feature, table.c.fingerprint)
        judged = table.update().where(*of_request, table.c.state == "open").values(state="judged").returning(*question)

        def write(connection: Connection) -> bool:
            case = connection.execute(judged).first()
            if case is None:
                return False
            if label.verdict == "wrong":
                connection.execute(_cached(*case))
            if not append_label(connection, database.statements, label):
                raise StoreError(f"there is a label {label.id} already")
            connection.execute(schema.case_events.insert().values(event))
            return True

        return await database.write(write)


def _cached(tenant: str, feature: str, fingerprint: str) -> Delete:
    table = schema.cache.c
    of_question = (table.tenant == tenant, table.feature == feature, table.fingerprint == fingerprint)
    return schema.cache.delete().where(*of_question)


def _cases() -> Select[tuple[object, ...]]:
    table, subjects = schema.cases, schema.subjects
    of_subject = and_(subjects.c.subject == table.c.subject, subjects.c.generation == table.c.generation)
    return select(*table.c, subjects.c.wrapped_key).select_from(table.outerjoin(subjects, of_subject))


def _case(database: Database, row: Row[tuple[object, ...]]) -> Case:
    fields = dict(row._mapping)
    wrapped, generation, sealed = fields.pop("wrapped_key"), fields.pop("generation"), fields.pop("answer")
    answer = None
    if sealed is not None and wrapped is not None:
        parts = (sealed[:NONCE], sealed[NONCE:])
        label = case_label(fields["id"])
        answer = database.vault.unseal(fields["subject"], generation, wrapped, parts, label).decode()
    return Case(**fields, answer=answer)


class SqlLedger(Room):
    """`Ledger` on tables."""

    async def entries(self, *, request_id: str | None = None, feature: str | None = None) -> Sequence[Entry]:
        """Ledger lines, oldest first."""
        table = schema.ledger
        wanted = select(*(column for column in table.c if column.name != "id")).order_by(table.c.id)
        if request_id is not None:
            wanted = wanted.where(table.c.request_id == request_id)
        if feature is not None:
            wanted = wanted.where(table.c.feature == feature)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [Entry(**row._mapping) for row in rows]

    async def total(self, *, feature: str | None = None, tenant: str | None = None) -> int:
        """The sum of all entries, in nano-dollars; 0 when there is none."""
        table = schema.ledger.c
        wanted = select(func.coalesce(func.sum(table.nanodollars), 0))
        if feature is not None:
            wanted = wanted.where(table.feature == feature)
        if tenant is not None:
            wanted = wanted.where(table.tenant == tenant)
        return int(await self.database.read(lambda connection: connection.execute(wanted).scalar_one()))

    async def budget(self, scope: str, window: str) -> tuple[int, int]:
        """(spent, reserved) of a budget in nano-dollars; (0, 0) before its first use."""
        table = schema.budgets.c
        wanted = select(table.spent, table.reserved).where(table.scope == scope, table.window == window)
        row = await self.database.read(lambda connection: connection.execute(wanted).first())
        return (0, 0) if row is None else (row[0], row[1])

    async def settle_orphans(self, *, older_than_ns: int | None = None) -> int:
        """Book reservations that no living request will settle as estimated; returns how many.

        The reservation is remembered for a day: should its request be settled after all, the estimate is taken back.
        """
        return await self.database.settle_orphans(older_than_ns)


class SqlPolicies(Room):
    """`Policies` on a table."""

    async def put(self, version: str, data: bytes) -> None:
        """Keep a version; putting it again does nothing. Durable before it returns."""
        database = self.database
        row = (version, data, time.time_ns())
        await database.write(lambda connection: connection.exec_driver_sql(database.statements.policies, row))

    async def get(self, version: str) -> bytes | None:
        """The stored policy, or None."""
        table = schema.policies.c
        wanted = select(table.data).where(table.version == version)
        return await self.database.read(lambda connection: connection.execute(wanted).scalar())


class SqlKeys(Room):
    """`Keys` on a table."""

    async def put(self, key: Key) -> None:
        """Add a key. Durable before it returns. Raises StoreError when its id or hash is taken."""
        lists = {name: msgspec.json.encode(getattr(key, name)).decode() for name in ("features", "scopes")}
        row = msgspec.structs.asdict(key) | lists
        await self.database.write(lambda connection: connection.execute(schema.keys.insert().values(row)))

    async def all(self) -> Sequence[Key]:
        """Every key, revoked ones too, oldest first."""
        wanted = select(*schema.keys.c).order_by(schema.keys.c.created_at_ns, schema.keys.c.id)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [_key(row) for row in rows]

    async def revoke(self, key_id: str, *, at_ns: int) -> bool:
        """Whether there was such a living key. Durable before it returns."""
        table = schema.keys
        living = table.update().where(table.c.id == key_id, table.c.revoked_at_ns.is_(None))
        changed = living.values(revoked_at_ns=at_ns)
        return await self.database.write(lambda connection: connection.execute(changed).rowcount) > 0


def _key(row: Row[tuple[object, ...]]) -> Key:
    fields = dict(row._mapping)
    for name in ("features", "scopes"):
        fields[name] = msgspec.json.decode(fields[name], type=tuple[str, ...])
    return Key(**fields)
