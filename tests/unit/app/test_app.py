"""The composition root: prices, reload, recording, erasure."""

import asyncio
import json
from pathlib import Path

import pytest

from surefoot.app import App
from surefoot.config.load import load_text
from surefoot.demo.places import CLINIC, CLINIC_FEATURE
from surefoot.errors import ConfigError, NotFound
from surefoot.providers.rows import Row, read_rows
from surefoot.replay import replay
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

DOCS = f"""
[providers.docs]
kind = "extractive"
folder = "{CLINIC / "handbook"}"
[models.quotes]
provider = "docs"
[features.{CLINIC_FEATURE}]
ladder = ["cache", "quotes"]
"""
QUESTION = Row(id="q", query="How long do repeat prescriptions take?")


def test_an_unpriced_model_is_refused_at_start_with_the_block_to_paste() -> None:
    text = (
        '[providers.up]\nkind = "openai"\n[models.mystery-9]\nprovider = "up"\n[features.f]\nladder = ["mystery-9"]\n'
    )
    with pytest.raises(ConfigError, match=r'\[models."mystery-9".price\]'):
        asyncio.run(App.start(load_text(text), store=MemoryStore()))


def test_a_reload_is_served_from_the_next_request_on_and_both_policies_replay() -> None:
    async def run() -> None:
        app = await App.start(load_text(DOCS), store=MemoryStore())
        feature = app.policy.features[CLINIC_FEATURE]
        first = await app.answer(request_of(app, feature, QUESTION))
        await app.reload(load_text(DOCS + 'mode = "enforce"\n'))
        second = await app.answer(request_of(app, feature, QUESTION))
        assert (first.decision.action, second.decision.action) == ("deliver", "escalate")
        for reply in (first, second):
            assert (await replay(app.store, reply.request_id)).same
        await app.close()

    asyncio.run(run())


def test_live_traffic_is_recorded_in_a_format_that_reads_back(tmp_path: Path) -> None:
    file = tmp_path / "recorded.jsonl"

    async def run() -> None:
        app = await App.start(load_text(DOCS + f'[recorder]\nfile = "{file}"\n'), store=MemoryStore())
        await app.answer(request_of(app, app.policy.features[CLINIC_FEATURE], QUESTION))
        await app.close()

    asyncio.run(run())
    (row,) = read_rows(file)
    assert row.query == QUESTION.query and row.answers["quotes"].correct is None
    assert "2 working days" in (row.answers["quotes"].text or "")
    assert oct(file.stat().st_mode)[-3:] == "600"


def test_a_recorder_that_cannot_write_counts_and_never_fails_the_request(tmp_path: Path) -> None:
    async def run() -> None:
        app = await App.start(
            load_text(DOCS + f'[recorder]\nfile = "{tmp_path / "none" / "x.jsonl"}"\n'), store=MemoryStore()
        )
        reply = await app.answer(request_of(app, app.policy.features[CLINIC_FEATURE], QUESTION))
        assert reply.status == 200 and (recorder := app.serving.runtime.recorder) is not None and recorder.failures == 1
        await app.close()

    asyncio.run(run())


def test_the_journal_holds_no_word_of_what_was_said() -> None:
    async def run() -> None:
        app = await App.start(load_text(DOCS), store=MemoryStore())
        reply = await app.answer(request_of(app, app.policy.features[CLINIC_FEATURE], QUESTION))
        entry = await app.store.journal.get(reply.request_id)
        import msgspec

        kept = msgspec.json.encode(entry).decode()
        assert "prescriptions" not in kept and "working days" not in kept
        content = await app.store.journal.content(reply.request_id)
        assert content is not None and json.loads(content.request_body)["messages"][0]["content"] == QUESTION.query
        await app.close()

    asyncio.run(run())


def test_several_features_need_a_name() -> None:
    async def run() -> None:
        app = await App.start(load_text(DOCS + '[features.b]\nladder = ["quotes"]\n'), store=MemoryStore())
        with pytest.raises(NotFound):
            app.feature_for(app.caller(None), "surefoot", "")
        assert app.feature_for(app.caller(None), "surefoot/b", "") == "b"
        await app.close()

    asyncio.run(run())
