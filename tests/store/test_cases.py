"""Cases on every back-end: claims, answers, leases, deadlines, and what is told of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace
from samples import MINUTE, cached, case, commit, entry, label

from surefoot.errors import StoreError
from surefoot.records import Case, CaseAnswer, Claim, Label, Moment
from surefoot.store import Store

LEASE = 2 * MINUTE
T = 100 * MINUTE
FIRST = "case-a"


async def opened(store: Store, *names: str, **fields: object) -> None:
    """Open cases that rank in the order of their names."""
    for place, name in enumerate(names):
        one = replace(case(name), **({"rank_ns": place, "fingerprint": f"f-{name}"} | fields))
        await store.commit(commit(name, case=one))


async def now(store: Store, case_id: str = FIRST) -> Case:
    found = await store.cases.find(case_id)
    assert found is not None
    return found


async def held(store: Store, by: str = "amy", case_id: str = FIRST, at_ns: int = T) -> Claim:
    claim = await store.cases.claim(case_id, by=by, at_ns=at_ns, lease_ns=LEASE)
    assert claim is not None
    return claim


def said(text: str = "Rest.", *, verb: str = "replace", by: str = "amy", general: bool = False) -> CaseAnswer:
    return CaseAnswer(verb=verb, text=text, by=by, general=general, meaning="I answer")


async def answered(
    store: Store, fence: int, given: CaseAnswer | None = None, *, at_ns: int = T, verdict: Label | None = None
) -> bool:
    return await store.cases.answer(
        FIRST, fence=fence, answer=given or said(), label=verdict, at_ns=at_ns, deliver_at_ns=at_ns + MINUTE
    )


async def kinds(store: Store, case_id: str = FIRST) -> Sequence[str]:
    return [event.kind for event in await store.cases.history(case_id)]


async def test_a_case_keeps_what_it_was_opened_with(store: Store):
    given = replace(
        case("a"), risk=0.25, weight=2.0, red_flag=True, two_persons=True, wait="webhook", webhook="https://x.example",
        rank_ns=5, due_at_ns=6, deadline_ns=7, note="from before",
    )  # fmt: skip
    await store.commit(commit("a", case=given))
    found = await now(store)
    assert replace(found, subject="") == given


async def test_a_claim_gives_the_case_and_a_higher_fence(store: Store):
    await opened(store, "a")
    claim = await held(store)
    assert (claim.case.state, claim.case.claimed_by, claim.fence) == ("claimed", "amy", 1)
    assert (await now(store)) == claim.case and await kinds(store) == ["opened", "claimed"]


async def test_what_somebody_has_nobody_else_gets(store: Store):
    await opened(store, "a")
    await held(store)
    assert await store.cases.claim(FIRST, by="ben", at_ns=T + LEASE - 1, lease_ns=LEASE) is None
    assert await store.cases.claim("case-none", by="ben", at_ns=T, lease_ns=LEASE) is None


async def test_ones_own_claim_is_given_again_with_its_fence(store: Store):
    await opened(store, "a")
    first = await held(store)
    again = await held(store, at_ns=T + 1)
    assert again.fence == first.fence and again.case.lease_until_ns == T + 1 + LEASE
    assert await kinds(store) == ["opened", "claimed"]


async def test_a_lease_that_has_ended_is_taken_over(store: Store):
    await opened(store, "a")
    await held(store)
    claim = await held(store, "ben", at_ns=T + LEASE)
    assert claim.fence == 2 and await kinds(store) == ["opened", "claimed", "lapsed", "claimed"]


async def test_the_next_case_is_the_first_by_rank_that_is_ours_and_not_snoozed(store: Store):
    await opened(store, "a", "b", "c")
    first = await held(store)
    await store.cases.release(FIRST, fence=first.fence, at_ns=T, snoozed_until_ns=T + MINUTE)
    claim = await store.cases.claim_next(roles=["nurse"], by="ben", at_ns=T, lease_ns=LEASE)
    assert claim is not None and claim.case.id == "case-b"
    assert await store.cases.claim_next(roles=["doctor"], by="ben", at_ns=T, lease_ns=LEASE) is None
    later = await store.cases.claim_next(roles=None, by="eve", at_ns=T + MINUTE, lease_ns=LEASE)
    assert later is not None and later.case.id == FIRST


async def test_everybody_who_asks_at_once_gets_another_case(store: Store):
    await opened(store, *"abcdef")
    asked = (store.cases.claim_next(roles=None, by=f"p{n}", at_ns=T, lease_ns=LEASE) for n in range(8))
    claims = [claim for claim in await asyncio.gather(*asked) if claim is not None]
    assert sorted(claim.case.id for claim in claims) == [f"case-{name}" for name in "abcdef"]


async def test_a_heartbeat_holds_the_case_and_a_lost_one_is_told(store: Store):
    await opened(store, "a")
    claim = await held(store)
    assert await store.cases.heartbeat(FIRST, fence=claim.fence, at_ns=T + MINUTE, lease_ns=LEASE)
    assert await store.cases.lapse_leases(now_ns=T + LEASE) == 0
    assert await store.cases.lapse_leases(now_ns=T + MINUTE + LEASE) == 1
    assert not await store.cases.heartbeat(FIRST, fence=claim.fence, at_ns=T + MINUTE + LEASE, lease_ns=LEASE)


async def test_a_clock_that_is_set_back_takes_no_lease_and_keeps_none_for_ever(store: Store):
    await opened(store, "a")
    claim = await held(store, at_ns=T)
    assert await store.cases.lapse_leases(now_ns=T - 60 * MINUTE) == 0
    assert (await now(store)).lease_until_ns == T - 60 * MINUTE + LEASE
    assert await store.cases.heartbeat(FIRST, fence=claim.fence, at_ns=T - 59 * MINUTE, lease_ns=LEASE)
    assert await store.cases.lapse_leases(now_ns=T - 59 * MINUTE + LEASE) == 1


async def test_a_case_is_handed_over_with_a_note(store: Store):
    await opened(store, "a")
    claim = await held(store)
    assert await store.cases.release(FIRST, fence=claim.fence, at_ns=T, role="doctor", note="rash since Monday")
    found = await now(store)
    assert (found.state, found.role, found.note, found.claimed_by) == ("open", "doctor", "rash since Monday", "")
    last = (await store.cases.history(FIRST))[-1]
    assert (last.kind, last.by, last.detail, last.text) == ("handed_over", "amy", "doctor", "rash since Monday")


async def test_a_lead_takes_a_case_and_gives_it_to_somebody(store: Store):
    await opened(store, "a")
    claim = await held(store)
    given = await store.cases.reassign(FIRST, by="lea", to="ben", at_ns=T, lease_ns=LEASE)
    assert given is not None and given.case.claimed_by == "ben" and given.fence > claim.fence
    assert not await store.cases.autosave(FIRST, fence=claim.fence, text="late")
    assert await store.cases.reassign(FIRST, by="lea", to="", at_ns=T, lease_ns=LEASE) is not None
    assert (await now(store)).state == "open"


async def test_what_is_written_is_kept_for_whoever_goes_on(store: Store):
    await opened(store, "a")
    claim = await held(store)
    assert await store.cases.autosave(FIRST, fence=claim.fence, text="Please re")
    await store.cases.lapse_leases(now_ns=T + LEASE)
    assert (await held(store, "ben", at_ns=T + LEASE)).case.autosave == "Please re"


async def test_an_answer_waits_for_its_undo_window_and_is_delivered_once(store: Store):
    await opened(store, "a")
    assert await answered(store, (await held(store)).fence)
    found = await now(store)
    assert (found.state, found.answer, found.told, found.answered_by) == ("answered", "Rest.", None, "amy")
    assert await store.cases.deliver_due(now_ns=T + MINUTE - 1) == []
    (told,) = await store.cases.deliver_due(now_ns=T + MINUTE)
    assert (told.told, told.delivered_at_ns, told.has_ended) == ("Rest.", T + MINUTE, True)
    assert await store.cases.deliver_due(now_ns=T + 9 * MINUTE) == []
    assert await now(store) == told and await kinds(store) == ["opened", "claimed", "answered", "delivered"]


async def test_an_answer_of_a_lost_claim_is_refused_and_its_text_kept(store: Store):
    await opened(store, "a")
    lost = await held(store)
    await held(store, "ben", at_ns=T + LEASE)
    assert not await answered(store, lost.fence, said("Take two a day."))
    found = await now(store)
    assert (found.state, found.claimed_by, found.autosave) == ("claimed", "ben", "Take two a day.")
    last = (await store.cases.history(FIRST))[-1]
    assert (last.kind, last.by, last.text) == ("refused", "amy", "Take two a day.")


async def test_the_same_answer_sent_again_is_the_same_answer(store: Store):
    await opened(store, "a")
    claim = await held(store)
    assert await answered(store, claim.fence) and await answered(store, claim.fence)
    assert not await answered(store, claim.fence, said("Something else."))
    assert (await now(store)).answer == "Rest."
    assert await kinds(store) == ["opened", "claimed", "answered", "refused"]


async def test_minutes_are_booked_with_the_answer_and_once(store: Store):
    await opened(store, "a")
    fence, spent = (await held(store)).fence, (entry("a", 500, kind="human"),)
    for _ in range(2):
        await store.cases.answer(FIRST, fence=fence, answer=said(), label=None, at_ns=T, deliver_at_ns=T, entries=spent)
    await store.cases.answer(
        FIRST, fence=fence + 1, answer=said("x"), label=None, at_ns=T, deliver_at_ns=T, entries=spent
    )
    assert [line.kind for line in await store.ledger.entries()] == ["human"] and await store.ledger.total() == 500


async def test_a_label_comes_with_the_delivery_and_a_wrong_draft_leaves_the_cache(store: Store):
    await store.commit(commit("a", case=case("a"), cache=cached("a")))
    await answered(store, (await held(store)).fence, verdict=label("l1", verdict="wrong", source="case"))
    assert await store.labels.all() == [] and await hit(store)
    await store.cases.deliver_due(now_ns=T + MINUTE)
    assert [found.id for found in await store.labels.all()] == ["l1"] and not await hit(store)


async def hit(store: Store) -> bool:
    return await store.cache.get("f1", tenant="clinic", feature="triage", now_ns=2) is not None


async def test_an_answer_taken_back_leaves_no_label_and_its_text_to_go_on_with(store: Store):
    await opened(store, "a")
    fence = (await held(store)).fence
    await answered(store, fence, verdict=label("l1", source="case"))
    again = await store.cases.undo(FIRST, fence=fence, at_ns=T + 1, lease_ns=LEASE)
    assert again is not None and again.fence > fence
    assert (again.case.state, again.case.claimed_by, again.case.autosave) == ("claimed", "amy", "Rest.")
    assert await store.cases.deliver_due(now_ns=T + 9 * MINUTE) == [] and await store.labels.all() == []
    assert await answered(store, again.fence, said("Rest well."))


async def test_what_is_delivered_cannot_be_taken_back(store: Store):
    await opened(store, "a")
    fence = (await held(store)).fence
    await answered(store, fence)
    await store.cases.deliver_due(now_ns=T + MINUTE)
    assert await store.cases.undo(FIRST, fence=fence, at_ns=T + MINUTE, lease_ns=LEASE) is None


async def test_where_two_must_agree_the_second_is_somebody_else(store: Store):
    await opened(store, "a", two_persons=True)
    fence = (await held(store)).fence
    assert await answered(store, fence) and (await now(store)).state == "proposed"
    assert await store.cases.deliver_due(now_ns=T + 9 * MINUTE) == []
    assert not await store.cases.approve(FIRST, by="amy", fence=fence, at_ns=T, deliver_at_ns=T)
    assert not await store.cases.approve(FIRST, by="ben", fence=fence + 1, at_ns=T, deliver_at_ns=T)
    assert await store.cases.approve(FIRST, by="ben", fence=fence, at_ns=T, deliver_at_ns=T)
    (told,) = await store.cases.deliver_due(now_ns=T)
    assert (told.answered_by, told.approved_by) == ("amy", "ben")


async def test_a_second_person_who_disagrees_puts_it_back_with_text_and_note(store: Store):
    await opened(store, "a", two_persons=True)
    await answered(store, (await held(store)).fence)
    assert not await store.cases.disapprove(FIRST, by="amy", at_ns=T, note="no")
    assert await store.cases.disapprove(FIRST, by="ben", at_ns=T, note="the dose is wrong")
    found = await now(store)
    assert (found.state, found.answer, found.autosave, found.note) == ("open", None, "Rest.", "the dose is wrong")


async def test_a_deadline_asks_the_next_role_then_the_default_is_delivered(store: Store):
    await opened(store, "a", deadline_ns=T)
    assert await store.cases.overdue(now_ns=T - 1) == []
    assert [late.id for late in await store.cases.overdue(now_ns=T)] == [FIRST]
    assert await store.cases.chain(FIRST, role="doctor", at_ns=T, rank_ns=0, due_at_ns=0, deadline_ns=T + MINUTE)
    assert await store.cases.expire(FIRST, at_ns=T, lease_ns=LEASE) is None  # the doctor has time
    claim = await store.cases.expire(FIRST, at_ns=T + MINUTE, lease_ns=LEASE)
    assert claim is not None and (claim.case.state, claim.case.told) == ("expired", None)
    assert not await store.cases.conclude(FIRST, fence=claim.fence - 1, how="decline", text="Sorry.", at_ns=T)
    assert await store.cases.conclude(FIRST, fence=claim.fence, how="decline", text="Sorry.", at_ns=T + MINUTE)
    found = await now(store)
    assert (found.role, found.state, found.told, found.verb) == ("doctor", "expired", "Sorry.", "default:decline")
    assert not await store.cases.conclude(FIRST, fence=claim.fence, how="draft", text="Rest.", at_ns=T + MINUTE)
    assert await kinds(store) == ["opened", "chained", "expired", "delivered"]


async def test_a_default_that_nobody_finishes_is_taken_over(store: Store):
    await opened(store, "a", deadline_ns=1)
    first = await store.cases.expire(FIRST, at_ns=T, lease_ns=LEASE)
    assert first is not None and await store.cases.overdue(now_ns=T + LEASE - 1) == []
    assert [late.id for late in await store.cases.overdue(now_ns=T + LEASE)] == [FIRST]
    second = await store.cases.expire(FIRST, at_ns=T + LEASE, lease_ns=LEASE)
    assert second is not None
    assert not await store.cases.conclude(FIRST, fence=first.fence, how="decline", text="x", at_ns=T)
    assert await store.cases.conclude(FIRST, fence=second.fence, how="decline", text="y", at_ns=T)


async def test_an_answer_after_the_deadline_is_refused_and_kept(store: Store):
    await opened(store, "a", deadline_ns=T + 1)
    fence = (await held(store)).fence
    await store.cases.expire(FIRST, at_ns=T + 1, lease_ns=LEASE)
    assert not await answered(store, fence, said("Too late."), at_ns=T + 2)
    assert (await store.cases.history(FIRST))[-1].text == "Too late."


async def test_a_caller_takes_back_only_its_own_unanswered_case(store: Store):
    await opened(store, "a", "b")
    await answered(store, (await held(store)).fence)
    assert not await store.cases.withdraw(FIRST, tenant="clinic", at_ns=T)
    assert not await store.cases.withdraw("case-b", tenant="other", at_ns=T)
    assert await store.cases.withdraw("case-b", tenant="clinic", at_ns=T)
    assert (await now(store, "case-b")).state == "withdrawn"
    assert await store.cases.claim("case-b", by="amy", at_ns=T, lease_ns=LEASE) is None


async def test_the_same_question_finds_its_waiting_case_and_nobody_elses(store: Store):
    await opened(store, "a")
    mine = {"tenant": "clinic", "feature": "triage", "subject": (await now(store)).subject}
    found = await store.cases.find_waiting("f-a", **mine)
    assert found is not None and found.id == FIRST
    assert await store.cases.find_waiting("f-b", **mine) is None
    assert await store.cases.find_waiting("f-a", **(mine | {"subject": "other"})) is None
    await store.cases.withdraw(FIRST, tenant="clinic", at_ns=T)
    assert await store.cases.find_waiting("f-a", **mine) is None
    assert await store.cases.find_waiting("f-a", **mine, states=("withdrawn",)) is not None


async def test_the_queue_is_read_page_by_page(store: Store):
    await opened(store, *"abcd")
    await held(store, case_id="case-b")
    first = await store.cases.waiting(limit=2)
    rest = await store.cases.waiting(limit=9, after=(first[-1].rank_ns, first[-1].id))
    assert [found.id for found in (*first, *rest)] == [f"case-{name}" for name in "abcd"]
    assert [found.id for found in await store.cases.waiting(by="amy")] == ["case-b"]
    assert await store.cases.waiting(roles=["doctor"]) == []
    assert dict(await store.cases.tally()) == {("nurse", "open"): 3, ("nurse", "claimed"): 1}


async def test_an_audit_is_judged_with_its_label_and_tells_nobody(store: Store):
    await store.commit(commit("a", case=case("a", kind="audit")))
    verdict = label("l1", verdict="edited")
    assert await answered(store, (await held(store)).fence, said("", verb="edit"), verdict=verdict)
    found = await now(store)
    assert (found.state, found.told) == ("judged", None)
    assert [kept.id for kept in await store.labels.all()] == ["l1"]
    assert await store.cases.deliver_due(now_ns=T + 9 * MINUTE) == []


async def test_a_taken_label_id_lets_nothing_of_a_verdict_happen(store: Store):
    await store.commit(commit("a", case=case("a", kind="audit")))
    await store.labels.add(label("l1"))
    fence = (await held(store)).fence
    with pytest.raises(StoreError):
        await answered(store, fence, said("", verb="accept"), verdict=label("l1"))
    assert (await now(store)).state == "claimed"


async def test_changes_are_numbered_upwards_over_all_cases(store: Store):
    before = await store.cases.last_change()
    await opened(store, "a", "b")
    await held(store)
    found = await store.cases.changes(after=before)
    assert [(each.case_id, each.kind, each.state) for each in found] == [
        ("case-a", "opened", "open"), ("case-b", "opened", "open"), ("case-a", "claimed", "claimed"),
    ]  # fmt: skip
    assert [each.id for each in found] == sorted({each.id for each in found})
    assert found[-1].id == await store.cases.last_change() and found[-1].tenant == "clinic"
    assert await store.cases.changes(after=found[-1].id) == []
    assert len(await store.cases.changes(after=before, limit=2)) == 2


async def test_an_erased_person_leaves_the_case_without_words(store: Store):
    await opened(store, "a")
    claim = await held(store)
    await store.cases.autosave(FIRST, fence=claim.fence, text="secret")
    await answered(store, claim.fence, said("secret"))
    await store.journal.erase_subject(tenant="clinic", end_user="ann")
    found = await now(store)
    assert (found.state, found.answer, found.autosave) == ("answered", None, None)
    assert {event.text for event in await store.cases.history(FIRST)} == {None}
    assert [told.told for told in await store.cases.deliver_due(now_ns=T + MINUTE)] == [None]


async def test_a_subjects_thread_is_its_questions_newest_first(store: Store):
    await store.commit(commit("a", case=case("a", at_ns=1)))
    await store.commit(commit("b", case=case("b", at_ns=2)))
    await store.commit(commit("c", case=case("c", at_ns=3, kind="audit")))
    await store.commit(commit("d", case=case("d"), subject="user:clinic:bob"))
    mine = (await now(store)).subject
    assert [found.id for found in await store.cases.thread(mine, limit=5)] == ["case-b", "case-a"]


async def test_a_believed_answer_is_put_into_the_cache_by_itself(store: Store):
    await store.commit(commit("a"))
    await store.cache.put(replace(cached("a"), subject=store.pseudonym("user:clinic:ann")))
    found = await store.cache.get("f1", tenant="clinic", feature="triage", now_ns=2)
    assert found is not None and found.body == b"the answer"


async def test_nobody_claims_more_than_the_role_allows_at_once(store: Store):
    await opened(store, "a", "b", "c")
    most = {"nurse": 2, "doctor": 0}
    one = await store.cases.claim(FIRST, by="amy", at_ns=T, lease_ns=LEASE, capacity=most)
    two = await store.cases.claim_next(roles=None, by="amy", at_ns=T, lease_ns=LEASE, capacity=most)
    assert one is not None and two is not None and two.case.id == "case-b"
    assert await store.cases.claim("case-c", by="amy", at_ns=T, lease_ns=LEASE, capacity=most) is None
    assert await store.cases.claim_next(roles=["nurse"], by="amy", at_ns=T, lease_ns=LEASE, capacity=most) is None
    assert await store.cases.claim(FIRST, by="amy", at_ns=T, lease_ns=LEASE, capacity=most) == one, "one's own again"
    assert await store.cases.claim("case-c", by="ben", at_ns=T, lease_ns=LEASE, capacity=most) is not None


async def test_a_role_that_is_full_for_somebody_does_not_hide_the_other_role(store: Store):
    await opened(store, "a", "b")
    await opened(store, "c", role="doctor", rank_ns=9)
    most = {"nurse": 1, "doctor": 2}
    await store.cases.claim(FIRST, by="amy", at_ns=T, lease_ns=LEASE, capacity=most)
    claim = await store.cases.claim_next(roles=None, by="amy", at_ns=T, lease_ns=LEASE, capacity=most)
    assert claim is not None and claim.case.id == "case-c"


def test_two_windows_and_two_replicas_in_the_same_moment_do_not_come_over_the_capacity(
    database: str, open_: Callable[[str], Store], runner: asyncio.Runner
):
    replicas = open_(database), open_(database)

    async def race() -> int:
        await opened(replicas[0], *"abcdefgh")
        most = {"nurse": 3}
        asked = [
            replicas[place % 2].cases.claim(f"case-{name}", by="amy", at_ns=T, lease_ns=LEASE, capacity=most)
            for place, name in enumerate("abcdefgh")
        ]
        asked += [
            replicas[place % 2].cases.claim_next(roles=None, by="amy", at_ns=T, lease_ns=LEASE, capacity=most)
            for place in range(4)
        ]
        return sum(claim is not None for claim in await asyncio.gather(*asked))

    assert runner.run(race()) == 3
    assert len(runner.run(replicas[0].cases.waiting(states=("claimed",), by="amy"))) == 3


async def moments(store: Store, since_ns: int, until_ns: int) -> list[Moment]:
    return [each async for each in store.cases.moments(since_ns=since_ns, until_ns=until_ns)]


async def test_a_report_reads_the_events_of_a_time_with_their_cases_and_the_time_booked(store: Store):
    await opened(store, "a", role="doctor", rung="")
    await opened(store, "b")
    claim = await held(store)
    spent = replace(entry("a", 5, kind="human"), quantity=40, at_ns=T)
    await store.cases.answer(
        FIRST, fence=claim.fence, answer=said(), label=None, at_ns=T, deliver_at_ns=T, entries=[spent]
    )
    await store.cases.deliver_due(now_ns=T + MINUTE)
    found = await moments(store, 0, T + MINUTE)
    assert [(each.event.kind, each.seconds) for each in found] == [
        ("answered", 40), ("claimed", None), ("opened", None), ("opened", None)
    ]  # fmt: skip
    answered, *_, first = found
    assert (answered.role, answered.kind, answered.rung, answered.request_id) == ("doctor", "question", "", "a")
    assert (
        answered.event.detail == "replace: I answer" and answered.event.text is None and first.event.tenant == "clinic"
    )
    assert [each.event.kind for each in await moments(store, T + MINUTE, T + 2 * MINUTE)] == ["delivered"]


async def test_time_booked_after_an_answer_is_not_its_own_and_none_is_unknown(store: Store):
    await opened(store, "a")
    claim = await held(store)
    await answered(store, claim.fence)
    again = await store.cases.undo(FIRST, fence=claim.fence, at_ns=T, lease_ns=LEASE)
    assert again is not None
    late = [replace(entry("a", 5, kind="human"), quantity=n, at_ns=T + MINUTE) for n in (3, 4)]
    await store.cases.answer(
        FIRST, fence=again.fence, answer=said(), label=None, at_ns=T + MINUTE, deliver_at_ns=T, entries=late
    )
    told = [each.seconds for each in await moments(store, 0, 2 * T) if each.event.kind == "answered"]
    assert told == [7, None]


async def test_a_report_over_many_pages_misses_nothing(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("surefoot.store.sqlcaseevents._PAGE", 4)
    monkeypatch.setattr("surefoot.store.sqlcaseevents.SLACK_NS", MINUTE)
    for place, name in enumerate("abcdefghijk"):
        await opened(store, name, opened_at_ns=place * MINUTE)
    whole = [each.event.case_id for each in await moments(store, 0, T)]
    assert whole == [f"case-{name}" for name in "kjihgfedcba"]
    assert [each.event.case_id for each in await moments(store, 7 * MINUTE, 9 * MINUTE)] == ["case-i", "case-h"]
    assert await moments(store, T, 2 * T) == []
