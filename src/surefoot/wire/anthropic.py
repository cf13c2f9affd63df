"""Anthropic's dialect: messages, token counts, models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from surefoot.errors import BadAnswer, BadRequest
from surefoot.records import Attribution, Usage
from surefoot.wire import GO_ON, Parsed, Read, Top, anthropic_stream, passages
from surefoot.wire.fields import Name, Ours, TokenCount, TokenLimit, body_of, explain, metered, strip, tag_event, top_of
from surefoot.wire.sse import data_of, event_of

_FINISH = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "model_context_window_exceeded": "length",
    "tool_use": "tools", "refusal": "filter",
}  # fmt: skip
_TYPES = {
    400: "invalid_request_error", 401: "authentication_error", 402: "billing_error", 403: "permission_error",
    404: "not_found_error", 408: "timeout_error", 409: "conflict_error", 413: "request_too_large",
    429: "rate_limit_error", 504: "timeout_error", 529: "overloaded_error",
}  # fmt: skip


class _Message(Struct):
    role: str


class _Metadata(Struct):
    user_id: str | None = None
    tags: Any = None  # LiteLLM's


class _Count(Struct, kw_only=True):
    model: Name
    messages: Annotated[list[_Message], Meta(min_length=1)]
    stream: bool | None = None
    tools: list[Raw] | None = None
    metadata: _Metadata | None = None
    tags: tuple[str, ...] | None = None
    surefoot: Ours | None = None


class _Messages(_Count, kw_only=True):
    max_tokens: TokenLimit


class _Block(Struct):
    type: str = "text"
    text: str | None = None
    content: Any = None


class _Said(Struct):
    role: str
    content: str | list[_Block]


class _OutputDetails(Struct):
    thinking_tokens: TokenCount | None = None


class _Usage(Struct):
    input_tokens: TokenCount | None = None
    output_tokens: TokenCount | None = None
    cache_creation_input_tokens: TokenCount | None = None
    cache_read_input_tokens: TokenCount | None = None
    output_tokens_details: _OutputDetails | None = None


class _Written(Struct):
    type: str
    text: str | None = None


class _Answer(Struct):
    content: list[_Written] | None = None
    model: str | None = None
    id: str | None = None
    stop_reason: str | None = None
    usage: Raw = Raw(b"")
    input_tokens: int | None = None  # of a token count


_USAGE = msgspec.json.Decoder(_Usage | None)


class _Typed(Struct):
    type: str = ""


_MESSAGES = msgspec.json.Decoder(_Messages)
_COUNT = msgspec.json.Decoder(_Count)
_SAID = msgspec.json.Decoder(list[_Said])
_RAWS = msgspec.json.Decoder(list[Raw])
_SYSTEM = msgspec.json.Decoder(str | list[_Block])
_ANSWER = msgspec.json.Decoder(_Answer)
_TYPED = msgspec.json.Decoder(_Typed)
_START, _STOP, _ERROR = frozenset({b"message_start"}), frozenset({b"message_stop"}), frozenset({b"error"})
_CLOSING = _STOP | {b"message_delta"}


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
        ours, metadata = asked.surefoot or Ours(), asked.metadata or _Metadata()
        tags = strip(top, asked.tags or (), metadata.tags)
        return Parsed(
            model=asked.model,
            stream=bool(asked.stream),
            top=top,
            max_output_tokens=asked.max_tokens if isinstance(asked, _Messages) else None,
            has_tools=bool(asked.tools),
            include_usage=True,
            attribution=Attribution(end_user=metadata.user_id or "", tags=tags),
            context=ours.context,
            feature=ours.feature,
            wait=ours.wait or "",
            webhook=ours.webhook,
        )

    def question(self, top: Top) -> tuple[str, tuple[str, ...]]:
        """(the last user message's text, the passages of system and messages)."""
        return passages.gather(self.texts(top))

    def texts(self, top: Top) -> list[tuple[str, str]]:
        """(role, text) of system and messages, in order."""
        try:
            system = _SYSTEM.decode(bytes(top["system"])) if "system" in top else ""
            said = _SAID.decode(bytes(top.get("messages", b"[]")))
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadRequest(f"messages cannot be read: {error}", param="messages") from error
        return [("system", _text(system)), *(text for message in said for text in _texts(message))]

    def ask(self, query: str, passages_: Sequence[str], *, model: str, stream: bool = False) -> bytes:
        """A request body for a query over passages."""
        body: dict[str, object] = {
            "model": model,
            "max_tokens": 1024,
            "messages": [{"role": "user", "content": passages.write_query(query)}],
        }
        if passages_:
            body["system"] = passages.write(passages_)
        if stream:
            body["stream"] = True
        return msgspec.json.encode(body)

    def with_passages(self, top: Top, found: Sequence[str]) -> Top:
        """A text block at the end of the system prompt: its beginning, which may be cached by the provider, stays as it is."""
        block = {"type": "text", "text": passages.write(found)}
        given = bytes(top.get("system", b'""'))
        if given.lstrip()[:1] == b"[":
            blocks = (*map(bytes, _RAWS.decode(given)), msgspec.json.encode(block))
            return {**top, "system": Raw(b"[" + b",".join(blocks) + b"]")}
        written = msgspec.json.decode(given, type=str)
        text = f"{written}\n\n{block['text']}" if written else block["text"]
        return {**top, "system": Raw(msgspec.json.encode(text))}

    def continuing(self, top: Top, said: str) -> Top:
        """What was said as the assistant's last message, and the wish that it goes on from there.

        A last message of the assistant alone would do for older models; newer ones refuse it, and white space at its end.
        """
        messages = _RAWS.decode(bytes(top["messages"]))
        more = ({"role": "assistant", "content": said.rstrip()}, {"role": "user", "content": GO_ON})
        return {
            **top,
            "messages": Raw(b"[" + b",".join(map(bytes, (*messages, *map(msgspec.json.encode, more)))) + b"]"),
        }

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
            return Read(text="", model=answer.model or "", finish="stop", usage=Usage())
        return Read(
            text=_answered(answer.content),
            model=answer.model or "",
            finish=_FINISH.get(answer.stop_reason or "", "other"),
            usage=_usage(metered(answer.usage, _USAGE)),
            id=answer.id or "",
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
                "usage": usage_object(usage),
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
        return _is(event, _STOP)

    def is_closing(self, event: bytes) -> bool:
        """Whether this is `message_delta` or `message_stop`."""
        return _is(event, _CLOSING)

    def is_usage_only(self, event: bytes) -> bool:
        """Never: this dialect has no such event."""
        return False

    def is_error(self, event: bytes) -> bool:
        """Whether this is an `error` event."""
        return _is(event, _ERROR)

    def tag(self, event: bytes, note: bytes) -> bytes:
        """An event with the note as its last field; in `message_start` it goes into the message, which the SDK keeps.

        Raises: BadAnswer for what is no such event.
        """
        return tag_event(event, note, inside="message" if _is(event, _START) else "")

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


def _is(event: bytes, kinds: frozenset[bytes]) -> bool:
    """Whether an event is of one of these kinds: by its name, by its payload's own type where a server leaves that out."""
    if event.startswith(b"event:"):
        return event[6 : event.find(b"\n")].strip() in kinds
    if not any(b'"' + kind + b'"' in event for kind in kinds):  # in a text these quotes would be escaped
        return False
    try:
        return _TYPED.decode(data_of(event)).type.encode() in kinds
    except (msgspec.DecodeError, RecursionError):
        return False


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
        "lifecycle": "active",
    }


def _text(content: str | list[_Block]) -> str:
    """What was written: the plain text, or its text blocks in lines."""
    if isinstance(content, str):
        return content
    return "\n".join(block.text for block in content if block.text is not None)


def _texts(message: _Said) -> Iterator[tuple[str, str]]:
    """(role, text) of a message; what tools returned is a "tool"'s and no user's, though it comes in a user message."""
    blocks = [] if isinstance(message.content, str) else message.content
    returned = [block for block in blocks if block.type == "tool_result"]
    for block in returned:
        parts = block.content if isinstance(block.content, list) else [{"text": block.content}]
        texts = (part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
        yield "tool", "\n".join(texts)
    text = _text(message.content)
    if text or not returned:
        yield message.role, text


def _answered(blocks: list[_Written]) -> str:
    """An answer's text. Texts side by side are one text, parted for citations only; other blocks between them part lines."""
    texts: list[str] = []
    together = False
    for block in blocks:
        if block.type == "text" and block.text is not None:
            if together:
                texts[-1] += block.text
            else:
                texts.append(block.text)
        together = block.type == "text"
    return "\n".join(texts)


def usage_object(usage: Usage) -> dict[str, object]:
    """Usage as this dialect writes it: cached tokens beside the input, not in it."""
    details = {"output_tokens_details": {"thinking_tokens": usage.reasoning_tokens}} if usage.reasoning_tokens else {}
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        **details,
    }


def _usage(given: _Usage | None) -> Usage | None:
    """Ours counts everything sent as input; theirs leaves cached tokens out. None when neither total was said.

    More thinking than output contradicts itself: all of it was generated, and the usage counts as estimated.
    """
    if given is None or (given.input_tokens is None and given.output_tokens is None):
        return None
    written, read = given.cache_creation_input_tokens or 0, given.cache_read_input_tokens or 0
    generated, details = given.output_tokens or 0, given.output_tokens_details
    thinking = (details and details.thinking_tokens) or 0
    return Usage(
        input_tokens=(given.input_tokens or 0) + written + read,
        cached_tokens=read,
        cache_write_tokens=written,
        output_tokens=max(generated, thinking),
        reasoning_tokens=thinking,
        estimated=thinking > generated,
    )


ANTHROPIC = Anthropic()
