"""Labelled files: one JSON line a query, with the answers that real models gave and what they were worth."""

from __future__ import annotations

import codecs
import gzip
import zlib
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
    reference: object = None  # the accepted answer or a list of them: any JSON; `accepted` has them as texts
    answers: Mapping[str, RecordedAnswer] = {}
    gold: tuple[str | int, ...] | str | int | None = None  # passages that answer it
    facts: tuple[str, ...] = ()  # strings that every right answer contains
    tags: tuple[str, ...] = ()
    request: dict[str, msgspec.Raw] = {}  # the whole request as it was asked; {}: the query over the passages
    dialect: str = "openai"  # of the request

    @property
    def accepted(self) -> tuple[str, ...]:
        """The accepted answers as texts, what is not text as its JSON; () when the row has none."""
        found = self.reference if isinstance(self.reference, list) else [self.reference]
        return tuple(each if isinstance(each, str) else _json(each) for each in found if each is not None)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


class _Header(Struct):
    """The first line of a golden set, which is no row."""

    golden: str
    id: str | None = None


_ROW = msgspec.json.Decoder(Row)
_HEADER = msgspec.json.Decoder(_Header)


def read_rows(path: Path | str, *, limit: int | None = None) -> tuple[Row, ...]:
    """The rows of a .jsonl or .jsonl.gz file, at most `limit`, without a golden set's header.

    Raises: DataError naming the line at fault.
    """
    rows: list[Row] = []
    seen: set[str] = set()
    try:
        data = Path(path).read_bytes()
        data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot be read: {error}", file=str(path)) from error
    for place, line in enumerate(data.removeprefix(codecs.BOM_UTF8).splitlines(), start=1):
        if limit is not None and len(rows) >= limit:
            break
        if not line.strip() or (place == 1 and is_header(line)):
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


def is_header(line: bytes) -> bool:
    """Whether a line is the header of a golden set."""
    try:
        return _HEADER.decode(line).id is None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
