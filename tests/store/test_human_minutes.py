"""People's minutes: set aside when a case opens, booked with its answer, given back when it ends; nothing is refused."""

from __future__ import annotations

from msgspec.structs import replace
from samples import MINUTE, SCOPE, WINDOW, case, commit, entry, label, limit, reservation

from surefoot.records import CaseAnswer
from surefoot.store import Store

CASE, T, LEASE = "case-a", 100 * MINUTE, 2 * MINUTE
BAR = replace(limit(10), soft=True, warn_at=(1.0,))


async def opened(store: Store, *, at_ns: int = 1) -> None:
    aside = replace(reservation("a", 40, BAR, at_ns=at_ns), id=CASE, rung="person")
    await store.commit(replace(commit("a", case=case("a")), set_aside=aside))


async def balance(store: Store) -> tuple[int, int]:
    return await store.ledger.budget(SCOPE, WINDOW)


async def answered(store: Store, cost: int, *, at_ns: int = T, deliver_at_ns: int = T + MINUTE) -> int:
    """The fence of a case that somebody answered."""
    claim = await store.cases.claim(CASE, by="amy", at_ns=at_ns, lease_ns=LEASE)
    assert claim is not None
    answer = CaseAnswer(verb="replace", text=f"Rest {cost}.", by="amy")
    assert await store.cases.answer(
        CASE, fence=claim.fence, answer=answer, label=None, at_ns=at_ns, deliver_at_ns=deliver_at_ns,
        entries=(entry("a", cost, kind="human"),),
    )  # fmt: skip
    return claim.fence


async def test_an_open_case_sets_its_minutes_aside_even_where_there_is_no_room(store: Store):
    await opened(store)
    assert await balance(store) == (0, 40)


async def test_an_answer_books_what_it_took_and_frees_the_rest(store: Store):
    await opened(store)
    await answered(store, 25)
    assert await balance(store) == (25, 0)
    assert await store.ledger.total() == 25
    assert [found.level_ppm for found in await store.warnings.all()] == [1_000_000]


async def test_an_answer_that_is_taken_back_and_given_anew_costs_both(store: Store):
    await opened(store)
    fence = await answered(store, 25)
    again = await store.cases.undo(CASE, fence=fence, at_ns=T, lease_ns=LEASE)
    assert again is not None
    answer = CaseAnswer(verb="replace", text="Rest more.", by="amy")
    lines = (entry("a", 5, kind="human"),)
    await store.cases.answer(
        CASE, fence=again.fence, answer=answer, label=None, at_ns=T, deliver_at_ns=T, entries=lines
    )  # fmt: skip
    assert len(await store.cases.deliver_due(now_ns=T)) == 1
    assert await balance(store) == (30, 0)
    assert await store.ledger.total() == 30


async def test_a_case_that_ends_without_an_answer_costs_nothing(store: Store):
    await opened(store)
    assert await store.cases.withdraw(CASE, tenant="clinic", at_ns=T)
    assert await balance(store) == (0, 0)


async def test_a_refused_answer_costs_nothing(store: Store):
    await opened(store)
    answer = CaseAnswer(verb="replace", text="Rest.", by="ben")
    assert not await store.cases.answer(
        CASE, fence=7, answer=answer, label=None, at_ns=T, deliver_at_ns=T, entries=(entry("a", 9, kind="human"),)
    )  # fmt: skip
    assert await balance(store) == (0, 40) and await store.ledger.total() == 0


async def test_a_waiting_case_is_nobodys_orphan(store: Store):
    await opened(store)
    assert await store.ledger.settle_orphans() == 0
    assert await balance(store) == (0, 40)


async def test_cases_delivered_together_leave_nothing_set_aside(store: Store):
    await opened(store)
    await answered(store, 25, deliver_at_ns=T)
    assert len(await store.cases.deliver_due(now_ns=T)) == 1
    assert await balance(store) == (25, 0)
    assert not await store.cases.withdraw(CASE, tenant="clinic", at_ns=T)
    assert await balance(store) == (25, 0)


async def test_the_audit_of_a_case_that_ended_unjudged_is_booked_in_the_same_budgets(store: Store):
    aside = replace(reservation("a", 40, BAR), id=CASE, rung="person")
    withheld = replace(case("a"), propensity=1.0)
    await store.commit(replace(commit("a", case=withheld), set_aside=aside))
    assert await store.cases.withdraw(CASE, tenant="clinic", at_ns=T)
    (audit,) = await store.cases.open_cases(kind="audit")
    assert await balance(store) == (0, 0)
    claim = await store.cases.claim(audit.id, by="amy", at_ns=T, lease_ns=LEASE)
    assert claim is not None
    answer = CaseAnswer(verb="accept", text="", by="amy")
    assert await store.cases.answer(
        audit.id, fence=claim.fence, answer=answer, label=label("l1"), at_ns=T, deliver_at_ns=T,
        entries=(entry("a", 6, kind="human"),),
    )  # fmt: skip
    assert await balance(store) == (6, 0)


async def test_a_question_that_joins_a_case_sets_nothing_aside_of_its_own(store: Store):
    for name in ("a", "b"):
        aside = replace(reservation(name, 40, BAR), id=f"case-{name}", rung="person")
        await store.commit(replace(commit(name, case=case(name)), joins=True, set_aside=aside))
    assert await balance(store) == (0, 40)
