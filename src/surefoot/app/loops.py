"""What is done again and again beside the requests: one shape, so that no turn's failure ends a loop unseen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from surefoot.errors import SurefootError

log = structlog.get_logger("surefoot")


async def keep(
    turn: Callable[[], Awaitable[object]], *, every_seconds: float, what: str, on_lost: Callable[[str], None],
    at_once: bool = False,
) -> None:  # fmt: skip
    """Take a turn, wait, for ever. A turn that fails is counted and logged, and the next one tries again.

    Args:
        what: how the loop is called where losses are counted.
        at_once: whether the first turn comes before the first wait.
    """
    if not at_once:
        await asyncio.sleep(every_seconds)
    while True:
        try:
            await turn()
        except SurefootError as error:  # such as a store that does not answer
            on_lost(what)
            log.warning("a loop's turn failed", loop=what, error=type(error).__name__)
        except Exception as error:  # a fault of ours must not end the loop either: a kill switch hangs on one
            on_lost(what)
            log.error("a loop's turn failed unexpectedly", loop=what, error=type(error).__name__)
        await asyncio.sleep(every_seconds)
