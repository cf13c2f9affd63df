"""A JSON text as a tree that knows where everything stands, in bytes."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from surefoot.errors import BadRequest

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\]]|[^\s{}\[\]:,"]+', re.DOTALL)
_HEX = rb"[0-9a-fA-F]"
_UNIT = re.compile(
    rb"\\u[dD][89abAB]%b{2}\\u[dD][c-fC-F]%b{2}|\\u%b{4}|\\.|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*" % (_HEX, _HEX, _HEX)
)  # one character, as it is written


class Node(Struct):
    """One JSON value. `start` and `end` are its bytes, quotes and brackets included."""

    start: int
    end: int
    kind: str  # "object" | "array" | "string" | "other"
    fields: dict[str, Node] = {}
    items: list[Node] = []

    def get(self, *names: str) -> Node | None:
        """The value under these names, one in the other; None when one is missing or null is not an object."""
        node: Node | None = self
        for name in names:
            node = node.fields.get(name) if node is not None else None
        return node


def read(body: bytes) -> Node:
    """The tree of a JSON text. Raises BadRequest when it is none. Time is linear in the bytes; nesting costs no stack.

    Of a name that is given twice the last value counts, as with every reader of ours.
    """
    try:
        msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error
    held: list[tuple[Node, str | None]] = [
        (Node(0, len(body), "array"), None)
    ]  # open values, the name that waits in each
    for found in _TOKEN.finditer(body):
        token, start, end = found[0], *found.span()
        inside, name = held[-1]
        if token in (b"}", b"]"):
            inside.end = end
            held.pop()
        elif inside.kind == "object" and name is None:
            held[-1] = (inside, msgspec.json.decode(token, type=str))
        else:
            kind = {b"{": "object", b"[": "array"}.get(token) or ("string" if token[:1] == b'"' else "other")
            node = Node(start, end, kind)
            if name is None:
                inside.items.append(node)
            else:
                inside.fields[name] = node
                held[-1] = (inside, None)
            if token in (b"{", b"["):
                held.append((node, None))
    return held[0][0].items[0]


def string(body: bytes, node: Node | None) -> str | None:
    """The text of a string; None of anything else."""
    if node is None or node.kind != "string":
        return None
    return msgspec.json.decode(body[node.start : node.end], type=str)


def offsets(raw: bytes) -> list[int]:
    """Where each character of a JSON string's inside begins, in bytes of that inside, and where the last one ends."""
    found = [unit.start() for unit in _UNIT.finditer(raw)]
    return [*found, len(raw)]


def plain(raw: bytes) -> bool:
    """Whether characters and bytes of a string's inside are the same: no escape, nothing but ASCII."""
    return b"\\" not in raw and raw.isascii()


def lines(body: bytes) -> Iterator[tuple[int, bytes]]:
    """(first byte, text) of every line that is not blank."""
    at = 0
    for line in body.splitlines(keepends=True):
        if line.strip():
            yield at, line
        at += len(line)
