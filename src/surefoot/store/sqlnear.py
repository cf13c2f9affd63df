"""The near cache on tables."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select

from surefoot.errors import StoreError
from surefoot.records import NearAccount, NearItem, NearMapRow, Proposal
from surefoot.records.case import PERSON
from surefoot.records.near import EXPLORED
from surefoot.store import nearrows, schema
from surefoot.store.database import Room
from surefoot.store.near import judged, proposed
from surefoot.store.scribe import near_label
from surefoot.store.vault import NONCE

_ITEM = ("fingerprint", "tenant", "feature", "context", "answer", "at_ns", "provider", "subject", "generation", "near")


class SqlNear(Room):
    """`Near` on tables; vectors lie in the cache's."""

    async def items(self, *, since_ns: int = 0) -> Sequence[NearItem]:
        """The cache's entries with a vector, put in from then on, oldest first."""
        cache = schema.cache.c
        wanted = _living(*(cache[name] for name in _ITEM), schema.subjects.c.wrapped_key)
        wanted = wanted.where(cache.at_ns >= since_ns).order_by(cache.at_ns, cache.fingerprint)

        def read(connection: Connection) -> list[NearItem]:
            return [self._item(row) for row in connection.execute(wanted)]

        return await self.database.read(read)

    async def held(self) -> Collection[tuple[str, str, str]]:
        """What an index may still hold."""
        cache = schema.cache.c
        wanted = _living(cache.tenant, cache.feature, cache.fingerprint)
        return await self.database.read(lambda connection: {tuple(row) for row in connection.execute(wanted)})

    async def account(self, feature: str) -> NearAccount:
        """How a feature stands."""
        table = schema.near_accounts.c
        wanted = select(*(table[name] for name in NearAccount.__struct_fields__)).where(table.feature == feature)
        row = await self.database.read(lambda connection: connection.execute(wanted).first())
        return NearAccount() if row is None else NearAccount(**row._mapping)

    async def count(self, feature: str, requests: int) -> NearAccount:
        """Add requests to an account. Durable before it returns."""

        def add(connection: Connection) -> NearAccount:
            before = nearrows.held(connection, feature)
            after = msgspec.structs.replace(before, requests=before.requests + requests)
            nearrows.keep(connection, after, feature)
            return after

        return await self.database.write(add, joins=True)

    async def propose(self, proposal: Proposal, *, requests: int, room: int | None) -> tuple[bool, NearAccount]:
        """Whether a proposal within the bound may go ahead. Durable before it returns. Raises StoreError."""

        def write(connection: Connection) -> tuple[bool, NearAccount]:
            before = nearrows.held(connection, proposal.feature)
            goes, after = proposed(before, proposal, requests=requests, room=room)
            if goes and not nearrows.add(connection, proposal):
                raise StoreError(f"request {proposal.request_id} has a proposal already")
            nearrows.keep(connection, after, proposal.feature)
            return goes, after

        return await self.database.write(write, joins=True)

    async def judge(self, request_id: str, right: bool, *, source: str, at_ns: int) -> bool:
        """Whether a verdict on a proposal is news. Durable before it returns."""

        def judge(connection: Connection) -> bool:
            before = nearrows.locked(connection, request_id)
            after = judged(before, right, source=source, at_ns=at_ns) if before is not None else None
            if before is None or after is None:
                return False
            nearrows.take(connection, [(before, after)])
            return True

        return await self.database.write(judge)

    async def give_up(self, *, before_ns: int, at_ns: int) -> int:
        """Judge explored proposals without a verdict as wrong; looked up without a lock, mostly there is none."""
        table = schema.near_proposals.c
        late = select(table.request_id).where(
            table.action == EXPLORED, table.right.is_(None), table.at_ns < before_ns
        )  # fmt: skip
        names = await self.database.read(lambda connection: connection.execute(late).scalars().all())
        told = [await self.judge(name, False, source="silence", at_ns=at_ns) for name in names]
        return sum(told)

    async def get(self, request_id: str) -> Proposal | None:
        """What was proposed to a request, or None."""
        table = schema.near_proposals
        wanted = select(table).where(table.c.request_id == request_id)
        row = await self.database.read(lambda connection: connection.execute(wanted).first())
        return None if row is None else nearrows.proposal_of(row)

    async def proposals(self, feature: str, *, judged_since_ns: int | None = None) -> Sequence[Proposal]:
        """A feature's proposals, oldest first; or those judged from then on, in the order of their verdicts."""
        table = schema.near_proposals
        wanted = select(table).where(table.c.feature == feature)
        if judged_since_ns is None:
            wanted = wanted.order_by(table.c.at_ns, table.c.request_id)
        else:
            told = (table.c.right.is_not(None), table.c.judged_at_ns >= judged_since_ns)
            wanted = wanted.where(*told).order_by(table.c.judged_at_ns, table.c.request_id)
        return await self.database.read(
            lambda connection: [nearrows.proposal_of(row) for row in connection.execute(wanted)]
        )

    async def put_map(self, row: NearMapRow) -> bool:
        """Whether a fitted map is new. Durable before it returns."""
        statement, values = self.database.statements.near_maps, msgspec.structs.astuple(row)
        written = await self.database.write(lambda connection: connection.exec_driver_sql(statement, values).rowcount)
        return written > 0

    async def maps(self) -> Sequence[NearMapRow]:
        """Each feature's newest map."""
        table = schema.near_maps
        newest = select(table.c.feature, func.max(table.c.labels)).group_by(table.c.feature)

        def read(connection: Connection) -> list[NearMapRow]:
            named = [
                and_(table.c.feature == feature, table.c.labels == most) for feature, most in connection.execute(newest)
            ]
            if not named:
                return []
            rows = connection.execute(select(table).where(or_(*named)).order_by(table.c.feature))
            return [NearMapRow(**row._mapping) for row in rows]

        return await self.database.read(read)

    def _item(self, row: Any) -> NearItem:
        label = near_label(row.tenant, row.feature, row.fingerprint)
        sealed = (row.near[:NONCE], row.near[NONCE:])
        plain = self.database.vault.unseal(row.subject, row.generation, row.wrapped_key, sealed, label)
        return NearItem(
            fingerprint=row.fingerprint, tenant=row.tenant, feature=row.feature, context=row.context, answer=row.answer,
            by_person=row.provider == PERSON, at_ns=row.at_ns, near=plain,
        )  # fmt: skip


def _living(*columns: ColumnElement[Any]) -> Select[Any]:
    """Columns of cached answers with a vector that can still be read: of a living key and the present epoch."""
    cache, epochs, subjects = schema.cache, schema.cache_epochs, schema.subjects
    of_feature = and_(epochs.c.tenant == cache.c.tenant, epochs.c.feature == cache.c.feature)
    of_subject = and_(subjects.c.subject == cache.c.subject, subjects.c.generation == cache.c.generation)
    both = cache.outerjoin(epochs, of_feature).join(subjects, of_subject)
    living = (subjects.c.wrapped_key.is_not(None), cache.c.epoch == func.coalesce(epochs.c.epoch, 0))
    return select(*columns).select_from(both).where(cache.c.near.is_not(None), *living)
