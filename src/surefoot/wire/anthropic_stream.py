"""Anthropic's streams: events joined into one message, a message cut into events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from surefoot.errors import BadAnswer
from surefoot.wire.sse import data_of, event_of, object_of

Json = dict[str, Any]
_GROWING = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
_INPUT = "input_json_delta"


def join(events: Sequence[bytes]) -> bytes:
    """The message that the events amount to. Raises BadAnswer when it is cut off or reports an error."""
    message: Json | None = None
    inputs: dict[int, str] = {}
    ended = False
    for event in events:
        if not data_of(event):
            continue
        payload: Json = object_of(event)
        kind = payload.get("type")
        if kind == "error":
            raise BadAnswer(str((payload.get("error") or {}).get("message", "the stream failed")))
        if kind == "message_start":
            message = dict(payload.get("message") or {})
            message["content"] = list(message.get("content") or [])
        elif message is None:
            if kind != "ping":
                raise BadAnswer(f"{kind} before message_start")
        elif kind == "message_stop":
            ended = True
        else:
            _apply(message, inputs, payload)
    if message is None or not ended:
        raise BadAnswer("the stream ended before its message_stop")
    return msgspec.json.encode(message)


def _apply(message: Json, inputs: dict[int, str], payload: Json) -> None:
    kind, place = payload.get("type"), payload.get("index", 0)
    blocks: list[Json] = message["content"]
    if kind == "content_block_start":
        blocks.append(dict(payload.get("content_block") or {}))
        return
    if kind == "message_delta":
        message.update(payload.get("delta") or {})
        usage = {name: value for name, value in (payload.get("usage") or {}).items() if value is not None}
        message["usage"] = {**(message.get("usage") or {}), **usage}
        return
    if kind not in ("content_block_delta", "content_block_stop"):
        return
    if not isinstance(place, int) or place >= len(blocks):
        raise BadAnswer(f"{kind} for block {place}, which was never opened")
    if kind == "content_block_delta":
        _grow(blocks[place], inputs, place, payload.get("delta") or {})
    elif inputs.get(place):
        try:
            blocks[place]["input"] = msgspec.json.decode(inputs.pop(place))
        except msgspec.DecodeError as error:
            raise BadAnswer(f"the input of a tool is not JSON: {error}") from error


def _grow(block: Json, inputs: dict[int, str], place: int, delta: Json) -> None:
    kind = str(delta.get("type"))
    if kind in _GROWING:
        field = _GROWING[kind]
        block[field] = (block.get(field) or "") + (delta.get(field) or "")
    elif kind == _INPUT:
        inputs[place] = inputs.get(place, "") + (delta.get("partial_json") or "")
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
    else:  # a delta of a later version: its fields are kept as they came last
        block.update({name: value for name, value in delta.items() if name != "type"})


def cut(body: bytes) -> tuple[bytes, ...]:
    """The events of a message in their exact order."""
    message: Json = msgspec.json.decode(body, type=dict[str, Any])
    message.pop("surefoot", None)
    blocks = message.pop("content")
    usage = message.get("usage") or {}
    start = {
        **message,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**usage, "output_tokens": 0},
    }
    events = [event_of({"type": "message_start", "message": start}, name="message_start")]
    for place, block in enumerate(blocks):
        events += _block_events(place, block)
    delta = {"stop_reason": message.get("stop_reason"), "stop_sequence": message.get("stop_sequence")}
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
        text = msgspec.json.encode(block.get("input") or {}).decode()
        return {**block, "input": {}}, [{"type": _INPUT, "partial_json": text}]
    if kind == "thinking":
        signature = [{"type": "signature_delta", "signature": block["signature"]}] if block.get("signature") else []
        opened = {**block, "thinking": "", **({"signature": ""} if "signature" in block else {})}
        return opened, [{"type": "thinking_delta", "thinking": block.get("thinking", "")}, *signature]
    return block, []
