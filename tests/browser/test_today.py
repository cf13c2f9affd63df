"""The first page of the cockpit in a real browser: drawn by plotly under the page's strict rules, and without scripts."""

import os
import random
import time
from pathlib import Path

import pytest
from browser_support import Place, Visitors
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from benchmarks.ledger import commit
from surefoot.records import Label
from surefoot.store import Store

SHOTS = os.environ.get("SUREFOOT_SCREENSHOTS", "")
HOUR = 3600 * 1_000_000_000


def shot(page: Page, name: str) -> None:
    """Keep a picture where SUREFOOT_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def a_week(store: Store) -> None:
    """Three hundred requests of the clinic in six days; every tenth answer was judged blind, one in six of these is wrong."""
    dice, now = random.Random(3), time.time_ns()
    for number in range(300):
        made = commit(number, now - number * HOUR // 2, dice)
        entry = replace(made.entry, feature="clinic")
        parts = tuple(
            replace(part, entries=tuple(replace(line, feature="clinic") for line in part.entries))
            for part in made.settlements
        )
        await store.commit(replace(made, entry=entry, settlements=parts))
        if number % 10 == 0 and entry.rung is not None:
            wrong = number % 60 == 0
            label = Label(
                id=f"label-{number}", request_id=entry.request_id, at_ns=entry.at_ns, tenant=entry.tenant, feature="clinic",
                rung=entry.rung, edition="", verdict="wrong" if wrong else "accepted", source="audit", group=str(number),
                propensity=0.1,
            )  # fmt: skip
            await store.labels.add(label)


@pytest.fixture(scope="module")
def busy(place: Place) -> Place:
    """A place with a week behind it."""
    place.stop()
    place.in_store(a_week)
    place.start()
    return place


def test_the_ladder_and_its_days_are_drawn(busy: Place, visitors: Visitors) -> None:
    page = visitors.login("max")

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Today").click()
    ladder = page.get_by_role("list", name="The ladder of clinic, the person on top")
    expect(ladder.get_by_role("listitem")).to_have_count(5)  # the person, quotes, and three rungs of the past
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    shot(page, "today-wide")
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".chart .main-svg").first).to_be_visible()
    shot(page, "today-dark")
    ladder.get_by_role("link", name="flagship").click()
    expect(page.get_by_role("heading", name="Requests rung: flagship")).to_be_visible()


def test_without_scripts_and_on_a_telephone_the_table_says_the_same(busy: Place, visitors: Visitors) -> None:
    page = visitors.login("lea", java_script_enabled=False)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{busy.url}/today?since=7d")
    assert page.locator(".chart").is_hidden()
    page.get_by_text("Requests a day as a table").click()
    expect(page.get_by_role("region", name="Requests a day")).to_be_visible()
    shot(page, "today-narrow")


PAGES = ("/whatif?feature=clinic&confidence=0.95", "/confidence", "/policies", "/incidents", "/evidence", "/objectives")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_of_the_cockpit_fits_a_telephone(busy: Place, visitors: Visitors, scheme: str) -> None:
    page = visitors.login("max", color_scheme=scheme)
    for path in PAGES:
        page.set_viewport_size({"width": 1280, "height": 800})
        page.goto(f"{busy.url}{path}")
        shot(page, f"{path.strip('/').partition('?')[0]}-wide-{scheme}")
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        shot(page, f"{path.strip('/').partition('?')[0]}-narrow-{scheme}")
