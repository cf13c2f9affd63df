"""The load of `benchmarks.desk`: a desk's process with its operators, and one of callers that poll, over one SQLite file.

`python -m benchmarks.deskwork work FILE OPERATORS PAUSE LEASE` (seconds) claims, answers and delivers until it is killed;
`... poll FILE COUNT PAUSE` asks for the answers of the first cases until it has them all. Both print a JSON line for each thing
that happened, after the store has acknowledged it. Clocks of these processes are the real ones; the pauses are synthetic, and
much shorter than people's.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import sys
import time

from surefoot.records import Attribution, Case, CaseAnswer, Commit, Content, Deliver, JournalEntry, Step
from surefoot.store import Store
from surefoot.store.open import open_store

KEY = "5a" * 32
TENANT, FEATURE, ROLE = "bench", "triage", "nurse"
UNDO_SECONDS = 0.2
ASLEEP = 0.01  # share of claims that outlive their lease before they are answered
_NS = 1_000_000_000


def case_id(number: int) -> str:
    """The id of a case of the benchmark."""
    return f"case-{number:06}"


async def opened(file: str) -> Store:
    """The store."""
    store = open_store(file, durability="acknowledged", key_file=KEY)
    await store.start()
    return store


async def fill(file: str, count: int, texts: list[str]) -> None:
    """Open so many cases, each with its journal entry and its question."""
    store = await opened(file)
    for start in range(0, count, 500):
        await asyncio.gather(
            *(store.commit(_escalated(store, n, texts)) for n in range(start, min(count, start + 500)))
        )
    await store.close()


def _escalated(store: Store, number: int, texts: list[str]) -> Commit:
    now, name, subject = time.time_ns(), f"r-{number:06}", f"user:{TENANT}:{number}"
    told = store.pseudonym(subject)
    entry = JournalEntry(
        request_id=name, at_ns=now, draw="0" * 32, tenant=TENANT, key_id="k1", feature=FEATURE, dialect="openai",
        surface="chat", subject=told, policy="p1", mode="enforce", action="escalate", rung=None, case_id=case_id(number),
        steps=(Step(stage="decide", rung="small", value=Deliver("bench")),),
    )  # fmt: skip
    asked = {"model": "small", "messages": [{"role": "user", "content": texts[number % len(texts)]}]}
    case = Case(
        id=case_id(number), request_id=name, tenant=TENANT, feature=FEATURE, role=ROLE, state="open", reason="unsure",
        opened_at_ns=now, subject=told, fingerprint=name, p=0.4, rank_ns=now,
    )  # fmt: skip
    content = Content(request_body=json.dumps(asked).encode(), attribution=Attribution(end_user=str(number)))
    return Commit(entry=entry, content=content, subject=subject, case=case)


async def work(file: str, operators: int, pause: float, lease: float) -> None:
    """One life of the desk's process."""
    store = await opened(file)
    _say(ready=os.getpid())
    await asyncio.gather(_deliver(store), _lapse(store), *(_operator(store, n, pause, lease) for n in range(operators)))


async def _operator(store: Store, number: int, pause: float, lease: float) -> None:
    """Claim, think, answer, for ever; now and then longer than the lease."""
    dice, name = random.Random(f"{os.getpid()}-{number}"), f"operator{number}"
    await asyncio.sleep(dice.random() * pause)
    while True:
        begun = time.perf_counter()
        claim = await store.cases.claim_next(roles=(ROLE,), by=name, at_ns=time.time_ns(), lease_ns=int(lease * _NS))
        _say(claim_ms=1000 * (time.perf_counter() - begun))
        if claim is None:
            await asyncio.sleep(pause or 0.05)
            continue
        thinks = min(dice.expovariate(1) * pause, 0.8 * lease)
        await asyncio.sleep(lease + 0.6 if dice.random() < ASLEEP else thinks)
        text, now = f"{claim.case.id} by {name} in {os.getpid()}, claim {claim.fence}", time.time_ns()
        given = CaseAnswer(verb="replace", text=text, by=name, seconds=pause, signed_at_ns=now)
        taken = await store.cases.answer(
            claim.case.id, fence=claim.fence, answer=given, label=None, at_ns=now,
            deliver_at_ns=now + int(UNDO_SECONDS * _NS),
        )  # fmt: skip
        _say(answered=claim.case.id, text=text) if taken else _say(refused=claim.case.id)


async def _deliver(store: Store) -> None:
    while True:
        for case in await store.cases.deliver_due(now_ns=time.time_ns()):
            _say(delivered=case.id)
        await asyncio.sleep(0.1)


async def _lapse(store: Store) -> None:
    while True:
        await store.cases.lapse_leases(now_ns=time.time_ns())
        await asyncio.sleep(0.5)


async def poll(file: str, count: int, pause: float) -> None:
    """Callers: ask for each case until its answer is there."""
    store = await opened(file)
    waiting = list(range(count))
    while waiting:
        for number in tuple(waiting):
            case = await store.cases.get(case_id(number), tenant=TENANT)
            if case is not None and case.told is not None:
                _say(got=case.id, text=case.told)
                waiting.remove(number)
        await asyncio.sleep(pause)
    await store.close()


def _say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    verb, path, count, *seconds = sys.argv[1:]
    asyncio.run((work if verb == "work" else poll)(path, int(count), *map(float, seconds)))
