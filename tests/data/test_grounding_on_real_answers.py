"""On real answers, supported ones score above hallucinations, and a map learned on other sources says so."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.grounding import Judged, fitted, halves, judged, measured
from surefoot.providers.rows import read_rows
from surefoot.stats.metrics import auroc


def answers(folder: Path, name: str) -> list[Judged]:
    return judged(read_rows(folder / f"{name}.jsonl.gz", limit=900))


@pytest.mark.data
@pytest.mark.parametrize(("name", "least"), [("ragtruth_qa", 0.76), ("begin", 0.91)])
def test_a_map_ranks_answers_of_sources_it_has_not_seen(data_dir: Path, name: str, least: float) -> None:
    train, test = halves(answers(data_dir, name), 1)
    assert not {each.example.group for each in train} & {each.example.group for each in test}
    found = measured(fitted(train, 1), test, seed=1, interval=False)
    assert found["auroc"] > least
    assert found["unjudged"] == 0
    assert found["left_after"]["0.2"] < found["base_rate"]


@pytest.mark.data
def test_figures_are_those_of_the_file(data_dir: Path) -> None:
    rows = read_rows(data_dir / "ragtruth_qa.jsonl.gz")
    verdicts = [answer.correct for row in rows for answer in row.answers.values() if answer.text is not None]
    assert [each.example.accepted for each in judged(rows)] == verdicts


@pytest.mark.data
def test_the_score_alone_is_better_than_shared_words(data_dir: Path) -> None:
    found = answers(data_dir, "ragtruth_qa")
    right = np.array([each.example.accepted for each in found])
    scores = [each.example.signals["grounded"] or 0.0 for each in found]
    assert auroc(scores, right) > auroc([each.overlap for each in found], right) > 0.7
