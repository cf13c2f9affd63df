"""An answer that is said sentence by sentence: what a vendor's event adds, and the events that we make ourselves.

A streamed answer may come from several models, one after the other. So its frame is ours: one beginning, pieces of text, one
end, in the dialect's legal form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from surefoot.records import Usage
from surefoot.wire import anthropic, openai
from surefoot.wire.sse import COMMENT, data_of, event_of

_DONE = b"data: [DONE]\n\n"
_OPENAI_ENDS = {"stop": "stop", "length": "length", "filter": "content_filter"}
_ANTHROPIC_ENDS = {"stop": "end_turn", "length": "max_tokens", "filter": "refusal"}


class Speech(Protocol):
    """One answer, said by us."""

    def begin(self, note: bytes) -> tuple[bytes, ...]:
        """What stands before the first word; the note (JSON) tells that nothing is decided yet."""

    def say(self, text: str) -> bytes:
        """One piece of the text."""

    def alive(self) -> bytes:
        """What says that the answer is still to come: clients leave it out, time-outs begin anew."""

    def end(self, note: bytes, *, finish: str, usage: Usage, include_usage: bool) -> tuple[bytes, ...]:
        """What ends it, with the note in the first event that announces the end."""


class OpenAISpeech(Struct, frozen=True, kw_only=True):
    """Chunks of a chat completion."""

    model: str
    id: str
    created: int

    def begin(self, note: bytes) -> tuple[bytes, ...]:
        """The chunk with the role."""
        return (openai.OPENAI.tag(self._chunk({"role": "assistant", "content": ""}), note),)

    def say(self, text: str) -> bytes:
        """A chunk of content."""
        return self._chunk({"content": text})

    def alive(self) -> bytes:
        """A comment: the protocol's own way, which no client hands on."""
        return COMMENT

    def end(self, note: bytes, *, finish: str, usage: Usage, include_usage: bool) -> tuple[bytes, ...]:
        """The finish reason, totals for those who asked for them, `[DONE]`."""
        events = [openai.OPENAI.tag(self._chunk({}, finish=_OPENAI_ENDS.get(finish, "stop")), note)]
        if include_usage:
            events.append(event_of({**self._head(), "choices": [], "usage": openai.usage_object(usage)}))
        return (*events, _DONE)

    def _head(self) -> dict[str, Any]:
        return {"id": self.id, "object": "chat.completion.chunk", "created": self.created, "model": self.model}

    def _chunk(self, delta: Mapping[str, object], finish: str | None = None) -> bytes:
        return event_of({**self._head(), "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


class AnthropicSpeech(Struct, frozen=True, kw_only=True):
    """Events of a message with one block of text."""

    model: str
    id: str
    created: int

    def begin(self, note: bytes) -> tuple[bytes, ...]:
        """message_start with the note, and the block opened."""
        message: dict[str, Any] = {
            "id": self.id, "type": "message", "role": "assistant", "model": self.model, "content": [],
            "stop_reason": None, "stop_sequence": None, "usage": anthropic.usage_object(Usage()),
        }  # fmt: skip
        block = {"type": "text", "text": ""}
        return (
            anthropic.ANTHROPIC.tag(_named({"type": "message_start", "message": message}), note),
            _named({"type": "content_block_start", "index": 0, "content_block": block}),
        )

    def say(self, text: str) -> bytes:
        """A text_delta."""
        return _named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})

    def alive(self) -> bytes:
        """A `ping`, which may stand anywhere."""
        return _named({"type": "ping"})

    def end(self, note: bytes, *, finish: str, usage: Usage, include_usage: bool) -> tuple[bytes, ...]:
        """The block closed, message_delta with the note and the totals, message_stop."""
        delta = {"stop_reason": _ANTHROPIC_ENDS.get(finish, "end_turn"), "stop_sequence": None}
        ended = {"type": "message_delta", "delta": delta, "usage": anthropic.usage_object(usage)}
        return (
            _named({"type": "content_block_stop", "index": 0}),
            anthropic.ANTHROPIC.tag(_named(ended), note),
            _named({"type": "message_stop"}),
        )


def speech(dialect: str, *, model: str, id: str, created: int) -> Speech:
    """The speech of a dialect."""
    kind = AnthropicSpeech if dialect == "anthropic" else OpenAISpeech
    return kind(model=model, id=id, created=created)


def added(dialect: str, event: bytes) -> str | None:
    """The text that an event of a vendor adds, "" for one that adds none; None for what is no text (a tool, a thought)."""
    return _added_anthropic(event) if dialect == "anthropic" else _added_openai(event)


class _Delta(Struct):
    content: str | None = None
    tool_calls: list[Any] | None = None
    function_call: Any = None
    refusal: str | None = None


class _Choice(Struct):
    delta: _Delta | None = None
    index: int = 0


class _Chunk(Struct):
    choices: list[_Choice] | None = None


class _Piece(Struct):
    type: str = ""
    text: str = ""


class _Event(Struct):
    type: str = ""
    delta: _Piece | None = None
    content_block: _Piece | None = None


_CHUNK, _EVENT = msgspec.json.Decoder(_Chunk), msgspec.json.Decoder(_Event)


def _added_openai(event: bytes) -> str | None:
    data = data_of(event)
    if data.strip() == b"[DONE]":
        return ""
    try:
        chunk = _CHUNK.decode(data)
    except msgspec.DecodeError:  # not as we know it: whatever it adds is not judged sentence by sentence
        return None
    text = ""
    for choice in chunk.choices or ():
        delta = choice.delta or _Delta()
        if choice.index or delta.tool_calls or delta.function_call or delta.refusal:
            return None
        text += delta.content or ""
    return text


def _added_anthropic(event: bytes) -> str | None:
    try:
        said = _EVENT.decode(data_of(event))
    except msgspec.DecodeError:
        return None
    if said.type == "content_block_start":
        return said.content_block.text if said.content_block and said.content_block.type == "text" else None
    if said.type == "content_block_delta":
        return said.delta.text if said.delta and said.delta.type == "text_delta" else None
    return ""


def _named(payload: dict[str, Any]) -> bytes:
    return event_of(payload, name=str(payload["type"]))
