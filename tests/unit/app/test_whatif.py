"""What-if over a store: candidates that a replay can see, bills at other prices, people, and what it refuses."""

import asyncio

import pytest
from msgspec.structs import replace

from benchmarks.loggedpage import HOUR_NS, Prepared, logged
from surefoot.app.candidate import Moves, candidate_of, moved
from surefoot.app.learn import Served, served
from surefoot.app.whatif import Answers, Asked, ask
from surefoot.config.load import Config, load_text
from surefoot.errors import ConfigError
from surefoot.evals.whatif import AUTOMATION, COST, ERROR, MINUTES, MODELS, UNIDENTIFIED
from surefoot.providers.billing import entries_of
from surefoot.providers.prices import from_settings
from surefoot.records import (
    Commit,
    Draft,
    Entry,
    Evidence,
    JournalEntry,
    Label,
    PricedCall,
    Question,
    Settlement,
    Signal,
    Usage,
)
from surefoot.store.memory import MemoryStore

TEXT = """
[providers.vendor]
kind = "openai"
[models.small]
provider = "vendor"
price = { input_usd_per_million = 1.0, output_usd_per_million = 2.0 }
[models.big]
provider = "vendor"
price = { input_usd_per_million = 10.0, output_usd_per_million = 20.0 }
max_output_tokens = 1000
[people.nurse]
hourly_cost_usd = 60.0
[features.f]
mode = "enforce"
ladder = ["small", "big"]
person = "nurse"
confidence = 0.8
audit = 0.5
[features.f.maps.small]
signal = "judge"
a = 1.0
b = 0.0
[features.f.maps.big]
signal = "judge"
a = 1.0
b = 0.0
"""
CONFIG = load_text(TEXT)
USAGE = Usage(input_tokens=1000, cached_tokens=200, output_tokens=100)
DAY = 24 * HOUR_NS


def spent(entry: JournalEntry) -> tuple[Settlement, ...]:
    lines = []
    for step in entry.steps:
        if step.stage == "call" and step.rung:
            price = CONFIG.settings.models[step.rung].price
            assert price is not None
            call = PricedCall(
                rung=step.rung, provider="vendor", model=step.rung, usage=USAGE, price=from_settings(price)
            )
            lines += entries_of(
                call, request_id=entry.request_id, at_ns=entry.at_ns, tenant="t", key_id="k", feature="f"
            )
    if entry.action == "escalate":
        lines.append(
            Entry(
                request_id=entry.request_id, at_ns=entry.at_ns, tenant="t", key_id="k", feature="f", rung="person",
                provider="person", model="nurse", kind="human", quantity=90, price_per_million=1, nanodollars=10**9,
                price_version="config",
            )
        )  # fmt: skip
    return (Settlement(reservation_id="", entries=tuple(lines)),)


def entry(at: int, small: float, big: float) -> JournalEntry:
    question = Question(
        fingerprint=str(at), model="m", dialect="openai", surface="chat", stream=False, input_tokens=1200,
        max_output_tokens=None,
    )  # fmt: skip
    evidence = {
        (name, ()): Evidence(signals=(Signal(name="judge", score=s),)) for name, s in (("small", small), ("big", big))
    }
    drafts = {name: Draft(rung=name, provider="vendor", model=name, digest="") for name in ("small", "big")}
    found = Prepared(question=question, drafts=drafts, evidence=evidence)
    return logged(found, CONFIG.policy, name=f"r{at}", draw=f"{at * 7919:032x}", at_ns=(at + 1) * HOUR_NS)


async def filled() -> MemoryStore:
    """120 requests an hour apart: a third delivered by each rung, a third given to the nurse, who takes 90 seconds."""
    store = MemoryStore()
    await store.start()
    for at in range(120):
        found = entry(at, *((0.9, 0.9), (0.5, 0.85), (0.5, 0.6))[at % 3])
        await store.commit(Commit(entry=found, settlements=spent(found)))
        if found.lot is not None and found.lot.drawn:
            await store.labels.add(
                Label(
                    id=f"l{at}", request_id=f"r{at}", at_ns=at, tenant="t", feature="f", rung=found.rung or "", edition="",
                    verdict="wrong" if at % 4 == 0 else "accepted", source="audit", group=str(at), propensity=0.5,
                )
            )  # fmt: skip
    return store


def asked(moves: Moves, *, text: str = TEXT, since_ns: int = 0, people: int | None = None, seen: list[int] | None = None) -> Answers:  # fmt: skip
    async def run() -> Answers:
        store = await filled()
        now = await served(store, CONFIG)
        other = moved(load_text(text).settings, "f", moves)
        question = Asked(feature="f", since_ns=since_ns, until_ns=125 * HOUR_NS, people=people)
        return await ask(
            store, candidate_of(now, CONFIG, CONFIG.settings, "f"), candidate_of(now, CONFIG, other, "f"), question,
            on_progress=lambda n, at_ns: seen.append(n) if seen is not None else None,
        )  # fmt: skip

    return asyncio.run(run())


SMALL, BIG = 1_200_000, 12_000_000  # nano-dollars of a call


