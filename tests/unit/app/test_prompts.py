"""Prompts that are shortened: what is sent, told, booked and learned of it, from the door to the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from surefoot.app import App
from surefoot.app.confidence import trust
from surefoot.app.harm import LEAST, Harm, Harms, told, went_wrong
from surefoot.app.learn import served
from surefoot.config.load import load_text
from surefoot.errors import ContextTooLong
from surefoot.policy import Compress
from surefoot.providers.testing import ScriptedUpstream
from surefoot.records import Fitted, Label, Request
from surefoot.store.memory import MemoryStore
from surefoot.wire import passages
from surefoot.wire.dialects import DIALECTS

FULL = (
    "Returns\nThe shop was founded in 1987 by two brothers from Leeds. Its rooms are painted green. You can return shoes within 30 "
    "days for a full refund. Their mother kept the accounts for many years in a leather book."
)
OTHER = (
    "Walks\nThe hills around the town are popular. Many visitors arrive by train in spring. The station has two platforms and a "
    "small cafe. A bus leaves for the lake every hour in summer."
)
ASKED = "Within how many days can I return shoes?"
CONFIG = """
[providers.vendor]
kind = "openai"
base_url = "{url}/v1"
api_key = "sk-test"
retries = 0
[models.small]
provider = "vendor"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 2.0 }}
context_tokens = {window}
[features.f]
ladder = ["small"]
compress = {{ target = 0.5 }}
"""


async def _with(work: Callable[[App, ScriptedUpstream], Any], said: str, window: int = 100_000) -> Any:
    async with ScriptedUpstream(texts={"small": said}) as upstream:
        app = await App.start(load_text(CONFIG.format(url=upstream.url, window=window)), store=MemoryStore())
        try:
            return await work(app, upstream)
        finally:
            await app.close()


def _request(app: App, n: int = 0, asked: str = ASKED) -> Request:
    messages = [
        {"role": "system", "content": passages.write([FULL, OTHER, f"Note {n}\nThis is note {n}."])},
        {"role": "user", "content": asked},
    ]
    body = msgspec.json.encode({"model": "small", "messages": messages})
    return Request(
        id=f"req_{n}", at_ns=(n + 1) * 1_000_000_000, draw="0" * 32, dialect="openai", surface="chat", caller=app.caller(None),
        feature="f", model="small", stream=False, body=body, top=DIALECTS["openai"].parse(body, surface="chat").top,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("said", "score"), [("You can return shoes within 30 days.", 1.0), ("You can return shoes within 90 days.", 0.0)]
)
def test_a_compressed_prompt_is_told_booked_and_judged_by_the_full_passages(said, score):
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        reply = await app.answer(_request(app))
        sent = upstream.seen[-1].json["messages"]
        assert "…" in sent[0]["content"] and "within 30 days" in sent[0]["content"] and sent[1]["content"] == ASKED
        note = msgspec.json.decode(reply.body)["surefoot"]
        assert 0 < note["prompt"]["compressed"] < 1
        entry = await app.store.journal.get(reply.request_id)
        assert entry is not None
        fitted = next(step.value for step in entry.steps if isinstance(step.value, Fitted))
        assert fitted.shortened is not None and fitted.shortened.saved_tokens > 0
        assert went_wrong(entry) is (score < 1)
        lines = await app.store.ledger.entries(request_id=reply.request_id)
        memo = next(line for line in lines if line.kind == "memo.shortened")
        assert (memo.quantity, memo.nanodollars) == (fitted.shortened.saved_tokens, 0)
        assert sum(line.nanodollars for line in lines) == reply.nanodollars

    asyncio.run(_with(work, said))


def test_a_prompt_that_fits_no_window_is_refused_in_the_dialects_words():
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        with pytest.raises(ContextTooLong) as refused:
            await app.answer(_request(app))
        assert (refused.value.status, refused.value.code) == (400, "context_length_exceeded")
        assert not upstream.seen

    asyncio.run(_with(work, "x", window=20))


def test_harm_stops_compression_and_a_label_says_otherwise():
    async def work(app: App, upstream: ScriptedUpstream) -> None:
        for n in range(LEAST):
            await app.answer(_request(app, n))
        harms = Harms(app.store)
        await harms.refresh(app.policy, LEAST * 1_000_000_000)
        assert harms["f"] is True
        now = await served(app.store, load_text(CONFIG.format(url=upstream.url, window=100_000)))
        seen = (await trust(app.store, now, "f", since_ns=0)).compression
        assert seen is not None and seen.stopped and seen.hits == seen.n == LEAST
        for n in range(LEAST):
            await app.store.labels.add(_label(n, "accepted"))
        await harms.refresh(app.policy, (LEAST + 60) * 1_000_000_000)
        assert harms["f"] is False

    asyncio.run(_with(work, "You can return shoes within 90 days."))


def _label(n: int, verdict: str) -> Label:
    return Label(
        id=f"label_{n}", request_id=f"req_{n}", at_ns=n, tenant="local", feature="f", rung="small", edition="", verdict=verdict,
        source="client", group=f"g{n}",
    )  # fmt: skip


def test_few_answers_stop_nothing_and_a_wrong_label_counts():
    rules = Compress(max_harm=0.2)
    few = Harm.of({f"r{n}": True for n in range(LEAST - 1)}, {}, rules)
    assert not few.stopped and few.upper == 1.0
    well = {f"r{n}": False for n in range(200)}
    assert not Harm.of(well, {}, rules).stopped
    wrong = told([replace(_label(n, "wrong"), request_id=f"r{n}") for n in range(60)])
    judged = Harm.of(well, wrong, rules)
    assert judged.stopped and (judged.hits, judged.labels) == (60, 60)
