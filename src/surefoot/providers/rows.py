"""Labelled files: one JSON line a query, with the answers that real models gave and what they were worth."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from surefoot.errors import DataError


class RecordedAnswer(Struct, frozen=True):
    """One model's answer. `correct` None: nobody said; `text` None: only the verdict is known."""

    text: str | None = None
    correct: bool | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One labelled query. Keys that are not here are ignored."""

    id: str
    query: str = ""
    task: str = ""
    group: str = ""  # the source: split by it, never by row
    context: tuple[str, ...] = ()
    reference: str | int | float | tuple[str, ...] | None = None
    answers: Mapping[str, RecordedAnswer] = {}
    gold: tuple[str, ...] | str | int | None = None  # passages that answer it
    facts: tuple[str, ...] = ()  # strings that every right answer contains
    tags: tuple[str, ...] = ()


_ROW = msgspec.json.Decoder(Row)


def read_rows(path: Path | str, *, limit: int | None = None) -> tuple[Row, ...]:
    """The rows of a .jsonl or .jsonl.gz file, at most `limit`. Raises DataError naming the line at fault."""
    rows: list[Row] = []
    seen: set[str] = set()
    try:
        data = Path(path).read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error
    for place, line in enumerate(data.splitlines(), start=1):
        if limit is not None and len(rows) >= limit:
            break
        if not line.strip():
            continue
        try:
            row = _ROW.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataError(f"not a row: {error}", file=str(path), line=place) from error
        if row.id in seen:
            raise DataError(f"id {row.id!r} stands twice", file=str(path), line=place)
        seen.add(row.id)
        rows.append(row)
    return tuple(rows)
