"""OpenAI's streams: chunks joined into one completion, a completion cut into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from surefoot.errors import BadAnswer
from surefoot.wire.shapes import Json, merge, object_in, objects_in, place_in
from surefoot.wire.sse import data_of, event_of, object_of

_DONE = b"data: [DONE]\n\n"
_PADDING = "obfuscation"  # random letters against guessing texts from the lengths of events
_STATUSES = {
    "invalid_request_error": 400, "authentication_error": 401, "insufficient_quota": 429, "rate_limit_error": 429,
    "rate_limit_exceeded": 429, "tokens": 429, "requests": 429, "server_error": 500, "api_error": 500,
    "overloaded_error": 529,
}  # fmt: skip


class _Finish(Struct):
    finish_reason: str | None = None


class _Head(Struct):
    choices: list[_Finish] | None = None
    usage: Any = None
    error: Any = None


_HEAD = msgspec.json.Decoder(_Head)


def is_finished(event: bytes) -> bool:
    """Whether a choice of the chunk has its finish reason."""
    head = _head(event)
    return head is not None and any(choice.finish_reason for choice in head.choices or ())


def is_usage_only(event: bytes) -> bool:
    """Whether a chunk has no choices and carries the totals."""
    head = _head(event)
    return head is not None and head.choices == [] and head.usage is not None


def is_error(event: bytes) -> bool:
    """Whether this is an error frame."""
    head = _head(event)
    return head is not None and head.error is not None


def _head(event: bytes) -> _Head | None:
    """What an event is known by; None when it is no chunk."""
    try:
        return _HEAD.decode(data_of(event))
    except (msgspec.DecodeError, RecursionError):
        return None


def join(events: Sequence[bytes]) -> bytes:
    """The completion that the chunks amount to. Raises BadAnswer when it is cut off, garbage, or reports an error."""
    try:
        return msgspec.json.encode(_joined(events))
    except RecursionError as error:
        raise BadAnswer("the stream is nested too deeply") from error


def _joined(events: Sequence[bytes]) -> Json:
    whole: Json = {}
    choices: dict[int, Json] = {}
    done = False
    for event in events:
        data = data_of(event).strip()
        done = done or data == b"[DONE]"
        if not data or done:
            continue
        chunk: Json = object_of(event)
        if chunk.get("error") is not None:
            raise _failure(chunk["error"], data)
        for name, value in chunk.items():
            if name not in ("choices", _PADDING) and (value is not None or name not in whole):
                whole[name] = value
        for choice in objects_in(chunk, "choices"):
            _add_choice(choices.setdefault(place_in(choice), {"message": {}}), choice)
    if not done or not choices or not all(choice.get("finish_reason") for choice in choices.values()):
        raise BadAnswer("the stream ended before its end")
    finished = [_finished(index, choices[index]) for index in sorted(choices)]
    return {**whole, "object": "chat.completion", "choices": finished}


def _failure(error: Any, data: bytes) -> BadAnswer:
    """An error frame as an error of ours, with the status where it says one."""
    if not isinstance(error, dict):
        return BadAnswer(str(error), body=data[:4096])
    said = [error.get(name) for name in ("status", "code", "type")]
    numbers = [
        int(each) for each in said if isinstance(each, int | str) and str(each).isdecimal() and len(str(each)) == 3
    ]
    named = [_STATUSES[each] for each in said if isinstance(each, str) and each in _STATUSES]
    status = next((number for number in (*numbers, *named) if 400 <= number < 600), None)
    return BadAnswer(str(error.get("message") or "the stream failed"), status=status, body=data[:4096])


def _finished(index: int, choice: Json) -> Json:
    message = choice["message"]
    if isinstance(calls := message.get("tool_calls"), dict):
        message["tool_calls"] = [calls[place] for place in sorted(calls)]
    message.setdefault("role", "assistant")
    message.setdefault("content", None)
    return {"index": index, **choice}


def _add_choice(whole: Json, choice: Json) -> None:
    for name, value in choice.items():
        if name == "delta":
            _add_delta(whole["message"], object_in(choice, "delta"))
        elif name == "logprobs":
            merge(whole, name, value)
        elif name not in ("index", "message") and (value is not None or name not in whole):
            whole[name] = value


def _add_delta(message: Json, delta: Json) -> None:
    for name, value in delta.items():
        if name == "tool_calls" and value is not None:
            if not isinstance(message.get("tool_calls"), dict):
                message["tool_calls"] = {}  # by place, until the message is finished
            for part in objects_in(delta, "tool_calls"):
                _add_call(message["tool_calls"], part)
        else:
            merge(message, name, value)


def _add_call(calls: dict[int, Json], part: Json) -> None:
    """A piece of a tool call, by its index. Some servers leave that out: then a new id opens a new call."""
    if "index" in part:
        place = place_in(part)
    else:
        place = max(calls, default=0)
        if part.get("id") and calls.get(place, part).get("id") != part["id"]:
            place += 1
    call = calls.setdefault(place, {})
    for name, value in part.items():
        if name != "index":
            merge(call, name, value)


def cut(body: bytes, *, include_usage: bool) -> tuple[bytes, ...]:
    """The chunks of a completion: role, content or tool calls, finish, totals if asked for, `[DONE]`.

    Raises: BadAnswer when it is none.
    """
    try:
        whole: Json = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer(f"not a chat completion: {error}") from error
    if "choices" not in whole:
        raise BadAnswer("not a chat completion: it has no choices")
    usage = whole.get("usage")
    shared = {name: value for name, value in whole.items() if name not in ("choices", "usage", "object", "surefoot")}
    unspent = {"usage": None} if include_usage and "usage" in whole else {}
    head = {"object": "chat.completion.chunk", **shared, **unspent}
    events: list[bytes] = []
    for choice in objects_in(whole, "choices"):
        events += [event_of({**head, "choices": [part]}) for part in _parts(choice)]
    if include_usage and usage is not None:
        events.append(event_of({**head, "choices": [], "usage": usage}))
    return (*events, _DONE)


def _parts(choice: Json) -> list[Json]:
    message, index = dict(object_in(choice, "message")), place_in(choice)
    rest = {name: value for name, value in choice.items() if name not in ("message", "index", "finish_reason")}
    unsaid = {"logprobs": None} if "logprobs" in rest else {}
    logprobs = rest.pop("logprobs", None)
    calls, content = objects_in(message, "tool_calls"), message.pop("content", None)
    if calls:
        message.pop("tool_calls")
    first = {"role": message.pop("role", "assistant"), "content": None if content is None else ""}
    deltas: list[Json] = [{**first, **message}]
    if content is not None:
        deltas.append({"content": content})
    for place, call in enumerate(calls):
        deltas += _call_deltas(place, call)
    parts: list[Json] = [{"index": index, "delta": delta, **unsaid, "finish_reason": None} for delta in deltas]
    if logprobs is not None:
        parts[min(1, len(parts) - 1)]["logprobs"] = logprobs
    parts.append({"index": index, "delta": {}, **rest, **unsaid, "finish_reason": choice.get("finish_reason")})
    return parts


def _call_deltas(place: int, call: Json) -> list[Json]:
    """A tool call in two pieces, as the vendor does: who is called, then the arguments."""
    kind = "custom" if "custom" in call else "function"
    inner = dict(object_in(call, kind))
    field = "input" if kind == "custom" else "arguments"
    text = inner.pop(field, "")
    opened = {**call, "index": place, kind: {**inner, field: ""}}
    return [
        {"tool_calls": [opened]},
        {"tool_calls": [{"index": place, kind: {field: text}}]},
    ]
