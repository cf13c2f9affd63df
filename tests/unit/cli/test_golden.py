"""surefoot golden: a set grows out of the store, is shown, exported and gated."""

import asyncio
import json
import time
from pathlib import Path

from cli_support import surefoot

from surefoot.app import App
from surefoot.config.load import load
from surefoot.providers.rows import Row, read_rows
from surefoot.records import Label
from surefoot.trial.asking import request_of

QUESTION = "How many working days does a repeat prescription take?"


def judge(config: Path, *questions: str) -> None:
    """Ask, and have the answers judged right."""

    async def work() -> None:
        app = await App.start(load(config))
        for number, question in enumerate(questions):
            request = request_of(app, app.policy.features["f"], Row(id=str(number), query=question))
            reply = await app.answer(request)
            label = Label(
                id=f"l{number}", request_id=reply.request_id, at_ns=time.time_ns(), tenant="local", feature="f",
                rung="quotes", edition="", verdict="accepted", source="round", group="g",
            )  # fmt: skip
            await app.store.labels.add(label)
        await app.close()

    asyncio.run(work())


def test_it_grows_is_shown_exported_and_gated(config: Path) -> None:
    judge(config, QUESTION, QUESTION.lower(), "Can I pay my bill in cash at the desk?")
    grown = surefoot("golden", "grow", "f")
    assert grown.exit_code == 0 and "added 2, known already or asked twice 1" in grown.output, grown.output
    again = surefoot("golden", "grow", "f")
    assert "added 0" in again.output
    listed = json.loads(surefoot("golden", "list", "--json").output)
    assert listed[0]["golden"] == "f" and listed[0]["items"] == 2 and len(listed[0]["versions"]) == 1
    assert "2 round" in surefoot("golden", "show", "f").output
    assert surefoot("golden", "export", "f", "-o", "plain.jsonl").exit_code == 0
    assert [row.query for row in read_rows(config.parent / "plain.jsonl")] and "origin" not in (
        config.parent / "plain.jsonl"
    ).read_text()
    (config.parent / "seen.txt").write_text(f"Example: {QUESTION} Two.")
    gated = surefoot("gate", "--golden", "golden/f.jsonl", "--at-least", "0.5", "--seen", "seen.txt", "--plan")
    assert gated.exit_code == 0 and "1 items left out: their questions stand in seen.txt" in gated.output
    kept = surefoot(
        "gate", "--golden", "golden/f.jsonl", "--at-least", "0.5", "--seen", "seen.txt", "--plan", "--keep-seen"
    )
    assert "2 items" in kept.output and "asked all the same" in kept.output


def test_an_erased_subjects_items_leave_at_once_and_elsewhere_at_the_next_growth(config: Path) -> None:
    judge(config, QUESTION)
    assert surefoot("golden", "grow", "f").exit_code == 0
    kept = (config.parent / "golden" / "f.jsonl").read_bytes()
    erased = surefoot("erase", "--tenant", "local", "--end-user", "")
    assert erased.exit_code == 0 and "1 items left the golden set f" in erased.output
    assert QUESTION not in (config.parent / "golden" / "f.jsonl").read_text()
    (config.parent / "golden" / "f.jsonl").write_bytes(kept)
    grown = surefoot("golden", "grow", "f")
    assert "removed: 1 erased" in grown.output
    assert QUESTION not in (config.parent / "golden" / "f.jsonl").read_text()


def test_what_is_no_set_is_an_error(config: Path) -> None:
    assert surefoot("golden", "show", "none").exit_code == 1
    (config.parent / "golden").mkdir()
    (config.parent / "golden" / "bad.jsonl").write_text('{"id": "a"}\n')
    assert "no header" in surefoot("golden", "list", columns=200).output
    assert surefoot("golden", "grow", "bad").exit_code == 1
    assert surefoot("golden", "grow", "new", "--feature", "other").exit_code == 2
