"""Reads the configuration again when it changes or on SIGHUP; a bad file keeps the old policy and says so."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from surefoot.config.load import Config, load
from surefoot.errors import SurefootError

_SECONDS = 1.0

log = structlog.get_logger("surefoot")


async def watch(file: Path, digest: str, on_change: Callable[[Config], Awaitable[None]]) -> None:
    """Watch a file for ever; every new text that loads is handed on. A configuration without a file is not watched."""
    if not file.is_file():
        return
    hangup = asyncio.Event()
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGHUP, hangup.set)
    except (NotImplementedError, RuntimeError, ValueError):  # no such signal, or not the main thread
        log.info("SIGHUP is not listened for here")
    seen, stamp = digest, _stamp(file)
    while True:
        forced = await _either(hangup)
        hangup.clear()
        now = _stamp(file)
        if now == stamp and not forced:
            continue
        stamp = now
        seen = await _take(file, seen, on_change)


async def _take(file: Path, seen: str, on_change: Callable[[Config], Awaitable[None]]) -> str:
    """Load and hand on; returns the digest that is now served."""
    try:
        config = load(file)
        if config.digest == seen:
            return seen
        await on_change(config)
    except SurefootError as error:
        log.warning("the configuration was not taken; the old policy goes on", error=str(error))
        return seen
    return config.digest


async def _either(hangup: asyncio.Event) -> bool:
    """Whether the signal came before the second was over."""
    try:
        async with asyncio.timeout(_SECONDS):
            await hangup.wait()
    except TimeoutError:
        return False
    return True


def _stamp(file: Path) -> tuple[int, int]:
    """Time and size; (0, 0) while an editor has the file away."""
    try:
        stat = file.stat()
    except OSError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
