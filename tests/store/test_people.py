"""Accounts are unique, links work once, failed attempts are counted each, on every back-end."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from surefoot.records.person import Account, Change, Link, Session
from surefoot.store import Store
from surefoot.store.people import DAY_NS

SECOND = 1_000_000_000


def account(name: str = "amy", role: str = "operator") -> Account:
    return Account(name=name, shown=name.title(), role=role, password="scrypt$", created_at_ns=1)


def session(name: str, *, of: str = "amy", at_ns: int = 5) -> Session:
    return Session(id=name, account=of, opened_at_ns=at_ns, seen_at_ns=at_ns)


def link(name: str, *, of: str = "amy", expires_at_ns: int = 9) -> Link:
    return Link(id=name, purpose="password", account=of, expires_at_ns=expires_at_ns)


def delay(failures: int) -> int:
    return 0 if failures < 3 else failures * SECOND


async def kinds(store: Store, on: str = "") -> list[str]:
    return [row.event.kind for row in reversed(await store.audit.events(kind="account.", on=on))]


async def test_an_account_comes_back_as_it_was_given(store: Store):
    assert await store.accounts.add(account(), by="max")
    assert await store.accounts.get("amy") == account() and await store.accounts.get("ben") is None


async def test_a_name_is_used_once_even_when_two_take_it_at_once(store: Store):
    took = await asyncio.gather(*(store.accounts.add(account(), by=f"m{n}") for n in range(5)))
    assert sum(took) == 1 and len(await store.accounts.all()) == 1
    assert await kinds(store) == ["account.created"]


async def test_only_one_becomes_the_first(store: Store):
    took = await asyncio.gather(*(store.accounts.add(account(n), by="link", only_first=True) for n in "abc"))
    assert sum(took) == 1 and len(await store.accounts.all()) == 1
    assert not await store.accounts.add(account("late"), by="link", only_first=True)


async def test_accounts_are_listed_by_name(store: Store):
    for name in ("ben", "ada", "b", "zoe"):
        await store.accounts.add(account(name), by="max")
    assert [each.name for each in await store.accounts.all()] == ["ada", "b", "ben", "zoe"]


async def test_a_change_ends_the_sessions_and_links_of_its_account_only(store: Store):
    for name in ("amy", "ben"):
        await store.accounts.add(account(name), by="max")
        await store.sessions.open(session(f"s-{name}", of=name))
        await store.sessions.offer(link(f"l-{name}", of=name))
    assert await store.accounts.change("amy", Change(disabled_at_ns=7), kind="disabled", by="max", detail="left us")
    assert await store.accounts.get("amy") == replace(account(), disabled_at_ns=7)
    assert await store.sessions.get("s-amy") is None and await store.sessions.look("l-amy", at_ns=1) is None
    assert await store.sessions.get("s-ben") and await store.sessions.look("l-ben", at_ns=1)


async def test_changes_at_once_do_not_undo_each_other(store: Store):
    await store.accounts.add(account(), by="max")
    changes = [Change(role="lead"), Change(disabled_at_ns=7), Change(password="other")]
    assert all(await asyncio.gather(*(store.accounts.change("amy", c, kind="role", by="max") for c in changes)))
    assert await store.accounts.get("amy") == replace(account(), role="lead", disabled_at_ns=7, password="other")


async def test_every_change_is_in_the_trail_with_who_did_it(store: Store):
    await store.accounts.add(account(), by="max")
    await store.accounts.change("amy", Change(role="lead"), kind="role", by="lea", detail="operator -> lead")
    newest = (await store.audit.events(on="amy"))[0].event
    assert (newest.kind, newest.by, newest.detail) == ("account.role", "lea", "operator -> lead")
    assert await kinds(store, "amy") == ["account.created", "account.role"] and await store.audit.verify() > 0


async def test_who_is_not_there_cannot_be_changed(store: Store):
    assert not await store.accounts.change("amy", Change(role="lead"), kind="role", by="max")
    assert await kinds(store) == []


async def test_attempts_are_counted_and_wait_longer_and_longer(store: Store):
    heard = [await store.accounts.knock("d", at_ns=n * 100 * SECOND, delay=delay) for n in range(4)]
    assert [failures for failures, _ in heard] == [1, 2, 3, 4]
    assert heard[3][1] == 304 * SECOND


async def test_an_attempt_that_comes_too_early_is_not_heard_and_not_counted(store: Store):
    for _ in range(3):
        await store.accounts.knock("d", at_ns=SECOND, delay=delay)
    assert await store.accounts.knock("d", at_ns=2 * SECOND, delay=delay) == (0, 4 * SECOND)
    assert await store.accounts.knock("d", at_ns=4 * SECOND, delay=delay) == (4, 8 * SECOND)


async def test_guesses_made_at_once_are_counted_each(store: Store):
    heard = await asyncio.gather(*(store.accounts.knock("d", at_ns=SECOND, delay=delay) for _ in range(20)))
    assert sorted(failures for failures, _ in heard if failures) == [1, 2, 3]


async def test_a_right_password_and_a_day_forget_failures(store: Store):
    await store.accounts.knock("d", at_ns=1, delay=delay)
    await store.accounts.knock("d", at_ns=2, delay=delay)
    await store.accounts.relent("d")
    assert (await store.accounts.knock("d", at_ns=3, delay=delay))[0] == 1
    assert (await store.accounts.knock("d", at_ns=4 + DAY_NS, delay=delay))[0] == 1


async def test_a_session_lives_until_it_ends(store: Store):
    await store.sessions.open(session("s"))
    await store.sessions.seen("s", at_ns=8)
    await store.sessions.seen("s", at_ns=6)
    found = await store.sessions.get("s")
    assert found is not None and (found.opened_at_ns, found.seen_at_ns) == (5, 8)
    assert await store.sessions.end("s") and not await store.sessions.end("s")
    assert await store.sessions.get("s") is None


async def test_what_has_expired_is_swept(store: Store):
    for name, at_ns in (("old", 1), ("young", 50)):
        await store.sessions.open(session(name, at_ns=at_ns))
    await store.sessions.offer(link("dead", expires_at_ns=20))
    assert await store.sessions.sweep(opened_before_ns=10, seen_before_ns=10, now_ns=60) == 1
    assert await store.sessions.get("old") is None and await store.sessions.get("young")
    assert await store.sessions.look("dead", at_ns=1) is None


async def test_a_link_is_used_once_even_when_two_open_it_at_once(store: Store):
    await store.sessions.offer(link("l"))
    assert await store.sessions.look("l", at_ns=8) == link("l")
    taken = await asyncio.gather(*(store.sessions.take("l", at_ns=8) for _ in range(4)))
    assert [each for each in taken if each] == [link("l")]


async def test_a_link_is_dead_after_its_time(store: Store):
    await store.sessions.offer(link("l"))
    assert await store.sessions.look("l", at_ns=9) is None and await store.sessions.take("l", at_ns=9) is None


async def test_a_new_link_ends_the_one_before(store: Store):
    await store.sessions.offer(link("one"))
    await store.sessions.offer(link("other", of="ben"))
    await store.sessions.offer(link("two"))
    assert await store.sessions.look("one", at_ns=1) is None
    assert await store.sessions.look("two", at_ns=1) and await store.sessions.look("other", at_ns=1)
