"""A roll-up is the sum of its entries: at any moment, by any grouping, whatever came late, on every back-end."""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter, defaultdict
from collections.abc import Sequence

from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from samples import KEY, case, commit, entry, journal, limit, reservation
from sqlalchemy import create_engine, make_url, text

from surefoot.records import CaseAnswer, Commit, Draft, Escalate, Question, Read, Revenue, Settlement, Step
from surefoot.records.units import DIMENSIONS, Where
from surefoot.store import EVERYTHING, Store
from surefoot.store.open import open_store
from surefoot.store.rollups import turn_of

DAY = 86_400_000_000_000
ACTIONS = {"deliver": "delivered", "escalate": "escalated", "fail": "failed", "refuse": "refused"}
EVERY = ("day", *DIMENSIONS)


def turn(name: str, action: str = "deliver", *, prompt: str = "p1", baseline: int | None = None, costs=(3,)) -> Commit:
    """What a request leaves behind that was answered by `small`, or passed to a nurse."""
    question = Question(
        fingerprint="f", model="m", dialect="openai", surface="chat", stream=False, input_tokens=1, max_output_tokens=None,
        prompt=prompt,
    )  # fmt: skip
    steps = [Step(stage="read", rung=None, value=Read(question=question))]
    steps.append(
        Step(stage="call", rung="small", value=Draft(rung="small", provider="acme", model="small-1", digest=""))
    )
    if action == "escalate":
        steps.append(Step(stage="decide", rung="small", value=Escalate("unsure", "nurse")))
    ended = replace(journal(name), steps=tuple(steps), action=action, baseline_nanodollars=baseline)
    lines = tuple(replace(entry(name, cost), estimated=cost % 2 == 0) for cost in costs)
    return replace(commit(name, settlements=(Settlement(reservation_id=f"r-{name}", entries=lines),)), entry=ended)


def earned(name: str, outcome: str, nanodollars: int, *, at_ns: int = 2) -> Revenue:
    """A report of an outcome."""
    return Revenue(
        id=f"rev-{name}-{outcome}", request_id=name, at_ns=at_ns, tenant="clinic", key_id="k1", feature="triage",
        outcome=outcome, nanodollars=nanodollars, price_version="config",
    )  # fmt: skip


async def naive(
    store: Store, by: Sequence[str]
) -> tuple[dict[tuple[str, ...], list[int]], dict[tuple[str, ...], list[int]]]:
    """The sums by hand: every entry and every request, one by one."""
    costs: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    requests: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0] * 6)
    turns = {}
    async for each in store.journal.entries():
        reports = sorted(
            (r.at_ns, r.id, r.outcome) for r in await store.ledger.revenue(request_id=each.request_id) if r.outcome
        )
        turns[each.request_id] = turn_of(each, reports[-1][2] if reports else ACTIONS[each.action])
    for line in await store.ledger.entries():
        found = turns.get(line.request_id) if line.kind != "reservation" else None
        ended = {"prompt": found.prompt, "outcome": found.outcome} if found else {"prompt": "", "outcome": "unsettled"}
        group = _group(by, {**{name: getattr(line, name, "") for name in DIMENSIONS}, **ended}, line.at_ns)
        costs[*group, line.kind] = _add(
            costs[*group, line.kind], 1, line.quantity, line.nanodollars, line.estimated * line.nanodollars
        )
        if found is not None and found.baseline_nanodollars is not None:
            place = _group(by, _values(found), found.day * DAY)
            requests[place] = _add(requests[place], 0, 0, 0, 0, 0, line.nanodollars)
    for found in turns.values():
        place, known = _group(by, _values(found), found.day * DAY), found.baseline_nanodollars is not None
        requests[place] = _add(requests[place], 1, 0, 0, known, found.baseline_nanodollars or 0, 0)
    for line in await store.ledger.revenue():
        place = _group(by, _values(turns[line.request_id]), line.at_ns)
        requests[place] = _add(requests[place], 0, 1, line.nanodollars, 0, 0, 0)
    return _real(costs), _real(requests)


def _values(found) -> dict[str, str]:
    return dict(zip(DIMENSIONS, found.series, strict=True))


