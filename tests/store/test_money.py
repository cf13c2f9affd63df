"""The ledger and the budgets: nothing is spent twice, nothing is forgotten, and no budget is overdrawn."""

from __future__ import annotations

import asyncio
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from samples import KEY, SCOPE, WINDOW, commit, entry, limit, reservation, settled

from surefoot.errors import BudgetSpent
from surefoot.records import Settlement, Spent
from surefoot.store import Store
from surefoot.store.memory import MemoryStore
from surefoot.store.spent import SPENT_BY


async def test_a_budget_is_zero_before_its_first_use(store: Store):
    assert await store.ledger.budget(SCOPE, WINDOW) == (0, 0)


async def test_reserved_money_becomes_spent_money_when_it_is_settled(store: Store):
    await store.reserve(reservation("a", 10, limit(100)))
    assert await store.ledger.budget(SCOPE, WINDOW) == (0, 10)
    await store.commit(commit("a", settlements=settled("a", 3, 4)))
    assert await store.ledger.budget(SCOPE, WINDOW) == (7, 0)


async def test_a_call_that_does_not_fit_is_refused_with_the_numbers(store: Store):
    await store.reserve(reservation("a", 60, limit(100)))
    with pytest.raises(BudgetSpent) as refused:
        await store.reserve(reservation("b", 41, limit(100)))
    error = refused.value
    assert (error.scope, error.spent, error.limit, error.resets_at_ns) == (SCOPE, 60, 100, 99)


async def test_the_last_nanodollar_may_be_reserved(store: Store):
    await store.reserve(reservation("a", 100, limit(100)))
    assert await store.ledger.budget(SCOPE, WINDOW) == (0, 100)


async def test_all_budgets_of_a_call_must_hold_or_none_is_touched(store: Store):
    wide, narrow = limit(100, scope="wide"), limit(5, scope="narrow")
    with pytest.raises(BudgetSpent, match="narrow"):
        await store.reserve(reservation("a", 6, wide, narrow))
    assert await store.ledger.budget("wide", WINDOW) == (0, 0)
    assert await store.ledger.budget("narrow", WINDOW) == (0, 0)


async def test_two_bars_on_one_budget_reserve_once(store: Store):
    await store.reserve(reservation("a", 6, limit(100), limit(10)))
    assert await store.ledger.budget(SCOPE, WINDOW) == (0, 6)


async def test_a_refused_reservation_hurts_nobody(store: Store):
    asked = [reservation("a", 4, limit(10)), reservation("b", 9, limit(10)), reservation("c", 5, limit(10))]
    results = await asyncio.gather(*map(store.reserve, asked), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), BudgetSpent, type(None)]
    assert await store.ledger.budget(SCOPE, WINDOW) == (0, 9)


async def test_a_settlement_without_a_reservation_touches_no_budget(store: Store):
    await store.reserve(reservation("a", 5, limit(10)))
    free = (Settlement(reservation_id="", entries=(entry("a", 3),)),)
    await store.commit(commit("a", settlements=free))
    assert await store.ledger.budget(SCOPE, WINDOW) == (0, 5)
    assert await store.ledger.total() == 3


async def test_a_second_settlement_does_not_subtract_again(store: Store):
    await store.reserve(reservation("a", 5, limit(100)))
    await store.reserve(reservation("other", 7, limit(100)))
    await store.commit(commit("a", settlements=settled("a", 2)))
    await store.commit(commit("b", settlements=settled("a", 1)))
    assert await store.ledger.budget(SCOPE, WINDOW) == (2, 7)


async def test_orphans_are_booked_as_estimated_at_their_worst_case(store: Store):
    await store.reserve(reservation("a", 50, limit(100)))
    assert await store.ledger.settle_orphans() == 1
    [line] = await store.ledger.entries()
    assert (line.kind, line.quantity, line.nanodollars, line.note) == ("reservation", 1, 50, "orphan")
    assert line.estimated
    assert line.price_version == "estimated"
    assert await store.ledger.budget(SCOPE, WINDOW) == (50, 0)
    assert await store.ledger.settle_orphans() == 0


async def test_only_old_orphans_are_booked_when_an_age_is_given(store: Store):
    await store.reserve(reservation("old", 5, limit(100), at_ns=1))
    await store.reserve(reservation("new", 7, limit(100), at_ns=10))
    assert await store.ledger.settle_orphans(older_than_ns=10) == 1
    assert await store.ledger.budget(SCOPE, WINDOW) == (5, 7)


async def test_a_late_settlement_replaces_the_estimate(store: Store):
    await store.reserve(reservation("a", 50, limit(100)))
    await store.ledger.settle_orphans()
    await store.commit(commit("a", settlements=settled("a", 8)))
    assert await store.ledger.budget(SCOPE, WINDOW) == (8, 0)
    assert await store.ledger.total() == 8


async def test_totals_can_be_had_by_feature_and_by_tenant(store: Store):
    lines = (entry("a", 3), entry("a", 4, feature="billing"))
    await store.commit(commit("a", settlements=(Settlement(reservation_id="", entries=lines),)))
    assert await store.ledger.total(feature="billing") == 4
    assert await store.ledger.total(tenant="clinic") == 7
    assert await store.ledger.total(tenant="nobody") == 0
    assert await store.ledger.entries(feature="triage") == [lines[0]]


