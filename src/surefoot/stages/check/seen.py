"""What a check looks at, and what it may find."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from surefoot.records import Draft, PricedCall, Signal, Span, Tried
from surefoot.wire import passages
from surefoot.wire.dialects import DIALECTS


class Findings(Struct, frozen=True, kw_only=True):
    """What one check found; nothing at all when it does not apply."""

    signals: tuple[Signal, ...] = ()
    spans: tuple[Span, ...] = ()
    priced: tuple[PricedCall, ...] = ()


NOTHING = Findings()


class Seen:
    """A draft with what it may rest on. Question and passages are read from the request once, when a check asks."""

    __slots__ = ("_sources", "draft", "tried")

    def __init__(self, tried: Tried, draft: Draft) -> None:
        self.tried, self.draft = tried, draft
        self._sources: tuple[str, tuple[str, ...]] | None = None

    @property
    def text(self) -> str:
        """The answer's text; "" for a tool call."""
        answer = self.tried.attempt.answer
        return answer.text if answer is not None else ""

    @property
    def others(self) -> tuple[str, ...]:
        """What the other models of the rung said, or the same one asked again."""
        return tuple(answer.text for answer in self.tried.attempt.others)

    @property
    def question(self) -> str:
        """The last user message, without its passages."""
        return self._read()[0]

    @property
    def passages(self) -> tuple[str, ...]:
        """Everything the answer may rest on: blocks, tool results, system text, `surefoot.context`, the handbook."""
        return self._read()[1]

    @property
    def sent(self) -> tuple[str, ...]:
        """The same as the model saw them, where they were shortened."""
        ask = self.tried.ask
        request = ask.request
        _, found = passages.sources(DIALECTS[request.dialect].texts(request.top if ask.top is None else ask.top))
        return (*found, *request.context, *(ask.passages if ask.sent is None else ask.sent))

    def _read(self) -> tuple[str, tuple[str, ...]]:
        if self._sources is None:
            request = self.tried.ask.request
            question, found = passages.sources(DIALECTS[request.dialect].texts(request.top))
            self._sources = question, (*found, *request.context, *self.tried.ask.passages)
        return self._sources


class Check(Protocol):
    """Looks at a draft without waiting for anything."""

    def __call__(self, seen: Seen, /) -> Findings:
        """What is seen of it, signals in a fixed order."""


class Asking(Protocol):
    """A check that waits for somebody else: a judge, a gate. All of them run side by side."""

    async def __call__(self, seen: Seen, /) -> Findings:
        """What they say; a signal of None when they do not say anything in time."""
