"""Anthropic's streams: events joined into one message, a message cut into events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from surefoot.errors import BadAnswer
from surefoot.wire.partial import value_of
from surefoot.wire.shapes import Json, merge, object_in, objects_in, place_in
from surefoot.wire.sse import data_of, event_of, object_of

_GROWING = {"text_delta": "text", "thinking_delta": "thinking"}
_INPUT = "input_json_delta"
_STATUSES = {
    "invalid_request_error": 400, "authentication_error": 401, "billing_error": 402, "permission_error": 403,
    "not_found_error": 404, "conflict_error": 409, "request_too_large": 413, "rate_limit_error": 429, "api_error": 500,
    "timeout_error": 504, "overloaded_error": 529,
}  # fmt: skip


def join(events: Sequence[bytes]) -> bytes:
    """The message that the events amount to. Raises BadAnswer when it is cut off, garbage, or reports an error."""
    try:
        return msgspec.json.encode(_joined(events))
    except RecursionError as error:
        raise BadAnswer("the stream is nested too deeply") from error


def _joined(events: Sequence[bytes]) -> Json:
    message: Json | None = None
    inputs: dict[int, list[str]] = {}
    ended = False
    for event in events:
        if not data_of(event):
            continue
        payload: Json = object_of(event)
        kind = payload.get("type")
        if kind == "error":
            raise _failure(object_in(payload, "error"), event)
        if kind == "message_start":
            message = dict(object_in(payload, "message"))
            message["content"] = list(objects_in(message, "content"))
        elif message is None:
            if kind != "ping":
                raise BadAnswer(f"{kind} before message_start")
        elif kind == "message_stop":
            ended = True
        else:
            _apply(message, inputs, payload)
    if message is None or not ended:
        raise BadAnswer("the stream ended before its message_stop")
    for place, pieces in inputs.items():
        message["content"][place]["input"] = value_of("".join(pieces))
    return message


def _failure(error: Json, event: bytes) -> BadAnswer:
    """An error event as an error of ours, with the status that its type stands for."""
    status = _STATUSES.get(str(error.get("type")))
    return BadAnswer(str(error.get("message") or "the stream failed"), status=status, body=data_of(event)[:4096])


def _apply(message: Json, inputs: dict[int, list[str]], payload: Json) -> None:
    kind, blocks = payload.get("type"), message["content"]
    if kind == "content_block_start":
        block = dict(object_in(payload, "content_block"))
        blocks.append(block)
        if block.get("type") == "fallback":  # from here on another model answers, and the message bears its name
            message["model"] = object_in(block, "to").get("model") or message.get("model")
    elif kind == "message_delta":
        _finish(message, payload)
    elif kind == "content_block_delta":
        place = place_in(payload)
        if place >= len(blocks):
            raise BadAnswer(f"a delta for block {place}, which was never opened")
        _grow(blocks[place], inputs, place, object_in(payload, "delta"))


def _finish(message: Json, payload: Json) -> None:
    """Take over how the message ended. Counts are cumulative; what is null or left out was said before and stays."""
    for name, value in object_in(payload, "delta").items():
        if value is not None or name not in message:
            message[name] = value
    usage = {name: value for name, value in object_in(payload, "usage").items() if value is not None}
    message["usage"] = {**object_in(message, "usage"), **usage}
    for name, value in payload.items():
        if name not in ("type", "delta", "usage") and value is not None:
            message[name] = value


def _grow(block: Json, inputs: dict[int, list[str]], place: int, delta: Json) -> None:
    kind = str(delta.get("type"))
    if kind in _GROWING:
        merge(block, _GROWING[kind], delta.get(_GROWING[kind]))
    elif kind == _INPUT:
        if piece := delta.get("partial_json"):
            inputs.setdefault(place, []).append(str(piece))
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
    else:  # a signature, or a delta of a later version: its fields are kept as they came last
        block.update({name: value for name, value in delta.items() if name != "type"})


def cut(body: bytes) -> tuple[bytes, ...]:
    """The events of a message in their exact order. Raises BadAnswer when it is none."""
    try:
        message: Json = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadAnswer(f"not a message: {error}") from error
    if "content" not in message:
        raise BadAnswer("not a message: it has no content")
    message.pop("surefoot", None)
    blocks, usage = objects_in(message, "content"), object_in(message, "usage")
    delta = {"stop_reason": message.get("stop_reason"), "stop_sequence": message.get("stop_sequence")}
    if "stop_details" in message:  # the SDK takes it from the delta alone
        delta["stop_details"] = message["stop_details"]
    start = {**message, "content": [], **dict.fromkeys(delta), "usage": {**usage, "output_tokens": 0}}
    events = [event_of({"type": "message_start", "message": start}, name="message_start")]
    for place, block in enumerate(blocks):
        events += _block_events(place, block)
    events.append(event_of({"type": "message_delta", "delta": delta, "usage": usage}, name="message_delta"))
    events.append(event_of({"type": "message_stop"}, name="message_stop"))
    return tuple(events)


def _block_events(place: int, block: Json) -> list[bytes]:
    opened, deltas = _opened(block)
    events = [
        event_of({"type": "content_block_start", "index": place, "content_block": opened}, name="content_block_start")
    ]
    events += [
        event_of({"type": "content_block_delta", "index": place, "delta": delta}, name="content_block_delta")
        for delta in deltas
    ]
    events.append(event_of({"type": "content_block_stop", "index": place}, name="content_block_stop"))
    return events


def _opened(block: Json) -> tuple[Json, list[Json]]:
    """A block as it is opened, and the deltas that fill it; a kind we do not know is opened whole."""
    kind = block.get("type")
    if kind == "text":
        cited = [{"type": "citations_delta", "citation": citation} for citation in block.get("citations") or ()]
        opened = {**block, "text": "", **({"citations": []} if cited else {})}
        return opened, [{"type": "text_delta", "text": block.get("text", "")}, *cited]
    if kind in ("tool_use", "server_tool_use", "mcp_tool_use"):
        text = msgspec.json.encode(block.get("input")).decode() if block.get("input") else ""
        return {**block, "input": {}}, [{"type": _INPUT, "partial_json": text}]
    if kind == "thinking":
        signature = [{"type": "signature_delta", "signature": block["signature"]}] if block.get("signature") else []
        opened = {**block, "thinking": "", **({"signature": ""} if "signature" in block else {})}
        return opened, [{"type": "thinking_delta", "thinking": block.get("thinking", "")}, *signature]
    return block, []
