"""A gate run end to end over recorded and simulated answers: what is asked, graded, paid for and left out."""

import asyncio
import sys
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from surefoot.config.load import load, load_text
from surefoot.demo.places import CLINIC, CLINIC_CONFIG, CLINIC_MESSAGES
from surefoot.errors import ConfigError
from surefoot.evals.gate import FAIL, OPEN, PASS, Rules
from surefoot.providers.rows import RecordedAnswer, Row, read_rows
from surefoot.trial.gate import Asked, Plan, Run, run_gate
from surefoot.trial.ladder import FEATURE, ladder_config
from surefoot.trial.sides import Grader, Named
from surefoot.trial.told import Told, after, before, markdown


def rows(n: int, *, worse: int = 0, missing: int = 0) -> list[Row]:
    """Rows that `old` gets right, `new` too but for some; of `missing` nobody recorded `new`."""
    found = []
    for place in range(n):
        answers = {"old": RecordedAnswer(text="5", correct=True)}
        if place >= missing:
            answers["new"] = RecordedAnswer(text="6", correct=place >= missing + worse)
        found.append(Row(id=f"r/{place:03d}", query=f"what is {place}?", reference="5", answers=answers))
    return found


def recorded(tmp_path: Path, given: list[Row], ladder: str) -> Named:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(row) for row in given))
    return Named(name=ladder, config=ladder_config(file, ladder.split(","), bar=None, maps={}))


def gated(tmp_path: Path, given: list[Row], new: str = "new", **how: object) -> Run:
    asked = Asked(
        candidate=recorded(tmp_path, given, new), other=recorded(tmp_path, given, "old"), feature=FEATURE, rules=Rules()
    )  # fmt: skip
    run = asyncio.run(run_gate(given, replace(asked, **how)))
    assert run is not None
    return run


def test_a_worse_candidate_fails_early_and_the_same_one_passes(tmp_path: Path) -> None:
    run = gated(tmp_path, rows(300, worse=120))
    assert run.verdict.state == FAIL and run.stopped == "settled early: fail" and run.verdict.tried < 100
    assert run.verdict.worse and not run.verdict.better and run.revised is None
    same = gated(tmp_path, rows(300))
    assert same.verdict.state == PASS and same.verdict.findings[0].estimate == 0
    few = gated(tmp_path, rows(30, worse=1))
    assert few.verdict.state == OPEN and few.verdict.findings[0].more_items and not few.stopped


def test_what_a_provider_does_not_answer_is_missing_and_not_wrong(tmp_path: Path) -> None:
    run = gated(tmp_path, rows(300, missing=10))
    assert run.verdict.missing == 10 and run.verdict.state == PASS and run.sides[0].failed == 10
    many = gated(tmp_path, rows(300, missing=40))
    assert many.verdict.state == OPEN and "have no score" in many.verdict.reason


def test_the_order_is_the_seeds_and_a_limit_takes_whole_groups(tmp_path: Path) -> None:
    given = [replace(row, group=f"g{place // 3}") for place, row in enumerate(rows(60, worse=7))]
    one, two = gated(tmp_path, given, limit=31, seed=1), gated(tmp_path, given, limit=31, seed=2)
    assert one.plan.items == two.plan.items == 30 and one.plan.groups == 10
    assert gated(tmp_path, given, limit=31, seed=1).verdict == one.verdict


def test_an_escalation_counts_as_wrong_unless_a_person_is_taken_to_be_right(tmp_path: Path) -> None:
    given = rows(40)
    recorded(tmp_path, given, "new")
    config = ladder_config(tmp_path / "rows.jsonl", ["new", "person"], bar=0.9, maps={"new": 0.5})
    asked = Asked(
        candidate=Named(name="strict", config=config), other=None, feature=FEATURE,
        rules=Rules(margin=None, at_least=0.5, early=0.0),
    )  # fmt: skip
    run = asyncio.run(run_gate(given, asked))
    assert run is not None and run.sides[0].escalated == 40 and run.verdict.candidate.estimate == 0
    kind = asyncio.run(run_gate(given, replace(asked, person_right=True)))
    assert kind is not None and kind.verdict.candidate.estimate == 1


