"""What came with a question besides words: images, documents, sounds, files, in either dialect. Never their bytes."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct

from surefoot.errors import BadRequest
from surefoot.wire import Top

_DIGITS = 32  # of a digest that are kept: 128 bits
_WORDS = frozenset({"text", "refusal", "thinking", "redacted_thinking", "tool_use", "tool_result"})  # no attachments
_KINDS = {
    "image_url": "image", "image": "image", "input_audio": "sound", "document": "document", "search_result": "document",
}  # fmt: skip


class Attachment(Struct, frozen=True):
    """Something that came with a question: the same kind and digest are the same thing."""

    kind: str  # "image" | "document" | "sound" | "file"
    digest: str  # 32 hex digits of SHA-256 over its base64 data, else its address, id or text


class _Message(Struct):
    role: str
    content: str | list[dict[str, Any]] | None = None


_MESSAGES = msgspec.json.Decoder(list[_Message])


def attachments(top: Top) -> tuple[Attachment, ...]:
    """What the user's messages bring along, in order; () when it is words alone. What tools returned is not the user's.

    A part of a kind that is not known is a "file": better one difference too many. Raises BadRequest for messages that
    cannot be read.
    """
    try:
        said = _MESSAGES.decode(bytes(top.get("messages", b"[]")))
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"messages cannot be read: {error}", param="messages") from error
    return tuple(
        _attachment(part)
        for message in said
        if message.role == "user" and isinstance(message.content, list)
        for part in message.content
        if part.get("type", "text") not in _WORDS
    )


def _attachment(part: dict[str, Any]) -> Attachment:
    kind = str(part["type"])
    held = part.get(kind, part.get("source", part))  # OpenAI names the field as the type, Anthropic says "source"
    fields = held if isinstance(held, dict) else {"url": held}
    for name in ("data", "file_data", "url", "file_id"):
        if isinstance(fields.get(name), str):
            return Attachment(_KINDS.get(kind, "file"), _digest(_payload(fields[name]).encode()))
    return Attachment(_KINDS.get(kind, "file"), _digest(msgspec.json.encode(held, order="deterministic")))


def _payload(text: str) -> str:
    """The base64 data of a data: URL, so that a thing is the same however it was sent; any other text as it is."""
    return text.partition(",")[2] if text[:5].lower() == "data:" else text


def _digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:_DIGITS]
