"""The commands as a person types them: 80 columns, one line for an error, the right exit code."""

import json
from pathlib import Path

import pytest
from cli_support import surefoot

from surefoot.demo.places import CLINIC


@pytest.mark.parametrize("command", [[], ["--help"], ["trial", "--help"], ["key", "create", "--help"]])
def test_help_fits_eighty_columns(command: list[str]) -> None:
    assert all(len(line) <= 80 for line in surefoot(*command).output.splitlines())


def test_help_is_grouped_by_what_one_wants() -> None:
    said = surefoot("--help").output
    places = [said.index(f" {group} ") for group in ("Run", "Try", "Steer", "Money", "People")]
    assert places == sorted(places)


def test_init_writes_once_and_its_file_checks_out(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert surefoot("init").exit_code == 2
    assert surefoot("init", "new.toml").exit_code == 0
    monkeypatch.setenv("OPENAI_API_KEY", "sk-x")
    said = surefoot("check", "--config", "new.toml", "--offline")
    assert said.exit_code == 0 and "key found" in said.output and "sk-x" not in said.output


def test_check_lists_problems_with_their_lines(config: Path) -> None:
    config.write_text(config.read_text() + "confidence = 7\nladderr = 1\n")
    said = surefoot("check", "--offline")
    assert said.exit_code == 1 and "surefoot.toml:13:" in said.output


def test_without_a_configuration_serve_says_what_to_do(config: Path) -> None:
    config.unlink()
    said = surefoot("serve")
    assert said.exit_code == 2 and "surefoot init" in said.output and "Traceback" not in said.output


def test_a_key_is_shown_once_and_kept_as_a_hash(config: Path) -> None:
    made = json.loads(surefoot("key", "create", "--tenant", "acme", "--feature", "f", "--json").output)
    listed = surefoot("key", "list", "--json").output
    assert made["key"].startswith("sk-sf-") and made["key"] not in listed
    assert made["key"].encode() not in Path("s.db").read_bytes()
    assert json.loads(listed)[0]["prefix"] == made["key"][:10]


def test_a_key_can_be_revoked_once(config: Path) -> None:
    made = json.loads(surefoot("key", "create", "--tenant", "acme", "--json").output)
    assert surefoot("key", "revoke", made["id"]).exit_code == 0
    assert surefoot("key", "revoke", made["id"]).exit_code == 1


def test_an_empty_store_reports_nothing_and_verifies(config: Path) -> None:
    assert json.loads(surefoot("ledger", "--json").output) == []
    assert json.loads(surefoot("cases", "--json").output) == []
    assert "0 rows verify" in surefoot("journal", "verify").output
    assert surefoot("replay", "req_none").exit_code == 1


def test_ask_quotes_with_a_source_or_sends_to_a_person() -> None:
    docs = str(CLINIC / "handbook")
    told = json.loads(surefoot("ask", "How long do repeat prescriptions take?", "--docs", docs, "--json").output)
    assert "2 working days" in told["answer"] and told["p"] is None and told["verdict"] == "deliver"
    unknown = json.loads(surefoot("ask", "Who was Tutankhamun?", "--docs", docs, "--json").output)
    assert unknown["answer"] is None and unknown["verdict"] == "escalate"


@pytest.mark.parametrize(
    "command",
    [
        ["trial", "none.jsonl", "--ladder", "a"],
        ["trial", "clinic", "--ladder", ""],
        ["trial", "clinic", "--ladder", "person,handwritten-small"],
        ["trial", "clinic", "--ladder", "handwritten-small", "--map", "other=0.5"],
        ["trial", "clinic", "--ladder", "handwritten-small", "--map", "handwritten-small=high"],
        ["trial", "clinic", "--ladder", "handwritten-small", "--bar", "2"],
        ["ask", "x", "--docs", "no-such-folder"],
        ["ledger", "--by", "moon"],
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(config: Path, command: list[str]) -> None:
    said = surefoot(*command)
    assert said.exit_code in (1, 2) and said.output.startswith("surefoot: ") and "Traceback" not in said.output
