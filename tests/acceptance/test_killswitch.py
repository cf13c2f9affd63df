"""The kill switch against two running replicas: within five seconds no model is asked any more."""

import subprocess
import sys
import time
from pathlib import Path

import anyio
import httpx
import openai
import pytest
from acceptance_support import CONFIG, models

from surefoot.demo.process import free_port, serving
from surefoot.providers.testing import ScriptedUpstream

SECONDS = 5.0


def surefoot(config: Path, *command: str) -> None:
    done = [
        sys.executable,
        "-m",
        "surefoot",
        *command,
        "--by",
        "amy",
        "--reason",
        "wrong doses",
        "--config",
        str(config),
    ]
    subprocess.run(done, check=True, capture_output=True, cwd=config.parent)


async def decision(client: httpx.AsyncClient, feature: str, text: str) -> str:
    body = {"model": feature, "messages": [{"role": "user", "content": text}]}
    return (await client.post("/v1/chat/completions", json=body)).headers["x-surefoot-decision"]


async def until(client: httpx.AsyncClient, feature: str, wanted: str) -> float:
    """Seconds until a replica decides so; fails after SECONDS."""
    began = time.monotonic()
    while await decision(client, feature, f"question {time.monotonic()}") != wanted:
        assert time.monotonic() - began < SECONDS
        await anyio.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.parametrize("stopped", [("stop", "believed"), ("stop", "--all")])
def test_a_stop_acts_in_every_replica_within_five_seconds_and_ends_as_soon(tmp_path: Path, stopped: tuple) -> None:
    async def run() -> None:
        async with ScriptedUpstream(gap_seconds=0.0, chunks=2) as upstream:
            config = tmp_path / "surefoot.toml"
            config.write_text(CONFIG.format(folder=tmp_path, upstream=upstream.url, models=models()))
            async with (
                serving(config, free_port()) as one,
                serving(config, free_port()) as two,
                httpx.AsyncClient(base_url=one) as first,
                httpx.AsyncClient(base_url=two) as second,
            ):
                clients = (first, second)
                assert [await decision(each, "believed", "hello") for each in clients] == ["deliver"] * 2
                surefoot(config, *stopped)
                for each in clients:
                    await until(each, "believed", "escalate")
                asked = len(upstream.seen)
                for each in clients:
                    assert [await decision(each, "believed", str(n)) for n in range(5)] == ["escalate"] * 5
                assert len(upstream.seen) == asked
                surefoot(config, "resume", *stopped[1:])
                for each in clients:
                    await until(each, "believed", "deliver")

    anyio.run(run)


def test_the_sdk_sees_a_refusal_it_does_not_try_again(tmp_path: Path) -> None:
    async def run() -> None:
        async with ScriptedUpstream(gap_seconds=0.0, chunks=2) as upstream:
            config = tmp_path / "surefoot.toml"
            config.write_text(CONFIG.format(folder=tmp_path, upstream=upstream.url, models=models()))
            async with serving(config, free_port()) as url:
                surefoot(config, "stop", "believed", "--refuse")
                async with httpx.AsyncClient(base_url=url) as client:
                    await until(client, "believed", "refuse")
                async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="none") as sdk:
                    asked = len(upstream.seen)
                    with pytest.raises(openai.InternalServerError, match="is stopped"):
                        await sdk.chat.completions.create(model="believed", messages=[{"role": "user", "content": "x"}])
                    with pytest.raises(openai.InternalServerError, match="is stopped"):
                        await sdk.embeddings.create(model="believed", input="x")
                    assert len(upstream.seen) == asked

    anyio.run(run)
