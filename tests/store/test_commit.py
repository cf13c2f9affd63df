"""What one request leaves behind is written whole or not at all, and nobody else is hurt."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace
from samples import cached, case, commit, content, entry, journal, limit, reservation, settled

from surefoot.errors import StoreError
from surefoot.records import Commit, Settlement
from surefoot.store import Store


async def test_everything_of_a_commit_is_there_once_it_is_done(store: Store):
    paid = (Settlement(reservation_id="", entries=(entry("a", 3), entry("a", 4, kind="output"))),)
    await store.commit(commit("a", settlements=paid, said="hi", case=case("a"), cache=cached("a")))
    assert await store.journal.get("a") == journal("a")
    assert await store.journal.content("a") == content("hi")
    assert await store.ledger.entries(request_id="a") == list(paid[0].entries)
    assert await store.cases.get("case-a", tenant="clinic") is not None
    assert await store.cache.get("f1", tenant="clinic", feature="triage", now_ns=2) is not None


async def test_what_was_never_written_is_none(store: Store):
    assert await store.journal.get("a") is None
    assert await store.journal.content("a") is None
    assert await store.ledger.total() == 0


async def test_content_is_not_kept_when_it_is_not_given(store: Store):
    await store.commit(commit("a"))
    assert await store.journal.content("a") is None


async def test_a_request_is_written_once(store: Store):
    await store.commit(commit("a"))
    with pytest.raises(StoreError):
        await store.commit(commit("a", settlements=settled("a", 5)))
    assert await store.ledger.total() == 0


async def test_a_commit_that_fails_leaves_nothing(store: Store):
    await store.commit(commit("a", case=case("a")))
    twice = commit("b", settlements=settled("b", 5), said="hi", case=case("a"), cache=cached("b"))
    with pytest.raises(StoreError):
        await store.commit(twice)
    assert await store.journal.get("b") is None
    assert await store.journal.content("b") is None
    assert await store.ledger.total() == 0
    assert await store.cache.get("f1", tenant="clinic", feature="triage", now_ns=2) is None


async def test_one_bad_record_fails_alone(store: Store):
    await store.commit(commit("taken"))
    names = [f"n{number}" for number in range(40)]
    names[17] = "taken"
    results = await asyncio.gather(*(store.commit(commit(name)) for name in names), return_exceptions=True)
    assert [name for name, result in zip(names, results, strict=True) if isinstance(result, StoreError)] == ["taken"]
    assert await store.journal.verify() == 40


async def test_what_cannot_be_encoded_fails_alone(store: Store):
    broken = Commit(entry=journal("\ud800"))
    results = await asyncio.gather(
        store.commit(commit("a")), store.commit(broken), store.commit(commit("b")), return_exceptions=True
    )
    assert [type(result) for result in results] == [str, StoreError, str]


async def test_a_refusal_does_not_repeat_what_was_being_written(store: Store):
    await store.commit(commit("a"))
    with pytest.raises(StoreError) as refused:
        await store.commit(commit("a", said="my secret"))
    assert "secret" not in str(refused.value)


async def test_a_reservation_beside_a_bad_commit_is_kept(store: Store):
    await store.commit(commit("a"))
    held = store.reserve(reservation("b", 5, limit(10)))
    again = store.commit(commit("a"))
    await held
    with pytest.raises(StoreError):
        await again
    assert await store.ledger.budget("key:k1/feature:triage", "2026-11") == (0, 5)


async def test_waits_are_measured_in_microseconds(store: Store):
    assert list(store.waits_us()) == []
    await asyncio.gather(*(store.commit(commit(str(number))) for number in range(20)))
    assert len(store.waits_us()) == 20
    assert all(0 < wait < 60_000_000 for wait in store.waits_us())


async def test_a_subject_has_one_pseudonym_that_does_not_show_it(store: Store):
    name = store.pseudonym("user:clinic:ann")
    assert name == store.pseudonym("user:clinic:ann") != store.pseudonym("user:clinic:bob")
    assert len(name) == 32
    assert "ann" not in name


async def test_a_closed_store_takes_nothing(store: Store):
    await store.close()
    with pytest.raises(StoreError):
        await store.commit(commit("a"))
    with pytest.raises(StoreError):
        await store.reserve(reservation("a", 1))


async def test_a_shadow_call_is_in_the_journal_and_paid_for_but_no_request(store: Store):
    lines = Settlement(reservation_id="", entries=(replace(entry("r1.shadow", 7), rung="shadow.large"),))
    mine = commit("r1.shadow", settlements=(lines,), said="hello")
    await store.commit(commit("r1"))
    await store.commit(replace(mine, entry=replace(mine.entry, shadow_of="r1", action="shadow", rung=None)))
    await store.flush()
    assert [each.request_id async for each in store.journal.entries()] == ["r1"]
    assert {each.shadow_of async for each in store.journal.entries(shadows=True)} == {"", "r1"}
    assert await store.journal.content("r1.shadow") is not None and await store.journal.verify() == 2
    (costs,) = await store.ledger.costs(("outcome", "rung"))
    assert (costs.group, costs.nanodollars) == (("shadow", "shadow.large"), 7)
    assert [(each.group, each.requests) for each in await store.ledger.traffic(("outcome",))] == [(("delivered",), 1)]
