"""Warnings of budgets: written in the transaction that reaches a level, once, and told by one replica at a time."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest
from msgspec.structs import replace
from samples import KEY, SCOPE, commit, limit, reservation, settled

from surefoot.errors import BudgetSpent
from surefoot.store import Store
from surefoot.store.open import open_store

BAR = replace(limit(100), warn_at=(0.5, 1.0))
NOW = 2**62


async def spend(store: Store, name: str, amount: int, bar=BAR) -> None:
    await store.reserve(reservation(name, amount, bar))
    await store.commit(commit(name, settlements=settled(name, amount)))


async def levels(store: Store) -> list[int]:
    return [found.level_ppm for found in await store.warnings.all()]


async def test_a_level_has_one_warning_however_often_it_is_passed(store: Store):
    await spend(store, "a", 49)
    assert await levels(store) == []
    for name in ("b", "c"):
        await spend(store, name, 5)
    (found,) = await store.warnings.all()
    assert (found.scope, found.level_ppm, found.spent, found.limit_nanodollars) == (SCOPE, 500_000, 54, 100)
    assert found.at_ns > 1 and found.told_at_ns == 0


async def test_what_is_only_reserved_warns_of_nothing(store: Store):
    await store.reserve(reservation("a", 100, BAR))
    assert await levels(store) == []


async def test_a_refused_call_reaches_the_whole(store: Store):
    await store.reserve(reservation("a", 60, BAR))
    with pytest.raises(BudgetSpent):
        await store.reserve(reservation("b", 60, BAR))
    assert await levels(store) == [1_000_000]


async def test_another_bar_on_the_same_pot_has_its_own_warnings(store: Store):
    await spend(store, "a", 60)
    await spend(store, "b", 1, replace(BAR, limit_nanodollars=110))
    assert [found.limit_nanodollars for found in await store.warnings.all()] == [100, 110]


async def test_an_orphan_is_spending_too(store: Store):
    await store.reserve(reservation("a", 70, BAR))
    await store.ledger.settle_orphans()
    assert await levels(store) == [500_000]


async def test_a_warning_is_claimed_by_one_until_it_is_due_again(store: Store):
    await spend(store, "a", 60)
    (mine,) = await store.warnings.claim(now_ns=NOW, since_ns=0, limit=5)
    assert mine.attempts == 1
    assert not await store.warnings.claim(now_ns=NOW, since_ns=0, limit=5)
    (again,) = await store.warnings.claim(now_ns=NOW + 60 * 10**9, since_ns=0, limit=5)
    assert again.attempts == 2
    await store.warnings.told(again, at_ns=7)
    assert not await store.warnings.claim(now_ns=NOW + 10**15, since_ns=0, limit=5)
    assert [found.told_at_ns for found in await store.warnings.all()] == [7]


async def test_old_warnings_are_not_told_any_more(store: Store):
    await spend(store, "a", 60)
    assert not await store.warnings.claim(now_ns=NOW, since_ns=time.time_ns() + 10**12, limit=5)


def test_replicas_write_one_warning_together(database: str):
    def replica(number: int) -> None:
        async def work() -> None:
            store = open_store(database, key_file=KEY)
            await store.start()
            for turn in range(5):
                await spend(store, f"{number}/{turn}", 4)
            await store.close()

        asyncio.run(work())

    threads = [threading.Thread(target=replica, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def told() -> list[int]:
        store = open_store(database, key_file=KEY)
        await store.start()
        found = await levels(store)
        await store.close()
        return found

    assert asyncio.run(told()) == [500_000]


async def test_a_minutes_grants_never_exceed_its_most(store: Store):
    most = (10, 100)
    asked = [("key:k", 5, (6, 50)), ("key:k", 5, (6, 60)), ("key:k", 5, (1, 1)), ("key:x", 5, (1, 1)), ("key:k", 6, (6, 60))]
    grants = [await store.rates.grant(scope, minute, asked=some, most=most) for scope, minute, some in asked]
    assert [grant.given for grant in grants] == [(6, 50), (4, 50), (0, 0), (1, 1), (6, 60)]
    assert [grant.left for grant in grants] == [(4, 50), (0, 0), (0, 0), (9, 99), (4, 40)]
