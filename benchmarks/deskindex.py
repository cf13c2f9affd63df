"""Does the desk stay usable while it reads its open cases? `python -m benchmarks.deskindex [--json]`.

Open cases in a SQLite file (questions of Banking77 where SUREFOOT_DATA names them, each with a number of its own; else
synthetic ones) are read into the memory of like cases, while pages ask for them and a watch measures how late the loop is.
Beside it the naive way: the same texts into an index in one go, which is a single pause.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.deskstream import questions
from benchmarks.deskwork import case_id, fill, opened
from benchmarks.machine import machine
from surefoot.app.neighbours import Neighbours
from surefoot.records import Case
from surefoot.review.likeness import Index
from surefoot.stats import quantile

_TICK = 0.002  # seconds between two looks at the loop


async def measured(file: str, cases: int) -> dict[str, Any]:
    """How late the loop is, and how long pages wait, while everything is read and afterwards."""
    store = await opened(file)
    near, late = Neighbours(store), list[float]()
    first = await store.cases.find(case_id(0))
    assert first is not None
    watching = asyncio.create_task(_watch(late))
    begun, cpu = time.perf_counter(), time.process_time()
    pages = [await _page(near, first)]
    while near.memory.reading:
        await asyncio.sleep(0.2)
        pages.append(await _page(near, first))
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    after = [await _page(near, first) for _ in range(50)]
    watching.cancel()
    near.memory.close()
    await store.close()
    return {
        "cases": cases, "seconds": seconds, "cpu_seconds": cpu, "looks": len(late), "late_p99_ms": quantile(late, 0.99),
        "late_max_ms": max(late), "pages_meanwhile": len(pages), "page_max_ms": max(pages), "pages_after": len(after),
        "page_after_p50_ms": quantile(after, 0.5), "page_after_max_ms": max(after),
    }  # fmt: skip


async def _watch(late: list[float]) -> None:
    while True:
        begun = time.perf_counter()
        await asyncio.sleep(_TICK)
        late.append(1000 * (time.perf_counter() - begun - _TICK))


async def _page(near: Neighbours, case: Case) -> float:
    begun = time.perf_counter()
    await near.members(case)
    return 1000 * (time.perf_counter() - begun)


def texts(count: int) -> list[str]:
    """So many questions, all different."""
    folder = Path(os.environ.get("SUREFOOT_DATA", ""))
    if not (folder / "banking77.jsonl.gz").is_file():
        return [f"How do I get the money back for card payment {number} that I made twice?" for number in range(count)]
    asked = [each.case.text for part in questions(folder) for each in part]
    return [f"{asked[number % len(asked)]} ({number})" for number in range(count)]


def main() -> None:
    """Print what was measured; with --json the last line is the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deskindex")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cases", type=int, default=20_000)
    given = parser.parse_args()
    print(json.dumps(machine()), flush=True)
    asked = texts(given.cases)
    with tempfile.TemporaryDirectory(prefix="surefoot-desk-") as folder:
        file = str(Path(folder, "desk.db"))
        asyncio.run(fill(file, given.cases, asked))
        told = asyncio.run(measured(file, given.cases))
    begun = time.perf_counter()
    Index((str(number), text) for number, text in enumerate(asked)).search(asked[0])
    told["one_go_ms"] = 1000 * (time.perf_counter() - begun)
    print(
        f"{told['cases']} open cases are read in {told['seconds']:.1f} s, {told['cpu_seconds']:.1f} s of CPU\n"
        f"  the loop is late by {told['late_p99_ms']:.1f} ms (p99), {told['late_max_ms']:.1f} ms at most, n = {told['looks']}\n"
        f"  pages meanwhile wait {told['page_max_ms']:.0f} ms at most, n = {told['pages_meanwhile']}; afterwards "
        f"{told['page_after_p50_ms']:.0f} ms (p50), {told['page_after_max_ms']:.0f} ms at most, n = {told['pages_after']}\n"
        f"  naive, in one go: one pause of {told['one_go_ms']:.0f} ms, without the reading"
    )  # fmt: skip
    if given.json:
        print(json.dumps(told))


if __name__ == "__main__":
    main()
