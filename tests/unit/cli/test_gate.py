"""surefoot gate: its exit codes, what it prints before and after, and what it refuses."""

import json
from pathlib import Path

import msgspec
from cli_support import surefoot

from surefoot.providers.rows import RecordedAnswer, Row

TOML = """
[store]
database = "s.db"
key_file = "s.key"
[providers.recorded]
kind = "recorded"
file = "golden.jsonl"
[models.{name}]
provider = "recorded"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 2.0 }}
[features.f]
mode = "enforce"
ladder = ["cache", "{name}"]
uncalibrated = "deliver"
"""


def golden(folder: Path, n: int, worse: int) -> None:
    rows = [
        Row(
            id=f"r/{place}", query=f"how much is {place}?",
            answers={
                "old": RecordedAnswer(text=f"it is {place}", correct=True),
                "new": RecordedAnswer(text=f"{place}", correct=place >= worse),
            },
        )
        for place in range(n)
    ]  # fmt: skip
    (folder / "golden.jsonl").write_bytes(b"\n".join(msgspec.json.encode(row) for row in rows))
    for name in ("old", "new"):
        (folder / f"{name}.toml").write_text(TOML.format(name=name))


def test_it_exits_with_its_verdict_and_says_its_power_first(config: Path) -> None:
    for n, worse, code, word in ((300, 0, 0, "PASS"), (300, 90, 1, "FAIL"), (40, 1, 2, "NOT ENOUGH DATA")):
        golden(config.parent, n, worse)
        found = surefoot("gate", "--golden", "golden.jsonl", "--policy", "new.toml", "--against", "old.toml")
        assert found.exit_code == code, found.output
        said = " ".join(found.output.split())
        assert said.index("takes 967 items (873") < said.index(f"{word}: ")
        assert "cost of new.toml: $" in found.output and max(map(len, found.output.splitlines())) <= 80


def test_it_writes_markdown_and_json_and_a_plan_asks_nothing(config: Path) -> None:
    golden(config.parent, 120, 60)
    command = ("gate", "--golden", "golden.jsonl", "--policy", "new.toml", "--against", "old.toml", "--json")
    found = surefoot(*command, "--markdown", "gate.md")
    told = json.loads(found.output.splitlines()[-1])
    assert found.exit_code == 1 and told["run"]["verdict"]["state"] == "fail" and len(told["version"]) == 16
    assert (config.parent / "gate.md").read_text().startswith("### Gate: fail")
    planned = surefoot("gate", "--golden", "golden.jsonl", "--policy", "new.toml", "--at-least", "0.8", "--plan")
    assert planned.exit_code == 0 and "120 items" in planned.output and "FAIL" not in planned.output


def test_a_set_without_items_is_not_enough_data(config: Path) -> None:
    golden(config.parent, 0, 0)
    found = surefoot(
        "gate", "--golden", "golden.jsonl", "--policy", "new.toml", "--against", "old.toml", "--at-least", "0.9"
    )
    assert found.exit_code == 2 and "no item has a score" in found.output, found.output


def test_a_gate_that_cannot_be_run_is_no_verdict(config: Path) -> None:
    golden(config.parent, 5, 0)
    for options, said in (
        (("--against", "new.toml"), "same policy"),
        ((), "--against main"),
        (("--against", "7"), "no revision 7"),
        (("--against", "nowhere.toml"), "cannot be read"),
        (("--at-least", "1.5"), "not between 0 and 1"),
        (("--at-least", "0.5", "--samples", "0"), "at least 1"),
        (("--at-least", "0.5", "--margin", "-1"), "not in [0, 1)"),
        (("--at-least", "0.5", "--max-cost", "-1"), "no amount"),
        (("--at-least", "0.5", "--feature", "g"), "no feature 'g'"),
    ):
        found = surefoot("gate", "--golden", "golden.jsonl", "--policy", "new.toml", *options, columns=200)
        assert found.exit_code == 3 and said in found.output, (options, found.output)
    assert surefoot("gate", "--golden", "none.jsonl", "--policy", "new.toml", "--at-least", "0.5").exit_code == 3
    assert not (config.parent / "s.db").exists()  # a store that is not there is not made


def test_main_is_what_serves_and_a_revision_has_its_number(config: Path) -> None:
    golden(config.parent, 60, 0)
    (config.parent / "surefoot.toml").write_text(TOML.format(name="new"))
    assert surefoot("revisions").exit_code == 0  # makes the store
    found = surefoot("gate", "--golden", "golden.jsonl", "--policy", "3", "--against", "main", columns=200)
    assert found.exit_code == 3 and "there is no revision 3" in found.output
    found = surefoot("gate", "--golden", "golden.jsonl", "--policy", "old.toml", "--against", "main")
    assert found.exit_code in (0, 2) and "main" in found.output
