"""Shadow calls: after the answer, by the request's own lot, paid for and journaled apart, and learned from."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from surefoot.app import App
from surefoot.app.learn import asked_of, gathered, served, shadows_of, would_deliver
from surefoot.app.money import Asked, requests, stated
from surefoot.app.rounds import sheet, targets, write
from surefoot.config.load import Config, load_text
from surefoot.policy import Policy, parse_ladder
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records import Draft, JournalEntry, Label, ShadowCall
from surefoot.replay import replay, shadow_id
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

ROW = Row(
    id="q", group="q", query="How many days?",
    answers={"small": RecordedAnswer(text="The answer is 30.", correct=True), "large": RecordedAnswer(text="The answer is 31.", correct=False)},
)  # fmt: skip
PRICE = "price = { input_usd_per_million = 1.0, output_usd_per_million = 4.0 }"


def config(folder: Path, route: str = "shadow = 1.0", more: str = "") -> Config:
    file = folder / "rows.jsonl"
    file.write_bytes(msgspec.json.encode(ROW))
    return load_text(f"""
[providers.rec]
kind = "recorded"
file = "{file}"
[models.small]
provider = "rec"
{PRICE}
[models.large]
provider = "rec"
{PRICE.replace("1.0", "100.0").replace("4.0", "400.0")}
[features.f]
ladder = ["small", "large"]
stream = "hold"
{more}
[features.f.route]
explore = 0.0
person_seconds = 0
{route}
""")


def run(config: Config, work: Callable[[App, JournalEntry, JournalEntry | None], Awaitable[None]]) -> None:
    """Ask once; then the work with the request's entry and its shadow call's."""

    async def whole() -> None:
        app = await App.start(config, store=MemoryStore())
        app.shadow_calls._after_seconds = 0.0
        request = request_of(app, app.policy.features["f"], ROW)
        reply = await app.answer(request)
        assert json.loads(reply.body)["choices"][0]["message"]["content"] == "The answer is 30."
        await app.shadow_calls.settled()
        entry = await app.store.journal.get(request.id)
        assert entry is not None
        await work(app, entry, await app.store.journal.get(shadow_id(request.id)))
        await app.close()

    asyncio.run(whole())


def shadowed(entry: JournalEntry | None) -> ShadowCall:
    assert entry is not None
    return next(step.value for step in entry.steps if isinstance(step.value, ShadowCall))


def test_the_other_rung_is_asked_journaled_compared_and_replayed(tmp_path: Path) -> None:
    async def work(app: App, entry: JournalEntry, shadow: JournalEntry | None) -> None:
        call = shadowed(shadow)
        assert (call.rung, call.propensity, call.asked, call.against) == ("large", 1.0, ("small",), "small")
        assert call.agreement == 0.0  # 30 is not 31
        assert shadow is not None and shadow.action == "shadow" and shadow.shadow_of == entry.request_id
        assert any(isinstance(step.value, Draft) and step.rung == "large" for step in shadow.steps)
        assert (await replay(app.store, shadow.request_id)).same and (await replay(app.store, entry.request_id)).same
        assert [each.request_id async for each in app.store.journal.entries()] == [entry.request_id]
        content = await app.store.journal.content(shadow.request_id)
        assert content is not None and content.answers[0][0] == "large"

    run(config(tmp_path), work)


def test_its_cost_is_in_the_ledger_apart_and_every_grouping_still_adds_up(tmp_path: Path) -> None:
    async def work(app: App, entry: JournalEntry, shadow: JournalEntry | None) -> None:
        assert shadow is not None and shadow.nanodollars > 0
        by_rung = {line.group: line for line in (await stated(app.store, "rung", Asked())).lines}
        assert by_rung["shadow.large"].nanodollars == shadow.nanodollars
        by_outcome = {line.group: line for line in (await stated(app.store, "outcome", Asked())).lines}
        assert (by_outcome["shadow"].requests, by_outcome["shadow"].nanodollars) == (0, shadow.nanodollars)
        lines = [each async for each in requests(app.store, Asked())]
        assert sum(each.line.requests for each in lines) == 1
        assert sum(each.line.nanodollars for each in lines) == entry.nanodollars + shadow.nanodollars

    run(config(tmp_path), work)


def test_a_budget_without_room_for_it_is_not_exceeded_and_the_refusal_is_journaled(tmp_path: Path) -> None:
    async def work(app: App, entry: JournalEntry, shadow: JournalEntry | None) -> None:
        assert shadow is not None and shadow.error == "budget_exceeded" and shadow.nanodollars == 0
        assert shadowed(shadow).propensity == 1.0 and (await replay(app.store, shadow.request_id)).same

    budget = 'budget = { usd = 0.03, window = "hour" }'
    run(config(tmp_path, more=budget), work)


def test_without_a_share_or_a_route_nothing_is_asked(tmp_path: Path) -> None:
    async def work(app: App, entry: JournalEntry, shadow: JournalEntry | None) -> None:
        assert shadow is None

    run(config(tmp_path, "shadow = 0.0"), work)


def test_a_what_if_that_comes_to_the_shadowed_rung_knows_its_draft(tmp_path: Path) -> None:
    async def work(app: App, entry: JournalEntry, shadow: JournalEntry | None) -> None:
        large = replace(
            app.policy.features["f"], ladder=parse_ladder(["large"]), mode="enforce", route=None, confidence=0.0
        )
        policy = Policy.of({"f": large})
        assert await would_deliver(entry, policy) == (None, False)
        known = await shadows_of(app.store, "f")
        assert await would_deliver(entry, policy, known[entry.request_id]) == ("large", True)

    run(config(tmp_path), work)


def test_a_round_judges_its_draft_and_the_label_teaches_the_route_but_no_map(tmp_path: Path) -> None:
    async def work(app: App, entry: JournalEntry, shadow: JournalEntry | None) -> None:
        found = await targets(app.store, ["f"], since_ns=0)
        assert {(each.request_id, each.rung) for each in found} == {
            (entry.request_id, "small"),
            (shadow_id(entry.request_id), "large"),
        }
        for target in found:
            shown = await sheet(app.store, target, {})
            assert shown is not None
            verdict = "accepted" if target.rung == "small" else "wrong"
            label = await write(app.store, target, verdict, by="ann", at_ns=1)
            assert isinstance(label, Label) and label.propensity is None
        labels = await gathered(app.store, await served(app.store, app.config), "f")
        assert [each.label.rung for each in labels.on_the_way] == ["small"]
        (asked,) = await asked_of(app.store, labels)
        assert asked.accepted == {"small": True, "large": False} and asked.text == ROW.query

    run(config(tmp_path, more='checks = ["complete"]'), work)


def test_what_runs_when_the_process_ends_is_counted_as_lost_and_waited_for_by_nobody(tmp_path: Path) -> None:
    async def whole() -> None:
        app = await App.start(config(tmp_path), store=MemoryStore())
        app.shadow_calls._after_seconds = 3600.0
        await app.answer(request_of(app, app.policy.features["f"], ROW))
        assert app.shadow_calls.running == 1
        async with asyncio.timeout(5):
            await app.close()
        assert 'surefoot_lost_total{what="shadow call"} 1.0' in app.metrics.text().decode()
        assert not app.shadow_calls.running

    asyncio.run(whole())


def test_more_than_there_is_room_for_are_lost_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("surefoot.app.shadowcalls._MOST", 2)

    async def whole() -> None:
        app = await App.start(config(tmp_path), store=MemoryStore())
        app.shadow_calls._after_seconds = 3600.0
        for _ in range(5):
            await app.answer(request_of(app, app.policy.features["f"], ROW))
        assert app.shadow_calls.running == 2
        assert 'surefoot_lost_total{what="shadow call"} 3.0' in app.metrics.text().decode()
        await app.close()

    asyncio.run(whole())
