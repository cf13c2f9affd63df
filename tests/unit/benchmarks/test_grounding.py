"""The benchmark of grounding keeps groups apart and counts as it says."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.grounding import apart, judged, left_after, two_files
from surefoot.providers.rows import read_rows

KEYS = {
    "auroc", "auprc", "aurc", "ece", "ece_perfect_p95", "brier", "base_rate", "left_after", "median_us", "p95_us", "n",
    "interval",
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Forty sources with a right and a wrong answer each; one answer has no verdict."""
    rows = [
        {
            "id": str(n), "group": f"g{n // 2}", "query": "", "context": [f"The fee of desk {n} is {n + 100} dollars."],
            "answers": {
                "good": {"text": f"The fee is {n + 100} dollars.", "correct": True},
                "bad": {"text": f"The fee is {n + 300} euros, says Bob.", "correct": False},
                "unjudged": {"text": "The fee is due."},
            },
        }
        for n in range(40)
    ]  # fmt: skip
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows))
    return path


def test_a_file_against_itself_is_divided_by_group(file: Path) -> None:
    answers = judged(read_rows(file))
    train, test, shared = apart(answers, answers, 3)
    assert (len(answers), len(train) + len(test), shared) == (80, 80, 20)
    assert not {each.example.group for each in train} & {each.example.group for each in test}


def test_groups_of_one_file_only_stay_where_they_are(file: Path) -> None:
    answers = judged(read_rows(file))
    train, test, shared = apart(answers[:44], answers[40:], 0)
    assert shared == 1
    assert len(train) + len(test) == 80
    assert not {each.example.group for each in train} & {each.example.group for each in test}


def test_all_figures_are_there_and_plain_mistakes_are_told_apart(file: Path) -> None:
    found = two_files(file, file, 0)
    assert set(found) >= KEYS and set(found["left_after"]) == {"0.1", "0.2", "0.3"}
    assert (found["auroc"], found["n"], found["split"]) == (1.0, 40, "by group")
    assert json.loads(json.dumps(found))["interval"]["auroc"] == [1.0, 1.0]


def test_what_is_left_is_a_share_of_what_is_delivered() -> None:
    p, right = np.array([0.1, 0.2, 0.6, 0.7, 0.8]), np.array([False, True, False, True, True])
    assert left_after(p, right, 0.2) == pytest.approx(1 / 4)
    assert left_after(p, right, 0.0) == pytest.approx(2 / 5)


def test_too_few_answers_are_said_to_be_too_few(file: Path, tmp_path: Path) -> None:
    few = tmp_path / "few.jsonl"
    few.write_text("\n".join(file.read_text().splitlines()[:4]))
    with pytest.raises(SystemExit, match="too few"):
        two_files(few, file, 0)
