"""A trial's figures are those computed directly from the rows."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.config.load import load
from surefoot.demo.places import CLINIC_CONFIG, CLINIC_FEATURE, CLINIC_MESSAGES
from surefoot.errors import ConfigError
from surefoot.providers.rows import RecordedAnswer, Row, read_rows
from surefoot.trial.ladder import FEATURE, ladder_config
from surefoot.trial.report import Report, render, to_json
from surefoot.trial.run import trial


def run(rows: list[Row], folder: Path, ladder: str, *, bar: float = 0.85, **maps: float) -> Report:
    file = folder / "rows.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    config = ladder_config(file, ladder.split(","), bar=bar, maps=maps)
    return asyncio.run(trial(read_rows(file), config, FEATURE, file="rows"))


def row(number: int, query: str = "", **answers: tuple[str | None, bool | None]) -> Row:
    given = {model: RecordedAnswer(text=text, correct=correct) for model, (text, correct) in answers.items()}
    return Row(id=f"r/{number}", query=query, context=(f"passage {number % 2}",), answers=given)


def test_uncalibrated_rungs_deliver_and_missing_answers_are_climbed_over(tmp_path: Path) -> None:
    rows = [row(1, small=("a", True), big=("b", True)), row(2, big=("b", False)), row(3, small=("a", False)), row(4)]
    report = run(rows, tmp_path, "small,big,person")
    assert (report.queries, report.delivered, report.escalated, report.unavailable) == (4, 3, 1, 3)
    assert {name: (c.count, c.delivered, c.wrong) for name, c in report.by_rung.items()} == {
        "small": (4, 2, 1), "big": (2, 1, 1), "person": (1, 0, 0),
    }  # fmt: skip
    assert (report.delivered_error.n, round(report.delivered_error.estimate, 3)) == (3, 0.667)
    assert report.accuracy_all == 0.25 and report.uncalibrated == ("small", "big")


def test_a_map_below_the_bar_climbs_and_a_bar_of_zero_delivers(tmp_path: Path) -> None:
    rows = [row(1, small=("a", True), big=("b", False))]
    assert run(rows, tmp_path, "small,big,person", small=0.8).by_rung["big"].delivered == 1
    assert run(rows, tmp_path, "small,big,person", small=0.8, bar=0.0).by_rung["small"].delivered == 1
    assert run(rows, tmp_path, "small,person", small=0.8).escalated == 1


def test_a_pair_delivers_where_it_agrees_and_climbs_where_not(tmp_path: Path) -> None:
    one, two = ("the answer is 5", True), ("the answer is 6", False)
    rows = [row(1, a=one, b=one, c=two), row(2, a=one, b=two, c=one), row(3, a=one, c=two)]
    report = run(rows, tmp_path, "a+b,c,person")
    assert report.by_rung["a+b"].delivered == 1 and report.by_rung["c"].delivered == 2
    assert report.by_rung["a+b"].unavailable == 1


def test_answers_without_texts_have_verdicts_but_no_cost(tmp_path: Path) -> None:
    report = run([row(1, small=(None, True), big=(None, False))], tmp_path, "small,big")
    assert report.delivered == 1 and report.cost_usd is None and report.baseline.error == 1.0
    assert report.baseline.cost_usd is None and report.saving is None


def test_unlabelled_answers_are_not_counted_as_right_or_wrong(tmp_path: Path) -> None:
    report = run([row(1, small=("a", None)), row(2, small=("a", True))], tmp_path, "small")
    assert (report.delivered, report.unlabelled, report.delivered_error.n) == (2, 1, 1)
    assert report.accuracy_all is None


def test_no_rows_are_not_enough_data(tmp_path: Path) -> None:
    report = run([], tmp_path, "small")
    assert report.delivered_error.estimate is None and report.accuracy_all is None


def test_the_same_query_over_other_passages_keeps_its_own_answer(tmp_path: Path) -> None:
    rows = [row(n, query="same", small=(f"text {n}", n == 0)) for n in range(30)]
    report = run(rows, tmp_path, "small", small=0.9)
    assert report.by_rung["small"].wrong == 29


def test_an_exact_repeat_is_given_the_first_rows_believed_answer(tmp_path: Path) -> None:
    rows = [Row(id=str(n), query="same", answers={"small": RecordedAnswer(text="yes", correct=True)}) for n in range(5)]
    report = run(rows, tmp_path, "cache,small", small=0.9)
    assert (report.by_rung["small"].delivered, report.by_rung["cache"].delivered) == (1, 4)
    assert report.unlabelled == 0


verdicts = st.dictionaries(st.sampled_from("abc"), st.booleans(), max_size=3)


@settings(max_examples=25)
@given(st.lists(verdicts, max_size=12), st.permutations("abc"))
def test_figures_equal_a_direct_computation(
    tmp_path_factory: pytest.TempPathFactory, given: list[dict[str, bool]], order: list[str]
) -> None:
    rows = [row(n, **{model: (f"{model}{n}", ok) for model, ok in each.items()}) for n, each in enumerate(given)]
    report = run(rows, tmp_path_factory.mktemp("t"), ",".join((*order, "person")))
    answered = [next((each[model] for model in order if model in each), None) for each in given]
    assert report.delivered == sum(ok is not None for ok in answered)
    assert report.escalated == answered.count(None)
    assert report.delivered_error.n == report.delivered
    assert sum(count.wrong for count in report.by_rung.values()) == answered.count(False)
    assert report.unavailable == sum(
        next((place for place, model in enumerate(order) if model in each), 3) for each in given
    )


def test_the_clinic_runs_and_its_simulated_rung_is_called_so() -> None:
    config = load(CLINIC_CONFIG)
    report = asyncio.run(trial(read_rows(CLINIC_MESSAGES), config, CLINIC_FEATURE, file="clinic"))
    assert report.queries == 182 and report.simulated == ("simulated-flagship",)
    assert report.delivered + report.escalated == 182 and report.by_rung["cache"].delivered > 0
    assert msgspec.json.decode(to_json(report))["delivered_error"]["n"] == report.delivered
    assert render(report)


@pytest.mark.parametrize("ladder", [[], ["person"], ["a", "a"], ["person", "a"]])
def test_a_ladder_that_makes_no_sense_is_refused(tmp_path: Path, ladder: list[str]) -> None:
    with pytest.raises(ConfigError):
        ladder_config(tmp_path, ladder, bar=0.85, maps={})
