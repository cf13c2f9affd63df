"""Standings: live, never latched, each label read once, the same after a restart and in every replica."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from itertools import count

import pytest

from surefoot.app.standings import Standings, told
from surefoot.learning.standing import standing
from surefoot.policy import Feature, Policy, Promise
from surefoot.records import JournalEntry, Label
from surefoot.store.memory import MemoryStore

MINUTE = 60_000_000_000
PROMISE = Promise(accuracy=0.85)
FEATURE = Feature(name="f", ladder=(), promise=PROMISE, audit=0.05)
POLICY = Policy.of({"f": FEATURE})
EDITION = POLICY.editions["f"]
Run = Callable[[MemoryStore, Standings], Awaitable[None]]


def label(at: int, **given: object) -> Label:
    fields: dict[str, object] = dict(
        id=f"l{at:05}", request_id=f"r{at}", at_ns=at * MINUTE, tenant="t", feature="f", rung="small", edition=EDITION,
        verdict="accepted", source="audit", group=f"g{at}", propensity=0.05,
    )  # fmt: skip
    return Label(**(fields | given))  # type: ignore[arg-type]


async def add(store: MemoryStore, start: int, n: int, **given: object) -> None:
    for at in range(start, start + n):
        await store.labels.add(label(at, **given))


def with_store(run: Run) -> None:
    async def begin() -> None:
        store = MemoryStore()
        await store.start()
        await run(store, Standings(store))

    asyncio.run(begin())


def test_a_certificate_comes_with_the_labels_and_ends_with_a_wave_of_wrong_ones() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        await standings.refresh(POLICY)
        assert standings["f"] == "not certified yet: 24 more labels"
        await add(store, 0, 100)
        await standings.refresh(POLICY)
        assert standings["f"] == "certified"
        await add(store, 100, 12, verdict="wrong")
        await standings.refresh(POLICY)
        assert standings["f"] != "certified"

    with_store(run)


def test_an_alarm_ends_a_certificate_of_long_standing_until_it_is_earned_again() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        await add(store, 0, 2000)
        await add(store, 2000, 14, verdict="wrong")
        await standings.refresh(POLICY)
        incident = (await store.incidents.all(feature="f"))[-1]
        assert standings["f"] != "certified"
        assert standing(await store.labels.all(), PROMISE, edition=EDITION).state == "certified"  # without the alarm
        await add(store, 2014, 300)
        await standings.refresh(POLICY)
        assert (standings["f"], incident.rung) == ("certified", "small")

    with_store(run)


def test_label_by_label_says_the_same_as_all_at_once_and_as_after_a_restart() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        for at in range(300):
            await add(store, at, 1, verdict="wrong" if at % 4 == 0 or 150 < at < 165 else "accepted")
            await standings.refresh(POLICY)
        before = await store.incidents.all()
        fresh = Standings(store)
        await fresh.refresh(POLICY)
        assert dict(fresh) == dict(standings)
        assert await store.incidents.all() == before != []

    with_store(run)


class Counting:
    """A journal that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = count()

    async def get(self, request_id: str) -> JournalEntry | None:
        next(self.asked)
        return None


def test_each_label_is_read_once() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        store.journal = journal = Counting()  # type: ignore[assignment]
        for at in range(100):
            await add(store, at, 1)
            await standings.refresh(POLICY)
            await standings.refresh(POLICY)
        assert next(journal.asked) == 100

    with_store(run)


def test_a_start_reads_no_more_requests_than_a_detector_needs() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        store.journal = journal = Counting()  # type: ignore[assignment]
        await add(store, 0, 7000)
        await add(store, 7000, 600, edition="before")
        await add(store, 7600, 50, source="client")
        await standings.refresh(POLICY)
        assert next(journal.asked) == 5500
        assert standings["f"] == "certified"

    with_store(run)


def test_labels_that_replicas_write_late_count_too() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        await add(store, 0, 10)
        await add(store, 500, 5)
        await standings.refresh(POLICY)
        assert standings["f"] == "not certified yet: 9 more labels"
        await add(store, 495, 4)  # within the time that is read again
        await standings.refresh(POLICY)
        assert standings["f"] == "not certified yet: 5 more labels"
        await add(store, 100, 4)  # long before it
        await standings.refresh(POLICY)
        assert standings["f"] == "not certified yet: 1 more labels"

    with_store(run)


def test_two_replicas_open_one_incident_for_one_change() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        other = Standings(store)
        for at in range(60):
            await add(store, at, 1, verdict="wrong" if at > 30 else "accepted")
            await standings.refresh(POLICY)
            await other.refresh(POLICY)
        alone = MemoryStore()
        await alone.start()
        await add(alone, 0, 31)
        await add(alone, 31, 29, verdict="wrong")
        await Standings(alone).refresh(POLICY)
        assert await store.incidents.all() == await alone.incidents.all() != []
        assert dict(other) == dict(standings)

    with_store(run)


def test_another_edition_begins_anew_and_a_rollback_finds_its_certificate() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        other = Policy.of({"f": Feature(name="f", ladder=(), promise=PROMISE, confidence=0.9)})
        await add(store, 0, 30)
        for policy, expected in (
            (POLICY, "certified"),
            (other, "not certified yet: 24 more labels"),
            (POLICY, "certified"),
        ):
            await standings.refresh(policy)
            assert standings["f"] == expected

    with_store(run)


def test_another_promise_is_tested_on_the_same_labels() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        stricter = Policy.of({"f": Feature(name="f", ladder=(), promise=Promise(accuracy=0.95), audit=0.05)})
        await add(store, 0, 30)
        for policy, expected in ((POLICY, "certified"), (stricter, "not certified yet: 45 more labels")):
            await standings.refresh(policy)
            assert standings["f"] == expected
        await add(store, 30, 8, verdict="wrong")  # too many for the stricter limit's detector alone
        await standings.refresh(stricter)
        assert json.loads((await store.incidents.all())[0].detail)["limit"] == pytest.approx(0.05)

    with_store(run)


def test_a_feature_without_promise_and_audit_has_no_standing() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        await standings.refresh(POLICY)
        await standings.refresh(Policy.of({"f": Feature(name="f", ladder=())}))
        assert dict(standings) == {}
        await standings.refresh(POLICY)
        await standings.refresh(Policy.of({}))
        assert len(standings) == 0

    with_store(run)


def test_drift_is_watched_without_a_promise() -> None:
    async def run(store: MemoryStore, standings: Standings) -> None:
        audited = Policy.of({"f": Feature(name="f", ladder=(), audit=0.05)})
        await add(store, 0, 30, verdict="wrong", edition=audited.editions["f"])
        await standings.refresh(audited)
        assert dict(standings) == {} and len(await store.incidents.all(feature="f")) >= 1

    with_store(run)


def test_an_unknown_need_is_said_to_be_unknown() -> None:
    found = standing(
        [label(at, verdict="wrong" if at < 2 else "accepted") for at in range(10)], PROMISE, edition=EDITION
    )
    assert told(found) == "not certified yet: labels needed unknown, 20% of 10 were wrong"
