"""OpenAI's dialect: chat completions, embeddings, models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw, Struct

from surefoot.errors import BadAnswer, BadRequest
from surefoot.records import Attribution, Usage
from surefoot.wire import GO_ON, Parsed, Read, Top, openai_stream, passages
from surefoot.wire.fields import (
    ChoiceCount,
    Name,
    Ours,
    TokenCount,
    TokenLimit,
    body_of,
    explain,
    metered,
    strip,
    tag_event,
    top_of,
)
from surefoot.wire.sse import data_of, event_of

_FINISH = {
    "stop": "stop", "length": "length", "tool_calls": "tools", "function_call": "tools", "content_filter": "filter",
}  # fmt: skip
_ROLES = {"developer": "system", "function": "tool"}
_TYPES = {401: "invalid_request_error", 403: "permission_error", 429: "rate_limit_error"}
_CODES = {
    "budget_exceeded": ("insufficient_quota", "insufficient_quota")
}  # as the vendor says it: applications know it


class _Message(Struct):
    role: str


class _StreamOptions(Struct):
    include_usage: bool | None = None


class _Common(Struct):
    model: Name
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    metadata: dict[str, Any] | None = None
    tags: tuple[str, ...] | None = None
    surefoot: Ours | None = None


class _Chat(_Common, kw_only=True):
    messages: Annotated[list[_Message], Meta(min_length=1)]
    max_tokens: TokenLimit | None = None
    max_completion_tokens: TokenLimit | None = None
    n: ChoiceCount | None = None
    tools: list[Raw] | None = None
    functions: list[Raw] | None = None  # what tools were called first
    stream_options: _StreamOptions | None = None


class _Embeddings(_Common, kw_only=True):
    input: str | list[Raw]


class _Part(Struct):
    type: str = "text"
    text: str | None = None


class _Said(Struct):
    role: str
    content: str | list[_Part] | None = None


class _CachedDetails(Struct):
    cached_tokens: TokenCount | None = None
    cache_write_tokens: TokenCount | None = None


class _OutputDetails(Struct):
    reasoning_tokens: TokenCount | None = None


class _Usage(Struct):
    prompt_tokens: TokenCount | None = None
    completion_tokens: TokenCount | None = None
    prompt_tokens_details: _CachedDetails | None = None
    completion_tokens_details: _OutputDetails | None = None
    total_tokens: TokenCount | None = None


class _AnswerMessage(Struct):
    content: str | list[_Part] | None = None


class _Choice(Struct):
    message: _AnswerMessage
    finish_reason: str | None = None


class _Completion(Struct):
    choices: list[_Choice] | None = None
    data: list[Raw] | None = None
    model: str | None = None
    id: str | None = None
    usage: Raw = Raw(b"")


_USAGE = msgspec.json.Decoder(_Usage | None)
_CHAT = msgspec.json.Decoder(_Chat)
_EMBEDDINGS = msgspec.json.Decoder(_Embeddings)
_SAID = msgspec.json.Decoder(list[_Said])
_COMPLETION = msgspec.json.Decoder(_Completion)
_MESSAGES = msgspec.json.Decoder(list[Raw])
_OPTIONS = msgspec.json.Decoder(dict[str, Raw] | None)


class OpenAI:
    """The dialect; it has no state."""

    name = "openai"

    def parse(self, body: bytes, *, surface: str) -> Parsed:
        """Read a request. Raises BadRequest with the field at fault."""
        top = top_of(body)
        try:
            asked = _EMBEDDINGS.decode(body) if surface == "embeddings" else _CHAT.decode(body)
        except msgspec.ValidationError as error:
            raise explain(error) from error
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadRequest(f"the body cannot be read: {error}") from error
        ours = asked.surefoot or Ours()
        tags = strip(top, asked.tags or (), asked.metadata.get("tags") if asked.metadata else None)
        parsed = Parsed(
            model=asked.model,
            stream=bool(asked.stream),
            top=top,
            attribution=_attribution(asked, tags),
            context=ours.context,
            feature=ours.feature,
            wait=ours.wait or "",
            webhook=ours.webhook,
        )
        if isinstance(asked, _Embeddings):
            return parsed
        return msgspec.structs.replace(
            parsed,
            max_output_tokens=asked.max_completion_tokens or asked.max_tokens,
            choices=asked.n or 1,
            has_tools=bool(asked.tools or asked.functions),
            include_usage=bool(asked.stream_options and asked.stream_options.include_usage),
        )

    def question(self, top: Top) -> tuple[str, tuple[str, ...]]:
        """(the last user message's text, the passages of all messages)."""
        return passages.gather(self.texts(top))

    def texts(self, top: Top) -> list[tuple[str, str]]:
        """(role, text) of the messages, in order."""
        try:
            said = _SAID.decode(bytes(top.get("messages", b"[]")))
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadRequest(f"messages cannot be read: {error}", param="messages") from error
        return [(_ROLES.get(message.role, message.role), _text(message.content)) for message in said]

    def ask(self, query: str, passages_: Sequence[str], *, model: str, stream: bool = False) -> bytes:
        """A request body for a query over passages."""
        messages = [{"role": "user", "content": passages.write_query(query)}]
        if passages_:
            messages.insert(0, {"role": "system", "content": passages.write(passages_)})
        body: dict[str, object] = {"model": model, "messages": messages}
        if stream:
            body["stream"] = True
        return msgspec.json.encode(body)

    def with_passages(self, top: Top, found: Sequence[str]) -> Top:
        """A system message before the last one: what comes earlier, and may be cached by the provider, stays as it is."""
        messages = _MESSAGES.decode(bytes(top["messages"]))
        ours = msgspec.json.encode({"role": "system", "content": passages.write(found)})
        return {
            **top,
            "messages": Raw(b"[" + b",".join((*map(bytes, messages[:-1]), ours, bytes(messages[-1]))) + b"]"),
        }

    def continuing(self, top: Top, said: str) -> Top:
        """What was said as the assistant's last message, and the wish that it goes on from there."""
        messages = _MESSAGES.decode(bytes(top["messages"]))
        more = ({"role": "assistant", "content": said}, {"role": "user", "content": GO_ON})
        return {
            **top,
            "messages": Raw(b"[" + b",".join(map(bytes, (*messages, *map(msgspec.json.encode, more)))) + b"]"),
        }

    def upstream(self, top: Top, *, model: str, stream: bool) -> bytes:
        """The body for a provider."""
        fields: dict[str, bytes | Raw] = {**top, "model": msgspec.json.encode(model)}
        if stream:
            fields["stream"] = b"true"
            options = _OPTIONS.decode(bytes(top["stream_options"])) if "stream_options" in top else None
            fields["stream_options"] = body_of({**(options or {}), "include_usage": b"true"})
        else:
            fields.pop("stream_options", None)
            if "stream" in fields:
                fields["stream"] = b"false"
        return body_of(fields)

    def read(self, body: bytes) -> Read:
        """Read a complete answer. Raises BadAnswer."""
        try:
            answer = _COMPLETION.decode(body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise BadAnswer(f"not a chat completion: {error}") from error
        usage = _usage(metered(answer.usage, _USAGE))
        if answer.choices:
            first = answer.choices[0]
            finish = _FINISH.get(first.finish_reason or "", "other")
            text = _text(first.message.content)
            return Read(text=text, model=answer.model or "", finish=finish, usage=usage, id=answer.id or "")
        if answer.data is None:
            raise BadAnswer("neither choices nor data in the answer")
        return Read(text="", model=answer.model or "", finish="stop", usage=usage, id=answer.id or "")

    def compose(self, text: str, *, model: str, id: str, created: int, usage: Usage) -> bytes:
        """A complete chat completion around a text."""
        message: dict[str, object] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
        return msgspec.json.encode(
            {
                "id": id,
                "object": "chat.completion",
                "created": created,
                "model": model,
                "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
                "usage": usage_object(usage),
            }
        )

    def join(self, events: Sequence[bytes]) -> bytes:
        """The complete body of a stream. Raises BadAnswer when it is cut off or reports an error."""
        return openai_stream.join(events)

    def cut(self, body: bytes, *, include_usage: bool = False) -> tuple[bytes, ...]:
        """The chunks of a complete body, `[DONE]` included."""
        return openai_stream.cut(body, include_usage=include_usage)

    def is_last(self, event: bytes) -> bool:
        """Whether this is `[DONE]`."""
        return b"[DONE]" in event and data_of(event).strip() == b"[DONE]"

    def is_closing(self, event: bytes) -> bool:
        """Whether a finish reason is set, or this is the usage chunk or `[DONE]`."""
        # Inside a JSON text these quotes would be escaped, so that no text can look like the field.
        fields = event.count(b'"finish_reason"')
        unset = event.count(b'"finish_reason":null') + event.count(b'"finish_reason": null') if fields else 0
        if fields != unset and openai_stream.is_finished(event):
            return True
        return self.is_last(event) or self.is_usage_only(event)

    def is_usage_only(self, event: bytes) -> bool:
        """Whether this is the extra chunk without choices that carries the totals."""
        return b'"usage"' in event and b'"delta"' not in event and openai_stream.is_usage_only(event)

    def is_error(self, event: bytes) -> bool:
        """Whether this reports an error in mid-stream."""
        return b'"error"' in event and openai_stream.is_error(event)

    def tag(self, event: bytes, note: bytes) -> bytes:
        """A chunk with the note as its last field. Raises BadAnswer for what is no chunk."""
        return tag_event(event, note)

    def error(self, *, status: int, code: str, message: str, param: str | None = None, request_id: str = "") -> bytes:
        """An error body; `code` is always a string."""
        return msgspec.json.encode({"error": _error(status, code, message, param)})

    def error_event(self, *, status: int, code: str, message: str, request_id: str = "") -> bytes:
        """An error in mid-stream: a data frame with a top-level error."""
        return event_of({"error": _error(status, code, message, None)})

    def models(self, cards: Sequence[Mapping[str, object]]) -> bytes:
        """The list of models."""
        return msgspec.json.encode({"object": "list", "data": [_card(card) for card in cards]})

    def model(self, card: Mapping[str, object]) -> bytes:
        """One model."""
        return msgspec.json.encode(_card(card))


def _error(status: int, code: str, message: str, param: str | None) -> dict[str, object]:
    kind, code = _CODES.get(code, (_TYPES.get(status), code))
    if kind is None:
        kind = "server_error" if status >= 500 else "invalid_request_error"
    if status == 404 and param == "model":
        code = "model_not_found"
    return {"message": message, "type": kind, "param": param, "code": code}


def _card(card: Mapping[str, object]) -> dict[str, object]:
    return {"id": card["id"], "object": "model", "created": card["created"], "owned_by": card["owned_by"]}


def _attribution(asked: _Common, tags: tuple[str, ...]) -> Attribution:
    if not (asked.user or asked.safety_identifier or asked.metadata or tags):
        return Attribution()
    pairs = (asked.metadata or {}).items()
    properties = tuple(sorted((name, value) for name, value in pairs if isinstance(value, str)))
    return Attribution(end_user=asked.safety_identifier or asked.user or "", tags=tags, properties=properties)


def _text(content: str | list[_Part] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(part.text for part in content if part.text is not None)


def usage_object(usage: Usage) -> dict[str, object]:
    """Usage as this dialect writes it."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "audio_tokens": 0,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens, "audio_tokens": 0},
    }


def _usage(given: _Usage | None) -> Usage | None:
    """Ours; None when neither total was said. A part is never more than its whole: it would be billed below zero.

    Where the numbers contradict each other, none of what they name is left unpaid, and the usage counts as estimated: tokens of
    a greater total, or more reasoning than output, were generated too.
    """
    if given is None or (given.prompt_tokens is None and given.completion_tokens is None):
        return None
    sent, generated = given.prompt_tokens or 0, given.completion_tokens or 0
    details, output = given.prompt_tokens_details, given.completion_tokens_details
    read, reasoning = (details and details.cached_tokens) or 0, (output and output.reasoning_tokens) or 0
    written, total = (details and details.cache_write_tokens) or 0, given.total_tokens
    contradicts = read + written > sent or reasoning > generated or total not in (None, sent + generated)
    cached = min(read, sent)
    generated = max(generated, reasoning, (total or 0) - sent)
    return Usage(
        input_tokens=sent,
        cached_tokens=cached,
        cache_write_tokens=min(written, sent - cached),
        output_tokens=generated,
        reasoning_tokens=reasoning,
        estimated=contradicts,
    )


OPENAI = OpenAI()