def test_a_higher_bar_on_the_top_rung_is_known_to_the_cent() -> None:
    told: list[int] = []
    found = asked(Moves(confidence=0.88), seen=told).found
    assert found.question(AUTOMATION).now.estimate == pytest.approx(2 / 3)
    assert found.question(AUTOMATION).then.estimate == pytest.approx(1 / 3)
    assert found.question(MODELS).then.estimate == pytest.approx((SMALL + 2 * (SMALL + BIG)) / 3)
    assert found.question(MINUTES).then.estimate == pytest.approx(100 * 2 / 3 * 1.5)
    assert found.changes == 40
    assert told == [120]


def test_a_bar_above_the_small_rung_asks_for_what_nobody_asked() -> None:
    found = asked(Moves(confidence=0.95)).found
    assert found.unidentified.estimate == pytest.approx(1 / 3)
    assert found.question(AUTOMATION).then.state == UNIDENTIFIED
    least, most = found.question(MODELS).then.low, found.question(MODELS).then.high
    assert least is not None
    assert most is not None
    assert least < (SMALL + 2 * (SMALL + BIG)) / 3 < SMALL + BIG < most  # as reserved: 1,200 in, 1,000 out


def test_the_error_of_what_is_delivered_comes_from_blind_labels() -> None:
    error = asked(Moves(confidence=0.88)).found.question(ERROR)
    assert error.now.estimate is not None
    assert error.then.n < error.now.n
    assert error.now.low is not None
    assert error.now.high is not None
    assert error.now.low < 0.25 < error.now.high


def test_a_lower_bar_delivers_what_no_lot_chose() -> None:
    error = asked(Moves(confidence=0.4)).found.question(ERROR)
    assert (error.then.state, error.then.estimate) == (UNIDENTIFIED, None)


def test_prices_are_applied_to_the_tokens_that_were_used() -> None:
    same = asked(Moves(prices={"big": (10.0, 20.0)})).found.question(MODELS)
    assert same.then.estimate == same.now.estimate
    dearer = asked(Moves(prices={"big": (20.0, 40.0)})).found.question(MODELS)
    assert dearer.change is not None
    assert dearer.change.value == pytest.approx(2 / 3 * BIG)
    assert asked(Moves(prices={"big": (10.5, 20.0)})).found.changes == 0


def test_a_person_at_another_rate_moves_the_cost_alone() -> None:
    found = asked(Moves(person_hourly_usd=120.0)).found
    cost = found.question(COST)
    assert cost.change is not None
    assert cost.change.value == pytest.approx(
        1e9 / 3 * 90 / 60
    )  # a dollar more for each of 90 / 60 minutes, a third of them
    assert found.question(MODELS).change is not None
    assert found.changes == 0


def test_the_desk_is_staffed_for_the_candidates_cases() -> None:
    found = asked(Moves(confidence=0.88), people=1)
    assert found.staffing is not None
    assert found.staffing.least == found.staffing.most
    now, then = found.staffing.now.need.people_hours, found.staffing.least.need.people_hours
    assert now is not None
    assert then is not None
    assert then > now
    assert found.staffing.least.in_time is not None
    assert asked(Moves(confidence=0.88), since_ns=110 * HOUR_NS).staffing is None


def test_only_requests_of_the_time_count() -> None:
    assert asked(Moves(confidence=0.88), since_ns=100 * HOUR_NS).found.requests == 21


def test_another_model_under_the_same_name_was_never_asked() -> None:
    found = asked(Moves(), text=TEXT.replace('[models.small]\nprovider = "vendor"', '[models.small]\nprovider = "vendor"\nmodel = "tiny"')).found  # fmt: skip
    assert found.unidentified.estimate == 1.0


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ('audit = 0.5\nchecks = ["complete"]', "checks"),
        ("audit = 0.5\n[[features.f.admit]]\nname = 'new'\nphrases = ['x']", "admit new"),
        ("audit = 0.5\n[features.f.route]\nexplore = 0.1", "route"),
        ("audit = 0.5\n[features.f.judge]\nmodel = 'big'", "judge"),
    ],
)
def test_what_changes_what_is_asked_or_checked_is_refused(change: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        asked(Moves(), text=TEXT.replace("audit = 0.5", change))


@pytest.mark.parametrize(
    ("moves", "said"),
    [
        (Moves(confidence=2.0), "between 0 and 1"),
        (Moves(ladder=("nobody",)), "nobody"),
        (Moves(prices={"nobody": (1.0, 1.0)}), "no model 'nobody'"),
    ],
)
def test_moves_that_make_no_sense_are_refused(moves: Moves, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        moved(CONFIG.settings, "f", moves)


def test_a_person_that_no_table_names_has_no_cost_to_move() -> None:
    settings = replace(CONFIG.settings, people={})
    with pytest.raises(ConfigError, match=r"people\.nurse"):
        moved(settings, "f", Moves(person_hourly_usd=1.0))


def test_a_feature_that_the_candidate_has_not_is_named() -> None:
    async def now() -> tuple[Served, Config]:
        store = MemoryStore()
        return await served(store, CONFIG), CONFIG

    found, config = asyncio.run(now())
    settings = replace(config.settings, features={"g": config.settings.features["f"]})
    with pytest.raises(ConfigError, match="no feature 'f'"):
        candidate_of(found, config, settings, "f")
