"""Objectives read from the store: labels, roll-ups, histograms; alarms once an episode, told to people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import msgspec
import pytest
from msgspec.structs import replace

from surefoot.app.burning import Burning, told
from surefoot.app.objectives import Found, Objectives
from surefoot.config.load import load_text
from surefoot.errors import NotFound
from surefoot.evals.objectives import AT_RISK, MET, UNKNOWN
from surefoot.records import (
    Checked,
    Commit,
    Deliver,
    Draft,
    Entry,
    Escalate,
    Evidence,
    JournalEntry,
    Label,
    Revenue,
    Settlement,
    Signal,
    Step,
)
from surefoot.store import Store
from surefoot.store.open import open_store

DAY, HOUR = 86_400 * 10**9, 3600 * 10**9
NOW = 20_000 * DAY + 5 * HOUR
BASE = """
[providers.up]
kind = "openai"
[models.small]
provider = "up"
[features.f]
ladder = ["small"]
audit = 0.05
revenue = { outcomes = { booked = 2.0 } }
"""


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def store(runner: asyncio.Runner) -> Iterator[Store]:
    store = open_store("memory", key_file="0b" * 32)
    runner.run(store.start())
    yield store
    runner.run(store.close())


def reader(store: Store, *objectives: str) -> Objectives:
    config = load_text(f"{BASE}objectives = [{', '.join(objectives)}]\n", environ={})
    return Objectives(store, lambda: config, lambda: NOW)


def request(name: str, at_ns: int, *, person: bool = False, tenant: str = "clinic", grounded: float = 0.9) -> Commit:
    """One request: a second long, a cent dear; passed to a nurse for two minutes, or delivered."""
    draft = Draft(rung="small", provider="up", model="s", digest="", upstream_us=1_000_000)
    end = Escalate("unsure", "nurse") if person else Deliver("sure")
    steps = (
        Step(stage="call", rung="small", value=draft),
        Step(stage="check", rung="small", value=Checked(evidence=Evidence(signals=(Signal(name="grounded", score=grounded),)))),
        Step(stage="decide", rung="small", value=end),
    )  # fmt: skip
    entry = JournalEntry(
        request_id=name, at_ns=at_ns, draw="0" * 32, tenant=tenant, key_id="k", feature="f", dialect="openai", surface="chat",
        subject="", policy="p", mode="enforce", steps=steps, action="escalate" if person else "deliver", rung="small",
    )  # fmt: skip
    line = Entry(
        request_id=name, at_ns=at_ns, tenant=tenant, key_id="k", feature="f", rung="small", provider="up", model="s",
        kind="input", quantity=10, price_per_million=1, nanodollars=10_000_000, price_version="v",
    )  # fmt: skip
    minutes = replace(line, rung="person", kind="human", quantity=120, nanodollars=990_000_000)
    return Commit(
        entry=entry, settlements=(Settlement(reservation_id="", entries=(line, minutes) if person else (line,)),)
    )  # fmt: skip


def label(name: str, at_ns: int, *, wrong: bool, tenant: str = "clinic", reason: str = "", group: str = "") -> Label:
    return Label(
        id=f"l-{name}", request_id=name, at_ns=at_ns, tenant=tenant, feature="f", rung="small", edition="e",
        verdict="wrong" if wrong else "accepted", source="audit", group=group or name, propensity=0.05, reason=reason,
    )  # fmt: skip


async def month(store: Store) -> None:
    """Four weeks: of ten requests a day, nine are delivered; every third brings a booking of two dollars."""
    for number in range(28 * 10):
        day, hour = divmod(number, 10)
        at_ns = NOW - NOW % DAY - (day + 1) * DAY + hour * HOUR + 60 * 10**9
        name = f"q{number}"
        await store.commit(request(name, at_ns, person=hour == 9, tenant="clinic" if number % 2 else "ward"))
        if number % 3 == 0:
            line = Revenue(
                id=f"r{number}", request_id=name, at_ns=at_ns, tenant="clinic" if number % 2 else "ward", key_id="k", feature="f",
                outcome="booked", nanodollars=2 * 10**9, price_version="config",
            )  # fmt: skip
            await store.ledger.earn([line])


def value(found: tuple[Found, ...], name: str) -> float:
    got = next(each.whole for each in found if each.whole.objective.name == name)
    assert got.value is not None
    return got.value


def test_what_is_counted_comes_out_of_the_roll_ups(runner: asyncio.Runner, store: Store):
    runner.run(month(store))
    objectives = reader(
        store, '{ measure = "automation_rate", at_least = 0.8, by = ["customer"] }',
        '{ measure = "cost_per_resolution", at_most = 1.0 }',
        '{ measure = "cost_per_resolution", at_most = 1.0, outcome = "booked", name = "per-booking" }',
        '{ measure = "margin", at_least = 0.5 }', '{ measure = "human_minutes_per_100", at_most = 30 }',
        '{ measure = "outcome:booked", at_least = 0.2 }', '{ measure = "p95_latency", at_most = 2.0 }',
    )  # fmt: skip
    found = runner.run(objectives.read())
    assert value(found, "automation_rate") == pytest.approx(0.9)
    assert value(found, "cost_per_resolution") == pytest.approx((280 * 0.01 + 28 * 0.99) / 280)
    assert value(found, "per-booking") == pytest.approx((280 * 0.01 + 28 * 0.99) / 94)
    assert value(found, "margin") == pytest.approx(1 - (280 * 0.01 + 28 * 0.99) / (94 * 2))
    assert value(found, "human_minutes_per_100") == pytest.approx(20.0)
    assert value(found, "outcome:booked") == pytest.approx(94 / 280)
    assert value(found, "p95_latency") == pytest.approx(1.0, rel=0.1)
    assert {each.whole.n for each in found} == {280, 252}
    assert {(each.group, each.n) for each in found[0].groups} == {("clinic", 140), ("ward", 140)}
    assert found[0].whole.state == MET and found[3].whole.budget is None


def test_labels_count_once_a_question_and_are_read_on(runner: asyncio.Runner, store: Store):
    objectives = reader(store, '{ measure = "delivered_error", at_most = 0.1, by = ["customer", "rung"] }')
    assert runner.run(objectives.read())[0].whole.state == UNKNOWN
    runner.run(store.labels.add_all([label(f"a{k}", NOW - k * HOUR, wrong=False) for k in range(200)]))
    assert runner.run(objectives.read())[0].whole.n == 200
    repeats = [label(f"b{k}", NOW - k, wrong=True, group="a0") for k in range(50)]
    late = [label(f"c{k}", NOW - DAY, wrong=k < 2, tenant="ward") for k in range(50)]
    runner.run(store.labels.add_all([*repeats, *late]))
    found = runner.run(objectives.read())[0]
    again = runner.run(
        reader(store, '{ measure = "delivered_error", at_most = 0.1, by = ["customer", "rung"] }').read()
    )[0]
    assert again.whole.n == 250 - 1 + 1
    assert {each.dimension: each.group for each in again.groups if each.dimension == "rung"} == {"rung": "small"}
    assert found.whole.n <= again.whole.n


def test_a_hallucination_is_what_the_label_says_and_grounding_corrects_it(runner: asyncio.Runner, store: Store):
    async def past() -> None:
        for number in range(400):
            at_ns = NOW - (number % 20 + 1) * DAY
            made_up = number % 8 == 0
            await store.commit(request(f"q{number}", at_ns, grounded=0.2 if made_up else 0.95))
            if number % 2 == 0:
                told_ = label(
                    f"q{number}", at_ns, wrong=made_up or number % 6 == 0, reason="hallucination" if made_up else "tone"
                )
                await store.labels.add(told_)

    runner.run(past())
    written = '{ measure = "hallucination_rate", at_most = 0.3 }', '{ measure = "delivered_error", at_most = 0.3 }'
    made_up, wrong = runner.run(reader(store, *written).read())
    assert made_up.whole.method == "PPI++" and wrong.whole.method == "inverse propensity"
    assert made_up.whole.value is not None
    assert 0.12 < made_up.whole.value < 0.17  # the labels alone would say 0.25, and grounding of all 0.125
    assert wrong.whole.value is not None and wrong.whole.value > 0.3


def burning(name: str) -> list[Label]:
    calm = [label(f"{name}-{k}", NOW - k * HOUR // 10, wrong=False) for k in range(300)]
    return [*calm, *(label(f"{name}-f{k}", NOW - k * 10**9, wrong=True) for k in range(200))]


def test_a_burning_budget_is_an_incident_once_and_says_how_fast(runner: asyncio.Runner, store: Store):
    objectives = reader(store, '{ measure = "delivered_error", at_most = 0.05 }')
    looking = [Burning(store, objectives, lambda _: None, lambda: NOW) for _ in range(2)]
    assert runner.run(looking[0].look()) == ()
    runner.run(store.labels.add_all(burning("x")))
    (incident,) = runner.run(looking[0].look())
    assert runner.run(looking[1].look()) == []
    assert (incident.feature, incident.kind, incident.rung) == ("f", "burn", "")
    text, numbers = told(incident)
    assert "delivered_error" in text and numbers["burn_ppm"] > 14_400_000 and numbers["labels"] >= 200
    assert json.loads(incident.detail)["page"] is True
    assert runner.run(objectives.read())[0].whole.state in (AT_RISK, "missed")


def test_without_objectives_nobody_looks_and_an_unknown_feature_is_refused(runner: asyncio.Runner, store: Store):
    config = load_text(BASE, environ={})
    objectives = Objectives(store, lambda: config, lambda: NOW)
    assert not objectives.any and runner.run(objectives.read()) == ()
    with pytest.raises(NotFound, match="no feature"):
        runner.run(objectives.read("g"))


def test_it_is_told_as_json_without_loss(runner: asyncio.Runner, store: Store):
    runner.run(store.labels.add_all(burning("x")))
    found = runner.run(reader(store, '{ measure = "delivered_error", at_most = 0.05 }').read())
    assert json.loads(msgspec.json.encode(found))[0]["whole"]["objective"]["target"] == 0.05
