"""The cache on tables: a known fingerprint is looked up, an unknown one is a sure miss that costs nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from surefoot.records import CacheEntry
from surefoot.store import nearrows, schema
from surefoot.store.database import Room
from surefoot.store.known import LIMIT, Known
from surefoot.store.scribe import cache_label
from surefoot.store.vault import NONCE

OVERLAP_NS = 10_000_000_000  # how far clocks of replicas may be apart before a hit is missed

_FIELDS = tuple(column.name for column in schema.cache.c if column.name != "near")


class SqlCache(Room):
    """`Cache` on tables. The database has the last word: time, epoch and retraction are checked there on every hit."""

    def __init__(self) -> None:
        super().__init__()
        self._known = Known()
        self._epochs: dict[tuple[str, str], int] = {}
        self._newest_ns = 0

    def learn(self, fingerprints: Sequence[str]) -> None:
        """Note fingerprints that were just put in. Called on the writer's thread."""
        self._known.add(fingerprints)

    async def get(self, fingerprint: str, *, tenant: str, feature: str, now_ns: int) -> CacheEntry | None:
        """The entry if it is alive: not expired, not retracted, of the current epoch. A sure miss costs no database read."""
        stamp = self._known.stamp(fingerprint)
        if not stamp:
            return None
        database = self.database
        statement, values = database.statements.cached, (tenant, feature, fingerprint)
        row = await database.read(lambda connection: connection.exec_driver_sql(statement, values).first())
        if row is None:
            self._known.drop(fingerprint, stamp)
            return None
        fields = dict(zip(_FIELDS, row, strict=False))
        epoch, wrapped = row[-2] or 0, row[-1]
        generation = fields.pop("generation")
        if fields["expires_at_ns"] <= now_ns or fields["epoch"] != epoch or wrapped is None:
            return None
        sealed = (fields["body"][:NONCE], fields["body"][NONCE:])
        label = cache_label(tenant, feature, fingerprint)
        fields["body"] = database.vault.unseal(fields["subject"], generation, wrapped, sealed, label)
        return CacheEntry(**fields)

    def epoch(self, tenant: str, feature: str) -> int:
        """The epoch that this process knows; an entry put under an older one is never served."""
        return self._epochs.get((tenant, feature), 0)

    async def invalidate(self, *, tenant: str, feature: str) -> int:
        """Begin a new epoch and drop the entries; returns how many were dropped. Durable before it returns."""
        table, epochs = schema.cache, schema.cache_epochs
        place = (epochs.c.tenant == tenant, epochs.c.feature == feature)

        def renew(connection: Connection) -> tuple[int, int]:
            connection.exec_driver_sql(self.database.statements.new_epochs, (tenant, feature, 0))
            connection.execute(epochs.update().where(*place).values(epoch=epochs.c.epoch + 1))
            dropped = connection.execute(table.delete().where(table.c.tenant == tenant, table.c.feature == feature))
            return connection.execute(select(epochs.c.epoch).where(*place)).scalar_one(), dropped.rowcount

        epoch, dropped = await self.database.write(renew)
        self._epochs[tenant, feature] = max(epoch, self.epoch(tenant, feature))
        return dropped

    async def put(self, entry: CacheEntry) -> None:
        """Keep an answer that is believed; `entry.subject` is a pseudonym."""
        database = self.database
        await database.write(lambda connection: database.believe(connection, entry))

    async def retract(self, *, request_id: str) -> int:
        """Drop what this request put in, and every entry that is the same answer; how many. Durable before it returns."""
        put = schema.cache.c.request_id == request_id
        return await self.database.write(lambda connection: nearrows.retract(connection, put))

    async def refresh(self) -> None:
        """Learn what the database holds: everything the first time, later what was put in since, by any process."""
        table, epochs = schema.cache.c, schema.cache_epochs.c
        newest = select(table.fingerprint, table.at_ns).order_by(table.at_ns.desc()).limit(LIMIT)
        recent = newest.where(table.at_ns >= self._newest_ns - OVERLAP_NS) if self._newest_ns else newest
        rows = await self._rows(recent)
        if rows:
            self._newest_ns = max(self._newest_ns, rows[0].at_ns)
        self._known.add([row.fingerprint for row in reversed(rows) if not self._known.stamp(row.fingerprint)])
        for tenant, feature, epoch in await self._rows(select(epochs.tenant, epochs.feature, epochs.epoch)):
            self._epochs[tenant, feature] = max(epoch, self.epoch(tenant, feature))

    async def sweep(self, now_ns: int) -> int:
        """Remove what has expired; returns how many entries."""
        gone = schema.cache.delete().where(schema.cache.c.expires_at_ns <= now_ns)
        return await self.database.write(lambda connection: connection.execute(gone).rowcount)

    async def _rows(self, query: Any) -> Sequence[Any]:
        return await self.database.read(lambda connection: connection.execute(query).all())
