"""Loops beside the requests go on, whatever a turn comes to."""

import asyncio

import pytest

from surefoot.app.loops import keep
from surefoot.errors import StoreError


async def turns(fail: Exception, *, at_once: bool) -> tuple[int, list[str]]:
    """(turns taken until the third, what was counted as lost) when the first two fail."""
    taken, lost, done = 0, [], asyncio.Event()

    async def turn() -> None:
        nonlocal taken
        taken += 1
        if taken < 3:
            raise fail
        done.set()

    loop = asyncio.create_task(keep(turn, every_seconds=0.001, what="sweep", on_lost=lost.append, at_once=at_once))
    await asyncio.wait_for(done.wait(), 30)
    loop.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loop
    return taken, lost


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("fail", [StoreError("gone"), ZeroDivisionError()])
def test_a_failed_turn_is_counted_and_the_next_one_comes(fail: Exception, at_once: bool) -> None:
    assert asyncio.run(turns(fail, at_once=at_once)) == (3, ["sweep", "sweep"])


def test_a_loop_that_begins_at_once_does_not_wait_first() -> None:
    async def first() -> bool:
        began = asyncio.Event()

        async def turn() -> None:
            began.set()

        loop = asyncio.create_task(keep(turn, every_seconds=3600, what="x", on_lost=lambda what: None, at_once=True))
        await asyncio.wait_for(began.wait(), 30)
        return loop.cancel()

    assert asyncio.run(first())
