"""The parts of a store on tables: ledger, policies and keys. The greater ones have modules of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, Row, func, literal_column, select

from surefoot.records import Budget, Entry, Key, Revenue, Spent
from surefoot.records.objective import HistogramCount
from surefoot.records.units import CostSum, RequestSum, Where
from surefoot.store import EVERYTHING, HOUR_NS, schema
from surefoot.store.database import Room
from surefoot.store.histograms import DAYS, HOURS
from surefoot.store.spent import check_spent
from surefoot.store.sqlaudit import note
from surefoot.store.sqlrollups import cost_sums, earn, histogram_counts, request_sums


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

    async def of(self, request_ids: Sequence[str]) -> tuple[Sequence[Entry], Sequence[Revenue]]:
        """What requests spent and earned, each oldest first."""
        ledger, revenue = schema.ledger.c, schema.revenue.c
        spent = select(*(column for column in ledger if column.name != "id")).order_by(ledger.id)
        earned = select(*revenue).order_by(revenue.at_ns, revenue.id)

        def read(connection: Connection) -> tuple[list[Entry], list[Revenue]]:
            entries = connection.execute(spent.where(ledger.request_id.in_(request_ids))).all()
            lines = connection.execute(earned.where(revenue.request_id.in_(request_ids))).all()
            return [Entry(**row._mapping) for row in entries], [Revenue(**row._mapping) for row in lines]

        return await self.database.read(read)

    async def total(self, *, feature: str | None = None, tenant: str | None = None) -> int:
        """The sum of all entries, in nano-dollars; 0 when there is none."""
        table = schema.ledger.c
        wanted = select(func.coalesce(func.sum(table.nanodollars), 0))
        if feature is not None:
            wanted = wanted.where(table.feature == feature)
        if tenant is not None:
            wanted = wanted.where(table.tenant == tenant)
        return int(await self.database.read(lambda connection: connection.execute(wanted).scalar_one()))

    async def costs(self, by: Sequence[str], where: Where = EVERYTHING) -> Sequence[CostSum]:
        """What groups spent, by kind of entry, from the roll-ups; in any order."""
        return await self.database.read(lambda connection: cost_sums(connection, by, where))

    async def traffic(self, by: Sequence[str], where: Where = EVERYTHING) -> Sequence[RequestSum]:
        """Groups' requests, what they earned and the memo, from the roll-ups; in any order."""
        return await self.database.read(lambda connection: request_sums(connection, by, where))

    async def histogram(
        self, measures: Sequence[str], *, hourly: bool = False, by_tenant: bool = False, since_ns: int = 0
    ) -> Sequence[HistogramCount]:
        """Deliveries of each feature by latency and by score, in any order."""
        step = HOURS if hourly else DAYS
        return await self.database.read(
            lambda connection: histogram_counts(connection, measures, step, since_ns, by_tenant=by_tenant)
        )

    async def earn(self, lines: Sequence[Revenue]) -> Sequence[bool]:
        """Which lines of revenue are new, in one transaction. Durable before it returns."""
        statements = self.database.statements
        return await self.database.write(lambda connection: earn(connection, statements, lines)) if lines else []

    async def revenue(self, *, request_id: str | None = None, feature: str | None = None) -> Sequence[Revenue]:
        """What was earned, oldest first."""
        table = schema.revenue.c
        wanted = select(*table).order_by(table.at_ns, table.id)
        if request_id is not None:
            wanted = wanted.where(table.request_id == request_id)
        if feature is not None:
            wanted = wanted.where(table.feature == feature)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        return [Revenue(**row._mapping) for row in rows]

    async def spent(
        self, *, by: Sequence[str] = (), since_ns: int = 0, until_ns: int | None = None, step_ns: int = HOUR_NS
    ) -> Sequence[Spent]:
        """The lines of a time, found by its index, added up by stretches and groups."""
        check_spent(by, step_ns)
        table = schema.ledger.c
        stretch = (table.at_ns - table.at_ns % step_ns).label("at_ns")
        group = [table[name] for name in by]
        wanted = select(
            stretch, *group, func.count(table.request_id.distinct()), func.sum(table.quantity), func.sum(table.nanodollars)
        ).where(table.at_ns >= since_ns)  # fmt: skip
        if until_ns is not None:
            wanted = wanted.where(table.at_ns < until_ns)
        wanted = wanted.group_by(literal_column("1"), *group)
        rows = await self.database.read(lambda connection: connection.execute(wanted).all())
        found = [
            Spent(
                at_ns=at_ns, requests=requests, quantity=int(quantity), nanodollars=int(nanodollars),
                **dict(zip(by, names, strict=True)),
            )
            for at_ns, *names, requests, quantity, nanodollars in rows
        ]  # fmt: skip
        return sorted(found, key=lambda row: (row.at_ns, *(getattr(row, name) for name in by)))

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
        lists = {name: msgspec.json.encode(getattr(key, name)).decode() for name in ("features", "scopes", "budgets")}
        row = msgspec.structs.asdict(key) | lists

        def insert(connection: Connection) -> None:
            connection.execute(schema.keys.insert().values(row))
            note(connection, kind="key.created", by="", on=key.id, detail=key.tenant)

        await self.database.write(insert)

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

        def end(connection: Connection) -> bool:
            if not connection.execute(changed).rowcount:
                return False
            note(connection, kind="key.revoked", by="", on=key_id)
            return True

        return await self.database.write(end)


def _key(row: Row[tuple[object, ...]]) -> Key:
    fields = dict(row._mapping)
    for name in ("features", "scopes"):
        fields[name] = msgspec.json.decode(fields[name], type=tuple[str, ...])
    fields["budgets"] = msgspec.json.decode(fields["budgets"], type=tuple[Budget, ...])
    return Key(**fields)
