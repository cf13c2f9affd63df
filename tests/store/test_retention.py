"""Retention: old content is destroyed by its key; what is young, waited for or under hold is not; chains stay whole."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from samples import MINUTE, case, commit, label

from surefoot.records import CaseAnswer, Commit, Expired
from surefoot.records.audit import Hold
from surefoot.records.hook import Hook
from surefoot.store import Store

Open = Callable[[str], Store]
FUTURE = time.time_ns() + 3600 * 1_000_000_000
ANN, BEN = "user:clinic:ann", "user:clinic:ben"


def said(name: str, *, subject: str = ANN, at_ns: int = 1, waits: bool = False) -> Commit:
    given = commit(name, said=name, subject=subject, case=replace(case(name), fingerprint=name) if waits else None)
    return replace(given, entry=replace(given.entry, at_ns=at_ns))


async def kept(store: Store, *names: str) -> list[bool]:
    return [await store.journal.content(name) is not None for name in names]


async def test_old_content_is_destroyed_and_what_is_left_still_verifies(store: Store):
    await store.commit(said("a"))
    await store.commit(said("b", subject=BEN, at_ns=FUTURE + 1))
    assert await store.journal.expire(before_ns=FUTURE) == Expired(keys=1, contents=1)
    assert await kept(store, "a", "b") == [False, True]
    assert await store.journal.get("a") is not None and await store.journal.verify() == 2
    (row,) = await store.audit.events(kind="subject.erased")
    assert (row.event.on, row.event.detail) == (store.pseudonym(ANN), "retention: 1 contents")
    assert await store.journal.expire(before_ns=FUTURE) == Expired()


async def test_a_subject_that_comes_back_has_a_new_key(store: Store):
    await store.commit(said("a"))
    await store.journal.expire(before_ns=FUTURE)
    await store.commit(said("b"))
    assert await kept(store, "a", "b") == [False, True]


async def test_under_a_key_that_holds_something_young_nothing_is_destroyed(store: Store):
    await store.commit(said("a"))
    await store.commit(said("b", at_ns=FUTURE))
    assert await store.journal.expire(before_ns=FUTURE) == Expired() and await kept(store, "a") == [True]


async def test_what_is_under_legal_hold_outlives_its_time(store: Store):
    await store.commit(said("a"))
    hold = Hold(subject=store.pseudonym(ANN), at_ns=1, by="amy", reason="court")
    await store.holds.place(hold)
    assert await store.journal.expire(before_ns=FUTURE) == Expired() and await kept(store, "a") == [True]
    await store.holds.release(hold)
    assert (await store.journal.expire(before_ns=FUTURE)).contents == 1


async def test_what_a_waiting_question_needs_outlives_its_time(store: Store):
    await store.commit(said("a", waits=True))
    assert await store.journal.expire(before_ns=FUTURE) == Expired()
    await store.cases.withdraw("case-a", tenant="clinic", at_ns=5)
    assert (await store.journal.expire(before_ns=FUTURE)).keys == 1 and await kept(store, "a") == [False]


async def test_an_address_that_is_still_to_be_called_outlives_its_time(store: Store):
    url = "https://shop.example/told"
    await store.commit(said("t", subject="tenant:clinic"))
    await store.hooks.add(Hook(id="h", case_id="case-x", tenant="clinic", feature="triage", url=url, at_ns=1))
    assert await store.journal.expire(before_ns=FUTURE) == Expired()
    assert [hook.url for hook in await store.hooks.all()] == [url]


async def test_no_more_than_asked_for_is_destroyed_at_once(store: Store):
    for name in "abc":
        await store.commit(said(name, subject=f"user:clinic:{name}"))
    assert [(await store.journal.expire(before_ns=FUTURE, limit=2)).keys for _ in range(3)] == [2, 1, 0]


@pytest.fixture
def rotating(database: str, open_: Open) -> Store:
    """A store that takes a new key for everything it seals."""
    store = open_(database)
    store.rotate_keys(1)
    return store


def test_with_keys_that_rotate_old_content_goes_without_the_new(rotating: Store, runner: asyncio.Runner):
    async def run() -> None:
        for name, at_ns in (("a", 1), ("b", FUTURE), ("c", 2)):
            await rotating.commit(said(name, at_ns=at_ns))
        assert await rotating.journal.expire(before_ns=FUTURE) == Expired(keys=2, contents=2)
        assert await kept(rotating, "a", "b", "c") == [False, True, False]
        assert await rotating.journal.erase_subject(tenant="clinic", end_user="ann") == 1

    runner.run(run())


def test_words_of_a_case_move_to_the_new_key_together(rotating: Store, runner: asyncio.Runner):
    async def run() -> None:
        await rotating.commit(said("a", waits=True))
        first = await rotating.cases.claim("case-a", by="amy", at_ns=1, lease_ns=MINUTE)
        assert first is not None
        await rotating.cases.autosave("case-a", fence=first.fence, text="half")
        await rotating.cases.release("case-a", fence=first.fence, at_ns=2, note="ask her")
        second = await rotating.cases.claim("case-a", by="ben", at_ns=3, lease_ns=MINUTE)
        assert second is not None and (second.case.autosave, second.case.note) == ("half", "ask her")
        given = CaseAnswer(verb="replace", text="Rest.", by="ben")
        await rotating.cases.answer(
            "case-a", fence=second.fence, answer=given, label=label("l"), at_ns=4, deliver_at_ns=5
        )
        found = await rotating.cases.find("case-a")
        assert found is not None and (found.answer, found.note) == ("Rest.", "ask her")
        texts = [event.text for event in await rotating.cases.history("case-a")]
        assert texts == [None, None, "ask her", None, "Rest."]

    runner.run(run())