PRICED = """
[store]
database = "memory"
[providers.simulation]
kind = "simulated"
folder = "handbook"
file = "messages.jsonl"
[models.big]
provider = "simulation"
simulation = { accuracy = 0.9 }
max_output_tokens = 100
price = { input_usd_per_million = 2.5, output_usd_per_million = 10.0 }
[features.clinic]
ladder = ["cache", "big"]
budget = { usd = 0.000001 }
promise = { accuracy = 0.9 }
audit = 0.05
"""


def test_a_cap_is_never_exceeded_and_budgets_of_the_policy_are_not_its_own(tmp_path: Path) -> None:
    named = Named(name="priced", config=load_text(PRICED, base=CLINIC))
    given = [row for row in read_rows(CLINIC_MESSAGES) if not row.tags][:60]
    asked = Asked(
        candidate=named, other=replace(named, name="other"), feature="clinic", rules=Rules(samples=2), together=4
    )  # fmt: skip
    plans: list[Plan] = []
    whole = asyncio.run(run_gate(given, asked, on_plan=plans.append))
    assert whole is not None and not whole.stopped
    spent = sum(side.nanodollars for side in whole.sides)
    cost = plans[0].costs[0]
    assert whole.sides[0].simulated and whole.sides[0].estimated
    assert 0 < spent < 2 * cost.worst and cost.least <= cost.whole < cost.worst
    assert 0.5 < spent / (2 * cost.whole) < 2
    capped = asyncio.run(run_gate(given, replace(asked, max_nanodollars=spent // 3)))
    assert capped is not None and capped.stopped == "the cap is reached" and capped.verdict.state == OPEN
    assert 0 < sum(side.nanodollars for side in capped.sides) <= spent // 3
    assert asyncio.run(run_gate(given, asked, only_plan=True)) is None


def test_a_program_grades_and_its_silence_is_no_verdict(tmp_path: Path) -> None:
    program = tmp_path / "grade.py"
    program.write_text(
        "import json, sys\ngiven = json.load(sys.stdin)\n"
        'verdict = "abstain" if given["id"] == "r/001" else "pass" if given["answer"] == given["reference"] else "fail"\n'
        'print(json.dumps({"verdict": verdict, "score": 0.25 if given["id"] == "r/002" else None}))\n'
    )
    grader = Grader(f"{sys.executable} {program}")
    given = rows(4)

    async def scores() -> list[float | None]:
        return [await grader(row, "f", "5", None) for row in given] + [await grader(given[0], "f", "6", None)]

    assert asyncio.run(scores()) == [1.0, None, 0.25, 1.0, 0.0]
    assert asyncio.run(Grader("false")(given[0], "f", "5", None)) is None
    with pytest.raises(ConfigError, match="no command"):
        Grader("'unended")


def test_a_policy_without_the_feature_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no feature 'other'"):
        gated(tmp_path, rows(3), feature="other")


def test_the_report_fits_a_terminal_and_a_pull_request(tmp_path: Path) -> None:
    run = gated(tmp_path, rows(300, worse=30))
    told = Told(
        file="rows.jsonl", version="0123456789abcdef", feature=FEATURE, candidate="new", other="old", samples=1, seed=0,
        run=run, notes=("3 items left out",),
    )  # fmt: skip
    lines = [*before(run.plan, ["new", "old"], 1), *after(told)]
    assert all(len(line) <= 80 for line in lines)
    text = "\n".join(lines)
    assert text.startswith("300 items\nto see 3 points with 80% power takes") and "FAIL:" in text and "no price" in text
    page = markdown(told)
    assert "(tokens estimated)" in page and "simulated" not in page
    assert page.startswith("### Gate: fail\n") and "| worse than the other" in page and "3 items left out." in page


def test_red_flags_are_right_only_with_a_person() -> None:
    named = Named(name="clinic", config=load(CLINIC_CONFIG))
    flags = [row for row in read_rows(CLINIC_MESSAGES) if "red-flag" in row.tags][:12]
    asked = Asked(candidate=named, other=None, feature="clinic", rules=Rules(margin=None, at_least=0.5))
    run = asyncio.run(run_gate(flags, asked))
    assert run is not None and run.sides[0].escalated == 12 and run.verdict.candidate.estimate == 1
