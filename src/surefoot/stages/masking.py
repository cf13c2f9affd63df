"""Personal data kept from models: masked in what goes out, put back in what comes in."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from surefoot.records import Answer
from surefoot.signals.personal import mask, unmask
from surefoot.wire import Top
from surefoot.wire.dialects import DIALECTS

_FIELDS = ("messages", "system")
_WRITTEN = frozenset({"text", "content", "arguments", "input"})  # fields of a message that hold what somebody wrote
_LONGEST = 1_000_000  # characters: a longer string is an image or a file, not something written


def masked_top(top: Top, kinds: tuple[str, ...]) -> tuple[Top, dict[str, str]]:
    """(the request with placeholders for personal data, placeholder -> value)."""
    known: dict[str, str] = {}
    out = dict(top)
    for name in _FIELDS:
        if name not in top:
            continue
        given = msgspec.json.decode(bytes(top[name]))
        value, known = _masked(given, known, kinds, written=True)
        if value != given:
            out[name] = Raw(msgspec.json.encode(value))
    return (out, known) if known else (top, known)


def unmasked(answer: Answer, known: dict[str, str], dialect: str) -> Answer:
    """The answer with the values back in their places; its events are left out, since they would have to be cut anew."""
    body = unmask(answer.body.decode("utf-8"), known, _inside_json).encode()
    return Answer(body=body, text=DIALECTS[dialect].read(body).text)


def _inside_json(value: str) -> str:
    return msgspec.json.encode(value)[1:-1].decode()


def _masked(value: Any, known: dict[str, str], kinds: tuple[str, ...], *, written: bool) -> tuple[Any, dict[str, str]]:
    """A JSON value with what is written in it masked; roles, ids, names and media types are left alone."""
    if isinstance(value, str):
        return mask(value, known, kinds) if written and len(value) <= _LONGEST else (value, known)
    if isinstance(value, list):
        items = []
        for item in value:
            masked, known = _masked(item, known, kinds, written=written)
            items.append(masked)
        return items, known
    if isinstance(value, dict):
        fields = {}
        for name, item in value.items():
            inner = name in _WRITTEN if isinstance(item, str) else True
            fields[name], known = _masked(item, known, kinds, written=inner)
        return fields, known
    return value, known
