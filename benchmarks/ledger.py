"""Does a ledger of a million entries answer at once, and what do its roll-ups cost a request?

`python -m benchmarks.ledger [--entries N] [--rounds R] [--json]`. Synthetic traffic, written through the store itself into a
SQLite file: 90 days, 4 features, 25 customers of unequal size (Zipf) with one key each, of which each uses two features; a new
prompt every 30 days; two models and a cache; reported outcomes. Every grouping of `surefoot ledger` is asked for R times,
beside the naive sum over all entries in Python and in SQL. What counts is how many rows the roll-ups have (series x days), so
that is printed. The cost of the roll-ups is the CPU time of this process over the same commits with and without them, in
interleaved rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from benchmarks.machine import machine, spread
from surefoot.app.money import Asked, stated
from surefoot.ledger.statement import GROUPINGS
from surefoot.records import Commit, Draft, Entry, JournalEntry, Question, Read, Revenue, Settlement, Step
from surefoot.store import Store, scribe
from surefoot.store.open import open_store
from surefoot.store.rollups import Rollups

KEY, SEED = "5a" * 32, 20261124
DAYS, FEATURES, CUSTOMERS, PROMPT_DAYS = 90, 4, 25, 30
WEIGHTS = [1 / rank for rank in range(1, CUSTOMERS + 1)]
FIRST_NS = 1_763_942_400_000_000_000  # 2025-11-24
DAY_NS = 86_400_000_000_000
REPORTED = 0.2  # share of requests whose outcome is reported
TOGETHER = 256  # commits on their way at once while the file is filled
COUNTED = 20_000  # requests a round of the CPU measurement
BAR_MS = 100.0


class Nothing(Rollups):
    """Roll-ups that are not kept: the naive writer."""

    def came(self, *_: object) -> None:
        """Count nothing."""

    def spent(self, *_: object) -> None:
        """Add nothing."""

    def earned(self, *_: object) -> None:
        """Add nothing."""


def commit(number: int, at_ns: int, dice: random.Random) -> Commit:
    """What a synthetic request leaves behind: one to six entries."""
    (customer,) = dice.choices(range(CUSTOMERS), WEIGHTS)
    feature = f"feature-{(customer + dice.randrange(2)) % FEATURES}"
    tenant, key, name = f"customer-{customer:02}", f"key_{customer:02}", f"req_{number:016x}"
    draw = dice.random()
    rungs = [] if draw < 0.15 else ["small"] if draw < 0.75 else ["small", "flagship"]
    question = Question(
        fingerprint=f"{number:032x}", model="surefoot", dialect="openai", surface="chat", stream=False, input_tokens=900,
        max_output_tokens=None, prompt=f"{feature}/v{(at_ns - FIRST_NS) // DAY_NS // PROMPT_DAYS}",
    )  # fmt: skip
    answered = rungs[-1] if rungs else "cache"
    draft = Draft(rung=answered, provider="acme" if rungs else "cache", model=f"{answered}-1", digest="")
    steps = (
        Step(stage="read", rung=None, value=Read(question=question)),
        Step(stage="call", rung=answered, value=draft),
    )
    entry = JournalEntry(
        request_id=name, at_ns=at_ns, draw="0" * 32, tenant=tenant, key_id=key, feature=feature, dialect="openai",
        surface="chat", subject="", policy="p1", mode="enforce", action="deliver", rung=answered, steps=steps,
        baseline_nanodollars=dice.randrange(3_000_000, 9_000_000),
    )  # fmt: skip
    made = tuple(Settlement(reservation_id="", entries=tuple(_entries(entry, rung, dice))) for rung in rungs)
    return Commit(entry=entry, settlements=made)


def _entries(request: JournalEntry, rung: str, dice: random.Random) -> Iterator[Entry]:
    kinds = ("input", "output", "cached_input") if dice.random() < 0.5 else ("input", "output")
    for kind in kinds:
        price = (150_000 if kind == "input" else 600_000) * (17 if rung == "flagship" else 1)
        tokens = dice.randrange(20, 2000)
        yield Entry(
            request_id=request.request_id, at_ns=request.at_ns, tenant=request.tenant, key_id=request.key_id,
            feature=request.feature, rung=rung, provider="acme", model=f"{rung}-1", kind=kind, quantity=tokens,
            price_per_million=price * 1000, nanodollars=tokens * price // 1000, price_version="bench",
            estimated=dice.random() < 0.02,
        )  # fmt: skip


async def fill(store: Store, entries: int) -> int:
    """Write requests until there are so many entries; returns how many requests that took."""
    dice, written, number = random.Random(SEED), 0, 0
    share = entries / 2.5
    while written < entries:
        some = []
        for _ in range(TOGETHER):
            some.append(commit(number, FIRST_NS + int(number / share * DAYS) % DAYS * DAY_NS + number, dice))
            number += 1
        written += sum(len(each.entries) for one in some for each in one.settlements)
        await asyncio.gather(*(store.commit(each) for each in some))
        reports = [
            Revenue(
                id=f"rev-{one.entry.request_id}", request_id=one.entry.request_id, at_ns=one.entry.at_ns + 1,
                tenant=one.entry.tenant, key_id=one.entry.key_id, feature=one.entry.feature,
                outcome=dice.choice(("resolved", "refunded")), nanodollars=990_000_000, price_version="config",
            )
            for one in some
            if dice.random() < REPORTED
        ]  # fmt: skip
        await store.ledger.earn(reports)
    return number


async def asked(store: Store, rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds of every grouping, over the whole time, the last week, and one feature of it all."""
    week = Asked(since_ns=FIRST_NS + (DAYS - 7) * DAY_NS)
    parts = {"all": Asked(), "last 7 days": week, "one feature": Asked(feature="feature-0")}
    found = {}
    for by in GROUPINGS:
        for part, what in parts.items():
            times = []
            for _ in range(rounds):
                began = time.perf_counter()
                await stated(store, by, what)
                times.append((time.perf_counter() - began) * 1000)
            times.sort()
            found[f"{by}, {part}"] = {"p50": statistics.median(times), "p95": times[int(0.95 * (len(times) - 1))]}
    return found


