"""Cases as a person in the terminal sees and answers them."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from surefoot.app import App
from surefoot.app.passwords import hashed
from surefoot.cli.main import app
from surefoot.config.load import load
from surefoot.providers.rows import Row
from surefoot.records.person import Account
from surefoot.trial.asking import request_of

CONFIG = """
[store]
database = "s.db"
key_file = "s.key"
[providers.rows]
kind = "recorded"
file = "rows.jsonl"
[models.small]
provider = "rows"
[features.f]
mode = "enforce"
ladder = ["small"]
person = "nurse"
[features.f.maps.small]
p = 0.5
[people.nurse]
"""
ASKED = "May I take ibuprofen? Write to me at ann@example.com"


@pytest.fixture
def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a case that waits in the working folder's store."""
    monkeypatch.chdir(tmp_path)
    rows = [{"id": "0", "query": ASKED, "answers": {"small": {"text": "Yes, with food.", "correct": True}}}]
    Path("rows.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    Path("surefoot.toml").write_text(CONFIG)
    return asyncio.run(ask())


async def ask() -> str:
    gateway = await App.start(load("surefoot.toml"))
    row = Row(id="0", query=ASKED, answers={})
    reply = await gateway.answer(request_of(gateway, gateway.policy.features["f"], row))
    await gateway.close()
    return str(json.loads(reply.body)["surefoot"]["case"])


def surefoot(*command: str, text: str = "") -> Result:
    return CliRunner().invoke(app, list(command), input=text, env={"COLUMNS": "80", "TERM": "dumb"})


def test_cases_are_listed_with_their_priority_at_eighty_columns(waiting: str) -> None:
    for said in (surefoot("cases"), surefoot("cases", "list")):
        assert waiting in said.output and "nurse" in said.output
        assert max(map(len, said.output.splitlines())) <= 80


def test_a_case_is_shown_with_its_draft_and_without_identifiers(waiting: str) -> None:
    said = surefoot("cases", "show", waiting)
    assert "ibuprofen" in said.output and "Yes, with food." in said.output and "opened" in said.output
    assert "ann@example.com" not in said.output and max(map(len, said.output.splitlines())) <= 80


def test_an_answer_is_written_with_its_person(waiting: str) -> None:
    said = surefoot(
        "cases", "answer", waiting, "--verb", "replace", "--by", "amy", "--text", "-", text="Not with warfarin.\n"
    )
    assert said.exit_code == 0 and "answered" in said.output
    told = json.loads(surefoot("cases", "show", waiting, "--json").output)["case"]
    assert (told["answer"], told["answered_by"], told["state"]) == ("Not with warfarin.", "amy", "answered")


def test_what_cannot_be_answered_says_why_on_one_line(waiting: str) -> None:
    for case_id, verb in (("case_none", "accept"), (waiting, "shout")):
        said = surefoot("cases", "answer", case_id, "--verb", verb, "--by", "amy")
        assert said.exit_code == 1 and said.output.count("\n") == 1 and said.output.startswith("surefoot: ")


def test_where_there_are_accounts_nobody_else_answers(waiting: str) -> None:
    surefoot("account", "create", "amy")
    assert surefoot("cases", "answer", waiting, "--verb", "accept", "--by", "mallory").exit_code == 1
    assert surefoot("cases", "answer", waiting, "--verb", "accept", "--by", "amy").exit_code == 0


def test_every_case_is_exported_as_a_line(waiting: str) -> None:
    surefoot("cases", "answer", waiting, "--verb", "accept", "--by", "amy")
    (line,) = surefoot("cases", "export").output.splitlines()
    told = json.loads(line)
    assert (told["id"], told["answer"], told["verb"]) == (waiting, "Yes, with food.", "accept")
    assert {"label", "subject", "autosave"}.isdisjoint(told)
    assert "1 cases are in out.jsonl" in surefoot("cases", "export", "out.jsonl").output


PASSWORD = "correct horse battery"


def with_accounts(*, sign: str) -> None:
    """An account "amy" with PASSWORD, and how nurses sign."""
    Path("surefoot.toml").write_text(CONFIG + f'sign = "{sign}"\n')

    async def add() -> None:
        gateway = await App.start(load("surefoot.toml"))
        await gateway.store.accounts.add(
            Account(name="amy", shown="Amy", role="operator", password=hashed(PASSWORD)), by="t"
        )
        await gateway.close()

    asyncio.run(add())


def answered(waiting: str, *, text: str = "", **environ: str) -> Result:
    command = ["cases", "answer", waiting, "--by", "amy", "--verb", "accept"]
    return CliRunner().invoke(app, command, input=text, env={"COLUMNS": "80", "TERM": "dumb", **environ})


def last_event(waiting: str) -> str:
    return surefoot("cases", "show", waiting).output.split("answered by amy")[-1].replace("\n", " ")


def test_an_answer_that_nobody_proves_says_so(waiting: str) -> None:
    assert answered(waiting).exit_code == 0
    assert "signed by command line, not proven" in " ".join(last_event(waiting).split())


@pytest.mark.parametrize("given", [{"text": PASSWORD + "\n"}, {"SUREFOOT_PASSWORD": PASSWORD}])
def test_where_the_role_asks_for_the_password_it_is_read_and_the_event_says_so(waiting: str, given: dict) -> None:
    with_accounts(sign="password")
    assert answered(waiting, **given).exit_code == 0
    assert "signed with the password" in " ".join(last_event(waiting).split())


def test_a_wrong_password_answers_nothing(waiting: str) -> None:
    with_accounts(sign="password")
    said = answered(waiting, text="wrong\n")
    assert said.exit_code != 0 and "the name or the password is wrong" in said.output
    assert "open" in surefoot("cases", "show", waiting).output.splitlines()[0]


def test_a_password_that_is_given_proves_also_where_none_is_asked_for(waiting: str) -> None:
    with_accounts(sign="session")
    assert answered(waiting, SUREFOOT_PASSWORD="wrong").exit_code != 0
    assert answered(waiting, SUREFOOT_PASSWORD=PASSWORD).exit_code == 0
    assert "signed with the password" in " ".join(last_event(waiting).split())


def test_where_the_role_asks_for_a_password_somebody_must_have_one(waiting: str) -> None:
    Path("surefoot.toml").write_text(CONFIG + 'sign = "password"\n')
    said = answered(waiting, text="x\n")
    assert said.exit_code != 0 and "make accounts first" in " ".join(said.output.split())
