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
