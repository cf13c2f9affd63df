"""Labels are counted once, kept in order, and never changed; a judged case and its label come together or not at all."""

from __future__ import annotations

import asyncio

import pytest
from samples import cached, case, commit, journal, key, label

from surefoot.errors import StoreError
from surefoot.store import Store

SUBJECT = "user:clinic:ann"


async def test_a_label_comes_back_as_it_was_given(store: Store):
    given = label("l1", verdict="edited")
    assert await store.labels.add(given)
    assert await store.labels.of("a") == [given] and await store.labels.all() == [given]


async def test_an_unknown_propensity_stays_unknown(store: Store):
    await store.labels.add(label("l1", source="client"))
    assert (await store.labels.all())[0].propensity is None


async def test_the_same_id_is_taken_once_and_the_first_stands(store: Store):
    first, second = label("l1", at_ns=1), label("l1", verdict="wrong", at_ns=2)
    assert [await store.labels.add(first), await store.labels.add(second)] == [True, False]
    assert await store.labels.all() == [first] and await store.labels.count(feature="triage") == 1


async def test_labels_come_oldest_first_by_time_then_by_id(store: Store):
    for name, at_ns in (("c", 5), ("b", 3), ("d", 3), ("a", 9)):
        await store.labels.add(label(name, at_ns=at_ns))
    assert [found.id for found in await store.labels.all()] == ["b", "d", "c", "a"]


async def test_labels_are_chosen_by_feature_request_and_time(store: Store):
    await store.labels.add_all(
        [label("l1", at_ns=1), label("l2", at_ns=2, request="b"), label("l3", at_ns=3, feature="other")]
    )
    assert [found.id for found in await store.labels.all(feature="triage", since_ns=2)] == ["l2"]
    assert [found.id for found in await store.labels.all(since_ns=2)] == ["l2", "l3"]
    assert [found.id for found in await store.labels.of("a")] == ["l1", "l3"]
    assert [await store.labels.count(feature=name) for name in ("triage", "other", "none")] == [2, 1, 0]


async def test_of_several_labels_each_is_told_whether_it_is_new(store: Store):
    await store.labels.add(label("l1"))
    assert list(await store.labels.add_all([label("l1"), label("l2"), label("l2"), label("l3")])) == [
        False, True, False, True,
    ]  # fmt: skip
    assert list(await store.labels.add_all([])) == []


async def test_a_label_written_by_many_at_once_is_new_for_one(store: Store):
    told = await asyncio.gather(*(store.labels.add(label("l1")) for _ in range(20)))
    assert sorted(told) == [False] * 19 + [True]


async def test_a_remark_is_kept_with_its_label_and_erased_with_its_subject(store: Store):
    await store.commit(commit("a", said="hi", subject=SUBJECT, pseudonym=store.pseudonym(SUBJECT)))
    await store.labels.add_all([label("l1"), label("l2")], remarks={"l1": "Ärger über den Ton"})
    assert await store.labels.remark("l1") == "Ärger über den Ton" and await store.labels.remark("l2") is None
    assert await store.journal.erase_subject(tenant="clinic", end_user="ann") == 2
    assert await store.labels.remark("l1") is None and await store.labels.count(feature="triage") == 2


async def test_a_repeated_label_brings_no_second_remark(store: Store):
    await store.commit(commit("a"))
    await store.labels.add_all([label("l1")], remarks={"l1": "first"})
    assert list(await store.labels.add_all([label("l1")], remarks={"l1": "second"})) == [False]
    assert await store.labels.remark("l1") == "first"


async def test_a_remark_on_an_unknown_request_writes_nothing(store: Store):
    with pytest.raises(StoreError):
        await store.labels.add_all([label("l1", request="none"), label("l2")], remarks={"l1": "who"})
    assert await store.labels.all() == []