async def naive(store: Store, file: Path) -> dict[str, float]:
    """Milliseconds of one grouping by the sum over all entries: in Python, and in SQL."""
    began = time.perf_counter()
    groups: dict[str, int] = defaultdict(int)
    for entry in await store.ledger.entries():
        groups[entry.feature] += entry.nanodollars
    python = (time.perf_counter() - began) * 1000
    connection = sqlite3.connect(file)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        connection.execute("SELECT feature, kind, sum(nanodollars) FROM ledger GROUP BY feature, kind").fetchall()
        times.append((time.perf_counter() - began) * 1000)
    connection.close()
    return {"entries in Python": python, "entries in SQL, without outcome and prompt": statistics.median(times)}


async def closes(store: Store) -> bool:
    """Whether every grouping's sum is the sum of the entries, to the nano-dollar."""
    total = await store.ledger.total()
    return all([(await stated(store, by, Asked())).total.nanodollars == total for by in GROUPINGS])


async def cpu_us(folder: Path, name: str, *, kept: bool, together: int) -> float:
    """Microseconds of CPU a request, of commits that come so many at a time."""
    scribe.Rollups = Rollups if kept else Nothing  # type: ignore[misc]
    store = open_store(str(folder / f"{name}.db"), key_file=KEY)
    await store.start()
    dice = random.Random(SEED)
    count = COUNTED if together > 1 else COUNTED // 10
    commits = [commit(number, FIRST_NS + number, dice) for number in range(count)]
    began = time.process_time()
    for start in range(0, count, together):
        await asyncio.gather(*(store.commit(each) for each in commits[start : start + together]))
    spent = time.process_time() - began
    await store.close()
    scribe.Rollups = Rollups  # type: ignore[misc]
    return spent / count * 1e6


async def cpu(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Added microseconds a request, alone and in groups: the difference within each round."""
    found = {}
    for together in (1, 16, 64):
        added, bare = [], []
        for number in range(rounds):
            times = {}
            for kept in (True, False) if number % 2 else (False, True):
                times[kept] = await cpu_us(folder, f"{together}-{number}-{kept}", kept=kept, together=together)
            added.append(times[True] - times[False])
            bare.append(times[False])
        found[f"{together} at a time"] = {**spread(added), "without": statistics.median(bare)}
    return found


async def measure(entries: int, rounds: int) -> dict[str, object]:
    """Everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "ledger.db"
        store = open_store(str(file), key_file=KEY)
        await store.start()
        began = time.perf_counter()
        requests = await fill(store, entries)
        filled = time.perf_counter() - began
        times, slow, closed = await asked(store, rounds), await naive(store, file), await closes(store)
        await store.close()
        connection = sqlite3.connect(file)
        rows = {
            table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("ledger", "series", "daily_costs", "daily_requests", "revenue")
        }
        connection.close()
        added = await cpu(folder, min(rounds, 7))
    return {
        "machine": machine(), "seed": SEED, "requests": requests, "rows": rows, "fill_seconds": filled, "closes": closed,
        "groupings_ms": times, "naive_ms": slow, "added_cpu_us": added, "rounds": rounds,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = asyncio.run(measure(given.entries, given.rounds))
    if given.json:
        print(json.dumps(found, indent=1))
        return
    print(json.dumps(found["machine"]))
    print(f"synthetic traffic, seed {SEED}: {found['requests']:,} requests; rows: {found['rows']}")
    print(f"every grouping's sum is the sum of the entries, to the nano-dollar: {found['closes']}\n")
    times: dict[str, dict[str, float]] = found["groupings_ms"]  # type: ignore[assignment]
    print(f"{'milliseconds, ' + str(given.rounds) + ' rounds':34} {'p50':>8} {'p95':>8}")
    for name, each in times.items():
        print(f"{name:34} {each['p50']:8.1f} {each['p95']:8.1f}")
    worst = max(each["p95"] for each in times.values())
    print(f"{'bar: p95 under 100':34} {'':8} {worst:8.1f} {'met' if worst < BAR_MS else 'MISSED'}\n")
    for name, ms in found["naive_ms"].items():  # type: ignore[attr-defined]
        print(f"naive, {name + ':':44} {ms:8.1f} ms")
    print(
        "\nCPU that roll-ups add to a request, microseconds (median of interleaved rounds, least, most; without them)"
    )
    for name, each in found["added_cpu_us"].items():  # type: ignore[attr-defined]
        print(f"{name:20} {each['median']:7.1f} [{each['min']:.1f}, {each['max']:.1f}]   {each['without']:7.1f}")


if __name__ == "__main__":
    main()
