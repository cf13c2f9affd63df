"""Keys on the command line: what they may beyond asking."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from surefoot.cli.main import app
from surefoot.demo.places import CLINIC

CONFIG = f"""
[store]
database = "s.db"
key_file = "s.key"
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.quotes]
provider = "docs"
[features.f]
ladder = ["quotes"]
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "surefoot.toml").write_text(CONFIG)


def key(*command: str) -> Result:
    return CliRunner().invoke(app, ["key", *command], env={"COLUMNS": "120", "TERM": "dumb"})


def test_a_key_may_report_outcomes_only_when_it_is_told_so() -> None:
    key("create", "--tenant", "acme")
    key("create", "--tenant", "acme", "--scope", "outcomes", "--scope", "outcomes")
    assert [listed["scopes"] for listed in json.loads(key("list", "--json").output)] == [[], ["outcomes"]]


def test_the_list_says_what_each_key_may() -> None:
    key("create", "--tenant", "acme", "--scope", "outcomes")
    assert "ask, outcomes" in key("list").output


@pytest.mark.parametrize("scope", ["admin", "", "Outcomes"])
def test_an_unknown_scope_makes_no_key(scope: str) -> None:
    said = key("create", "--tenant", "acme", "--scope", scope)
    assert said.exit_code == 2 and said.output.startswith("surefoot: ") and "outcomes" in said.output
    assert json.loads(key("list", "--json").output) == []
