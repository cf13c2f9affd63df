"""A blind labelling round: one key a verdict, nothing of a worth or an author on the screen, nothing lost."""

import asyncio
import json
import os
import pty
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from learning_support import CONFIG, configured, fits, opened, rows, surefoot, traffic

from surefoot.app.rounds import targets, write
from surefoot.providers.rows import read_rows
from surefoot.records import Case, Label

ANSWERS = {"small-1": {"text": "Five.", "correct": None}, "big-1": {"text": "Six.", "correct": None}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    configured(tmp_path)
    return tmp_path


@pytest.fixture
def answers(folder: Path) -> Path:
    lines = [{"id": f"r{at}", "query": f"2 + {at}?", "note": "kept", "answers": ANSWERS} for at in range(3)]
    (folder / "a.jsonl").write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    return folder / "a.labelled.jsonl"


def kept() -> tuple[Sequence[Label], Sequence[Case]]:
    """(labels, cases still open)."""

    async def run() -> tuple[Sequence[Label], Sequence[Case]]:
        store = await opened()
        found = await store.labels.all(), await store.cases.open_cases()
        await store.close()
        return found

    return asyncio.run(run())


def test_each_key_is_a_label_with_its_propensity_and_closes_its_audit(folder: Path) -> None:
    traffic(12)
    before = len(kept()[1])
    said = surefoot("label", "--by", "ann", keys="yne")
    labels, cases = kept()
    assert sorted(label.verdict for label in labels) == ["accepted", "edited", "wrong"]
    assert {(label.source, label.propensity, label.by) for label in labels} == {("audit", 0.9, "ann")}
    assert len(cases) == before - 3 and "1 right, 1 wrong, 1 right only after an edit" in said.output


def test_the_screen_is_blind_and_fits_eighty_columns(folder: Path) -> None:
    traffic(12)
    said = surefoot("label", keys="sssq").output
    assert fits(said) and "QUESTION" in said and "DRAFT" in said
    assert not any(word in said for word in ("flagship", "rung", "score", "p >=", "uncalibrated"))


def test_the_question_and_the_draft_are_those_of_the_request(folder: Path) -> None:
    traffic(1)
    said = surefoot("label", "--since", "1d", keys="q").output
    assert rows(1)[0].query in said and "hearing loop" in said.split("DRAFT")[1]


def test_a_verdict_can_be_taken_back_until_the_next_key(folder: Path) -> None:
    traffic(12)
    surefoot("label", keys="yun\nsq")
    assert [label.verdict for label in kept()[0]] == ["wrong"]


def test_what_was_skipped_comes_again_and_what_was_judged_does_not(folder: Path) -> None:
    traffic(12)

    def first(keys: str) -> str:
        return surefoot("label", "--limit", "1", keys=keys).output.split("DRAFT")[1][:60]

    skipped, judged, other = first("s"), first("y"), first("q")
    assert skipped == judged != other and len(kept()[0]) == 1


def test_the_order_is_the_same_for_a_seed_and_another_for_another(folder: Path) -> None:
    traffic(30)

    async def order(seed: int) -> list[str]:
        store = await opened()
        found = [each.request_id for each in await targets(store, ["clinic"], since_ns=0, seed=seed)]
        await store.close()
        return found

    one, again, other = (asyncio.run(order(seed)) for seed in (1, 1, 2))
    assert one == again != other and sorted(one) == sorted(other)


def test_drafts_with_a_known_chance_come_first(folder: Path) -> None:
    configured(folder, CONFIG.replace("audit = 0.9", "audit = 0.4"))
    traffic(30)

    async def known() -> list[bool]:
        store = await opened()
        found = [each.propensity is not None for each in await targets(store, ["clinic"], since_ns=0)]
        await store.close()
        return found

    found = asyncio.run(known())
    assert found == sorted(found, reverse=True) and 0 < sum(found) < len(found)


def test_a_withheld_draft_is_labelled_and_its_question_goes_on_waiting(folder: Path) -> None:
    configured(folder, CONFIG + 'mode = "enforce"\nuncalibrated = "deliver"\npromise = { accuracy = 0.85 }\n')
    traffic(6)
    before = {case.id for case in kept()[1]}
    said = surefoot("label", keys="y")
    (label,), cases = kept()
    assert (label.source, label.propensity) == ("round", 1.0) and {case.id for case in cases} == before
    assert "24 more right in a row" in said.output and "23 more right in a row" in said.output


def test_of_two_that_judge_the_same_draft_one_counts(folder: Path) -> None:
    traffic(6)

    async def both() -> list[bool]:
        store = await opened()
        target = (await targets(store, ["clinic"]))[0]
        found = [
            await write(store, target, verdict, by=name, at_ns=1)
            for name, verdict in (("a", "wrong"), ("b", "accepted"))
        ]
        await store.close()
        return [label is not None for label in found]

    assert asyncio.run(both()) == [True, False]
    assert [label.by for label in kept()[0]] == ["a"]


def test_an_empty_round_says_so(folder: Path) -> None:
    assert "nothing waits to be judged" in surefoot("label", keys="").output


def test_a_files_verdicts_go_into_another_file_of_the_format(answers: Path) -> None:
    said = surefoot("label", "a.jsonl", keys="ynenny")
    assert "surefoot learn --from a.labelled.jsonl" in said.output and fits(said.output)
    found = [answer.correct for row in read_rows(answers) for answer in row.answers.values()]
    assert len(found) == 6 and found.count(True) == 2 and found.count(False) == 4
    raw = [json.loads(line) for line in answers.read_text().splitlines()]
    assert all(row["note"] == "kept" for row in raw)
    assert sum(answer.get("verdict") == "edited" for row in raw for answer in row["answers"].values()) == 1


def test_a_file_is_taken_up_where_it_was_left(answers: Path) -> None:
    surefoot("label", "a.jsonl", keys="ye")
    assert "4 answers of a.jsonl to judge" in surefoot("label", "a.jsonl", keys="y").output
    assert "3 answers of a.jsonl to judge" in surefoot("label", "a.jsonl", keys="q").output
    assert answers.read_text().count('"verdict":"edited"') == 1


def test_a_file_says_what_certifies_and_what_a_map_needs(answers: Path) -> None:
    said = surefoot("label", "a.jsonl", keys="q").output
    assert "19 right in a row certify 85% at 95%" in said and "maps: 60 more labels" in said


def test_the_source_file_is_never_written(answers: Path) -> None:
    before = Path("a.jsonl").read_bytes()
    surefoot("label", "a.jsonl", keys="yyy")
    assert Path("a.jsonl").read_bytes() == before
    assert surefoot("label", "a.jsonl", "-o", "a.jsonl", keys="y").exit_code == 1


def test_verdicts_on_other_rows_are_not_mixed_in(answers: Path) -> None:
    answers.write_bytes(msgspec.json.encode({"id": "stranger", "answers": {}}))
    said = surefoot("label", "a.jsonl", keys="y")
    assert said.exit_code == 1 and "'stranger' is not in a.jsonl" in said.output


def test_what_would_steer_the_terminal_is_not_printed(folder: Path) -> None:
    answer = {"m": {"text": "\x1b[2Jgone \u202egnorts", "correct": None}}
    (folder / "a.jsonl").write_bytes(msgspec.json.encode({"id": "r", "query": "\x07?", "answers": answer}))
    said = surefoot("label", "a.jsonl", keys="q").output
    assert "[2Jgone gnorts" in said and not {"\x1b", "\x07", "\u202e"} & set(said)


def press(terminal: int, shown: bytes, key: bytes, after: bytes) -> bytes:
    """Press a key once something is shown and single keys are read; returns all that was shown."""
    while after not in shown:
        shown += os.read(terminal, 65536)
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        time.sleep(0.01)
    os.write(terminal, key)
    return shown


def test_ctrl_c_in_a_terminal_keeps_the_verdict_just_given(answers: Path) -> None:
    terminal, theirs = pty.openpty()
    command = [sys.executable, "-m", "surefoot", "label", "a.jsonl"]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, start_new_session=True) as process:
        shown = press(terminal, b"", b"y", b"q quit")
        shown = press(terminal, shown, b" ", b"goes on")
        shown = press(terminal, b"", b"n", b"q quit")
        press(terminal, b"", b"\x03", b"wrong \xc2\xb7")
        assert process.wait() == 0
    os.close(terminal)
    os.close(theirs)
    found = [answer.correct for row in read_rows(answers) for answer in row.answers.values()]
    assert sorted(each for each in found if each is not None) == [False, True]


@pytest.mark.parametrize(
    "command", [["none.jsonl"], ["--since", "soon"], ["a.jsonl", "--since", "7d"], ["--feature", "moon"]]
)
def test_what_cannot_be_done_is_said_on_one_line(folder: Path, command: list[str]) -> None:
    said = surefoot("label", *command)
    assert said.exit_code in (1, 2) and said.output.startswith("surefoot: ") and "Traceback" not in said.output
