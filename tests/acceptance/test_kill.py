"""`kill -9` in the middle of traffic loses nothing that a caller was told."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from surefoot.demo.places import clinic_toml
from surefoot.demo.process import free_port
from surefoot.store.open import open_store

QUESTIONS = ("How long do repeat prescriptions take?", "Who was Tutankhamun?", "What does ear cleaning cost?")


async def told_before_the_end(config: Path, port: int, seconds: float) -> list[tuple[str, str | None]]:
    """(request id, case) of every answer that arrived before the process was killed."""
    command = [sys.executable, "-m", "surefoot", "serve", "--config", str(config), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    told: list[tuple[str, str | None]] = []

    async def ask(client: httpx.AsyncClient, number: int) -> None:
        while process.poll() is None:
            content = f"{QUESTIONS[len(told) % 3]}"
            body = {
                "model": "clinic",
                "messages": [{"role": "user", "content": content}],
                "seed": number * 10_000 + len(told),
            }
            try:
                response = await client.post("/v1/chat/completions", json=body)
            except httpx.HTTPError:
                await asyncio.sleep(0.02)
                continue
            if response.status_code == 200:
                told.append((response.headers["x-request-id"], response.headers.get("x-surefoot-case")))

    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        tasks = [asyncio.create_task(ask(client, number)) for number in range(8)]
        while len(told) < 20:
            await asyncio.sleep(0.01)
        await asyncio.sleep(seconds)
        process.send_signal(signal.SIGKILL)
        process.wait()
        await asyncio.gather(*tasks)
    return told


@pytest.mark.parametrize("round_", range(3))
def test_every_answer_and_case_that_was_told_is_still_there(tmp_path: Path, round_: int) -> None:
    config = tmp_path / "surefoot.toml"
    config.write_text(clinic_toml(tmp_path))

    async def run() -> None:
        told = await told_before_the_end(config, free_port(), 0.1 + 0.13 * round_)
        store = open_store(
            str(tmp_path / "surefoot.db"), durability="acknowledged", key_file=str(tmp_path / "surefoot.key")
        )
        await store.start()
        try:
            assert await store.journal.verify() >= len(told)
            for request_id, case in told:
                entry = await store.journal.get(request_id)
                assert entry is not None and entry.case_id == case
                booked = sum(line.nanodollars for line in await store.ledger.entries(request_id=request_id))
                assert booked == entry.nanodollars
                if case is not None:
                    assert await store.cases.get(case, tenant="local") is not None
            assert any(case for _, case in told)
        finally:
            await store.close()

    asyncio.run(run())


def test_a_graceful_end_writes_what_was_only_batched(tmp_path: Path) -> None:
    config = tmp_path / "surefoot.toml"
    config.write_text(clinic_toml(tmp_path).replace("[store]", '[store]\ndurability = "batched"'))
    port = free_port()
    command = [sys.executable, "-m", "surefoot", "serve", "--config", str(config), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    async def run() -> None:
        body = {"model": "clinic", "messages": [{"role": "user", "content": QUESTIONS[0]}]}
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            for _ in range(200):
                try:
                    response = await client.post("/v1/chat/completions", json=body)
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
        process.terminate()
        assert process.wait(15) == 0
        key_file = str(tmp_path / "surefoot.key")
        store = open_store(str(tmp_path / "surefoot.db"), durability="acknowledged", key_file=key_file)
        await store.start()
        assert await store.journal.get(response.headers["x-request-id"]) is not None
        await store.close()

    asyncio.run(run())
