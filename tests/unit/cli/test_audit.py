"""The trail and the kill switch as a person types them."""

import json
import sqlite3
from pathlib import Path

import pytest
from cli_support import surefoot

pytestmark = pytest.mark.usefixtures("config")

WHO = ("--by", "amy", "--reason", "wrong doses")


def intrude(*changes: str) -> None:
    with sqlite3.connect("s.db") as rows:
        for (name,) in rows.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            rows.execute(f"DROP TRIGGER {name}")
        for change in changes:
            rows.execute(change)
    rows.close()


def test_a_stop_is_listed_with_person_and_reason_until_it_is_resumed() -> None:
    assert surefoot("stop", "f", *WHO, "--refuse").exit_code == 0
    (listed,) = json.loads(surefoot("stops", "--json").output)
    assert (listed["feature"], listed["by"], listed["reason"], listed["refuse"]) == ("f", "amy", "wrong doses", True)
    assert "refused" in surefoot("stops").output
    assert surefoot("resume", "f", "--by", "ben", "--reason", "mended").exit_code == 0
    assert json.loads(surefoot("stops", "--json").output) == []
    told = surefoot("audit", "export", "--kind", "feature.").output.splitlines()
    assert ["feature.stopped" in told[0], "feature.resumed" in told[1], "ben" in told[1]] == [True] * 3


def test_every_feature_is_stopped_at_once() -> None:
    assert "every feature" in surefoot("stop", "--all", *WHO).output
    assert [each["feature"] for each in json.loads(surefoot("stops", "--json").output)] == ["*"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["stop", "nothing", *WHO], 1), (["stop", *WHO], 2), (["stop", "f", "--all", *WHO], 2), (["stop", "f"], 2),
        (["stop", "f", "--by", "amy", "--reason", " "], 1), (["resume", "f", *WHO], 1),
    ],
)  # fmt: skip
def test_a_stop_without_feature_person_or_reason_is_refused(command: list[str], code: int) -> None:
    said = surefoot(*command)
    assert said.exit_code == code and said.stderr
    assert json.loads(surefoot("stops", "--json").output) == []


def test_what_was_altered_is_named_and_the_exit_code_says_so() -> None:
    surefoot("stop", "f", *WHO)
    assert surefoot("audit", "verify").exit_code == 0
    intrude("UPDATE stops SET reason = 'routine'")
    said = surefoot("audit", "verify")
    assert said.exit_code == 1 and "stops row 1 is altered" in said.stderr


def test_rows_cut_off_at_the_end_are_missed_with_a_checkpoint_kept_elsewhere(config: Path) -> None:
    surefoot("stop", "f", *WHO)
    assert surefoot("audit", "checkpoint", "--out", "kept.json").exit_code == 0
    kept = ("--checkpoint", "kept.json")
    assert surefoot("audit", "verify", *kept).exit_code == 0
    intrude("DELETE FROM stops", "DELETE FROM audit_events")
    assert surefoot("audit", "verify").exit_code == 0
    said = surefoot("audit", "verify", *kept)
    assert said.exit_code == 1 and "the checkpoint names it" in said.stderr


def test_a_forged_checkpoint_is_refused(config: Path) -> None:
    surefoot("stop", "f", *WHO)
    surefoot("audit", "checkpoint", "--out", "kept.json")
    kept = config.with_name("kept.json")
    kept.write_text(kept.read_text().replace('"position":', '"position":1'))
    said = surefoot("audit", "verify", "--checkpoint", "kept.json")
    assert said.exit_code == 1 and "altered, or signed with another key" in said.stderr
    assert surefoot("audit", "verify", "--checkpoint", "none.json").exit_code == 1


def test_an_export_is_json_lines_for_programs_and_a_line_each_for_people() -> None:
    surefoot("stop", "f", *WHO)
    rows = [json.loads(line) for line in surefoot("audit", "export", "--json").output.splitlines()]
    assert [row["event"]["kind"] for row in rows] == ["trail.began", "feature.stopped"]
    (line,) = surefoot("audit", "export", "--by", "amy").output.splitlines()
    assert line.endswith(f"{rows[1]['chain']}/2") and "wrong doses" in line and "Z  amy  " in line
    assert surefoot("audit", "export", "--since", "soon").exit_code == 2