def _group(by: Sequence[str], values: dict[str, str], at_ns: int) -> tuple[str, ...]:
    day = {0: "1970-01-01", 1: "1970-01-02", 2: "1970-01-03"}[at_ns // DAY]
    return tuple(day if name == "day" else values[name] for name in by)


def _add(old: Sequence[int], *more: int) -> list[int]:
    return [a + b for a, b in zip(old, more, strict=True)]


def _real(sums):
    return {group: each for group, each in sums.items() if any(each)}


async def rolled_up(store: Store, by: Sequence[str], where: Where = EVERYTHING):
    """The same from the roll-ups."""
    costs = await store.ledger.costs(by, where)
    requests = await store.ledger.traffic(by, where)
    return (
        _real({(*c.group, c.kind): [c.entries, c.quantity, c.nanodollars, c.estimated_nanodollars] for c in costs}),
        _real({
            r.group: [
                r.requests, r.earnings, r.revenue_nanodollars, r.baseline_requests, r.baseline_nanodollars,
                r.compared_nanodollars,
            ]
            for r in requests
        }),
    )  # fmt: skip


async def check(store: Store) -> None:
    """Every grouping of up to two dimensions, and all of them at once."""
    for by in ((), *((name,) for name in EVERY), ("day", "feature"), ("outcome", "model"), EVERY):
        assert await rolled_up(store, by) == await naive(store, by), by


async def test_there_is_nothing_before_the_first_request(store: Store):
    assert (await store.ledger.costs(()), await store.ledger.traffic(())) == ([], [])


async def test_a_request_counts_where_it_was_answered(store: Store):
    await store.commit(turn("a", costs=(3, 4)))
    [cost] = await store.ledger.costs(("prompt", "outcome", "rung", "model"))
    assert (cost.group, cost.entries, cost.nanodollars, cost.estimated_nanodollars) == (
        ("p1", "delivered", "small", "small-1"),
        2,
        7,
        4,
    )
    [asked] = await store.ledger.traffic(("outcome", "rung", "provider", "model"))
    assert (asked.group, asked.requests) == (("delivered", "small", "acme", "small-1"), 1)


async def test_an_escalated_request_counts_at_the_person(store: Store):
    await store.commit(turn("a", "escalate"))
    [asked] = await store.ledger.traffic(("outcome", "rung", "model"))
    assert asked.group == ("escalated", "person", "nurse")


async def test_a_reported_outcome_takes_all_that_its_request_has_booked_along(store: Store):
    await store.commit(turn("a", costs=(3,), baseline=9))
    assert await store.ledger.earn([earned("a", "resolved", 50), earned("a", "resolved", 50)]) == [True, False]
    [cost] = await store.ledger.costs(("outcome",))
    assert (cost.group, cost.nanodollars) == (("resolved",), 3)
    [asked] = await store.ledger.traffic(("outcome",))
    assert (asked.group, asked.requests, asked.revenue_nanodollars) == (("resolved",), 1, 50)
    assert (asked.baseline_requests, asked.baseline_nanodollars, asked.compared_nanodollars) == (1, 9, 3)
    await check(store)


async def test_the_outcome_that_was_reported_last_counts(store: Store):
    await store.commit(turn("a"))
    await store.ledger.earn([earned("a", "resolved", 50, at_ns=9)])
    await store.ledger.earn([earned("a", "opened", 1, at_ns=5), earned("a", "refunded", -50, at_ns=DAY + 1)])
    assert [each.group for each in await store.ledger.traffic(("outcome",)) if each.requests] == [("refunded",)]
    await check(store)


async def test_minutes_of_people_follow_the_outcome(store: Store):
    opened = replace(turn("a", "escalate", baseline=5), case=case("a"))
    await store.commit(opened)
    await store.ledger.earn([earned("a", "resolved", 50)])
    claim = await store.cases.claim("case-a", by="amy", at_ns=3, lease_ns=DAY)
    assert claim is not None
    spent = replace(entry("a", 1000, kind="human"), rung="person", provider="person", model="nurse", at_ns=DAY + 5)
    answer = CaseAnswer(verb="replace", text="rest", by="amy")
    await store.cases.answer(
        "case-a", fence=claim.fence, answer=answer, at_ns=4, deliver_at_ns=4, entries=(spent,), label=None
    )  # fmt: skip
    [minutes] = [each for each in await store.ledger.costs(("day", "outcome")) if each.kind == "human"]
    assert (minutes.group, minutes.nanodollars) == (("1970-01-02", "resolved"), 1000)
    await check(store)


async def test_an_orphan_and_its_late_settlement_add_up(store: Store):
    await store.reserve(reservation("a", 50, limit(100)))
    await store.ledger.settle_orphans()
    await check(store)
    [cost] = await store.ledger.costs(("outcome",))
    assert (cost.group, cost.nanodollars, cost.estimated_nanodollars) == (("unsettled",), 50, 50)
    await store.commit(turn("a", costs=(8,)))
    await check(store)
    assert sum(each.nanodollars for each in await store.ledger.costs(())) == 8


async def test_a_part_can_be_asked_for(store: Store):
    await store.commit(turn("a", costs=(3,)))
    await store.commit(turn("b", "refuse", prompt="p2", costs=(4,)))
    only = Where(equals=(("prompt", "p2"),))
    assert [(c.group, c.nanodollars) for c in await store.ledger.costs(("outcome",), only)] == [(("refused",), 4)]
    assert [r.requests for r in await store.ledger.traffic((), only)] == [1]
    assert await store.ledger.costs((), Where(since_day=1)) == []
    assert [c.nanodollars for c in await store.ledger.costs((), Where(until_day=1))] == [7]


steps = st.lists(
    st.tuples(
        st.sampled_from(["reserve", "orphans", "commit", "earn", "minutes"]),
        st.integers(0, 5),  # which request
        st.integers(0, 40),
        st.sampled_from(["deliver", "escalate", "fail"]),
        st.sampled_from(["resolved", "opened"]),
    ),
    max_size=40,
)
_rounds = itertools.count()


@given(given=steps)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_order_of_events_leaves_a_roll_up_wrong(store: Store, runner: asyncio.Runner, given):
    runner.run(_tried(store, given, next(_rounds)))


async def _tried(store: Store, given, number: int) -> None:
    ended: set[str] = set()
    for what, who, amount, action, outcome in given:
        name = f"{number}.{who}"
        if what == "reserve" and name not in ended:
            await asyncio.gather(store.reserve(reservation(name, amount, limit(10**9))), return_exceptions=True)
        elif what == "orphans":
            await store.ledger.settle_orphans()
        elif what == "commit" and name not in ended:
            ended.add(name)
            opened = turn(name, action, baseline=amount if amount % 3 else None, costs=(amount, who))
            lines = (earned(name, "", amount, at_ns=1),) if amount % 2 else ()
            await store.commit(replace(opened, revenue=lines, case=case(name)))
        elif what == "earn" and name in ended:
            await store.ledger.earn([earned(name, outcome, amount - 20, at_ns=amount * DAY // 20 + 1)])
        elif what == "minutes" and name in ended:
            await _minutes(store, name, amount)
    await check(store)


async def _minutes(store: Store, name: str, amount: int) -> None:
    claim = await store.cases.claim(f"case-{name}", by="amy", at_ns=3, lease_ns=DAY)
    if claim is None:
        return
    spent = replace(entry(name, amount, kind="human"), rung="person", provider="person", model="nurse", at_ns=DAY + 5)
    answer = CaseAnswer(verb="replace", text="rest", by="amy")
    await store.cases.answer(
        f"case-{name}", fence=claim.fence, answer=answer, at_ns=4, deliver_at_ns=4, entries=(spent,), label=None
    )  # fmt: skip


async def test_replicas_add_up_together(database: str):
    """Several stores on one database write requests of the same series and report on each other's at the same time."""
    together = threading.Barrier(3)

    async def replica(number: int) -> None:
        store = open_store(database, key_file=KEY)
        await store.start()
        together.wait(30)
        await asyncio.gather(*(store.commit(turn(f"{number}.{i}", baseline=i, costs=(i, 7))) for i in range(30)))
        together.wait(30)
        reports = [
            earned(f"{other}.{i}", ("opened", "refunded", "resolved")[number], i, at_ns=number)
            for other in range(3)
            for i in range(10)
        ]
        await asyncio.gather(*(store.ledger.earn([each]) for each in reports))
        await store.close()

    threads = [threading.Thread(target=lambda n=n: asyncio.run(replica(n))) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store = open_store(database, key_file=KEY)
    await store.start()
    await check(store)
    found = Counter({each.group[0]: each.requests for each in await store.ledger.traffic(("outcome",))})
    assert +found == {"resolved": 30, "delivered": 60}  # replica 2 reported last
    await store.close()


async def test_a_database_of_an_earlier_program_gets_its_roll_ups_filled(database: str):
    store = open_store(database, key_file=KEY)
    await store.start()
    await store.reserve(reservation("lost", 50, limit(100)))
    await store.ledger.settle_orphans()
    for number, action in enumerate(ACTIONS):
        await store.commit(turn(f"q{number}", action, costs=(number, 7)))
    await store.close()
    _back(database)
    store = open_store(database, key_file=KEY)
    await store.start()
    await check(store)
    await store.commit(turn("later", costs=(5,)))
    await check(store)
    await store.close()


def _back(database: str) -> None:
    """Take the database to where it was before roll-ups."""
    known = "://" in database
    url = make_url(database).set(drivername="postgresql+psycopg") if known else f"sqlite:///{database}"
    engine, config = create_engine(url), Config()
    config.set_main_option("script_location", "surefoot.store:migrations")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0012")
        for table in (  # which no downgrade drops: what they hold is vouched for
            "bet_events",
            "histograms",
            "rates",
            "budget_warnings",
            "revenue",
            "daily_costs",
            "daily_requests",
            "series",
        ):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text("ALTER TABLE keys DROP COLUMN budgets"))
        connection.execute(text("DROP INDEX ledger_time"))
        connection.execute(text("UPDATE alembic_version SET version_num = '0007'"))
    engine.dispose()
