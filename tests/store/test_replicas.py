"""Replicas on one database: webhooks are shared out, a stop acts in all of them, a killed one loses nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from acceptance_support import CONFIG, models
from msgspec.structs import replace
from samples import KEY, case, commit
from test_guarded import in_threads

from surefoot.demo.process import free_port, serving
from surefoot.providers.testing import ScriptedUpstream
from surefoot.records.hook import Hook, HookAttempt
from surefoot.store import Store

HOOKS = 60
BAR_SECONDS = 5.0
CALLER = """
import asyncio, sys
from surefoot.records.hook import HookAttempt
from surefoot.store.open import open_store

async def call():
    store = open_store(sys.argv[1], durability="acknowledged", key_file="0b" * 32)
    await store.start()
    while claims := await store.hooks.claim_due(now_ns=10, lease_ns=100, limit=7):
        for claim in claims:
            print("called", claim.hook.id, claim.hook.url, flush=True)
            line = HookAttempt(hook_id=claim.hook.id, at_ns=10, number=1, outcome="delivered", status=200)
            await store.hooks.record(claim, line, state="delivered")
            print("logged", claim.hook.id, flush=True)
    await asyncio.sleep(60)

asyncio.run(call())
"""


async def fill(store: Store) -> None:
    """Hooks of cases that have ended."""
    for number in range(HOOKS):
        given = replace(case(f"r{number}"), fingerprint=f"f{number}")
        await store.hooks.add(
            Hook(
                id=f"hook-{number}", case_id=given.id, tenant="clinic", feature="triage", at_ns=1,
                url=f"https://shop.example/told?n={number}",
            )
        )  # fmt: skip
        await store.commit(commit(f"r{number}", case=given))
        await store.cases.withdraw(given.id, tenant="clinic", at_ns=5)


async def call_all(store: Store, *, now_ns: int) -> list[str]:
    """Call whoever is due, and log it."""
    called = []
    while claims := await store.hooks.claim_due(now_ns=now_ns, lease_ns=100, limit=3):
        for claim in claims:
            line = HookAttempt(hook_id=claim.hook.id, at_ns=now_ns, number=1, outcome="delivered", status=200)
            assert await store.hooks.record(claim, line, state="delivered")
            called.append(claim.hook.id)
    return called


def test_of_several_replicas_each_webhook_is_called_by_one(database: str, open_, runner):
    store: Store = open_(database)
    runner.run(fill(store))

    async def work(store: Store, number: int) -> list[str]:
        return await call_all(store, now_ns=10)

    shares: Sequence[list[str]] = in_threads(database, work)
    assert Counter(name for share in shares for name in share) == {f"hook-{number}": 1 for number in range(HOOKS)}


def test_a_killed_caller_leaves_its_log_and_what_it_had_claimed_is_called_again(database: str, open_, runner):
    store: Store = open_(database)
    runner.run(fill(store))
    process = subprocess.Popen([sys.executable, "-c", CALLER, database], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(25)]
    process.send_signal(signal.SIGKILL)
    lines += process.communicate()[0].splitlines()
    logged = {line.split()[1] for line in lines if line.startswith("logged")}
    assert all(f"?n={line.split()[1].removeprefix('hook-')}" in line for line in lines if line.startswith("called"))
    again = set(runner.run(call_all(store, now_ns=10 + 100)))
    assert logged and again.isdisjoint(logged)
    for number in range(HOOKS):
        name = f"hook-{number}"
        assert len(runner.run(store.hooks.attempts(name))) == 1, "called, and logged once"
    assert {hook.state for hook in runner.run(store.hooks.all())} == {"delivered"}


async def decided(client: httpx.AsyncClient, feature: str, text: str) -> httpx.Response:
    body = {"model": feature, "messages": [{"role": "user", "content": text}]}
    return await client.post("/v1/chat/completions", json=body)


async def until(client: httpx.AsyncClient, wanted: str) -> None:
    began = time.monotonic()
    while (await decided(client, "believed", f"{time.monotonic()}")).headers["x-surefoot-decision"] != wanted:
        assert time.monotonic() - began < BAR_SECONDS
        await asyncio.sleep(0.05)


def configured(folder: Path, url: str, upstream: str) -> Path:
    """The configuration of a gateway on PostgreSQL."""
    config = folder / "surefoot.toml"
    text = CONFIG.format(folder=folder, upstream=upstream, models=models())
    (folder / "surefoot.key").write_text(KEY)
    os.chmod(folder / "surefoot.key", 0o600)
    config.write_text(text.replace(f'database = "{folder}/surefoot.db"', f'database = "{url}"'))
    return config


def surefoot(config: Path, *command: str) -> None:
    said = (*command, "--by", "amy", "--reason", "wrong doses", "--config", str(config))
    subprocess.run([sys.executable, "-m", "surefoot", *said], check=True, capture_output=True, cwd=config.parent)


@pytest.mark.timeout(120)
def test_on_postgres_a_stop_acts_in_both_replicas_and_the_same_question_opens_one_case(
    tmp_path: Path, postgres_url: str, runner
):
    async def run() -> None:
        async with ScriptedUpstream(gap_seconds=0.0, chunks=2) as upstream:
            config = configured(tmp_path, postgres_url, upstream.url)
            async with (
                serving(config, free_port()) as one, serving(config, free_port()) as two,
                httpx.AsyncClient(base_url=one) as first, httpx.AsyncClient(base_url=two) as second,
            ):  # fmt: skip
                for number in range(10):
                    both = await asyncio.gather(*(decided(each, "careful", f"q{number}") for each in (first, second)))
                    assert len({each.headers["x-surefoot-case"] for each in both}) == 1
                surefoot(config, "stop", "believed")
                for each in (first, second):
                    await until(each, "escalate")
                surefoot(config, "resume", "believed")
                for each in (first, second):
                    await until(each, "deliver")

    runner.run(run())