async def test_a_judged_case_has_its_label_and_its_event(store: Store):
    await store.commit(commit("a", case=case("a", kind="audit")))
    assert await store.cases.judge("case-a", label=label("l1", verdict="wrong"), at_ns=7)
    found = await store.cases.get("case-a", tenant="clinic")
    assert found is not None and found.state == "judged"
    assert list(await store.cases.events("case-a")) == [(1, "opened", "unsure"), (7, "judged", "wrong")]
    assert await store.labels.of("a") == [label("l1", verdict="wrong")]
    assert await store.cases.open_cases() == []


async def test_of_two_who_judge_at_once_one_wins(store: Store):
    await store.commit(commit("a", case=case("a", kind="audit")))
    labels = [label("l1", verdict="wrong"), label("l2")]
    told = await asyncio.gather(*(store.cases.judge("case-a", label=each, at_ns=7) for each in labels))
    assert told == [True, False]
    assert await store.labels.all() == labels[:1] and len(await store.cases.events("case-a")) == 2


async def test_what_is_not_open_or_is_another_request_cannot_be_judged(store: Store):
    await store.commit(commit("a", case=case("a")))
    await store.cases.resolve("case-a", state="withdrawn", at_ns=5)
    await store.commit(commit("b", case=case("b")))
    assert not await store.cases.judge("case-a", label=label("l1"), at_ns=7)
    assert not await store.cases.judge("case-b", label=label("l1", request="a"), at_ns=7)
    assert not await store.cases.judge("case-none", label=label("l1"), at_ns=7)
    assert await store.labels.all() == []


async def test_a_taken_label_id_leaves_the_case_open(store: Store):
    await store.commit(commit("a", case=case("a", kind="audit"), cache=cached("a")))
    await store.labels.add(label("l1", request="other"))
    with pytest.raises(StoreError):
        await store.cases.judge("case-a", label=label("l1", verdict="wrong"), at_ns=7)
    found = await store.cases.get("case-a", tenant="clinic")
    assert found is not None and found.state == "open" and len(await store.cases.events("case-a")) == 1
    assert await store.cache.get("f1", tenant="clinic", feature="triage", now_ns=2) is not None


@pytest.mark.parametrize(("verdict", "stays"), [("wrong", False), ("edited", True), ("accepted", True)])
async def test_an_answer_that_was_judged_wrong_leaves_the_cache(store: Store, verdict: str, stays: bool):
    await store.commit(commit("a", cache=cached("a")))
    await store.commit(commit("b", case=case("b", kind="audit")))
    await store.commit(commit("c", cache=cached("c", fingerprint="f2")))
    await store.cases.judge("case-b", label=label("l1", request="b", verdict=verdict), at_ns=7)
    assert (await store.cache.get("f1", tenant="clinic", feature="triage", now_ns=2) is not None) == stays
    assert await store.cache.get("f2", tenant="clinic", feature="triage", now_ns=2) is not None


async def test_cases_are_listed_by_kind_and_remember_how_probable_they_were(store: Store):
    await store.commit(commit("a", case=case("a", at_ns=1)))
    await store.commit(commit("b", case=case("b", at_ns=2, kind="audit")))
    assert [found.id for found in await store.cases.open_cases()] == ["case-a", "case-b"]
    (audit,) = await store.cases.open_cases(kind="audit")
    assert (audit.id, audit.rung, audit.propensity, audit.p) == ("case-b", "small", 0.1, None)
    assert [found.id for found in await store.cases.open_cases(kind="question")] == ["case-a"]


async def test_a_key_keeps_its_scopes(store: Store):
    for name, scopes in (("a", ("outcomes",)), ("b", ())):
        await store.keys.put(key(name, scopes=scopes))
    assert [found.scopes for found in await store.keys.all()] == [("outcomes",), ()]


async def test_the_journal_keeps_what_a_label_needs(store: Store):
    await store.commit(commit("a"))
    assert await store.journal.get("a") == journal("a")
