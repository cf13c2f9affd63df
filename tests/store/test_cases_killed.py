"""A desk whose process is killed: every answer that was acknowledged is there, nothing is delivered twice, leases end."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time

import pytest
from msgspec.structs import replace
from samples import KEY, MINUTE, case, commit

from surefoot.store import Store
from surefoot.store.open import open_store

CASES = 1500
WORK = """
import asyncio, sys
from surefoot.records import CaseAnswer
from surefoot.store.open import open_store

async def operator(store, name):
    while claim := await store.cases.claim_next(roles=None, by=name, at_ns=7, lease_ns=10):
        given = CaseAnswer(verb="replace", text=f"for {claim.case.id}", by=name)
        done = await store.cases.answer(
            claim.case.id, fence=claim.fence, answer=given, label=None, at_ns=8, deliver_at_ns=8
        )
        print("answered", claim.case.id, done, flush=True)
        for told in await store.cases.deliver_due(now_ns=9):
            print("delivered", told.id, told.told == f"for {told.id}", flush=True)

async def work():
    store = open_store(sys.argv[1], durability="batched", key_file="0b" * 32)
    await store.start()
    await asyncio.gather(*(operator(store, f"p{n}") for n in range(8)))

asyncio.run(work())
"""


async def opened(database: str) -> Store:
    store = open_store(database, durability="acknowledged", key_file=KEY)
    await store.start()
    return store


async def fill(database: str) -> None:
    store = await opened(database)
    cases = (replace(case(f"r{n}"), rank_ns=n, fingerprint=f"f{n}") for n in range(CASES))
    await asyncio.gather(*(store.commit(commit(each.request_id, case=each)) for each in cases))
    await store.close()


async def after(database: str, answered: set[str], delivered: list[str]) -> None:
    """What must be true of the database that a killed process left."""
    store = await opened(database)
    assert len(delivered) == len(set(delivered))
    for case_id in answered:
        found = await store.cases.find(case_id)
        assert found is not None and found.state in ("answered", "delivered") and found.answer == f"for {case_id}"
    await store.cases.lapse_leases(now_ns=MINUTE)
    late = [told.id for told in await store.cases.deliver_due(now_ns=MINUTE, limit=CASES)]
    assert set(late).isdisjoint(delivered)
    assert answered <= {*late, *delivered} | await told_already(store, answered)
    assert await store.cases.waiting(states=("claimed",)) == []
    assert await store.audit.verify() > CASES + len(answered)  # every change of a case left its event
    await store.close()


async def told_already(store: Store, answered: set[str]) -> set[str]:
    """Cases that were delivered, although the process died before it could say so."""
    return {case_id for case_id in answered if (found := await store.cases.find(case_id)) and found.told}


@pytest.mark.parametrize("seconds", [0.0, 0.1])
def test_a_killed_desk_has_every_answer_that_it_acknowledged(database: str, seconds: float):
    asyncio.run(fill(database))
    command = [sys.executable, "-c", WORK, database]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(20)]
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    lines += process.communicate()[0].splitlines()
    told = [line.split() for line in lines if line.strip().endswith("True")]
    answered = {case_id for what, case_id, _ in told if what == "answered"}
    assert answered
    asyncio.run(after(database, answered, [case_id for what, case_id, _ in told if what == "delivered"]))
