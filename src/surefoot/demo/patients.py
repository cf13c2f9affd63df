"""The demo's waiting patients: each asks for its case until a person has answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct

from surefoot.demo.traffic import Told
from surefoot.errors import Unreachable

_SECONDS = 1.0  # between two looks of each patient
_LINK = re.compile(r"^\s+(http\S+)$", re.MULTILINE)


class _Case(Struct):
    state: str
    answer: str | None = None


def first_link(log: Path) -> str | None:
    """The one-time link that the gateway printed when it started without an account; None when it printed none."""
    found = _LINK.findall(log.read_text("utf-8", "replace"))
    return next((link for link in found if "/v1" not in link), None)


async def watch(url: str, waiting: Sequence[Told], on_answer: Callable[[Told, str], None]) -> None:
    """Tell of every answer once, until no patient waits. Raises Unreachable when the gateway is gone."""
    left = {told.note.case: told for told in waiting if told.note.case is not None}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session:
        while left:
            for case_id, told in list(left.items()):
                answer = await _answer(session, f"{url}/v1/cases/{case_id}")
                if answer is not None:
                    del left[case_id]
                    on_answer(told, answer)
            await asyncio.sleep(_SECONDS)


async def _answer(session: aiohttp.ClientSession, address: str) -> str | None:
    try:
        async with session.get(address) as response:
            data = await response.read()
    except aiohttp.ClientError as error:
        raise Unreachable(f"the gateway is gone: {type(error).__name__}") from error
    return msgspec.json.decode(data, type=_Case).answer if response.status == 200 else None
