"""The journal on tables: look-ups, content, the walk along the chains, and erasure."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, and_, func, select, tuple_

from surefoot.errors import ChainBroken
from surefoot.records import Content, Expired, JournalEntry
from surefoot.store import schema
from surefoot.store.chain import Walk
from surefoot.store.database import Database, Room
from surefoot.store.sqlaudit import note
from surefoot.store.sqlholds import see_free
from surefoot.store.sqlretention import destroy_old, old_keys
from surefoot.store.vault import read_plain

PAGE = 500  # rows a query

_decode = msgspec.json.Decoder(JournalEntry).decode


class Head(msgspec.Struct, frozen=True):
    """The fields of a body that stand in columns too, for look-ups."""

    request_id: str
    at_ns: int
    tenant: str
    key_id: str
    feature: str
    subject: str


_head = msgspec.json.Decoder(Head).decode


class SqlJournal(Room):
    """`Journal` on tables. `after_erasure` wipes what is left of a destroyed key, run on a reader's connection."""

    def __init__(self, after_erasure: Callable[[Connection], None] | None = None) -> None:
        super().__init__()
        self._after_erasure = after_erasure

    async def get(self, request_id: str) -> JournalEntry | None:
        """The entry, or None."""
        table = schema.journal.c
        wanted = select(table.body).where(table.request_id == request_id)
        body = await self.database.read(lambda connection: connection.execute(wanted).scalar())
        return None if body is None else _decode(body)

    async def content(self, request_id: str) -> Content | None:
        """What was said; None when it was never kept or its subject's key is destroyed. Raises StoreError when altered."""
        return await read_content(self.database, request_id)

    async def entries(
        self, *, feature: str | None = None, since_ns: int = 0, shadows: bool = False
    ) -> AsyncIterator[JournalEntry]:
        """Entries, oldest first; read page by page, so that a long journal needs little memory."""
        table = schema.journal.c
        place = (table.at_ns, table.chain, table.position)
        wanted = select(table.body, *place).where(table.at_ns >= since_ns).order_by(*place).limit(PAGE)
        if feature is not None:
            wanted = wanted.where(table.feature == feature)
        page = wanted
        while True:
            rows = await self._rows(page)
            for row in rows:
                entry = _decode(row.body)
                if shadows or not entry.shadow_of:
                    yield entry
            if len(rows) < PAGE:
                return
            page = wanted.where(tuple_(*place) > tuple_(*rows[-1][1:]))

    async def verify(self) -> int:
        """How many rows verify. Raises ChainBroken at the first that does not."""
        chains = schema.chains.c
        known = [row.id for row in await self._rows(select(chains.id).order_by(chains.started_at_ns, chains.id))]
        table = schema.journal.c
        strays = select(table.chain, func.min(table.position)).where(table.chain.not_in(select(chains.id)))
        for row in await self._rows(strays.group_by(table.chain).order_by(table.chain).limit(1)):
            raise ChainBroken(row[0], row[1], "there is no such chain")
        return sum([await self._verify(chain) for chain in known])

    async def erase_subject(self, *, tenant: str, end_user: str) -> int:
        """Destroy the subject's key, so that its content is unreadable for ever; returns how many contents are lost.

        Nothing leaves the journal. Should the subject come back, a new key is made for it; what is lost stays lost.
        Raises LegalHold while a hold on the subject stands.
        """
        database = self.database
        subject = database.vault.pseudonym(f"user:{tenant}:{end_user}" if end_user else f"tenant:{tenant}")
        subjects, contents = schema.subjects, schema.contents
        living = and_(subjects.c.subject == subject, subjects.c.destroyed_at_ns.is_(None))
        lost = (
            select(func.count())
            .select_from(contents)
            .join(
                subjects, and_(contents.c.subject == subjects.c.subject, contents.c.generation == subjects.c.generation)
            )
        )

        def destroy(connection: Connection) -> int:
            see_free(connection, subject)
            count = int(connection.execute(lost.where(living)).scalar_one())
            gone = subjects.update().where(living).values(wrapped_key=None, destroyed_at_ns=time.time_ns())
            connection.execute(gone)
            note(connection, kind="subject.erased", by="", on=subject)
            return count

        count = await database.write(destroy)
        database.vault.forget(subject)
        if self._after_erasure is not None:
            await database.read(self._after_erasure)
        return count

    async def expire(self, *, before_ns: int, limit: int = 500) -> Expired:
        """Destroy keys under which nothing is younger; see `Journal.expire`."""
        database = self.database
        if not await database.read(lambda connection: connection.execute(old_keys(before_ns, 1)).first()):
            return Expired()
        subjects, expired = await database.write(lambda connection: destroy_old(connection, before_ns, limit))
        for subject in subjects:
            database.vault.forget(subject)
        if self._after_erasure is not None and expired.keys:
            await database.read(self._after_erasure)
        return expired

    async def _verify(self, chain: str) -> int:
        walk, table = Walk(chain), schema.journal.c
        wanted = select(*schema.journal.c).where(table.chain == chain).order_by(table.position).limit(PAGE)
        while True:
            rows = await self._rows(wanted.where(table.position > walk.length))
            for row in rows:
                walk.step(row.position, row.prev_hash, row.hash, row.body)
                _compare(row)
            if len(rows) < PAGE:
                return walk.length

    async def _rows(self, query: Any) -> Sequence[Any]:
        return await self.database.read(lambda connection: connection.execute(query).all())


async def read_content(database: Database, name: str) -> Content | None:
    """What is kept under a request's or a label's id; None when nothing is or its subject's key is destroyed."""
    table, subjects = schema.contents, schema.subjects
    of_subject = and_(subjects.c.subject == table.c.subject, subjects.c.generation == table.c.generation)
    columns = (
        *(table.c[name] for name in ("subject", "generation", "nonce", "ciphertext")),
        subjects.c.wrapped_key,
    )
    wanted = select(*columns).join_from(table, subjects, of_subject).where(table.c.request_id == name)

    def opened(connection: Connection) -> Content | None:
        """Deciphered on the reader's thread: a long conversation would hold up everybody on the loop's."""
        row = connection.execute(wanted).first()
        if row is None or row.wrapped_key is None:
            return None
        sealed = (row.nonce, row.ciphertext)
        return read_plain(database.vault.unseal(row.subject, row.generation, row.wrapped_key, sealed, name))

    return await database.read(opened)


def _compare(row: Row[Any]) -> None:
    said = Head(row.request_id, row.at_ns, row.tenant, row.key_id, row.feature, row.subject)
    if _head(row.body) != said:
        raise ChainBroken(row.chain, row.position, "its columns do not say what its body says")
