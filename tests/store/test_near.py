"""The near cache's part of a store, on every back-end: accounts keep their bound, vectors end with their entries."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace
from samples import cached, case, commit, label

from surefoot.errors import StoreError
from surefoot.records import CacheEntry, NearAccount, NearMapRow, Proposal
from surefoot.store import Store

ANN, BOB = "user:clinic:ann", "user:clinic:bob"


def near(name: str, *, answer: str = "", at_ns: int = 1) -> CacheEntry:
    """A believed answer with a vector."""
    entry = cached(name, fingerprint=f"f-{name}")
    return replace(entry, context="c1", answer=answer or f"f-{name}", near=b"vector of " + name.encode(), at_ns=at_ns)


def proposal(name: str, action: str = "explored", *, right: bool | None = None, feature: str = "triage") -> Proposal:
    """What was proposed to request `name`."""
    told = {"right": right, "source": "model", "judged_at_ns": 5} if right is not None else {}
    return Proposal(
        request_id=name, at_ns=2, tenant="clinic", feature=feature, answer="f-a", item="f-a", inputs=(0.5, 0.25), p=0.9,
        action=action, **told,
    )  # fmt: skip


async def ask(store: Store, name: str, given: Proposal | None = None, entry: CacheEntry | None = None, who: str = ANN):  # fmt: skip
    await store.commit(replace(commit(name, subject=who, cache=entry), proposal=given))


async def names(store: Store) -> list[str]:
    return [item.fingerprint for item in await store.near.items()]


async def test_a_vector_comes_back_with_what_it_is_near_to_and_not_with_the_answer(store: Store):
    await ask(store, "a", entry=near("a"))
    await ask(store, "b", entry=cached("b", fingerprint="plain"))
    (item,) = await store.near.items()
    assert (item.fingerprint, item.context, item.answer, item.near) == ("f-a", "c1", "f-a", b"vector of a")
    assert not item.by_person and await store.near.held() == {("clinic", "triage", "f-a")}
    found = await store.cache.get("f-a", tenant="clinic", feature="triage", now_ns=2)
    assert found is not None and (found.near, found.answer, found.body) == (b"", "f-a", b"the answer")


async def test_vectors_are_read_from_a_time_on_oldest_first(store: Store):
    for name, at_ns in (("late", 9), ("early", 3)):
        await ask(store, name, entry=near(name, at_ns=at_ns))
    assert await names(store) == ["f-early", "f-late"]
    assert [item.fingerprint for item in await store.near.items(since_ns=4)] == ["f-late"]


async def test_whoever_is_erased_leaves_no_vector_and_a_new_epoch_none_at_all(store: Store):
    await ask(store, "a", entry=near("a"))
    await ask(store, "b", entry=near("b"), who=BOB)
    await store.journal.erase_subject(tenant="clinic", end_user="ann")
    assert await names(store) == ["f-b"] and await store.near.held() == {("clinic", "triage", "f-b")}
    await store.cache.invalidate(tenant="clinic", feature="triage")
    assert await names(store) == []


async def test_with_a_wrong_answer_goes_every_entry_that_is_the_same_answer(store: Store):
    for name, answer in (("a", "f-a"), ("b", "f-a"), ("c", "f-c")):
        await ask(store, name, entry=near(name, answer=answer))
    assert await store.cache.retract(request_id="b") == 2
    assert await names(store) == ["f-c"]


async def test_a_case_judged_wrong_takes_the_answer_that_it_was_given_for_a_near_question(store: Store):
    await ask(store, "a", entry=near("a"))
    await store.near.propose(proposal("b", "hit"), requests=1, room=5)
    await store.commit(commit("b", case=case("b", kind="audit")))
    told = replace(label("l", request="b", verdict="wrong"), rung="cache")
    assert await store.cases.judge("case-b", label=told, at_ns=7)
    assert await names(store) == []
    (found,) = await store.near.proposals("triage")
    assert (found.right, found.source, found.judged_at_ns) == (False, "person", 1)


async def test_an_account_begins_at_nothing_and_counts_requests(store: Store):
    assert await store.near.account("triage") == NearAccount()
    await store.near.count("triage", 3)
    assert (await store.near.count("triage", 4)).requests == 7 and (await store.near.account("other")).requests == 0


async def test_a_proposal_enters_while_there_is_room_and_what_is_pending_counts_as_wrong(store: Store):
    goes, account = await store.near.propose(proposal("a"), requests=10, room=2)
    assert goes and account == NearAccount(requests=10, explored=1, pending=1)
    goes, account = await store.near.propose(proposal("b", "hit"), requests=1, room=2)
    assert goes and account == NearAccount(requests=11, explored=1, hits=1, pending=1)
    goes, account = await store.near.propose(proposal("c"), requests=1, room=1)
    assert not goes and account == NearAccount(requests=12, explored=1, hits=1, pending=1)
    assert {each.request_id for each in await store.near.proposals("triage")} == {"a", "b"}
    assert (await store.near.propose(proposal("d"), requests=0, room=None))[0]
    with pytest.raises(StoreError, match="already"):
        await store.near.propose(proposal("a"), requests=0, room=None)


async def test_a_verdict_comes_with_the_commit_and_moves_the_account_once(store: Store):
    for name in ("a", "b"):
        await store.near.propose(proposal(name), requests=1, room=9)
    await ask(store, "a", replace(proposal("a", right=False), nanodollars=7))
    await ask(store, "b", proposal("b", right=True))
    assert await store.near.account("triage") == NearAccount(requests=2, explored=2, seen_wrong=1)
    assert not await store.near.judge("a", True, source="person", at_ns=9)  # what is wrong stays wrong
    assert await store.near.judge("b", False, source="person", at_ns=9)
    assert (await store.near.account("triage")).seen_wrong == 2
    wrong, late = await store.near.proposals("triage", judged_since_ns=1)
    assert (wrong.request_id, wrong.nanodollars, wrong.source, late.source) == ("a", 7, "model", "person")
    assert [each.request_id for each in await store.near.proposals("triage", judged_since_ns=6)] == ["b"]


async def test_what_was_only_watched_moves_no_account(store: Store):
    await ask(store, "a", proposal("a", "watched", right=False))
    await ask(store, "b", proposal("b", "watched"))
    assert await store.near.account("triage") == NearAccount()
    assert [each.right for each in await store.near.proposals("triage")] == [False, None]


async def test_a_verdict_that_never_comes_is_wrong_and_one_that_comes_later_changes_nothing(store: Store):
    await store.near.propose(proposal("a"), requests=1, room=9)
    assert await store.near.give_up(before_ns=2, at_ns=9) == 0 and await store.near.give_up(before_ns=3, at_ns=9) == 1
    await ask(store, "a", proposal("a", right=True))
    assert await store.near.account("triage") == NearAccount(requests=1, explored=1, seen_wrong=1)
    assert [each.source for each in await store.near.proposals("triage")] == ["silence"]


async def test_what_agreed_with_a_model_that_was_wrong_was_wrong_too(store: Store):
    await store.near.propose(proposal("a"), requests=1, room=9)
    await ask(store, "a", proposal("a", right=True))
    await store.labels.add(label("l1", request="a", verdict="accepted"))
    assert (await store.near.account("triage")).seen_wrong == 0
    await store.labels.add(label("l2", request="a", verdict="wrong", source="client"))
    assert (await store.near.account("triage")).seen_wrong == 1
    assert [each.source for each in await store.near.proposals("triage")] == ["client"]


async def test_a_hit_is_judged_by_what_is_said_of_the_cache(store: Store):
    for name in ("a", "b"):
        await store.near.propose(proposal(name, "hit"), requests=1, room=9)
        await ask(store, name)
    await store.labels.add(replace(label("l1", request="a", verdict="wrong"), rung="small"))
    await store.labels.add(replace(label("l2", request="b", verdict="edited"), rung="cache"))
    assert [each.right for each in await store.near.proposals("triage")] == [None, False]


async def test_proposals_that_ask_at_once_never_overdraw_the_account(store: Store):
    asked = [store.near.propose(proposal(str(n)), requests=1, room=5) for n in range(12)]
    gone = await asyncio.gather(*asked)
    assert sum(goes for goes, _ in gone) == 5
    assert await store.near.account("triage") == NearAccount(requests=12, explored=5, pending=5)


async def test_of_two_maps_from_as_many_labels_the_first_stands_and_the_newest_serves(store: Store):
    for labels, data, new in ((200, b"one", True), (200, b"two", False), (240, b"three", True)):
        assert await store.near.put_map(NearMapRow(feature="triage", labels=labels, at_ns=1, data=data)) == new
    await store.near.put_map(NearMapRow(feature="other", labels=300, at_ns=1, data=b"o"))
    assert [(row.feature, row.data) for row in await store.near.maps()] == [("other", b"o"), ("triage", b"three")]


def test_an_account_and_its_vectors_outlive_the_process(
    database: str, open_: Callable[..., Store], runner: asyncio.Runner
):
    first = open_(database)
    runner.run(first.near.propose(proposal("a"), requests=40, room=9))
    runner.run(ask(first, "b", entry=near("b")))
    runner.run(first.close())
    second = open_(database)
    assert runner.run(second.near.account("triage")) == NearAccount(requests=40, explored=1, pending=1)
    assert runner.run(names(second)) == ["f-b"]


def test_replicas_share_one_account_and_never_overdraw_it(database: str, open_: Callable[..., Store], runner: asyncio.Runner):  # fmt: skip
    first, second = open_(database), open_(database)

    async def ask_both() -> int:
        asked = [
            store.near.propose(proposal(f"{n}"), requests=1, room=7) for n, store in enumerate([first, second] * 10)
        ]
        return sum([goes for goes, _ in await asyncio.gather(*asked)])

    assert runner.run(ask_both()) == 7
    assert runner.run(second.near.account("triage")) == NearAccount(requests=20, explored=7, pending=7)


KILLED = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from test_near import proposal
from surefoot.store.open import open_store

async def propose():
    store = open_store(sys.argv[1], durability="batched", key_file="0b" * 32)
    await store.start()
    for n in range(5000):
        await store.near.propose(proposal(f"{n}"), requests=1, room=None)
        print(n, flush=True)

asyncio.run(propose())
"""


def test_what_entered_an_account_survives_a_kill_and_stays_wrong_until_judged(
    sqlite_path: Path, open_: Callable[..., Store], runner: asyncio.Runner
):
    command = [sys.executable, "-c", KILLED, str(sqlite_path), str(Path(__file__).parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(5)]
    process.send_signal(signal.SIGKILL)
    lines += process.communicate()[0].splitlines()
    store = open_(str(sqlite_path))
    account = runner.run(store.near.account("triage"))
    assert account.pending == account.explored == account.requests >= len(lines) >= 5
