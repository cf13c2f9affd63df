"""Histograms count every delivery once, by hour and by day, on every back-end, and a migration counts what was there."""

from __future__ import annotations

import asyncio
import importlib
from collections import Counter

import msgspec
import pytest
from msgspec.structs import replace
from samples import KEY, commit, journal

from surefoot.records import Checked, Commit, Deliver, Draft, Escalate, Evidence, JournalEntry, Signal, Step
from surefoot.records.objective import (
    GROUNDING,
    JUDGE,
    LATENCY,
    UNKNOWN_BUCKET,
    doubt_bucket,
    latency_bucket,
    latency_seconds,
)
from surefoot.store import Store
from surefoot.store.histograms import counted
from surefoot.store.open import open_store

HOUR, DAY = 3600 * 10**9, 86_400 * 10**9
EVERY = (LATENCY, GROUNDING, JUDGE)
SAFE = Deliver("p >= 0.9")


def entry(
    name: str, *, at_ns: int = 1, tenant: str = "clinic", grounded: float | None = 0.9, upstream_us: int = 400_000,
    verdict: Deliver | Escalate = SAFE, action: str = "deliver",
) -> JournalEntry:  # fmt: skip
    """A request that `small` drafted."""
    draft = Draft(rung="small", provider="acme", model="s", digest="", upstream_us=upstream_us)
    evidence = Evidence(signals=(Signal(name="grounded", score=grounded),))
    steps = (
        Step(stage="call", rung="small", value=draft), Step(stage="check", rung="small", value=Checked(evidence=evidence)),
        Step(stage="decide", rung="small", value=verdict),
    )  # fmt: skip
    return replace(journal(name, at_ns=at_ns, tenant=tenant), steps=steps, action=action, own_us=100_000)


def left(given: JournalEntry) -> Commit:
    """What a request leaves behind."""
    return replace(commit(given.request_id), entry=given)


async def test_deliveries_are_counted_by_latency_and_by_what_checks_said(store: Store):
    later = entry("c", at_ns=DAY + HOUR, tenant="ward", grounded=None, upstream_us=1_900_000)
    for given in (entry("a"), entry("b", grounded=0.9), later):
        await store.commit(left(given))
    days = {
        (c.at_ns, c.tenant, c.measure, c.bucket): c.answers for c in await store.ledger.histogram(EVERY, by_tenant=True)
    }
    assert days == {
        (0, "clinic", LATENCY, latency_bucket(500_000)): 2, (0, "clinic", GROUNDING, doubt_bucket(0.9)): 2,
        (0, "clinic", JUDGE, UNKNOWN_BUCKET): 2, (DAY, "ward", LATENCY, latency_bucket(2_000_000)): 1,
        (DAY, "ward", GROUNDING, UNKNOWN_BUCKET): 1, (DAY, "ward", JUDGE, UNKNOWN_BUCKET): 1,
    }  # fmt: skip
    hours = await store.ledger.histogram([LATENCY], hourly=True, since_ns=DAY)
    assert [(c.at_ns, c.tenant, c.answers) for c in hours] == [(DAY + HOUR, "", 1)]
    together = await store.ledger.histogram([GROUNDING])
    assert [(c.feature, c.tenant) for c in together] == [("triage", "")] * 2
    assert not await store.ledger.histogram([])


async def test_what_was_held_back_for_want_of_a_certificate_is_judged_but_took_nobody_any_time(store: Store):
    held = Escalate("not certified", "nurse", withheld=True)
    unsure = Escalate("p < 0.85", "nurse")
    await store.commit(left(entry("a", verdict=held, action="escalate")))
    await store.commit(left(entry("b", verdict=unsure, action="escalate")))
    assert {(c.measure, c.answers) for c in await store.ledger.histogram(EVERY, by_tenant=True)} == {
        (GROUNDING, 1),
        (JUDGE, 1),
    }


def test_a_migration_counts_the_journal_as_a_commit_does():
    module = importlib.import_module("surefoot.store.migrations.versions.0011_objectives")
    given = [
        entry("a"), entry("b", grounded=None), entry("c", verdict=Escalate("x", "nurse", withheld=True), action="escalate"),
        entry("d", verdict=Escalate("x", "nurse"), action="escalate"), replace(entry("e"), surface="embeddings"),
    ]  # fmt: skip
    written: Counter[tuple[object, ...]] = Counter()
    for each in given:
        written.update(module._places(msgspec.json.decode(msgspec.json.encode(each))))
    live = Counter((f, step, slot, t, m, b, 0) for each in given for f, t, step, slot, m, b in counted(each))
    assert written == live


@pytest.mark.parametrize("seconds", [0.0005, 0.012, 1.0, 2.5, 90.0])
def test_a_bucket_holds_what_is_at_most_nine_percent_below_its_edge(seconds: float):
    edge = latency_seconds(latency_bucket(round(seconds * 1e6)))
    assert seconds <= edge and (seconds < 0.001 or edge <= seconds * 1.0906)


async def test_two_processes_add_to_the_same_bucket(database: str):
    one, other = open_store(database, key_file=KEY), open_store(database, key_file=KEY)
    await one.start()
    await other.start()
    try:
        await asyncio.gather(
            *(store.commit(left(entry(f"{at}-{n}"))) for at, store in enumerate((one, other)) for n in range(5))
        )
        counts = await one.ledger.histogram([LATENCY])
    finally:
        await other.close()
        await one.close()
    assert sum(each.answers for each in counts if each.measure == LATENCY) == 10
