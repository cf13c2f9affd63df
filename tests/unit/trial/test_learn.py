"""`trial --learn`: fitted on one file, tested on another, through the command that people type."""

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from surefoot.cli.main import app
from surefoot.providers.rows import RecordedAnswer, Row

PAIR = "gpt-4o-mini+gpt-3.5-turbo"
TOP = "gpt-4o"


def rows(n: int, seed: int, *, alike: float = 0.97, apart: float = 0.5, top: float = 0.96) -> list[Row]:
    """Two cheap models agree on eight questions in ten; agreeing they are right in a share `alike`, else `apart`."""
    rng, found = random.Random(seed), []
    for number in range(n):
        agree = rng.random() < 0.8
        right = rng.random() < (alike if agree else apart)
        texts = [f"The answer is {number}.", f"The answer is {number if agree else number + 1}."]
        best = rng.random() < top
        answers = {
            "gpt-4o-mini": RecordedAnswer(text=texts[0], correct=right),
            "gpt-3.5-turbo": RecordedAnswer(text=texts[1], correct=right),
            TOP: RecordedAnswer(
                text=f"Let me think about it for a while. The answer is {number + (not best) * 2}.", correct=best
            ),
        }
        found.append(Row(id=f"{seed}/{number}", group=f"{seed}/{number}", query=f"Question {number}?", answers=answers))
    return found


def written(folder: Path, name: str, found: list[Row]) -> Path:
    file = folder / f"{name}.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in found))
    return file


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("learn")
    return written(folder, "test", rows(400, 1)), written(folder, "labels", rows(400, 2))


def trial(files: tuple[Path, Path], ladder: str, *more: str) -> dict[str, Any]:
    test, labels = files
    said = CliRunner().invoke(app, ["trial", str(test), "--learn", str(labels), "--ladder", ladder, "--json", *more])
    assert said.exit_code == 0, said.output
    return json.loads(said.stdout)


def test_without_a_person_it_is_as_right_as_the_top_rung_and_cheaper(files: tuple[Path, Path]) -> None:
    report = trial(files, f"{PAIR},{TOP}")
    assert report["escalated"] == 0 and report["delivered"] == 400
    assert report["paired"]["high"] >= 0 and 0 < report["saving"] < 1
    assert report["learned_from"] == "labels.jsonl" and report["certificate"] is None


def test_what_a_map_says_is_calibrated_and_measured_on_all_drafts(files: tuple[Path, Path]) -> None:
    report = trial(files, f"{PAIR},{TOP},person")
    measured = report["confidence"]
    assert measured["n"] > 400 and measured["ece"] < 2 * measured["ece_perfect_p95"] and 0 < measured["brier"] < 0.25
    assert measured["coverage"] == report["delivered"] / 400 and 0 < measured["aurc"] < 0.2
    assert report["by_rung"][PAIR]["calibrated"] and report["configured"] == report["uncalibrated"] == []


def test_with_a_person_and_no_price_every_answer_must_reach_the_bar(files: tuple[Path, Path]) -> None:
    report = trial(files, f"{PAIR},{TOP},person", "--bar", "0.9")
    assert report["by_rung"][PAIR]["delivered"] < 400 and report["delivered_error"]["estimate"] < 0.1
    assert report["person_usd"] is None


def test_a_persons_price_turns_the_bar_into_a_promise_of_all_that_is_delivered(files: tuple[Path, Path]) -> None:
    report = trial(files, f"{PAIR},{TOP},person", "--person-usd", "1.5")
    assert report["certificate"]["state"] == report["promise"]["state"] == "certified"
    assert report["escalated"] <= 20 and report["person_usd"] == 1.5 * report["escalated"]


def test_a_promise_without_a_bar_rules_alone_and_says_how_it_stands(files: tuple[Path, Path]) -> None:
    report = trial(files, f"{PAIR},{TOP},person", "--promise", "0.9")
    assert report["promise"]["accuracy"] == 0.9 and report["certificate"]["n"] > 0
    assert report["delivered"] > 200


def test_a_promise_that_is_not_certified_delivers_nothing(tmp_path: Path) -> None:
    poor = [
        written(tmp_path, name, rows(200, seed, alike=0.6, top=0.7)) for seed, name in enumerate(("test", "labels"))
    ]
    report = trial((poor[0], poor[1]), f"{PAIR},{TOP},person", "--promise", "0.95")
    assert (report["delivered"], report["escalated"]) == (0, 200)
    assert report["certificate"]["state"] == "not certified yet"


def test_too_few_labels_teach_nothing_and_everything_climbs(tmp_path: Path, files: tuple[Path, Path]) -> None:
    few = written(tmp_path, "few", rows(10, 3))
    report = trial((files[0], few), f"{PAIR},{TOP},person")
    assert report["delivered"] == 0 and report["escalated"] == 400


def test_the_table_fits_a_terminal(files: tuple[Path, Path]) -> None:
    test, labels = files
    said = CliRunner().invoke(
        app,
        ["trial", str(test), "--learn", str(labels), "--ladder", f"{PAIR},{TOP}"],
        env={"COLUMNS": "80", "TERM": "dumb"},
    )
    assert said.exit_code == 0 and all(len(line) <= 80 for line in said.stdout.splitlines())
    assert "learned from" in said.stdout and "paired" in said.stdout
