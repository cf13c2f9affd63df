"""Where a key stands in a TOML file, so that an error can name its line."""

from __future__ import annotations

import re
from collections.abc import Sequence

_TABLE = re.compile(r"^\s*\[\[?\s*(?P<path>.+?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""^\s*(?P<key>(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_PART = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([A-Za-z0-9_-]+))\s*\.?""")


def line_of(text: str, path: Sequence[str]) -> int | None:
    """The line (from 1) of a key path; of the nearest table or key above it when it stands in an inline table; None if nowhere.

    Args:
        text: the TOML file.
        path: key names from the top, such as ("features", "triage", "ladder").
    """
    best, depth = None, 0
    for place, found in _keys(text):
        shared = _shared(found, path)
        whole = shared == len(found) or shared == len(path)
        if whole and shared > depth:
            best, depth = place, shared
    return best


def _keys(text: str) -> list[tuple[int, tuple[str, ...]]]:
    """(line, full path) of every table head and key; lines inside multi-line strings and arrays are passed over."""
    found: list[tuple[int, tuple[str, ...]]] = []
    table: tuple[str, ...] = ()
    quote, brackets = "", 0
    for place, line in enumerate(text.splitlines(), start=1):
        if quote:
            quote = "" if quote in line else quote
            continue
        if brackets > 0:
            brackets += _balance(line)
            continue
        if head := _TABLE.match(line):
            table = _parts(head["path"])
            found.append((place, table))
        elif key := _KEY.match(line):
            found.append((place, (*table, *_parts(key["key"]))))
            value = line[key.end() :]
            quote = next((mark for mark in ('"""', "'''") if value.count(mark) % 2), "")
            brackets = max(0, _balance(value))
    return found


def _balance(line: str) -> int:
    bare = re.sub(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|#.*', "", line)
    return sum(bare.count(c) for c in "[{") - sum(bare.count(c) for c in "]}")


def _parts(path: str) -> tuple[str, ...]:
    return tuple(a or b or c for a, b, c in _PART.findall(path))


def _shared(found: Sequence[str], path: Sequence[str]) -> int:
    count = 0
    for one, other in zip(found, path, strict=False):
        if one != other:
            break
        count += 1
    return count
