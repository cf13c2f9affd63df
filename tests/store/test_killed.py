"""A process that is killed while people judge leaves no half of a verdict: a judged case has its label, an open one has none."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from samples import KEY, case, commit

from surefoot.store import Store
from surefoot.store.open import open_store

CASES = 2000
JUDGE = """
import asyncio, sys
sys.path.insert(0, sys.argv[2])
from samples import label
from surefoot.store.open import open_store

async def judge():
    store = open_store(sys.argv[1], durability="acknowledged", key_file="0b" * 32)
    await store.start()
    for each in range(2000):
        given = label(f"l{each}", request=f"r{each}", verdict="wrong")
        print(each, await store.cases.judge(f"case-r{each}", label=given, at_ns=7), flush=True)

asyncio.run(judge())
"""


async def opened(path: Path) -> Store:
    store = open_store(str(path), durability="acknowledged", key_file=KEY)
    await store.start()
    return store


async def fill(path: Path) -> None:
    store = await opened(path)
    await asyncio.gather(*(store.commit(commit(f"r{n}", case=case(f"r{n}", kind="audit"))) for n in range(CASES)))
    await store.close()


async def told_by_the_store(path: Path) -> tuple[set[str], set[str]]:
    """(cases that are judged, cases whose request has a label)."""
    store = await opened(path)
    waiting = {found.id for found in await store.cases.open_cases(limit=CASES)}
    labelled = {f"case-{found.request_id}" for found in await store.labels.all()}
    await store.close()
    return {f"case-r{n}" for n in range(CASES)} - waiting, labelled


@pytest.mark.parametrize("seconds", [0.0, 0.02, 0.05])
def test_a_kill_between_case_and_label_cannot_be_seen(sqlite_path: Path, seconds: float):
    asyncio.run(fill(sqlite_path))
    command = [sys.executable, "-c", JUDGE, str(sqlite_path), str(Path(__file__).parent)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(3)]
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    lines += process.communicate()[0].splitlines()
    told = {f"case-r{line.split()[0]}" for line in lines if line.strip().endswith("True")}
    judged, labelled = asyncio.run(told_by_the_store(sqlite_path))
    assert judged == labelled and told <= judged
    assert len(judged) >= 3
