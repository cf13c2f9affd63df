"""A blind labelling round over a labelled file, or over one that waits for its labels: verdicts go into a file of their own.

The new file has the rows that carry a verdict, whole, with the keys that the format does not know. It is written anew for every
label and takes the old one's place in one step, so that it is complete whenever the round is broken off.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from surefoot.errors import DataError
from surefoot.providers.rows import Row, read_rows


class Mark(Struct, frozen=True):
    """One answer of one row that nobody has judged yet."""

    row: Row
    model: str

    @property
    def text(self) -> str:
        """The answer."""
        return self.row.answers[self.model].text or ""


class Marking:
    """The file, its copy with verdicts, and what is still to be judged."""

    def __init__(self, file: Path, out: Path) -> None:
        """Read both. Raises DataError, also when the copy holds verdicts on something else."""
        self.file, self.out = file, out
        self._rows = {row.id: row for row in read_rows(file)}
        self._plain = {str(each["id"]): each for each in _lines(file)}
        self._verdicts: dict[tuple[str, str], str] = {}
        for plain in self._plain.values():
            self._take(plain)
        if out.exists():
            unknown = [row.id for row in read_rows(out) if row.id not in self._rows]
            if unknown:
                raise DataError(f"row {unknown[0]!r} is not in {file}; name another file with --output", file=str(out))
            for plain in _lines(out):
                self._take(plain)

    def left(self, seed: int) -> list[Mark]:
        """The answers without a verdict, in an order that the seed draws; whose answer it is plays no part."""
        found = [
            Mark(row, model)
            for row in self._rows.values()
            for model, answer in row.answers.items()
            if answer.text and (row.id, model) not in self._verdicts
        ]
        return sorted(found, key=lambda mark: _lot(seed, mark))

    def count(self, model: str) -> int:
        """How many of a model's answers have a verdict."""
        return sum(name == model for _, name in self._verdicts)

    def models(self) -> list[str]:
        """Whose answers the file has."""
        return sorted({model for row in self._rows.values() for model in row.answers})

    def write(self, mark: Mark, verdict: str) -> None:
        """Keep a verdict: "accepted", "wrong" or "edited". Durable before it returns. Raises DataError."""
        self._verdicts[mark.row.id, mark.model] = verdict
        part = self.out.with_name(self.out.name + ".part")
        try:
            with part.open("wb") as file:
                for line in self._written():
                    file.write(line + b"\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.out)
        except OSError as error:
            raise DataError(f"cannot be written: {error.strerror}", file=str(self.out)) from error

    def _take(self, plain: dict[str, Any]) -> None:
        for model, answer in plain.get("answers", {}).items():
            if answer.get("correct") is not None:
                right = "accepted" if answer["correct"] else str(answer.get("verdict", "wrong"))
                self._verdicts[str(plain["id"]), model] = right

    def _written(self) -> Iterator[bytes]:
        """The rows with verdicts, in the file's order."""
        told = {name for name, _ in self._verdicts}
        for name, plain in self._plain.items():
            if name in told:
                answers = {model: self._answer(name, model, given) for model, given in plain["answers"].items()}
                yield msgspec.json.encode({**plain, "answers": answers})

    def _answer(self, row: str, model: str, given: dict[str, Any]) -> dict[str, Any]:
        verdict = self._verdicts.get((row, model))
        if verdict is None:
            return given
        more = {"verdict": verdict} if verdict == "edited" else {}
        return {**given, "correct": verdict == "accepted", **more}


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    """The rows as they are written: `read_rows` has found them good."""
    data = file.read_bytes()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    for line in data.removeprefix(b"\xef\xbb\xbf").splitlines():
        if line.strip():
            yield msgspec.json.decode(line)


def _lot(seed: int, mark: Mark) -> bytes:
    return blake2b(f"{seed}\0{mark.row.id}\0{mark.model}".encode(), digest_size=16).digest()
