"""On real recorded answers a trial's figures equal those computed directly from the file."""

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from surefoot.providers.rows import read_rows
from surefoot.trial.ladder import FEATURE, ladder_config
from surefoot.trial.report import Report
from surefoot.trial.run import trial

WEAK, STRONG = "gpt-3.5-turbo-0613", "gpt-4-0613"
PAIR, FLAGSHIP = ("gpt-4o-mini-2024-07-18", "gemini-1.5-flash"), "claude-3-5-sonnet-20241022"


def run(file: Path, ladder: str) -> Report:
    config = ladder_config(file, ladder.split(","), bar=0.85, maps={})
    return asyncio.run(trial(read_rows(file), config, FEATURE, file=file.name))


def direct(file: Path, *models: str) -> tuple[int, int, int]:
    """(rows, delivered, wrong) when every row is answered by the first of the models that has an answer."""
    rows = [json.loads(line) for line in gzip.open(file)]
    verdicts = [next((row["answers"][m]["correct"] for m in models if m in row["answers"]), None) for row in rows]
    return len(rows), sum(v is not None for v in verdicts), verdicts.count(False)


@pytest.mark.data
@pytest.mark.parametrize("name", ["gsm8k", "crux", "ragtruth_qa"])
def test_an_uncalibrated_ladder_delivers_the_first_answer_there_is(data_dir: Path, name: str) -> None:
    file = data_dir / f"{name}.jsonl.gz"
    report = run(file, f"{WEAK},{STRONG},person")
    rows, delivered, wrong = direct(file, WEAK, STRONG)
    assert (report.queries, report.delivered, report.escalated) == (rows, delivered, rows - delivered)
    assert sum(count.wrong for count in report.by_rung.values()) == wrong
    assert report.delivered_error.n == delivered


@pytest.mark.data
def test_agreement_of_two_small_models_buys_the_flagships_quality(data_dir: Path) -> None:
    report = run(data_dir / "gsm8k.jsonl.gz", f"{'+'.join(PAIR)},{FLAGSHIP},person")
    assert report.queries == report.delivered == 645
    assert report.accuracy_all is not None and report.accuracy_all >= 0.96
    assert report.cost_usd is not None and report.baseline.cost_usd is not None
    assert report.cost_usd < 0.25 * report.baseline.cost_usd


@pytest.mark.data
@pytest.mark.parametrize("name", ["begin", "summedits"])
def test_rows_that_share_a_query_keep_their_own_verdicts(data_dir: Path, name: str) -> None:
    file = data_dir / f"{name}.jsonl.gz"
    models = sorted({model for row in read_rows(file) for model in row.answers})
    report = run(file, ",".join((*models, "person")))
    rows, delivered, wrong = direct(file, *models)
    assert (report.queries, report.delivered) == (rows, delivered)
    assert sum(count.wrong for count in report.by_rung.values()) == wrong


@pytest.mark.data
def test_a_file_without_texts_has_no_cost(data_dir: Path) -> None:
    report = run(data_dir / "mmlu_routing.jsonl.gz", "mistralai/Mixtral-8x7B-Instruct-v0.1,gpt-4-1106-preview,person")
    assert report.cost_usd is None and report.baseline.error is not None and report.cost_estimated
