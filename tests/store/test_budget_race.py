"""Many clients, several processes' stores, one tiny budget: never a nano-dollar over, and nobody starves."""

from __future__ import annotations

import asyncio
import threading

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import KEY, WINDOW, commit, limit, reservation, settled

from surefoot.errors import BudgetSpent
from surefoot.records import BudgetLimit
from surefoot.store import Store
from surefoot.store.open import open_store

REPLICAS, EACH = 4, 16
WORST, COST, BAR = 100, 7, 1200  # room for at most twelve at once; 64 clients spend 448 in the end
TREE = (limit(BAR, scope="key"), limit(BAR + 50, scope="feature"), limit(BAR - 100, scope="organisation"))


def test_64_clients_of_4_replicas_never_overspend_and_all_are_served(database: str):
    seen: list[tuple[str, int]] = []
    refused: list[str] = []
    threads = [
        threading.Thread(target=lambda number=number: asyncio.run(_replica(database, number, seen, refused)))
        for number in range(REPLICAS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert refused  # the budget was tight indeed
    assert all(used <= bar.limit_nanodollars for bar in TREE for scope, used in seen if scope == bar.scope)
    assert asyncio.run(_left(database)) == [(REPLICAS * EACH * COST, 0)] * len(TREE)


async def _replica(database: str, number: int, seen: list[tuple[str, int]], refused: list[str]) -> None:
    store = open_store(database, key_file=KEY)
    await store.start()
    limits = TREE if number % 2 else TREE[::-1]

    async def client(place: int) -> None:
        name, tries = f"{number}/{place}", 0
        while True:
            tries += 1
            try:
                await store.reserve(reservation(f"{name}/{tries}", WORST, *limits))
                break
            except BudgetSpent as spent:
                refused.append(spent.scope)
                await asyncio.sleep(0.005)
        for bar in TREE:
            seen.append((bar.scope, sum(await store.ledger.budget(bar.scope, WINDOW))))
        await store.commit(commit(name, settlements=settled(f"{name}/{tries}", COST)))

    await asyncio.gather(*(client(place) for place in range(EACH)))
    await store.close()


async def _left(database: str) -> list[tuple[int, int]]:
    store = open_store(database, key_file=KEY)
    await store.start()
    found = [await store.ledger.budget(bar.scope, WINDOW) for bar in TREE]
    assert await store.ledger.total() == REPLICAS * EACH * COST
    await store.close()
    return found


# (what, which call, its worst case, its share of that which it costs, which places it belongs to)
steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "settle", "orphan"]), st.integers(0, 7), st.integers(0, 40), st.integers(1, 4),
        st.sets(st.integers(0, 3), min_size=1),
    ),
    max_size=25,
)  # fmt: skip
_round = 0


@given(steps=steps, bars=st.tuples(*[st.integers(0, 120)] * 4))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_interleaving_goes_over_any_level_of_a_tree(store: Store, runner: asyncio.Runner, steps, bars):
    """Reservations, settlements, orphans and late settlements in any order: what is used never exceeds a bar, in the end
    nothing is reserved, and what every pot says was spent is what the ledger's lines of its calls add up to."""
    global _round
    _round += 1
    tree = tuple(limit(bar, scope=f"{_round}/level {place}") for place, bar in enumerate(bars))
    runner.run(_walk(store, steps, tree))


async def _walk(store: Store, steps, tree: tuple[BudgetLimit, ...]) -> None:
    taken: dict[str, tuple[int, tuple[BudgetLimit, ...]]] = {}
    costs: dict[str, tuple[int, tuple[BudgetLimit, ...]]] = {}
    for turn, (what, which, worst, share, places) in enumerate(steps):
        name = f"{_round}/{turn}"
        if what == "reserve":
            limits = tuple(tree[place] for place in sorted(places))
            try:
                await store.reserve(reservation(name, worst, *limits))
                taken[name] = (worst, limits)
            except BudgetSpent:
                pass
        elif what == "orphan":
            await store.ledger.settle_orphans()  # whoever settles after that comes late
        elif taken:
            late = sorted(taken)[which % len(taken)]
            amount, limits = taken.pop(late)
            costs[late] = (amount // share, limits)
            await store.commit(commit(late, settlements=settled(late, amount // share)))
        await _within(store, tree)
    for name, (worst, limits) in taken.items():
        costs[name] = (worst, limits)
        await store.commit(commit(name, settlements=settled(name, worst)))
    for bar in tree:
        expected = sum(cost for cost, limits in costs.values() if bar in limits)
        assert await store.ledger.budget(bar.scope, WINDOW) == (expected, 0)
    lines = [line for name in costs for line in await store.ledger.entries(request_id=name)]
    assert sum(line.nanodollars for line in lines) == sum(cost for cost, _ in costs.values())


async def _within(store: Store, tree: tuple[BudgetLimit, ...]) -> None:
    for bar in tree:
        spent, reserved = await store.ledger.budget(bar.scope, WINDOW)
        assert reserved >= 0 and spent + reserved <= bar.limit_nanodollars
