"""The benchmarks of the near cache run on any file of their form and print the promised object as their last line."""

import json
import random
import sys
from pathlib import Path

import pytest

from benchmarks import near_rung, pairs, semantic_cache
from benchmarks.vcache import FEWEST, Item

WORDS = ("card", "refund", "branch", "loan", "password", "limit", "rate", "cash")


def queries(count: int) -> list[dict[str, str]]:
    dice = random.Random(1)
    found = []
    for _ in range(count):
        intent = dice.choice(WORDS)
        filler = " ".join(dice.sample(("please", "tell", "me", "about", "my", "the", "quickly", "again", "today"), 4))
        found.append({"query": f"{filler} {intent} {intent}s", "intent": intent})
    return found


def written(folder: Path, rows: list[dict[str, object]] | list[dict[str, str]]) -> Path:
    file = folder / "rows.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows))
    return file


def test_a_stream_is_reported_run_by_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    file = written(tmp_path, queries(900))
    monkeypatch.setattr(sys, "argv", ["semantic_cache", str(file), "--json", "--seeds", "3", "--no-lookup"])
    semantic_cache.main()
    report = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [run["bound"] for run in report["runs"]] == [0.01, 0.02, 0.05]
    for run in report["runs"]:
        assert run["requests"] == 900 and run["seed"] == 3
        assert {"hits", "wrong_per_request", "wrong_per_hit", "baseline_hits", "fixed_cosine_wrong"} <= run.keys()
    last = report["runs"][-1]
    assert last["hits"] > 0 and last["wrong_per_request"] <= 0.05


def test_pairs_are_scored_by_a_map_that_did_not_see_their_questions(tmp_path: Path) -> None:
    rows, dice = queries(800), random.Random(2)
    made = [{"a": one["query"], "b": other["query"], "same": one["intent"] == other["intent"]} for one, other in (dice.sample(rows, 2) for _ in range(600))]  # fmt: skip
    report = pairs.measured(list(semantic_cache.lines(written(tmp_path, made))))
    assert report["n"] == 600 and report["auroc"] > 0.9 and set(report["recall_at_fpr"]) == {"0.01", "0.05"}


def test_pairs_that_share_a_question_have_one_fold() -> None:
    found = pairs.groups([("a", "b"), ("c", "d"), ("b", "c"), ("x", "y")])
    assert found[0] == found[1] == found[2]


def test_pairs_of_one_kind_have_no_figures() -> None:
    report = pairs.measured([{"a": "one", "b": "two", "same": True}])
    assert report["auroc"] is None and report["recall_at_fpr"] == {"0.01": None, "0.05": None}


def test_an_item_asks_until_it_has_pairs_of_its_own_and_less_the_surer_it_is() -> None:
    item = Item()
    item.pairs = [(0.9, True)] * (FEWEST - 1)
    assert item.ask(0.95, 0.05) == 1.0
    item.pairs = [(0.5, False)] * 20 + [(0.9, True)] * 40
    assert item.ask(0.95, 0.05) < item.ask(0.7, 0.05) <= 1.0


def test_the_rung_is_measured_through_the_gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    file = written(tmp_path, queries(400))
    monkeypatch.setattr(sys, "argv", ["near_rung", str(file), "--json", "--bounds", "0.3", "--bars", "0.5"])
    near_rung.main()
    (run,) = json.loads(capsys.readouterr().out.splitlines()[-1])["runs"]
    assert run["requests"] == 400 and run["hits"] > 20 and run["wrong"] <= 0.3 * 400 and run["hit_us"] > 0
