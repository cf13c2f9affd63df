"""Webhooks: due when their case has ended, called by one at a time, logged for good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from msgspec.structs import replace
from samples import case, commit
from sqlalchemy import text
from test_guarded import engine_of

from surefoot.errors import StoreError
from surefoot.records.hook import Hook, HookAttempt, HookClaim
from surefoot.store import Store

SECOND = 1_000_000_000
LEASE = 60 * SECOND


def hook(name: str = "a", *, url: str = "https://example.org/told", at_ns: int = 1, due_at_ns: int = 0) -> Hook:
    return Hook(
        id=f"hook-{name}-{url}", case_id=f"case-{name}", tenant="clinic", feature="triage", url=url, at_ns=at_ns,
        due_at_ns=due_at_ns,
    )  # fmt: skip


def line(claim: HookClaim, outcome: str = "failed", *, at_ns: int = 2) -> HookAttempt:
    return HookAttempt(
        hook_id=claim.hook.id, at_ns=at_ns, number=claim.hook.attempts + 1, outcome=outcome, status=503, detail="busy",
        milliseconds=7,
    )  # fmt: skip


async def ended(store: Store, *names: str) -> None:
    """Cases that their callers took back."""
    for name in names:
        await store.commit(commit(name, case=case(name)))
        assert await store.cases.withdraw(f"case-{name}", tenant="clinic", at_ns=5)


async def due(store: Store, now_ns: int = 10, limit: int = 10) -> list[HookClaim]:
    return list(await store.hooks.claim_due(now_ns=now_ns, lease_ns=LEASE, limit=limit))


async def test_a_hook_is_registered_once(store: Store):
    assert [await store.hooks.add(hook()) for _ in range(2)] == [True, False]
    assert await store.hooks.add(hook(url="https://example.org/other"))
    assert len(await store.hooks.of("case-a")) == 2


async def test_a_hook_is_due_only_when_its_case_has_ended(store: Store):
    await store.hooks.add(hook())
    assert await due(store) == []
    await store.commit(commit("a", case=case("a")))
    assert await due(store) == []
    await store.cases.withdraw("case-a", tenant="clinic", at_ns=5)
    assert [claim.hook.case_id for claim in await due(store)] == ["case-a"]


async def test_nobody_else_calls_before_the_lease_ends(store: Store):
    await store.hooks.add(hook())
    await ended(store, "a")
    (first,) = await due(store)
    assert await due(store, now_ns=10 + LEASE - 1) == []
    (second,) = await due(store, now_ns=10 + LEASE)
    assert second.fence > first.fence and second.hook.attempts == 0


async def test_a_late_report_is_logged_but_moves_nothing(store: Store):
    await store.hooks.add(hook())
    await ended(store, "a")
    (first,) = await due(store)
    (second,) = await due(store, now_ns=10 + LEASE)
    assert not await store.hooks.record(first, line(first, "delivered"), state="delivered")
    assert [found.state for found in await store.hooks.all()] == ["waiting"]
    assert await store.hooks.record(second, line(second, "delivered"), state="delivered")
    assert len(await store.hooks.attempts(first.hook.id)) == 2


async def test_a_failed_call_waits_for_its_time(store: Store):
    await store.hooks.add(hook())
    await ended(store, "a")
    (claim,) = await due(store)
    assert await store.hooks.record(claim, line(claim), state="waiting", due_at_ns=100)
    assert await due(store, now_ns=99) == []
    (again,) = await due(store, now_ns=100)
    assert again.hook.attempts == 1


async def test_what_is_delivered_or_failed_is_never_due_again(store: Store):
    await ended(store, "a", "b")
    for name, state in (("a", "delivered"), ("b", "failed")):
        await store.hooks.add(hook(name))
        (claim,) = await due(store)
        assert await store.hooks.record(claim, line(claim), state=state)
    assert await due(store, now_ns=10 * LEASE) == []
    assert [found.case_id for found in await store.hooks.all(state="failed")] == ["case-b"]


async def test_the_longest_due_comes_first_and_no_more_than_asked_for(store: Store):
    await ended(store, "a", "b", "c")
    for name, at in (("a", 3), ("b", 1), ("c", 2)):
        await store.hooks.add(hook(name, due_at_ns=at))
    assert [claim.hook.case_id for claim in await due(store, limit=2)] == ["case-b", "case-c"]
    assert [claim.hook.case_id for claim in await due(store)] == ["case-a"]


async def test_the_log_tells_every_call_in_its_order(store: Store):
    await store.hooks.add(hook())
    await ended(store, "a")
    for number in range(1, 4):
        (claim,) = await due(store, now_ns=number * 10)
        await store.hooks.record(claim, line(claim, at_ns=number), state="waiting", due_at_ns=number * 10 + 1)
    log = await store.hooks.attempts(hook().id)
    assert [(each.number, each.at_ns, each.status, each.milliseconds) for each in log] == [
        (1, 1, 503, 7), (2, 2, 503, 7), (3, 3, 503, 7),
    ]  # fmt: skip


async def test_hooks_are_listed_newest_first(store: Store):
    for name, at in (("a", 1), ("b", 3), ("c", 2)):
        await store.hooks.add(hook(name, at_ns=at))
    assert [found.case_id for found in await store.hooks.all(limit=2)] == ["case-b", "case-c"]


def test_two_processes_never_call_the_same_at_once(runner, database: str, open_: Callable[[str], Store]):
    one, other = open_(database), open_(database)
    names = [f"n{number:02}" for number in range(12)]

    async def race() -> list[str]:
        await ended(one, *names)
        for name in names:
            await one.hooks.add(hook(name))
        found = await asyncio.gather(*(due(store, limit=2) for _ in range(4) for store in (one, other)))
        return [claim.hook.case_id for claims in found for claim in claims]

    taken = runner.run(race())
    assert len(taken) == len(set(taken)) and len(taken) >= 6


def test_what_was_registered_and_logged_outlives_the_process(runner, database: str, open_: Callable[[str], Store]):
    async def before(store: Store) -> None:
        await store.hooks.add(hook())
        await ended(store, "a")
        (claim,) = await due(store)
        await store.hooks.record(claim, line(claim), state="waiting", due_at_ns=20)
        await store.close()

    runner.run(before(open_(database)))
    after = open_(database)
    assert len(runner.run(after.hooks.attempts(hook().id))) == 1
    assert [claim.hook.attempts for claim in runner.run(due(after, now_ns=20))] == [1]


def test_the_log_cannot_be_altered(runner, database: str, open_: Callable[[str], Store]):
    store = open_(database)

    async def alter() -> None:
        await store.hooks.add(hook())
        await ended(store, "a")
        (claim,) = await due(store)
        await store.hooks.record(claim, line(claim), state="waiting", due_at_ns=20)
        room = store.hooks.database  # type: ignore[attr-defined]
        await room.write(lambda connection: connection.execute(text("UPDATE hook_attempts SET status = 200")))

    with pytest.raises(StoreError):
        runner.run(alter())


SECRET = "https://bot:pass@chat.example/services/T0/B0/xyzzy-path?token=xyzzy-query"


async def test_whoever_calls_gets_the_whole_address(store: Store):
    await store.hooks.add(hook(url=SECRET))
    await ended(store, "a")
    (claim,) = await due(store)
    assert claim.hook.url == SECRET and claim.hook.place == "https://chat.example/…"
    assert [found.url for found in (*await store.hooks.of("case-a"), *await store.hooks.all())] == [SECRET, SECRET]


def test_what_may_be_secret_of_an_address_is_in_no_table(database: str, open_, runner):
    store: Store = open_(database)
    runner.run(store.hooks.add(replace(hook(url=SECRET), id="hook-a")))
    engine = engine_of(database)
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT * FROM hooks")).all()
    engine.dispose()
    assert "https://chat.example/…" in rows[0] and not any(word in str(rows) for word in ("xyzzy", "pass", "T0"))


async def test_a_tenant_that_is_erased_takes_its_addresses_along(store: Store):
    await store.hooks.add(hook(url=SECRET))
    await store.journal.erase_subject(tenant="clinic", end_user="")
    assert [found.url for found in await store.hooks.all()] == [""]


def test_addresses_from_before_are_sealed_when_the_store_is_opened(database: str, open_, runner):
    first: Store = open_(database)
    runner.run(first.close())
    engine = engine_of(database)
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO hooks (id, case_id, tenant, feature, url, at_ns, state, attempts, due_at_ns, fence, leased_until_ns)"
                " VALUES ('h', 'case-a', 'clinic', 'triage', :url, 1, 'waiting', 0, 0, 0, 0)"
            ),
            {"url": SECRET},
        )
    store: Store = open_(database)
    assert [found.url for found in runner.run(store.hooks.all())] == [SECRET]
    with engine.connect() as connection:
        assert "xyzzy" not in str(connection.execute(text("SELECT * FROM hooks")).all())
    engine.dispose()
