"""The gateway as a process of its own, for as long as it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from surefoot.errors import SurefootError, Unreachable

_START_SECONDS = 20.0


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def serving(config: Path, port: int) -> AsyncIterator[str]:
    """A `surefoot serve` process; yields its address once it answers. Raises SurefootError when it does not come up."""
    command = [sys.executable, "-m", "surefoot", "serve", "--config", str(config), "--port", str(port)]
    log = config.with_suffix(".log")
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        await _ready(url, process, log)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()


async def _ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = asyncio.get_running_loop().time() + _START_SECONDS
    async with aiohttp.ClientSession() as session:
        while asyncio.get_running_loop().time() < until:
            if process.poll() is not None:
                raise SurefootError(f"the gateway did not start:\n{log.read_text('utf-8', 'replace')[-2000:]}")
            if await _answers(session, url):
                return
            await asyncio.sleep(0.05)
    raise Unreachable(f"the gateway did not answer within {_START_SECONDS:.0f} s")


async def _answers(session: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with session.get(f"{url}/healthz") as response:
            return response.status == 200
    except aiohttp.ClientError:
        return False
