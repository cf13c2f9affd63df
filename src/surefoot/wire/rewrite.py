"""Changes the texts of some messages and moves every other byte as it came: what a provider has cached stays what it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
from msgspec import Raw

from surefoot.wire import Top
from surefoot.wire.fields import body_of

Change = Callable[[str], str]
_RAWS = msgspec.json.Decoder(list[Raw])
_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_MARK = b'"cache_control"'  # inside a text its quotes would be escaped


def messages_of(top: Top) -> list[bytes]:
    """The messages as raw bytes; () when there are none."""
    given = bytes(top.get("messages", b"[]"))
    return [bytes(each) for each in _RAWS.decode(given)]


def with_messages(top: Top, messages: Sequence[bytes]) -> Top:
    """The request with these messages."""
    return {**top, "messages": Raw(b"[" + b",".join(messages) + b"]")}


def role_of(message: bytes) -> str:
    """The role of a raw message; "" when it has none."""
    role = _FIELDS.decode(message).get("role")
    return msgspec.json.decode(bytes(role), type=str) if role is not None else ""


def is_marked(raw: bytes) -> bool:
    """Whether the client marked something here for the provider's cache."""
    return _MARK in raw


def changed_message(message: bytes, change: Change) -> bytes:
    """A message with the text in it changed; the same bytes when nothing changes."""
    fields = _FIELDS.decode(message)
    content = fields.get("content")
    if content is None:
        return message
    made = changed_content(bytes(content), change)
    return message if made == bytes(content) else body_of({**fields, "content": Raw(made)})


def changed_content(content: bytes, change: Change) -> bytes:
    """A string, or a list of blocks of which those with text are changed."""
    first = content.lstrip()[:1]
    if first == b'"':
        return _changed(content, change)
    if first != b"[":
        return content
    parts = []
    for raw in _RAWS.decode(content):
        part = bytes(raw)
        fields = _FIELDS.decode(part) if part.lstrip()[:1] == b"{" else {}
        said = bytes(fields.get("text", b""))
        made = _changed(said, change) if said.lstrip()[:1] == b'"' else said
        parts.append(part if made == said else body_of({**fields, "text": Raw(made)}))
    joined = b"[" + b",".join(parts) + b"]"
    return content if parts == [bytes(raw) for raw in _RAWS.decode(content)] else joined


def _changed(raw: bytes, change: Change) -> bytes:
    said = msgspec.json.decode(raw, type=str)
    made = change(said)
    return raw if made == said else msgspec.json.encode(made)
