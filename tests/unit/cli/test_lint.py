"""`surefoot lint` in a terminal of 80 columns and in CI: what it prints, what it exits with."""

import asyncio
import json
import time
from pathlib import Path

import pytest
from learning_support import configured, fits, opened, surefoot
from lint_support import SECOND, prompted

from benchmarks.prompts import SYSTEM, openai, question, tools

DAY = 86_400 * SECOND
CLEAN = {"model": "gpt-4o", "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": "Hello?"}]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    configured(tmp_path)
    return tmp_path


def worked(n: int = 24, *, keep: bool = True, days: int = 4) -> None:
    """Four days of requests whose tools come in another order each time."""

    async def run() -> None:
        store = await opened()
        begin = time.time_ns() - days * DAY + (3600 if days else -60) * SECOND
        for each in range(n):
            body = openai(SYSTEM, question(each), tools=[*tools()[each % 4 :], *tools()[: each % 4]])
            at_ns = begin + each // 6 * DAY + each % 6 * 20 * SECOND
            await prompted(store, f"r{each}", body, at_ns=at_ns, user=f"u{each}", keep=keep, input_tokens=3000)
        await store.close()

    asyncio.run(run())


def file(folder: Path, body: object) -> str:
    path = folder / "prompt.json"
    path.write_text(json.dumps(body), "utf-8")
    return str(path)


def test_a_feature_is_told_in_eighty_columns_with_its_money_a_month(folder: Path) -> None:
    worked()
    said = surefoot("lint", "--feature", "clinic")
    assert said.exit_code == 0 and fits(said.output), said.output
    assert "error unstable-order: tools, line 1, byte" in said.output and "USD a month" in said.output
    assert "24 looked at (seed 0)" in said.output


def test_the_json_says_the_same(folder: Path) -> None:
    worked()
    (found,) = json.loads(surefoot("lint", "--format", "json").output)
    assert [each["rule"] for each in found["report"]["findings"]] == ["unstable-order"]
    assert found["metered"]["requests"] == 24


def test_the_exit_tells_ci_whether_too_much_is_wasted(folder: Path) -> None:
    worked()
    assert surefoot("lint", "--fail-over", "0.0001").exit_code == 1
    assert surefoot("lint", "--fail-over", "1000").exit_code == 0


def test_the_exit_tells_ci_when_nobody_knows(folder: Path) -> None:
    assert surefoot("lint", "--fail-over", "1").exit_code == 2
    worked(3, days=0)  # too few for a month
    assert surefoot("lint", "--fail-over", "1").exit_code == 2


def test_without_content_it_says_so_and_what_is_metered(folder: Path) -> None:
    worked(keep=False)
    said = surefoot("lint")
    assert "content of 24 is not kept" in said.output and "input tokens 72,000" in said.output
    assert "prompts: not enough data" in said.output and fits(said.output)


def test_a_file_needs_no_configuration_and_no_traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    dirty = json.loads(json.dumps(CLEAN))
    dirty["messages"][0]["content"] = f"It is 2026-11-24T10:14:07Z.\n\n{SYSTEM}"
    said = surefoot("lint", "--request", file(tmp_path, dirty), "--fail-over", "0.5")
    assert said.exit_code == 1 and fits(said.output) and "USD per 1,000 requests" in said.output
    clean = surefoot("lint", "--request", file(tmp_path, CLEAN), "--fail-over", "0")
    assert clean.exit_code == 0 and "no findings" in clean.output


def test_a_file_without_a_price_is_linted_but_nobody_knows_what_it_saves(tmp_path: Path) -> None:
    said = surefoot("lint", "--request", file(tmp_path, {**CLEAN, "model": "our-own"}), "--fail-over", "1")
    assert said.exit_code == 2 and "no price" in said.output


def test_a_miss_is_explained_with_both_sides(folder: Path) -> None:
    worked()
    said = surefoot("lint", "--explain", "r0", "r1")
    assert said.exit_code == 0 and fits(said.output)
    assert "the same tools in another order" in said.output and "before: tool find_visit" in said.output
    told = json.loads(surefoot("lint", "--explain", "r0", "r1", "--format", "json").output)
    assert told["after"]["slot"] == "tool book_visit" and told["least_tokens"] == 1024


@pytest.mark.parametrize(
    ("wrong", "code"),
    [(("--feature", "none"), 1), (("--since", "soon"), 2), (("--sample", "0"), 2), (("--fail-over", "-1"), 2),
     (("--request", "nowhere.json"), 1), (("--explain", "r0", "r1"), 1), (("--feature", "clinic", "--explain", "a", "b"), 2)],
)  # fmt: skip
def test_what_cannot_be_done_is_said_on_one_line(folder: Path, wrong: tuple[str, ...], code: int) -> None:
    said = surefoot("lint", *wrong)
    assert said.exit_code == code and said.output.count("\n") <= 1 and said.output.startswith("surefoot: "), said.output
