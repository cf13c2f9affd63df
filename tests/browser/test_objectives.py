"""The page of objectives in a real browser: wide, dark, on a telephone, without scripts."""

import os
import random
import time
from pathlib import Path

import msgspec
import pytest
from browser_support import CONFIG, Place, Visitors
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from benchmarks.ledger import commit
from surefoot.records import Label
from surefoot.records.bet import BetEvent, Result, Stake
from surefoot.store import Store

SHOTS = os.environ.get("SUREFOOT_SCREENSHOTS", "")
HOUR = 3600 * 1_000_000_000
OBJECTIVES = """
[[features.clinic.objectives]]
measure = "delivered_error"
at_most = 0.10
by = ["customer", "rung"]
due = "2027-03-31"
[[features.clinic.objectives]]
measure = "cost_per_resolution"
at_most = 0.5
[[features.clinic.objectives]]
measure = "automation_rate"
at_least = 0.8
by = ["customer"]
[[features.clinic.objectives]]
measure = "p95_latency"
at_most = 2.0
[[features.clinic.objectives]]
measure = "hallucination_rate"
at_most = 0.01
"""


def shot(page: Page, name: str) -> None:
    """Keep a picture where SUREFOOT_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def weeks(store: Store) -> None:
    """Three weeks of the clinic, and 600 blind labels: one customer's answers are wrong far more often than the others'."""
    dice, now = random.Random(3), time.time_ns()
    for number in range(300):
        made = commit(number, now - number * HOUR * 5 // 3, dice)
        entry = replace(made.entry, feature="clinic")
        parts = tuple(
            replace(part, entries=tuple(replace(line, feature="clinic") for line in part.entries))
            for part in made.settlements
        )
        await store.commit(replace(made, entry=entry, settlements=parts))
    labels = []
    for number in range(600):
        bad = number % 5 == 0
        wrong = dice.random() < (0.35 if bad else 0.03)
        labels.append(
            Label(
                id=f"label-{number}", request_id=f"r{number}", at_ns=now - number * HOUR, feature="clinic", edition="",
                tenant="st-elsewhere-hospital-trust" if bad else f"clinic-{number % 4}", rung=("quotes", "small")[number % 2],
                verdict="wrong" if wrong else "accepted", source="audit", group=str(number), propensity=0.1,
            )
        )  # fmt: skip
    await store.labels.add_all(labels)
    stake = Stake(
        feature="clinic",
        objective="delivered_error",
        change="prompt",
        what="ask for the dose",
        moves=0.02,
        worth_usd=30_000.0,
    )
    await store.bets.append(bet("opened", msgspec.json.encode(stake).decode()))
    found = Result(stage="trial", effect=0.01, error=0.01, n=300, cost_usd=1.2, source="gate.json")
    await store.bets.append(bet("result", msgspec.json.encode(found).decode()))


def bet(kind: str, body: str) -> BetEvent:
    return BetEvent(bet_id="dose", at_ns=time.time_ns(), kind=kind, by="Max", body=body)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory):
    """A place with objectives and a past."""
    config = CONFIG.replace('person = "nurse"\n', 'person = "nurse"\naudit = 0.1\n' + OBJECTIVES)
    place = Place(tmp_path_factory.mktemp("place"), config=config)
    place.stop()
    place.in_store(weeks)
    place.start()
    yield place
    place.stop()


def test_a_manager_sees_which_objective_is_missed_and_where(place: Place, visitors: Visitors) -> None:
    page = visitors.login("max")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Objectives").click()
    expect(page.get_by_role("heading", name="clinic: delivered_error")).to_be_visible()
    table = page.get_by_role("region", name="delivered_error by customer")
    expect(table.get_by_role("row", name="st-elsewhere-hospital-trust missed")).to_be_visible()
    expect(page.get_by_role("heading", name="dose")).to_be_visible()
    expect(page.get_by_text("next, ")).to_be_visible()
    shot(page, "objectives-wide")
    page.emulate_media(color_scheme="dark")
    shot(page, "objectives-dark")


def test_on_a_telephone_without_scripts_nothing_is_cut_off(place: Place, visitors: Visitors) -> None:
    page = visitors.login("lea", java_script_enabled=False)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{place.url}/objectives")
    expect(page.get_by_role("heading", name="clinic: delivered_error")).to_be_visible()
    width = max(page.locator(place_).bounding_box()["width"] for place_ in ("main", "header"))  # type: ignore[index]
    assert width <= 390
    shot(page, "objectives-narrow")
