"""Accounts on the command line."""

import json
import re
from pathlib import Path

import pytest
from cli_support import CONFIG, surefoot
from typer.testing import Result

pytestmark = pytest.mark.usefixtures("served")


@pytest.fixture
def served(config: Path) -> None:
    config.write_text(CONFIG + "[server]\nport = 8123\n")


def account(*command: str) -> Result:
    return surefoot("account", *command, columns=120)


def listed() -> dict[str, dict[str, object]]:
    return {each["name"]: each for each in json.loads(account("list", "--json").output)}


def test_a_new_account_comes_with_a_link() -> None:
    said = account("create", "Amy", "--shown", "Amy Adler")
    assert said.exit_code == 0 and re.match(r"http://127\.0\.0\.1:8123/welcome/[\w-]{43}\n", said.output)
    assert listed()["amy"]["role"] == "operator" and listed()["amy"]["password"] == ""
    assert "invited" in account("list").output


def test_a_link_names_the_address_that_people_use() -> None:
    account("create", "amy")
    told = json.loads(account("link", "amy", "--url", "https://desk.example/", "--json").output)
    assert told["account"] == "amy" and told["link"].startswith("https://desk.example/welcome/")


def test_an_account_is_disabled_and_let_back_in() -> None:
    account("create", "max", "--role", "manager")
    account("create", "amy")
    assert account("disable", "amy").exit_code == 0 and listed()["amy"]["disabled_at_ns"]
    assert account("link", "amy").exit_code == 1
    assert account("enable", "amy").exit_code == 0 and not listed()["amy"]["disabled_at_ns"]


@pytest.mark.parametrize(
    "command",
    [
        ("create", "amy"),
        ("create", "A B"),
        ("create", "ben", "--role", "root"),
        ("disable", "nobody"),
        ("link", "nobody"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(command: tuple[str, ...]) -> None:
    account("create", "amy")
    refused = account(*command)
    assert refused.exit_code == 1 and refused.output.startswith("surefoot: ") and refused.output.count("\n") == 1
    assert list(listed()) == ["amy"]
