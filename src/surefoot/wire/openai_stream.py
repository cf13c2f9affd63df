"""OpenAI's streams: chunks joined into one completion, a completion cut into chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from surefoot.errors import BadAnswer
from surefoot.wire.sse import data_of, event_of, object_of

_DONE = b"data: [DONE]\n\n"
Json = dict[str, Any]


def is_usage_only(event: bytes) -> bool:
    """Whether a chunk has no choices and carries the totals."""
    chunk = object_of(event)
    return chunk.get("choices") == [] and chunk.get("usage") is not None


def error_in(event: bytes) -> str | None:
    """The message of an error frame; None when it is none."""
    if not data_of(event).lstrip().startswith(b"{"):
        return None
    error = object_of(event).get("error")
    if error is None:
        return None
    return str(error.get("message", "the stream failed")) if isinstance(error, dict) else str(error)


def join(events: Sequence[bytes]) -> bytes:
    """The completion that the chunks amount to. Raises BadAnswer when it is cut off or reports an error."""
    whole: Json = {}
    choices: dict[int, Json] = {}
    for event in events:
        data = data_of(event)
        if not data or data.startswith(b"[DONE]"):
            continue
        if (message := error_in(event)) is not None:
            raise BadAnswer(message)
        chunk: Json = object_of(event)
        for name, value in chunk.items():
            if name != "choices" and (value is not None or name not in whole):
                whole[name] = value
        for choice in chunk.get("choices") or ():
            _add_choice(choices.setdefault(choice.get("index", 0), {"message": {}}), choice)
    if not choices or any(choice.get("finish_reason") is None for choice in choices.values()):
        raise BadAnswer("the stream ended before its finish reason")
    finished = [_finished(index, choices[index]) for index in sorted(choices)]
    return msgspec.json.encode({**whole, "object": "chat.completion", "choices": finished})


def _finished(index: int, choice: Json) -> Json:
    message = choice["message"]
    if isinstance(calls := message.get("tool_calls"), dict):
        message["tool_calls"] = [calls[place] for place in sorted(calls)]
    message.setdefault("role", "assistant")
    message.setdefault("content", None)
    if "tool_calls" in message and message["content"] == "":
        message["content"] = None
    choice.setdefault("logprobs", None)
    return {"index": index, **choice}


def _add_choice(whole: Json, choice: Json) -> None:
    for name, value in choice.items():
        if name == "delta":
            _add_delta(whole["message"], value or {})
        elif name == "logprobs" and isinstance(value, dict):
            kept = whole.get("logprobs") or {}
            whole["logprobs"] = {key: _plus(kept.get(key), part) for key, part in value.items()}
        elif name != "index" and (value is not None or name not in whole):
            whole[name] = value


def _add_delta(message: Json, delta: Json) -> None:
    for name, value in delta.items():
        if name == "tool_calls" and isinstance(value, list):
            calls = message.setdefault("tool_calls", {})
            for part in value:
                _add_call(calls.setdefault(part.get("index", 0), {}), part)
        elif name == "function_call" and isinstance(value, dict):
            _add_call(message.setdefault("function_call", {}), value)
        elif name == "role":
            message[name] = value
        else:
            message[name] = _plus(message.get(name), value)


def _add_call(call: Json, part: Json) -> None:
    for name, value in part.items():
        if name in ("function", "custom") and isinstance(value, dict):
            inner = call.setdefault(name, {})
            for key, piece in value.items():
                inner[key] = _plus(inner.get(key), piece)
        elif name in ("id", "type"):
            call[name] = value or call.get(name)
        elif name != "index":
            call[name] = _plus(call.get(name), value)


def _plus(kept: Any, piece: Any) -> Any:
    """Texts and lists grow; anything else is replaced by what came last."""
    if piece is None:
        return kept
    if isinstance(kept, str) and isinstance(piece, str):
        return kept + piece
    if isinstance(kept, list) and isinstance(piece, list):
        return kept + piece
    return piece


def cut(body: bytes, *, include_usage: bool) -> tuple[bytes, ...]:
    """The chunks of a completion: role, content or tool calls, finish, totals if asked for, `[DONE]`."""
    whole: Json = msgspec.json.decode(body, type=dict[str, Any])
    shared = {name: value for name, value in whole.items() if name not in ("choices", "usage", "object", "surefoot")}
    head = {"object": "chat.completion.chunk", **shared, **({"usage": None} if include_usage else {})}
    events: list[bytes] = []
    for choice in whole["choices"]:
        events += [event_of({**head, "choices": [part]}) for part in _parts(choice)]
    if include_usage and whole.get("usage") is not None:
        events.append(event_of({**head, "choices": [], "usage": whole["usage"]}))
    return (*events, _DONE)


def _parts(choice: Json) -> list[Json]:
    message, index = dict(choice["message"]), choice.get("index", 0)
    rest = {
        name: value for name, value in choice.items() if name not in ("message", "index", "finish_reason", "logprobs")
    }
    content, calls = message.pop("content", None), message.pop("tool_calls", None)
    first = {"role": message.pop("role", "assistant"), "content": None if content is None else ""}
    deltas: list[Json] = [{**first, **message}]
    if content is not None:
        deltas.append({"content": content})
    for place, call in enumerate(calls or ()):
        deltas += _call_deltas(place, call)
    logprobs = choice.get("logprobs")
    parts: list[Json] = [{"index": index, "delta": delta, "logprobs": None, "finish_reason": None} for delta in deltas]
    if logprobs is not None:
        parts[min(1, len(parts) - 1)]["logprobs"] = logprobs
    parts.append({"index": index, "delta": {}, **rest, "logprobs": None, "finish_reason": choice.get("finish_reason")})
    return parts


def _call_deltas(place: int, call: Json) -> list[Json]:
    """A tool call in two pieces, as the vendor does: who is called, then the arguments."""
    kind = "custom" if "custom" in call else "function"
    inner = dict(call.get(kind) or {})
    field = "input" if kind == "custom" else "arguments"
    text = inner.pop(field, "")
    opened = {**call, "index": place, kind: {**inner, field: ""}}
    return [
        {"tool_calls": [opened]},
        {"tool_calls": [{"index": place, kind: {field: text}}]},
    ]
