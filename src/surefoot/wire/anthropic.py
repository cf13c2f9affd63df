"""Anthropic's dialect: messages, token counts, models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from surefoot.errors import BadAnswer, BadRequest
from surefoot.records import Attribution, Usage
from surefoot.wire import Parsed, Read, Top, anthropic_stream, passages
from surefoot.wire.fields import body_of, explain, tag_body, top_of
from surefoot.wire.sse import data_of, event_of

_FINISH = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
    "tool_use": "tools", "refusal": "filter",
}  # fmt: skip
_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 408: "timeout_error", 413: "request_too_large", 429: "rate_limit_error", 504: "timeout_error",
    529: "overloaded_error",
}  # fmt: skip

Positive = Annotated[int, Meta(ge=1)]


class _Ours(Struct, forbid_unknown_fields=True):
    context: tuple[str, ...] = ()
    feature: str = ""


class _Message(Struct):
    role: str


class _Metadata(Struct):
    user_id: str | None = None


class _Count(Struct, kw_only=True):
    model: str
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool | None = None
    tools: list[Raw] | None = None
    metadata: _Metadata | None = None
    tags: tuple[str, ...] | None = None
    surefoot: _Ours | None = None


class _Messages(_Count, kw_only=True):
    max_tokens: Positive


class _Block(Struct):
    type: str = "text"
    text: str | None = None
    content: Any = None


class _Said(Struct):
    role: str
    content: str | list[_Block]


class _Usage(Struct):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None


class _Answer(Struct):
    content: list[_Block] | None = None
    model: str = ""
    id: str = ""
    stop_reason: str | None = None
    usage: _Usage | None = None
    input_tokens: int | None = None  # of a token count


_MESSAGES = msgspec.json.Decoder(_Messages)
_COUNT = msgspec.json.Decoder(_Count)
_SAID = msgspec.json.Decoder(list[_Said])
_SYSTEM = msgspec.json.Decoder(str | list[_Block])
_ANSWER = msgspec.json.Decoder(_Answer)


class Anthropic:
    """The dialect; it has no state."""

    name = "anthropic"

    def parse(self, body: bytes, *, surface: str) -> Parsed:
        """Read a request. Raises BadRequest with the field at fault."""
        top = top_of(body)
        try:
            asked = _COUNT.decode(body) if surface == "count_tokens" else _MESSAGES.decode(body)
        except msgspec.ValidationError as error:
            raise explain(error) from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadRequest(f"the body cannot be read: {error}") from error
        ours = asked.surefoot or _Ours()
        top.pop("surefoot", None)
        top.pop("tags", None)
        user = asked.metadata.user_id if asked.metadata else None
        return Parsed(
            model=asked.model,
            stream=bool(asked.stream),
            top=top,
            max_output_tokens=asked.max_tokens if isinstance(asked, _Messages) else None,
            has_tools=bool(asked.tools),
            include_usage=True,
            attribution=Attribution(end_user=user or "", tags=asked.tags or ()),
            context=ours.context,
            feature=ours.feature,
        )

    def question(self, top: Top) -> tuple[str, tuple[str, ...]]:
        """(the last user message's text, the passages of system and messages)."""
        try:
            system = _SYSTEM.decode(bytes(top["system"])) if "system" in top else ""
            said = _SAID.decode(bytes(top.get("messages", b"[]")))
        except msgspec.DecodeError as error:
            raise BadRequest(f"messages cannot be read: {error}", param="messages") from error
        texts = [("system", _text(system)), *((message.role, _text(message.content)) for message in said)]
        return passages.gather(texts)

    def ask(self, query: str, passages_: Sequence[str], *, model: str, stream: bool = False) -> bytes:
        """A request body for a query over passages."""
        body: dict[str, object] = {
            "model": model,
            "max_tokens": 1024,
            "messages": [{"role": "user", "content": query}],
        }
        if passages_:
            body["system"] = passages.write(passages_)
        if stream:
            body["stream"] = True
        return msgspec.json.encode(body)

    def upstream(self, top: Top, *, model: str, stream: bool) -> bytes:
        """The body for a provider."""
        fields: dict[str, bytes | Raw] = {**top, "model": msgspec.json.encode(model)}
        if stream:
            fields["stream"] = b"true"
        elif "stream" in fields:
            fields["stream"] = b"false"
        return body_of(fields)

    def read(self, body: bytes) -> Read:
        """Read a complete answer or a token count. Raises BadAnswer."""
        try:
            answer = _ANSWER.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadAnswer(f"not a message: {error}") from error
        if answer.content is None:
            if answer.input_tokens is None:
                raise BadAnswer("neither content nor a token count in the answer")
            return Read(text="", model=answer.model, finish="stop", usage=Usage())
        return Read(
            text=_text(answer.content),
            model=answer.model,
            finish=_FINISH.get(answer.stop_reason or "", "other"),
            usage=_usage(answer.usage) if answer.usage else None,
            id=answer.id,
        )

    def compose(self, text: str, *, model: str, id: str, created: int, usage: Usage) -> bytes:
        """A complete message around a text."""
        return msgspec.json.encode(
            {
                "id": id,
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [{"type": "text", "text": text, "citations": None}],
                "stop_reason": "end_turn",
                "stop_sequence": None,
                "usage": {
                    "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
                    "cache_creation_input_tokens": usage.cache_write_tokens,
                    "cache_read_input_tokens": usage.cached_tokens,
                    "output_tokens": usage.output_tokens,
                },
            }
        )

    def join(self, events: Sequence[bytes]) -> bytes:
        """The complete body of a stream. Raises BadAnswer when it is cut off or reports an error."""
        return anthropic_stream.join(events)

    def cut(self, body: bytes, *, include_usage: bool = False) -> tuple[bytes, ...]:
        """The events of a complete body; usage is always part of them."""
        return anthropic_stream.cut(body)

    def is_last(self, event: bytes) -> bool:
        """Whether this is `message_stop`."""
        return event.startswith(b"event: message_stop") or _type_is(event, b"message_stop")

    def is_closing(self, event: bytes) -> bool:
        """Whether this is `message_delta` or `message_stop`."""
        return event.startswith((b"event: message_delta", b"event: message_stop")) or (
            not event.startswith(b"event:") and (_type_is(event, b"message_delta") or _type_is(event, b"message_stop"))
        )

    def is_usage_only(self, event: bytes) -> bool:
        """Never: this dialect has no such event."""
        return False

    def is_error(self, event: bytes) -> bool:
        """Whether this is an `error` event."""
        return event.startswith(b"event: error") or (not event.startswith(b"event:") and _type_is(event, b"error"))

    def tag(self, event: bytes, note: bytes) -> bytes:
        """An event with the note as its last field; in `message_start` it goes into the message, which the SDK keeps."""
        if not (event.startswith(b"event: message_start") or _type_is(event, b"message_start")):
            return tag_body(event, note)
        top = top_of(data_of(event))
        if "message" in top:
            top["message"] = Raw(tag_body(bytes(top["message"]), note))
        return b"event: message_start\ndata: " + body_of(top) + b"\n\n"

    def error(self, *, status: int, code: str, message: str, param: str | None = None, request_id: str = "") -> bytes:
        """An error body."""
        return msgspec.json.encode(_error(status, message, param, request_id))

    def error_event(self, *, status: int, code: str, message: str, request_id: str = "") -> bytes:
        """An error in mid-stream."""
        return event_of(_error(status, message, None, request_id), name="error")

    def models(self, cards: Sequence[Mapping[str, object]]) -> bytes:
        """The list of models."""
        data = [_card(card) for card in cards]
        return msgspec.json.encode(
            {
                "data": data,
                "has_more": False,
                "first_id": data[0]["id"] if data else None,
                "last_id": data[-1]["id"] if data else None,
            }
        )

    def model(self, card: Mapping[str, object]) -> bytes:
        """One model."""
        return msgspec.json.encode(_card(card))


def count_tokens_body(input_tokens: int) -> bytes:
    """The answer to a token count."""
    return msgspec.json.encode({"input_tokens": input_tokens})


def _type_is(event: bytes, kind: bytes) -> bool:
    """Whether the payload's own type says so, for servers that leave out the event line; text is escaped, so cannot."""
    data = data_of(event)
    if b'"' + kind + b'"' not in data:
        return False
    try:
        return msgspec.json.decode(data, type=_Typed).type == kind.decode()
    except msgspec.DecodeError:
        return False


class _Typed(Struct):
    type: str = ""


def _error(status: int, message: str, param: str | None, request_id: str) -> dict[str, object]:
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    text = f"{param}: {message}" if param and param not in message else message
    return {"type": "error", "error": {"type": kind, "message": text}, "request_id": request_id or None}


def _card(card: Mapping[str, object]) -> dict[str, object]:
    created = datetime.fromtimestamp(int(str(card["created"])), UTC)
    return {
        "type": "model",
        "id": card["id"],
        "display_name": card.get("display_name") or card["id"],
        "created_at": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _text(content: str | list[_Block]) -> str:
    """The text of a message: plain, of its text blocks, and of what tools returned."""
    if isinstance(content, str):
        return content
    return "\n".join(text for block in content if (text := _block_text(block)) is not None)


def _block_text(block: _Block) -> str | None:
    if block.text is not None:
        return block.text
    if block.type != "tool_result":
        return None
    if isinstance(block.content, str):
        return block.content
    parts = block.content if isinstance(block.content, list) else []
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _usage(given: _Usage) -> Usage:
    """Ours counts everything sent as input; theirs leaves cached tokens out."""
    written, read = given.cache_creation_input_tokens or 0, given.cache_read_input_tokens or 0
    return Usage(
        input_tokens=(given.input_tokens or 0) + written + read,
        cached_tokens=read,
        cache_write_tokens=written,
        output_tokens=given.output_tokens or 0,
    )


ANTHROPIC = Anthropic()
