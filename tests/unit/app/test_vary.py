"""Second answers: after the first went out, by the request's own lot, paid for and journaled apart, and counted by meaning."""

import asyncio

import pytest

from surefoot.app import App
from surefoot.app.learn import shadows_of
from surefoot.app.rounds import targets
from surefoot.app.vary import repeats
from surefoot.config.load import Config, load_text
from surefoot.demo.places import CLINIC, CLINIC_MESSAGES
from surefoot.errors import ConfigError
from surefoot.providers.rows import Row, read_rows
from surefoot.records import JournalEntry, ShadowCall
from surefoot.records.journal import Fitted
from surefoot.replay import is_repeat, repeat_id, replay, shadow_id
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

QUESTIONS = [row.query for row in read_rows(CLINIC_MESSAGES) if row.facts][:8]


def config(vary: str = "vary = 1.0", *, wavering: float = 1.0, more: str = "") -> Config:
    return load_text(
        f"""
[providers.simulation]
kind = "simulated"
folder = "handbook"
file = "messages.jsonl"
[models.small]
provider = "simulation"
simulation = {{ accuracy = 0.5, hallucination = 1.0, variation = 0.0, wavering = {wavering} }}
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 4.0 }}
[models.large]
provider = "simulation"
[features.f]
ladder = ["cache", "small", "large"]
stream = "hold"
{vary}
{more}
""",
        base=CLINIC,
    )


def asked(config: Config, questions: list[str] = QUESTIONS) -> tuple[App, list[JournalEntry]]:
    """Every question once; the app, closed, and the entries of requests and what came after them."""

    async def whole() -> tuple[App, list[JournalEntry]]:
        app = await App.start(config, store=MemoryStore())
        app.shadow_calls._after_seconds = 0.0
        for place, question in enumerate(questions):
            row = Row(id=str(place), query=question)
            await app.answer(request_of(app, app.policy.features["f"], row))
            while app.shadow_calls.running:
                await asyncio.sleep(0.001)
        entries = [entry async for entry in app.store.journal.entries(feature="f", shadows=True)]
        for entry in entries:
            assert (await replay(app.store, entry.request_id)).same
        await app.close()
        return app, entries

    return asyncio.run(whole())


def called(entry: JournalEntry) -> ShadowCall:
    return next(step.value for step in entry.steps if isinstance(step.value, ShadowCall))


def test_the_same_rung_is_asked_once_more_and_its_meaning_is_journaled() -> None:
    app, entries = asked(config())
    again = [entry for entry in entries if is_repeat(entry)]
    assert len(again) == len(QUESTIONS) and {entry.action for entry in again} == {"shadow"}
    assert all(called(entry).again and called(entry).rung == called(entry).against == "small" for entry in again)
    assert {called(entry).propensity for entry in again} == {1.0}
    verdicts = [called(entry).agreement for entry in again]
    assert set(verdicts) == {0.0, 1.0}  # it wavers on some and not on all
    told = app.metrics.text().decode()
    assert (
        f'surefoot_repeated_answers_total{{feature="f",meaning="other",model="small"}} {verdicts.count(0.0)}.0' in told
    )


def test_what_never_wavers_means_the_same_and_the_report_says_n_and_interval() -> None:
    app, entries = asked(config(wavering=0.0))
    (row,) = asyncio.run(repeats(app.store, ["f"]))
    assert (row.feature, row.model, row.differ.estimate, row.differ.n) == ("f", "small", 0.0, len(QUESTIONS))
    assert row.differ.high > 0.3 and row.unknown == row.failed == 0
    again = [entry for entry in entries if is_repeat(entry)]
    assert row.nanodollars == sum(entry.nanodollars for entry in again) > 0
    booked = asyncio.run(app.store.ledger.entries(request_id=again[0].request_id))
    assert {line.rung for line in booked} == {"again.small"}
    assert asyncio.run(repeats(app.store, ["f"], since_ns=again[-1].at_ns + 10**12)) == []


def test_nobody_is_asked_twice_where_the_share_is_0_or_the_cache_answered() -> None:
    _, entries = asked(config("vary = 0.0"))
    assert not any(map(is_repeat, entries))
    maps = "[features.f.maps.small]\np = 0.99\n"
    _, entries = asked(config(more=maps), [QUESTIONS[0]] * 3)
    assert [entry.rung for entry in entries if not is_repeat(entry)] == ["small", "cache", "cache"]
    assert sum(map(is_repeat, entries)) == 1


def test_a_budget_that_has_room_for_one_call_only_refuses_the_second_answer() -> None:
    _, entries = asked(config("vary = 0.0"), QUESTIONS[:1])
    fitted = next(step.value for step in entries[0].steps if isinstance(step.value, Fitted) and step.rung == "small")
    usd = fitted.reserve_nanodollars[0] / 1e9
    app, entries = asked(config(more=f"budget = {{ usd = {usd:.9f} }}"), QUESTIONS[:1])
    (again,) = [entry for entry in entries if is_repeat(entry)]
    assert again.error == "budget_exceeded" and again.nanodollars == 0 < entries[0].nanodollars
    (row,) = asyncio.run(repeats(app.store, ["f"]))
    assert (row.differ.n, row.failed, row.nanodollars) == (0, 1, 0)


def test_a_second_answer_is_no_shadow_call_to_whoever_learns_and_no_draft_to_judge() -> None:
    route = "[features.f.route]\nexplore = 0.0\nshadow = 1.0\n"
    app, entries = asked(config(more=route), QUESTIONS[:3])
    first = [entry for entry in entries if not entry.shadow_of]
    names = {entry.request_id for entry in entries}
    for entry in first:
        assert {shadow_id(entry.request_id), repeat_id(entry.request_id)} <= names
    found = asyncio.run(shadows_of(app.store, "f"))
    assert {entry.request_id for entry in found.values()} == {shadow_id(entry.request_id) for entry in first}
    drafts = asyncio.run(targets(app.store, {"f"}, since_ns=1, seed=0))
    assert drafts and not any(each.request_id.endswith(".again") for each in drafts)


def test_how_often_is_asked_again_decides_nothing() -> None:
    assert config("vary = 0.5").policy.editions == config("vary = 0.0").policy.editions
    with pytest.raises(ConfigError, match=r"vary 1\.5 is not a share"):
        config("vary = 1.5")
