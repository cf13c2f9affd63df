"""A handbook supplies passages by the question."""

from pathlib import Path

import pytest

from surefoot.demo.places import CLINIC
from surefoot.errors import DataError
from surefoot.stages.handbook import Handbook


def folder(path: Path, **files: str) -> Handbook:
    for name, text in files.items():
        (path / f"{name}.md").write_text(text)
    return Handbook(path)


def test_the_passage_on_a_question_comes_first_and_at_most_four_come() -> None:
    handbook = Handbook(CLINIC / "handbook")
    found = handbook.look_up("How long do repeat prescriptions take?")
    assert 1 <= len(found) <= 4 and "2 working days" in handbook.texts(found[:1])[0]


def test_a_question_that_nothing_is_written_on_gets_nothing() -> None:
    assert Handbook(CLINIC / "handbook").look_up("zyzzyva quokka") == ()


def test_passages_that_are_gone_are_left_out(tmp_path: Path) -> None:
    handbook = folder(tmp_path, fees="# Fees\n\nA letter costs 20 dollars.")
    assert handbook.texts(("nowhere#nothing",)) == ()


def test_another_text_is_another_edition_and_the_same_text_the_same(tmp_path: Path) -> None:
    first = folder(tmp_path, fees="# Fees\n\nA letter costs 20 dollars.").edition
    assert Handbook(tmp_path).edition == first
    assert folder(tmp_path, fees="# Fees\n\nA letter costs 25 dollars.").edition != first


def test_a_folder_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        Handbook(tmp_path / "none")
