"""Labelled files are read whole or refused with the line."""

import gzip
from pathlib import Path

import pytest

from surefoot.errors import DataError
from surefoot.providers.rows import read_rows


def test_plain_and_gzipped_files_read_alike(tmp_path: Path) -> None:
    data = b'{"id":"1","query":"q","new":{"key":1},"answers":{"m":{"text":"a","correct":true,"spans":[]},"n":{"correct":false}}}\n\n'
    (tmp_path / "a.jsonl").write_bytes(data)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(data))
    assert read_rows(tmp_path / "a.jsonl") == read_rows(tmp_path / "a.jsonl.gz")
    (row,) = read_rows(tmp_path / "a.jsonl")
    assert (row.answers["m"].text, row.answers["n"].text, row.answers["n"].correct) == ("a", None, False)


@pytest.mark.parametrize("line", ["{", '{"query":"x"}', '{"id":1}', '{"id":"a","answers":[]}', '{"id":"ok"}'])
def test_a_line_at_fault_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"id":"ok"}\n' + line + "\n")
    with pytest.raises(DataError) as caught:
        read_rows(file)
    assert caught.value.line == 2


def test_a_missing_file_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_rows(tmp_path / "none.jsonl")


@pytest.mark.parametrize(
    ("reference", "accepted"),
    [('"a"', ("a",)), ('["a","b"]', ("a", "b")), ("3", ("3",)), ('{"a":[1]}', ('{"a":[1]}',)), ("null", ())],
)
def test_a_reference_may_be_any_json(tmp_path: Path, reference: str, accepted: tuple[str, ...]) -> None:
    (tmp_path / "a.jsonl").write_text(f'{{"id":"1","reference":{reference}}}')
    assert read_rows(tmp_path / "a.jsonl")[0].accepted == accepted


def test_a_damaged_archive_is_a_data_error(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(b'{"id":"1"}\n' * 1000))
    data[12:20] = b"\xff" * 8
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(tmp_path / "a.jsonl.gz")
