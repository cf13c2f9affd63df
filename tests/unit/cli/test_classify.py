"""surefoot classifier: from labelled rows to the file that an admit rule names."""

import json
from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner, Result

from surefoot.cli.classify import classifier
from surefoot.signals.classifier import TextClassifier

app = typer.Typer()
app.command()(classifier)


def run(*given: object) -> Result:
    return CliRunner().invoke(app, [str(each) for each in given])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {"id": str(n), "query": f"{'bleeding badly' if n % 4 == 0 else 'parking fee'} {n % 7}", "group": f"g{n % 30}",
         "tags": ["red-flag"] if n % 4 == 0 else []}
        for n in range(120)
    ]  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_it_writes_a_classifier_and_says_how_it_did(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "urgent.json"
    told = json.loads(run(file, "--tag", "red-flag", "-o", output, "--json").stdout)
    fitted = msgspec.json.decode(output.read_bytes(), type=TextClassifier)
    assert told["labels"] == fitted.labels == 120 and told["recall"]["n"] == 30 and told["false_alarms"]["n"] == 90
    assert fitted.match("he is bleeding") and not fitted.match("the parking fee")


def test_without_json_it_says_so_in_words(file: Path, tmp_path: Path) -> None:
    told = run(file, "--tag", "red-flag", "-o", tmp_path / "u.json", "--recall", "0.9").stdout
    assert "recall" in told and "false alarms" in told and "wanted 90%" in told


def test_topics_are_no_groups_and_the_way_out_is_named(tmp_path: Path) -> None:
    refused = run("clinic", "--tag", "red-flag", "-o", tmp_path / "u.json")
    assert refused.exit_code == 1 and "--by-row" in refused.output
    assert run("clinic", "--tag", "red-flag", "-o", tmp_path / "u.json", "--by-row").exit_code == 0


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--tag", "nothing"), 1, "0 groups"),
        (("--tag", "red-flag", "--recall", "1.5"), 2, "at most 1"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(
    file: Path, tmp_path: Path, more: tuple[str, ...], code: int, words: str
) -> None:
    result = run(file, *more, "-o", tmp_path / "u.json")
    assert result.exit_code == code and words in result.output and not (tmp_path / "u.json").exists()


def test_a_place_that_cannot_be_written_is_said(file: Path, tmp_path: Path) -> None:
    assert "cannot be written" in run(file, "--tag", "red-flag", "-o", tmp_path / "none" / "u.json").output
