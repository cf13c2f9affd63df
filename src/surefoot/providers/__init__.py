"""The vendors: who can be asked, at what price. `extractive`, `recorded` and `simulated` are providers like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

from msgspec import Struct

from surefoot.records import Answer, Request, Usage


class Call(Struct, frozen=True, kw_only=True):
    """One question to one model of one provider."""

    request: Request
    model: str  # the upstream's own name
    top: object  # wire.Top of the request body, parsed once
    stream: bool = False  # whether the provider shall stream; the answer is complete all the same


class Said(Struct, frozen=True, kw_only=True):
    """What a provider answered."""

    answer: Answer
    usage: Usage
    model: str
    finish: str = "stop"
    signals: tuple[tuple[str, float], ...] = ()
    attempts: int = 1
    lost_tokens: int = 0  # estimated, of the prompts of earlier tries that fell silent: they may be billed
    upstream_us: int = 0
    upstream_id: str = ""
    simulated: bool = False


class Abstained(Struct, frozen=True, kw_only=True):
    """A provider that knows that it does not know (or, `kind` "unavailable", that has nothing for this request)."""

    reason: str
    kind: str = "abstained"  # "abstained" | "unavailable"
    usage: Usage = Usage()


class Live(Protocol):
    """An answer that is being streamed. Its first event has arrived when `open` returns it."""

    def events(self) -> AsyncIterator[bytes]:
        """Raw events, each ending in a blank line, the last one included. Raises ProviderError when the stream breaks."""

    def said(self) -> Said:
        """What was said so far; complete once `events` is exhausted, with estimated usage when it was broken off."""

    async def cancel(self) -> None:
        """Stop the provider: the client left."""


class Provider(Protocol):
    """Two verbs: the whole answer, or the answer as it comes."""

    name: str
    kind: str  # "openai" | "anthropic" | "extractive" | "recorded" | "simulated"
    simulated: bool
    dialects: frozenset[str]  # those it can be asked in without crossing
    tries: int  # how often it asks at most for one call

    async def complete(self, call: Call) -> Said | Abstained:
        """The complete answer. Raises ProviderError after its retries."""

    async def open(self, call: Call) -> Live | Abstained:
        """A streamed answer whose first event has arrived. Raises ProviderError after its retries."""

    async def close(self) -> None:
        """Let go of connections."""
