"""`staffing` and `leverage` in a terminal of 80 columns: figures with n and interval, and plain words where nobody knows."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from learning_support import configured, fits, opened, surefoot
from staffing_support import HOUR, SECOND, answered, asked


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    configured(tmp_path)
    return tmp_path


def worked(n: int = 60) -> None:
    """Two days at the desk, every third case answered along with the one before."""

    async def run() -> None:
        store = await opened()
        start = time.time_ns() - 49 * HOUR
        for each in range(n):
            at_ns = start + each * 48 * HOUR // n
            await asked(store, f"r{each}", at_ns=at_ns, p=(0.3, 0.7))
            along = each % 3 == 2
            await answered(
                store, f"r{each}", at_ns=at_ns + 600 * SECOND, seconds=5 if along else 120, by="amy" if each % 2 else "ben",
                meaning=f"answered, as for case-r{each - 1}" if along else "answered", verb="replace" if along else "accept",
            )  # fmt: skip
        await store.close()

    asyncio.run(run())


def test_without_cases_nothing_is_planned(folder: Path) -> None:
    said = surefoot("staffing")
    assert said.exit_code == 0 and fits(said.output)
    assert "not enough data: 0 cases of 20" in said.output.replace("\n               ", " ")


def test_a_plan_fits_the_terminal_and_the_json_says_the_same(folder: Path) -> None:
    worked()
    said = surefoot("staffing")
    (role,) = json.loads(surefoot("staffing", "--json").output)["roles"]
    assert fits(said.output) and "Mon  Tue  Wed" in said.output
    assert role["need"]["people"] >= 1 and f"{role['need']['people']} p" in said.output
    assert [each["bar"] for each in role["bars"]] == [0.8, 0.85, 0.9, 0.95]
    assert "cases per answer: 1.50" in said.output and role["leverage"] == 1.5


def test_a_promise_that_handling_alone_breaks_is_out_of_reach(folder: Path) -> None:
    worked()
    said = surefoot("staffing", "--within", "30")
    told = " ".join(said.output.split())
    assert fits(said.output) and "handling alone takes too long for any number of people" in told


def test_leverage_says_what_an_answer_was_worth(folder: Path) -> None:
    worked()
    said = surefoot("leverage")
    found = json.loads(surefoot("leverage", "--json").output)["review"]
    assert fits(said.output) and "60 cases by 40 answers" in said.output
    assert found["leverage"]["per_answer"]["value"] == 1.5 and found["leverage"]["saved_minutes"]["value"] > 0
    assert [each["by"] for each in found["reviewers"]] == ["amy", "ben"]
    assert "not enough data (0 drafts judged by two or more)" in said.output


def test_leverage_without_answers_claims_nothing(folder: Path) -> None:
    said = surefoot("leverage")
    assert "per answer   not enough data (n = 0)" in said.output and "minutes      unknown" in said.output


@pytest.mark.parametrize(
    "wrong",
    [("staffing", "--role", "wizard"), ("staffing", "--share", "1.5"), ("staffing", "--zone", "Mars/North"),
     ("staffing", "--within", "-1"), ("staffing", "--since", "soon"), ("leverage", "--feature", "none")],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_one_line(folder: Path, wrong: tuple[str, ...]) -> None:
    said = surefoot(*wrong)
    assert said.exit_code in (1, 2) and said.output.count("\n") == 1 and said.output.startswith("surefoot: ")
