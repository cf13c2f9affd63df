"""Personal data kept from models: masked in what goes out, put back in what comes in."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from surefoot.records import Answer
from surefoot.signals.personal import mask, placeholders, unmask
from surefoot.wire import Top
from surefoot.wire.dialects import DIALECTS

_FIELDS = ("messages", "system", "prediction")
_WRITTEN = (
    frozenset(  # fields of a message that hold what somebody wrote; "thinking" held values once the reply was unmasked
        {"text", "content", "arguments", "thinking", "reasoning_content", "refusal", "title", "context"}
    )
)
_FREE = frozenset({"input"})  # what a tool is called with: everything in it was written
_LONGEST = 1_000_000  # characters: a longer string is an image or a file, not something written


def masked_top(top: Top, kinds: tuple[str, ...]) -> tuple[Top, dict[str, str]]:
    """(the request with placeholders for personal data, placeholder -> value)."""
    known: dict[str, str] = {}
    out = dict(top)
    fields = [name for name in _FIELDS if name in top]
    taken = placeholders("\n".join(bytes(top[name]).decode("utf-8", "replace") for name in fields))
    for name in fields:
        given = msgspec.json.decode(bytes(top[name]))
        value, known = _masked(given, known, _Masking(kinds, taken), written=True)
        if value != given:
            out[name] = Raw(msgspec.json.encode(value))
    return (out, known) if known else (top, known)


def unmasked(answer: Answer, known: dict[str, str], dialect: str) -> Answer:
    """The answer with the values back in their places; its events are left out, since they would have to be cut anew."""
    body = unmask(answer.body.decode("utf-8"), known, _inside_json).encode()
    return Answer(body=body, text=DIALECTS[dialect].read(body).text)


def _inside_json(value: str) -> str:
    return msgspec.json.encode(value)[1:-1].decode()


class _Masking(Struct, frozen=True):
    """Which kinds are masked, and which placeholders the request itself already holds."""

    kinds: tuple[str, ...]
    taken: frozenset[str]


def _masked(value: Any, known: dict[str, str], how: _Masking, *, written: bool) -> tuple[Any, dict[str, str]]:
    """A JSON value with what is written in it masked; roles, ids, names, media types and signatures are left alone."""
    if isinstance(value, str):
        return mask(value, known, how.kinds, taken=how.taken) if written and len(value) <= _LONGEST else (value, known)
    if isinstance(value, list):
        items = []
        for item in value:
            masked, known = _masked(item, known, how, written=written)
            items.append(masked)
        return items, known
    if isinstance(value, dict):
        fields = {}
        for name, item in value.items():
            fields[name], known = _inside(name, item, value, known, how)
        return fields, known
    return value, known


def _inside(
    name: str, item: Any, around: dict[str, Any], known: dict[str, str], how: _Masking
) -> tuple[Any, dict[str, str]]:
    if name in _FREE:
        return _everywhere(item, known, how)
    plain = name == "data" and around.get("type") == "text"  # a document sent as text
    return _masked(item, known, how, written=plain or name in _WRITTEN or not isinstance(item, str))


def _everywhere(value: Any, known: dict[str, str], how: _Masking) -> tuple[Any, dict[str, str]]:
    """A JSON value with every string in it masked; keys are names and stay."""
    if isinstance(value, dict):
        fields = {}
        for name, item in value.items():
            fields[name], known = _everywhere(item, known, how)
        return fields, known
    if isinstance(value, list):
        items = []
        for item in value:
            masked, known = _everywhere(item, known, how)
            items.append(masked)
        return items, known
    return _masked(value, known, how, written=True)
