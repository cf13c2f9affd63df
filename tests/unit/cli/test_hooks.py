"""The delivery log on the command line."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from surefoot.cli.main import app
from surefoot.demo.places import docs_toml
from surefoot.records.hook import Hook, HookAttempt, HookClaim
from surefoot.store.open import open_store

HOOK = Hook(
    id="hook_1", case_id="case_1", tenant="acme", feature="docs", url="https://example.org/told?token=secret", at_ns=1
)


@pytest.fixture(autouse=True)
def called_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook that the receiver did not take, and one that nobody called yet."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text("# A\n\nText.\n")
    (tmp_path / "surefoot.toml").write_text(docs_toml(tmp_path / "docs", tmp_path))

    async def fill() -> None:
        store = open_store(str(tmp_path / "surefoot.db"), key_file=str(tmp_path / "surefoot.key"))
        await store.start()
        await store.hooks.add(HOOK)
        await store.hooks.add(
            Hook(id="hook_2", case_id="case_2", tenant="acme", feature="docs", url="https://a/", at_ns=2)
        )
        line = HookAttempt(
            hook_id="hook_1", at_ns=3, number=1, outcome="failed", status=503, detail="the receiver said 503"
        )
        await store.hooks.record(HookClaim(hook=HOOK, fence=0), line, state="waiting", due_at_ns=9)
        await store.close()

    asyncio.run(fill())


def hooks(*command: str) -> Result:
    return CliRunner().invoke(app, ["hooks", *command], env={"COLUMNS": "160", "TERM": "dumb"})


def test_the_list_says_what_became_of_each_and_shows_no_query() -> None:
    listed = hooks("list").output
    assert "failed (503): the receiver said 503" in listed and "not called yet" in listed
    assert "https://example.org/…" in listed and "secret" not in listed


def test_the_list_can_be_read_by_programs() -> None:
    listed = json.loads(hooks("list", "--json").output)
    assert [(each["hook"]["id"], each["last"] and each["last"]["status"]) for each in listed] == [
        ("hook_2", None), ("hook_1", 503),
    ]  # fmt: skip
    assert listed[1]["hook"]["url"] == "https://example.org/…"
    assert json.loads(hooks("list", "--state", "delivered", "--json").output) == []


def test_an_unknown_state_is_refused() -> None:
    assert hooks("list", "--state", "lost").exit_code == 2


def test_the_log_tells_every_call() -> None:
    assert json.loads(hooks("log", "hook_1", "--json").output)[0]["number"] == 1
    assert "503" in hooks("log", "hook_1").output
