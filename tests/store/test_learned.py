"""Revisions are numbered without gaps, promotions are an account, incidents are taken once."""

from __future__ import annotations

import asyncio

import pytest
from samples import incident

from surefoot.errors import NotFound
from surefoot.store import Store


async def revise(store: Store, count: int) -> list[int]:
    return [await store.revisions.add(f"{n}".encode(), note=f"note {n}", at_ns=n) for n in range(count)]


async def test_an_empty_store_serves_nothing_learned(store: Store):
    assert await store.revisions.serving() == 0 and await store.revisions.all() == []
    assert await store.revisions.get(1) is None and await store.revisions.promotions() == []


async def test_revisions_are_numbered_from_one_and_come_back_whole(store: Store):
    assert await revise(store, 3) == [1, 2, 3]
    found = await store.revisions.get(2)
    assert found is not None
    assert (found.number, found.at_ns, found.note, found.data) == (2, 1, "note 1", b"1")
    assert not found.serving and found.promoted_at_ns is None


async def test_revisions_made_at_once_leave_no_gap(store: Store):
    numbers = await asyncio.gather(*(store.revisions.add(b"x", note="", at_ns=1) for _ in range(12)))
    assert sorted(numbers) == list(range(1, 13))


async def test_one_revision_serves_and_a_rollback_is_a_promotion_too(store: Store):
    await revise(store, 2)
    for at_ns, number in ((5, 1), (6, 2), (7, 1), (8, 0)):
        await store.revisions.promote(number, at_ns=at_ns)
    assert await store.revisions.serving() == 0
    assert await store.revisions.promotions() == [(5, 1), (6, 2), (7, 1), (8, 0)]
    assert [found.promoted_at_ns for found in await store.revisions.all()] == [7, 6]
    await store.revisions.promote(2, at_ns=9)
    assert [found.serving for found in await store.revisions.all()] == [False, True]


@pytest.mark.parametrize("number", [-1, 3])
async def test_what_does_not_exist_cannot_be_promoted(store: Store, number: int):
    await revise(store, 2)
    with pytest.raises(NotFound):
        await store.revisions.promote(number, at_ns=9)
    assert await store.revisions.promotions() == []


async def test_an_incident_is_taken_once(store: Store):
    told = await asyncio.gather(*(store.incidents.add(incident("i1")) for _ in range(5)))
    assert sorted(told) == [False] * 4 + [True]
    assert await store.incidents.all() == [incident("i1")]


async def test_incidents_come_oldest_first_by_feature(store: Store):
    for name, feature, at_ns in (("b", "triage", 2), ("a", "triage", 2), ("c", "other", 1)):
        await store.incidents.add(incident(name, feature=feature, at_ns=at_ns))
    assert [found.id for found in await store.incidents.all()] == ["c", "a", "b"]
    assert [found.id for found in await store.incidents.all(feature="triage")] == ["a", "b"]
