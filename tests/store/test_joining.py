"""The same new question in the same instant: one case is opened, whoever asks on whatever replica."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from samples import case, commit, label, reservation, settled

from surefoot.records import CaseAnswer, Commit
from surefoot.store import Store

Open = Callable[[str], Store]


def asks(
    name: str, *, question: str = "f1", subject: str = "user:clinic:ann", joins: bool = True, kind: str = "question"
) -> Commit:
    """A request that opens a case, or joins the one of the same question."""
    given = commit(name, case=replace(case(name, kind=kind), fingerprint=question), said=name, subject=subject)
    return replace(given, joins=joins, entry=replace(given.entry, case_id=f"case-{name}", action="escalate"))


async def ids(store: Store) -> list[str]:
    return sorted(each.id for each in await store.cases.open_cases())


async def test_the_second_of_the_same_question_joins_the_first_ones_case_and_loses_nothing(store: Store):
    await store.reserve(reservation("b", 7))
    second = replace(asks("b"), settlements=settled("b", 5))
    assert [await store.commit(asks("a")), await store.commit(second)] == ["case-a", "case-a"]
    assert await ids(store) == ["case-a"]
    kept = await store.journal.get("b")
    assert kept is not None and kept.case_id == "case-a"
    said = await store.journal.content("b")
    assert said is not None and said.request_body == b"b"
    assert await store.ledger.total() == 5 and await store.journal.verify() == 2


@pytest.mark.parametrize(
    "other",
    [
        asks("b", question="f2"), asks("b", subject="user:clinic:ben"), asks("b", joins=False), asks("b", kind="audit"),
    ],
)  # fmt: skip
async def test_another_question_another_person_and_who_asks_for_itself_get_a_case_of_their_own(
    store: Store, other: Commit
):
    await store.commit(asks("a"))
    assert await store.commit(other) == "case-b" and await ids(store) == ["case-a", "case-b"]


async def test_an_audit_of_the_same_question_is_nobodys_case_to_join(store: Store):
    await store.commit(asks("a", kind="audit"))
    assert await store.commit(asks("b")) == "case-b"


async def test_a_case_that_has_ended_is_not_joined_and_one_that_is_answered_is(store: Store):
    await store.commit(asks("a"))
    claim = await store.cases.claim("case-a", by="amy", at_ns=1, lease_ns=100)
    assert claim is not None
    given = CaseAnswer(verb="replace", text="Rest.", by="amy")
    await store.cases.answer("case-a", fence=claim.fence, answer=given, label=label("l"), at_ns=2, deliver_at_ns=3)
    assert await store.commit(asks("b")) == "case-a"
    await store.cases.deliver_due(now_ns=3)
    assert await store.commit(asks("c")) == "case-c"


async def test_of_many_in_one_transaction_the_first_opens_the_case(store: Store):
    found = await asyncio.gather(*(store.commit(asks(name)) for name in "abcdef"))
    assert len(set(found)) == 1 and await ids(store) == [found[0]]


async def test_a_request_without_a_case_names_none(store: Store):
    assert await store.commit(commit("a")) == ""
    joined = commit("b")
    assert await store.commit(replace(joined, entry=replace(joined.entry, case_id="case-x"))) == "case-x"


def test_replicas_that_are_asked_the_same_in_the_same_instant_open_one_case(
    database: str, open_: Open, runner: asyncio.Runner
):
    replicas = open_(database), open_(database), open_(database)

    async def race(question: str) -> None:
        names = [f"{question}-{place}" for place in range(9)]
        asked = (replicas[place % 3].commit(asks(name, question=question)) for place, name in enumerate(names))
        found = await asyncio.gather(*asked)
        assert len(set(found)) == 1
        entries = [await replicas[0].journal.get(name) for name in names]
        assert {entry.case_id for entry in entries if entry is not None} == set(found)

    for number in range(8):
        runner.run(race(f"q{number}"))
    assert len(runner.run(ids(replicas[0]))) == 8
    assert runner.run(replicas[0].journal.verify()) == 72


def test_questions_that_come_in_another_order_on_each_replica_do_not_wait_in_a_circle(
    database: str, open_: Open, runner: asyncio.Runner
):
    replicas = open_(database), open_(database)

    async def race() -> None:
        names = "abcdefgh"
        one = [replicas[0].commit(asks(f"{name}0", question=name)) for name in names]
        other = [replicas[1].commit(asks(f"{name}1", question=name)) for name in reversed(names)]
        found = await asyncio.gather(*one, *other)
        assert found[:8] == found[:7:-1]

    runner.run(race())
