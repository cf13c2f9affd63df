"""Sends questions to a running gateway over its OpenAI face and tells what came of each."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal

import aiohttp
import msgspec
from msgspec import Struct

from surefoot.errors import Unreachable


class Note(Struct, frozen=True, kw_only=True):
    """The part of the `surefoot` object that the demo shows."""

    decision: str
    rung: str | None
    confidence: float | None
    cost_usd: str | None
    cache: str
    simulated: bool
    reason: str
    case: str | None = None


class Told(Struct, frozen=True, kw_only=True):
    """One question and what came of it."""

    question: str
    answer: str
    note: Note
    seconds: float

    @property
    def cost_usd(self) -> Decimal:
        """What it cost; 0 while unknown."""
        return Decimal(self.note.cost_usd or 0)


class _Message(Struct):
    content: str | None = None


class _Choice(Struct):
    message: _Message


class _Body(Struct):
    choices: tuple[_Choice, ...]
    surefoot: Note


async def send(url: str, feature: str, questions: Sequence[str], *, at_once: int = 4) -> AsyncIterator[Told]:
    """Ask every question, a few at once, and yield what came of them in the order of asking. Raises Unreachable."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session:
        for start in range(0, len(questions), at_once):
            part = questions[start : start + at_once]
            for told in await asyncio.gather(*(_ask(session, url, feature, question) for question in part)):
                yield told


async def _ask(session: aiohttp.ClientSession, url: str, feature: str, question: str) -> Told:
    began = asyncio.get_running_loop().time()
    body = {"model": feature, "messages": [{"role": "user", "content": question}]}
    try:
        async with session.post(f"{url}/v1/chat/completions", json=body) as response:
            data = await response.read()
            if response.status != 200:
                raise Unreachable(f"the gateway answered {response.status}", status=response.status)
    except aiohttp.ClientError as error:
        raise Unreachable(f"the gateway is gone: {type(error).__name__}") from error
    answer = msgspec.json.decode(data, type=_Body)
    text = answer.choices[0].message.content or ""
    seconds = asyncio.get_running_loop().time() - began
    return Told(question=question, answer=text, note=answer.surefoot, seconds=seconds)