calls = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=30)


@given(calls=calls, bar=st.integers(0, 100))
@settings(max_examples=60, deadline=None)
def test_no_order_of_calls_reserves_more_than_the_bar_in_memory(calls: list[tuple[int, int]], bar: int):
    asyncio.run(_never_overdrawn(MemoryStore(), calls, bar, scope=SCOPE))


@given(calls=calls, bar=st.integers(0, 100))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_calls_reserves_more_than_the_bar(store: Store, runner: asyncio.Runner, calls, bar):
    global _round
    _round += 1
    runner.run(_never_overdrawn(store, calls, bar, scope=f"round {_round}"))


_round = 0


async def _never_overdrawn(store: Store, calls: list[tuple[int, int]], bar: int, *, scope: str) -> None:
    """Reserve all at once, settle at most what was reserved: what is used never exceeds the bar."""
    await store.start() if isinstance(store, MemoryStore) else None
    asked = [reservation(f"{scope}/{i}", amount, limit(bar, scope=scope)) for i, (amount, _) in enumerate(calls)]
    results = await asyncio.gather(*map(store.reserve, asked), return_exceptions=True)
    taken = [one for one, result in zip(asked, results, strict=True) if result is None]
    assert await store.ledger.budget(scope, WINDOW) == (0, sum(one.nanodollars for one in taken))
    assert sum(one.nanodollars for one in taken) <= bar
    shares = [amount // (share + 1) for amount, share in calls]
    costs = {one.id: cost for one, cost in zip(asked, shares, strict=True)}
    done = [commit(one.request_id, settlements=settled(one.request_id, costs[one.id])) for one in taken]
    await asyncio.gather(*map(store.commit, done))
    assert await store.ledger.budget(scope, WINDOW) == (sum(costs[one.id] for one in taken), 0)


async def test_replicas_never_overdraw_a_budget_together(database: str, open_started):
    """Several stores on one database, each on a thread and event loop of its own, reserve from the same two budgets."""
    refused: list[BaseException] = []
    threads = [threading.Thread(target=open_started, args=(database, number, refused)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 4 * 50 - 100


@pytest.fixture
def open_started():
    """One replica: it asks for 50 reservations of 1, half of them in the other order of budgets."""
    from surefoot.store.open import open_store

    async def replica(database: str, number: int, refused: list[BaseException]) -> None:
        store = open_store(database, key_file=KEY)
        await store.start()
        bars = (limit(100, scope="one"), limit(1000, scope="two"))
        asked = [reservation(f"{number}/{i}", 1, *(bars if i % 2 else bars[::-1])) for i in range(50)]
        results = await asyncio.gather(*map(store.reserve, asked), return_exceptions=True)
        refused += [result for result in results if result is not None]
        assert all(isinstance(result, BudgetSpent) for result in results if result is not None)
        await store.close()

    return lambda *args: asyncio.run(replica(*args))


async def _three_hours(store: Store) -> None:
    """Two requests in the first hour, one of them with two lines; one in the third."""
    hour = 3600 * 1_000_000_000
    lines = (
        replace(entry("a", 3), at_ns=5), replace(entry("a", 4, kind="output"), at_ns=hour - 1),
        replace(entry("b", 5, feature="billing"), at_ns=7), replace(entry("c", 6), at_ns=2 * hour),
    )  # fmt: skip
    await store.commit(commit("a", settlements=(Settlement(reservation_id="", entries=lines),)))


async def test_what_was_spent_is_added_up_by_hour_and_group(store: Store):
    await _three_hours(store)
    hour = 3600 * 1_000_000_000
    assert await store.ledger.spent() == [
        Spent(at_ns=0, requests=2, quantity=300, nanodollars=12),
        Spent(at_ns=2 * hour, requests=1, quantity=100, nanodollars=6),
    ]
    assert await store.ledger.spent(by=("kind", "feature"), until_ns=hour) == [
        Spent(at_ns=0, requests=1, quantity=100, nanodollars=5, kind="input", feature="billing"),
        Spent(at_ns=0, requests=1, quantity=100, nanodollars=3, kind="input", feature="triage"),
        Spent(at_ns=0, requests=1, quantity=100, nanodollars=4, kind="output", feature="triage"),
    ]


async def test_what_was_spent_holds_its_beginning_and_not_its_end(store: Store):
    await _three_hours(store)
    hour = 3600 * 1_000_000_000
    assert [row.nanodollars for row in await store.ledger.spent(since_ns=6, until_ns=hour - 1)] == [5]
    assert [row.nanodollars for row in await store.ledger.spent(since_ns=2 * hour)] == [6]
    assert [row.at_ns for row in await store.ledger.spent(step_ns=hour * 24)] == [0]
    assert await store.ledger.spent(since_ns=3 * hour) == []


async def test_every_grouping_adds_up_to_the_total(store: Store):
    await _three_hours(store)
    for name in SPENT_BY:
        assert sum(row.nanodollars for row in await store.ledger.spent(by=(name,))) == await store.ledger.total()


@pytest.mark.parametrize(("by", "step_ns"), [(("note",), 1), ((), 0)])
async def test_groups_that_nobody_keeps_are_refused(store: Store, by: tuple[str, ...], step_ns: int):
    with pytest.raises(ValueError):
        await store.ledger.spent(by=by, step_ns=step_ns)
