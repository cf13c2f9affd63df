"""The audit trail: what leaves an event, and that whatever is altered behind its back is named."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec
import pytest
from samples import case, commit, incident, label, reservation, settled
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from test_guarded import engine_of, in_threads

from surefoot.errors import StoreError, TrailBroken
from surefoot.records import CaseAnswer, Claim, Key
from surefoot.records.audit import AuditEvent, Checkpoint, Hold, Stop
from surefoot.records.bet import BetEvent, Stake
from surefoot.records.hook import Hook, HookAttempt, HookClaim
from surefoot.records.units import Revenue
from surefoot.store import Store
from surefoot.store.audit import encode, read_checkpoint, sign, signing_key
from surefoot.store.schema import APPEND_ONLY

STOP = Stop(feature="triage", at_ns=5, by="amy", reason="wrong doses")


async def live(store: Store) -> None:
    """A case that is judged, a promotion, a stop, somebody who looked."""
    await store.commit(commit("a", case=case("a", kind="audit")))
    await store.cases.judge("case-a", label=label("l1", request="a"), at_ns=7)
    await store.revisions.promote(await store.revisions.add(b"x", note="", at_ns=1), at_ns=2)
    await store.audit.stop(STOP)
    await store.audit.add(AuditEvent(kind="access.seen", by="ben", on="case-a", detail="case"))


async def more(store: Store) -> None:
    """A settled call and what it earned, an incident, a call of a webhook, a legal hold, a bet."""
    stake = Stake(feature="triage", objective="error", change="prompt", what="ask for the dose", moves=0.02)
    await store.bets.append(
        BetEvent(bet_id="b", at_ns=1, kind="opened", by="amy", body=msgspec.json.encode(stake).decode())
    )
    await store.holds.place(Hold(subject="s", at_ns=1, by="amy", reason="court"))
    await store.reserve(reservation("b", 7))
    await store.commit(commit("b", settlements=settled("b", 5)))
    earned = Revenue(
        id="r", request_id="b", at_ns=1, tenant="clinic", key_id="k1", feature="triage", outcome="resolved", nanodollars=7,
        price_version="config",
    )  # fmt: skip
    await store.ledger.earn([earned])
    await store.incidents.add(incident("i1"))
    await store.hooks.add(
        Hook(id="h", case_id="case-a", tenant="clinic", feature="triage", url="https://x.example/t", at_ns=1)
    )
    line = HookAttempt(hook_id="h", at_ns=2, number=1, outcome="delivered", status=200)
    await store.hooks.record(HookClaim(hook=(await store.hooks.all())[0], fence=0), line, state="delivered")


@contextmanager
def intruder(database: str) -> Iterator[Connection]:
    """Somebody who may do anything to the tables, the triggers switched off."""
    engine = engine_of(database)
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        else:
            rows = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
            for name in rows:
                connection.execute(text(f"DROP TRIGGER {name}"))
        yield connection
    engine.dispose()


async def checkpoint(store: Store, folder: Path) -> Checkpoint:
    return sign(await store.audit.heads(), at_ns=1, key=signing_key(folder / "audit.key"))


async def test_every_change_leaves_an_event_with_who_did_it(store: Store):
    await live(store)
    told = [(row.event.kind, row.event.by, row.event.on) for row in await store.audit.events()][::-1]
    kinds = [kind for kind, _, _ in told]
    assert kinds[:2] == ["trail.began", "case.opened"]
    assert set(kinds[2:4]) == {"label.added", "case.judged"}
    assert told[4:] == [
        ("revision.promoted", "", "1"), ("feature.stopped", "amy", "triage"), ("access.seen", "ben", "case-a"),
    ]  # fmt: skip


async def test_what_was_not_altered_verifies_and_erasing_a_person_alters_nothing(store: Store):
    await live(store)
    await store.commit(commit("b", said="I am ill", case=case("b")))
    before = await store.audit.verify()
    assert await store.journal.erase_subject(tenant="clinic", end_user="ann") == 1
    assert await store.audit.verify() == before + 1 == 9
    assert (await store.audit.events(limit=1))[0].event.kind == "subject.erased"


async def test_events_are_found_by_kind_person_and_thing(store: Store):
    await live(store)
    assert [row.event.by for row in await store.audit.events(kind="access.")] == ["ben"]
    assert [row.event.kind for row in await store.audit.events(by="amy")] == ["feature.stopped"]
    assert len(await store.audit.events(on="case-a")) == 3
    assert len(await store.audit.events(limit=2)) == 2


async def test_time_is_the_servers_and_never_goes_back(store: Store):
    await store.audit.add(AuditEvent(kind="a", at_ns=3))
    await store.audit.add(AuditEvent(kind="b", at_ns=1))
    newest, older, _ = await store.audit.events()
    assert newest.event.at_ns >= older.event.at_ns > 1_700_000_000_000_000_000


async def again(store: Store) -> None:
    await store.commit(commit("a", case=case("a")))


ALTERED = [
    ("UPDATE case_events SET detail = 'x' WHERE kind = 'opened'", "case_events"),
    ("UPDATE case_events SET at_ns = at_ns + 1 WHERE kind = 'judged'", "case_events"),
    ("DELETE FROM case_events WHERE kind = 'judged'", "case_events"),
    ("INSERT INTO promotions (at_ns, number) VALUES (9, 0)", "promotions"),
    ("UPDATE promotions SET number = 0", "promotions"),
    ("UPDATE labels SET verdict = 'accepted', propensity = 1.0", "labels"),
    ("DELETE FROM labels", "labels"),
    ("UPDATE stops SET reason = 'none'", "stops"),
    ("DELETE FROM stops", "stops"),
    ("UPDATE audit_events SET \"by\" = 'mallory' WHERE position = 5", "audit_events"),
    ("UPDATE audit_events SET hash = prev_hash WHERE position = 3", "audit_events"),
    ("DELETE FROM audit_events WHERE position = 4", "audit_events"),
    ("UPDATE audit_events SET position = position + 9 WHERE position > 4", "audit_events"),
]


@pytest.mark.parametrize(("change", "table"), ALTERED)
def test_whatever_is_altered_the_table_and_row_are_named(open_, runner, database: str, change: str, table: str):
    store: Store = open_(database)
    runner.run(live(store))
    with intruder(database) as connection:
        connection.execute(text(change))
    with pytest.raises(TrailBroken) as told:
        runner.run(store.audit.verify())
    assert told.value.table == table
    assert told.value.row in str(told.value)


def test_one_flipped_bit_of_an_event_is_named_by_chain_and_position(open_, runner, database: str):
    store: Store = open_(database)
    runner.run(live(store))
    with intruder(database) as connection:
        where = "FROM audit_events WHERE position = 3"
        chain, body = connection.execute(text(f"SELECT chain, body {where}")).one()
        flipped = bytes([*bytes(body)[:-2], bytes(body)[-2] ^ 1, bytes(body)[-1]])
        connection.execute(text("UPDATE audit_events SET body = :b WHERE position = 3"), {"b": flipped})
    with pytest.raises(TrailBroken, match=f"audit_events row {chain}/3 is altered"):
        runner.run(store.audit.verify())


def test_a_chain_that_was_cut_off_is_noticed_by_the_next_chain(open_, runner, database: str):
    runner.run(live(open_(database)))
    later: Store = open_(database)
    runner.run(later.audit.add(AuditEvent(kind="access.seen", by="ben")))
    assert runner.run(later.audit.verify()) == 9
    with intruder(database) as connection:
        connection.execute(text("DELETE FROM audit_events WHERE position = 7"))
    with pytest.raises(TrailBroken, match="the row is missing"):
        runner.run(later.audit.verify())


def test_the_newest_rows_of_all_are_missed_by_a_checkpoint_alone(open_, runner, database: str, tmp_path: Path):
    store: Store = open_(database)
    runner.run(live(store))
    kept = runner.run(checkpoint(store, tmp_path))
    assert runner.run(store.audit.verify(kept)) == 7
    with intruder(database) as connection:
        connection.execute(text("DELETE FROM audit_events WHERE position = 7"))
    assert runner.run(store.audit.verify()) == 6
    with pytest.raises(TrailBroken, match="the checkpoint names it"):
        runner.run(store.audit.verify(kept))


def test_a_journal_that_was_cut_off_is_missed_by_a_checkpoint(open_, runner, database: str, tmp_path: Path):
    store: Store = open_(database)
    runner.run(live(store))
    kept = runner.run(checkpoint(store, tmp_path))
    with intruder(database) as connection:
        connection.execute(text("DELETE FROM journal"))
    assert runner.run(store.journal.verify()) == 0
    with pytest.raises(TrailBroken, match=r"journal row .* is missing: the checkpoint names it"):
        runner.run(store.audit.verify(kept))


async def test_a_later_trail_still_holds_an_earlier_checkpoint(store: Store, tmp_path: Path):
    await live(store)
    kept = await checkpoint(store, tmp_path)
    await store.audit.add(AuditEvent(kind="access.seen", by="ben"))
    assert await store.audit.verify(kept) == 8


def test_a_checkpoint_opens_with_its_own_key_and_unaltered_only(tmp_path: Path):
    key, other = signing_key(tmp_path / "a.key"), signing_key(tmp_path / "b.key")
    kept = sign([], at_ns=1, key=key)
    public = key.public_key().public_bytes_raw().hex()
    assert read_checkpoint(encode(kept), public_key=public) == kept
    for data, named in (
        (encode(kept).replace(b'"at_ns":1', b'"at_ns":2'), public),
        (encode(kept), other.public_key().public_bytes_raw().hex()),
        (b"{}", public),
        (encode(kept), "no key"),
    ):
        with pytest.raises(StoreError):
            read_checkpoint(data, public_key=named)


def test_a_signing_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path):
    made = signing_key(tmp_path / "audit.key")
    assert signing_key(tmp_path / "audit.key").private_bytes_raw() == made.private_bytes_raw()
    assert (tmp_path / "audit.key").stat().st_mode & 0o077 == 0


def test_what_was_there_before_the_trail_is_vouched_for_when_it_begins(open_, runner, database: str):
    runner.run(live(open_(database)))
    with intruder(database) as connection:
        connection.execute(text("DELETE FROM audit_events"))
    store: Store = open_(database)
    assert runner.run(store.audit.verify()) == 6
    assert {row.event.kind for row in runner.run(store.audit.events())} == {"trail.began", "trail.adopted"}


def test_several_processes_write_chains_of_their_own(database: str, open_, runner):
    async def work(store: Store, number: int) -> None:
        for each in range(10):
            await store.audit.add(AuditEvent(kind="access.seen", by=str(number), on=str(each)))

    in_threads(database, work)
    store: Store = open_(database)
    assert runner.run(store.audit.verify()) == 33
    assert len(runner.run(store.audit.heads())) == 3


def test_what_is_refused_leaves_no_event(open_, runner, database: str):
    store: Store = open_(database)
    runner.run(live(store))
    with pytest.raises(StoreError):
        runner.run(again(store))
    assert not runner.run(store.labels.add(label("l1", request="a")))
    assert runner.run(store.audit.verify()) == 7


@pytest.mark.parametrize("table", ["audit_events", "stops", "case_events"])
@pytest.mark.parametrize("change", ["UPDATE {table} SET at_ns = 9", "DELETE FROM {table}"])
def test_the_trail_refuses_every_change(open_, runner, database: str, table: str, change: str):
    runner.run(live(open_(database)))
    engine = engine_of(database)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(change.format(table=table)))
    engine.dispose()


@pytest.mark.parametrize("table", APPEND_ONLY)
def test_no_row_is_replaced_by_an_insert(open_, runner, sqlite_path: Path, table: str):
    store: Store = open_(str(sqlite_path))
    runner.run(live(store))
    runner.run(more(store))
    with sqlite3.connect(sqlite_path) as rows:
        before = rows.execute(f"SELECT * FROM {table}").fetchall()
        assert before, f"nothing is in {table}"
        with suppress(sqlite3.IntegrityError):  # or the new row is left out
            rows.execute(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")
        assert rows.execute(f"SELECT * FROM {table}").fetchall() == before
    rows.close()


async def test_a_stop_lasts_until_it_is_resumed_once(store: Store):
    await store.audit.stop(STOP)
    await store.audit.stop(Stop(feature="*", at_ns=6, by="amy", reason="all", refuse=True))
    assert [(stop.feature, stop.refuse, stop.reason) for stop in await store.audit.stops()] == [
        ("*", True, "all"), ("triage", False, "wrong doses"),
    ]  # fmt: skip
    assert await store.audit.resume("*", by="ben", reason="mended", at_ns=7)
    assert not await store.audit.resume("*", by="ben", reason="mended", at_ns=8)
    assert [stop.feature for stop in await store.audit.stops()] == ["triage"]
    assert (await store.audit.events(kind="feature.resumed"))[0].event.detail == "mended"


async def edited(store: Store) -> None:
    """A case that is answered, taken back, and answered otherwise."""
    await store.commit(commit("a", said="hello", case=case("a")))
    first = await store.cases.claim("case-a", by="amy", at_ns=1, lease_ns=100)
    await say(store, first, "Take two.")
    second = await store.cases.undo("case-a", fence=first.fence, at_ns=3, lease_ns=100)
    await say(store, second, "Take one.")


async def say(store: Store, claim: Claim | None, text: str) -> None:
    assert claim is not None
    given = CaseAnswer(verb="edit", text=text, by="amy", meaning="I answer for this")
    assert await store.cases.answer(
        "case-a", fence=claim.fence, answer=given, label=None, at_ns=2, deliver_at_ns=9
    )  # fmt: skip


async def test_an_edit_keeps_the_old_text_and_the_new_one_and_the_draft_is_never_overwritten(store: Store):
    await edited(store)
    texts = [event.text for event in await store.cases.history("case-a") if event.kind == "answered"]
    assert texts == ["Take two.", "Take one."]
    assert (kept := await store.journal.content("a")) is not None and kept.answers[0][1] == b"answer to hello"


async def test_every_step_of_a_case_is_an_event_with_its_person_and_content_stays_out(store: Store):
    await edited(store)
    rows = [row.event for row in await store.audit.events(on="case-a")][::-1]
    kinds = [event.kind.removeprefix("case.") for event in rows]
    assert kinds[:3] == ["opened", "claimed", "answered"] and kinds[-1] == "answered" and len(kinds) == 5
    assert {event.by for event in rows[1:]} == {"amy"}
    assert not any("Take" in event.detail or "hello" in event.detail for event in rows)


def test_a_text_that_is_exchanged_behind_the_trail_is_named(open_, runner, database: str):
    store: Store = open_(database)
    runner.run(edited(store))
    with intruder(database) as connection:
        rows = "SELECT id FROM case_events WHERE kind = 'answered' ORDER BY id"
        first, second = connection.execute(text(rows)).scalars().all()
        change = "UPDATE case_events SET text = (SELECT text FROM case_events WHERE id = :b) WHERE id = :a"
        connection.execute(text(change), {"a": first, "b": second})
    with pytest.raises(TrailBroken, match=f"case_events row {first} is altered"):
        runner.run(store.audit.verify())


async def test_keys_that_come_and_go_are_events(store: Store):
    await store.keys.put(Key(id="k1", prefix="sk", hash="h", tenant="clinic"))
    assert await store.keys.revoke("k1", at_ns=2) and not await store.keys.revoke("k1", at_ns=3)
    told = [(row.event.kind, row.event.on, row.event.detail) for row in await store.audit.events(kind="key.")]
    assert told == [("key.revoked", "k1", ""), ("key.created", "k1", "clinic")]
