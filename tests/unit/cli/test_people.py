"""Erasing and legal holds on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from learning_support import configured, surefoot

WHO = ("--tenant", "clinic", "--end-user", "ann@example.org")
BY = ("--by", "amy", "--reason", "court 7")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    configured(tmp_path)


def test_a_hold_stands_against_an_erasure_until_it_is_released() -> None:
    assert surefoot("hold", *WHO, *BY).exit_code == 0
    refused = surefoot("erase", *WHO)
    assert refused.exit_code == 1 and "under legal hold, placed by amy" in refused.output
    assert surefoot("release", *WHO, *BY).exit_code == 0
    assert "contents are unreadable now" in surefoot("erase", *WHO).output


def test_holds_are_listed_under_pseudonyms() -> None:
    surefoot("hold", *WHO, *BY)
    (found,) = json.loads(surefoot("holds", "--json").output)
    assert (found["by"], found["reason"], len(found["subject"])) == ("amy", "court 7", 32)
    assert "court 7" in surefoot("holds").output and "ann@example.org" not in surefoot("holds").output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("hold", *WHO, "--by", " ", "--reason", "x"), "with a reason"),
        (("hold", *WHO, "--by", "amy", "--reason", " "), "with a reason"),
        (("release", *WHO, *BY), "under no legal hold"),
    ],
)
def test_a_hold_needs_a_person_and_a_reason_and_a_release_needs_a_hold(command: tuple[str, ...], said: str) -> None:
    done = surefoot(*command)
    assert done.exit_code == 1 and said in done.output


def test_a_second_hold_is_said_to_be_there() -> None:
    surefoot("hold", *WHO, *BY)
    assert "already" in surefoot("hold", *WHO, *BY).output
