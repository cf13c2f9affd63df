"""What the answerers without a network share: any dialect, streams cut from complete bodies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import perf_counter_ns
from typing import cast

from msgspec.structs import replace

from surefoot.providers import Abstained, Call, Live, Said
from surefoot.providers.tokens import estimate
from surefoot.records import Answer, Usage
from surefoot.wire import Dialect, Top
from surefoot.wire.anthropic import count_tokens_body
from surefoot.wire.dialects import DIALECTS


class LocalProvider:
    """An answerer in this process. Subclasses say what to answer."""

    kind = ""
    simulated = False
    dialects = frozenset(DIALECTS)
    tries = 1

    def __init__(self, name: str) -> None:
        self.name = name

    async def answer(self, call: Call, query: str, passages: tuple[str, ...]) -> Said | Abstained:
        """What is said to a query over passages."""
        raise NotImplementedError

    async def complete(self, call: Call) -> Said | Abstained:
        """The complete answer; a token count is an estimate."""
        began = perf_counter_ns()
        dialect = DIALECTS[call.request.dialect]
        if call.request.surface == "embeddings":
            return Abstained(reason=f"provider {self.name} has no embeddings", kind="unavailable")
        if call.request.surface == "count_tokens":
            body = count_tokens_body(estimate(call.request.body))
            return Said(answer=Answer(body=body, text=""), usage=Usage(), model=call.model)
        query, passages = dialect.question(cast(Top, call.top))
        said = await self.answer(call, query, (*call.request.context, *passages))
        if isinstance(said, Said):
            return replace(said, upstream_us=(perf_counter_ns() - began) // 1000)
        return said

    async def open(self, call: Call) -> Live | Abstained:
        """The complete answer as events."""
        said = await self.complete(call)
        return said if isinstance(said, Abstained) else LocalLive(DIALECTS[call.request.dialect], said)

    async def close(self) -> None:
        """Nothing to let go of."""


class LocalLive:
    """A complete answer, told in events."""

    def __init__(self, dialect: Dialect, said: Said) -> None:
        self._said, self._dialect = said, dialect

    async def events(self) -> AsyncIterator[bytes]:
        """The events, usage included."""
        for event in self._dialect.cut(self._said.answer.body, include_usage=True):
            yield event

    def said(self) -> Said:
        """The answer, which was complete from the beginning."""
        return self._said

    async def cancel(self) -> None:
        """Nothing goes on."""


def said_text(call: Call, text: str, *, usage: Usage, signals: tuple[tuple[str, float], ...] = ()) -> Said:
    """A text as an answer in the request's dialect."""
    request = call.request
    dialect = DIALECTS[request.dialect]
    prefix = "chatcmpl-" if dialect.name == "openai" else "msg_"
    body = dialect.compose(
        text, model=call.model, id=prefix + request.id.removeprefix("req_"),
        created=request.at_ns // 1_000_000_000, usage=usage,
    )  # fmt: skip
    return Said(answer=Answer(body=body, text=text), usage=usage, model=call.model, signals=signals)


def estimated_usage(query: str, passages: tuple[str, ...], text: str) -> Usage:
    """Usage of a text answer that nobody metered: query and passages in, text out, each estimated from its bytes."""
    asked = estimate(query) + sum(estimate(passage) for passage in passages)
    return Usage(input_tokens=asked, output_tokens=estimate(text), estimated=True)
