"""Legal holds: nothing of a subject is destroyed while one stands, and the trail knows who placed and released it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from samples import commit
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from test_guarded import engine_of

from surefoot.errors import LegalHold
from surefoot.records.audit import Hold
from surefoot.store import Store

Open = Callable[[str], Store]


def hold(
    store: Store, reason: str = "court 7", *, user: str = "user:clinic:ann", by: str = "amy", at_ns: int = 1
) -> Hold:
    return Hold(subject=store.pseudonym(user), at_ns=at_ns, by=by, reason=reason)


async def erased(store: Store) -> int:
    return await store.journal.erase_subject(tenant="clinic", end_user="ann")


async def test_what_is_under_hold_is_not_erased_until_it_is_released(store: Store):
    await store.commit(commit("a", said="hello"))
    assert await store.holds.place(hold(store))
    with pytest.raises(LegalHold, match="placed by amy"):
        await erased(store)
    assert await store.journal.content("a") is not None
    assert await store.holds.release(hold(store, "settled", by="ben"))
    assert await erased(store) == 1 and await store.journal.content("a") is None


async def test_a_hold_of_one_subject_hinders_no_other(store: Store):
    await store.commit(commit("a", said="hello"))
    await store.holds.place(hold(store, user="user:clinic:ben"))
    assert await erased(store) == 1


async def test_a_subject_is_held_and_released_once_at_a_time(store: Store):
    assert not await store.holds.release(hold(store))
    assert await store.holds.place(hold(store, at_ns=5)) and not await store.holds.place(hold(store, "again", at_ns=6))
    await store.holds.place(hold(store, user="tenant:clinic", at_ns=3))
    assert [each.at_ns for each in await store.holds.all()] == [3, 5]
    assert await store.holds.release(hold(store)) and not await store.holds.release(hold(store))
    assert await store.holds.place(hold(store, "new case", at_ns=9))
    assert [each.reason for each in await store.holds.all()] == ["court 7", "new case"]


async def test_the_trail_says_who_held_and_who_released_and_why_under_a_pseudonym(store: Store):
    await store.holds.place(hold(store))
    await store.holds.release(hold(store, "settled", by="ben"))
    told = [(row.event.kind, row.event.by, row.event.detail) for row in await store.audit.events(kind="subject.")]
    assert told == [("subject.released", "ben", "settled"), ("subject.held", "amy", "court 7")]
    assert {row.event.on for row in await store.audit.events(kind="subject.")} == {store.pseudonym("user:clinic:ann")}


def test_of_a_hold_and_an_erasure_at_once_one_comes_first(database: str, open_: Open, runner: asyncio.Runner):
    one, two = open_(database), open_(database)

    async def race() -> None:
        for number in range(10):
            user = f"u{number}"
            await one.commit(commit(user, said="hello", subject=f"user:clinic:{user}"))
            placed, lost = await asyncio.gather(
                one.holds.place(hold(one, user=f"user:clinic:{user}")),
                two.journal.erase_subject(tenant="clinic", end_user=user), return_exceptions=True,
            )  # fmt: skip
            kept = await one.journal.content(user) is not None
            assert placed is True and (isinstance(lost, LegalHold) if kept else lost == 1)

    runner.run(race())


@pytest.mark.parametrize("change", ["UPDATE holds SET reason = 'x'", "DELETE FROM holds"])
def test_a_hold_is_neither_changed_nor_deleted(database: str, open_: Open, runner: asyncio.Runner, change: str):
    store = open_(database)
    runner.run(store.holds.place(hold(store)))
    engine = engine_of(database)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
