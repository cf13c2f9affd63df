"""The money page in a real browser: wide and narrow, with and without JavaScript."""

import os
import random
import time
from pathlib import Path

import pytest
from browser_support import Place, Visitors
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from benchmarks.ledger import commit
from surefoot.records import Entry, Revenue
from surefoot.store import Store

SHOTS = os.environ.get("SUREFOOT_SCREENSHOTS", "")
HOUR = 3600 * 1_000_000_000


def shot(page: Page, name: str) -> None:
    """Keep a picture where SUREFOOT_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def earned(store: Store) -> None:
    """Sixty requests of three days; every third is resolved, every fifth took a person two minutes."""
    dice, now = random.Random(1), time.time_ns()
    for number in range(60):
        made = commit(number, now - number * HOUR, dice)
        minutes = Entry(
            request_id=made.entry.request_id, at_ns=made.entry.at_ns, tenant=made.entry.tenant, key_id=made.entry.key_id,
            feature=made.entry.feature, rung="person", provider="person", model="nurse", kind="human", quantity=120,
            price_per_million=16_666_666_666_667, nanodollars=2_000_000_000, price_version="config",
        )  # fmt: skip
        parts = made.settlements
        if number % 5 == 0:
            parts += (replace(parts[0], entries=(minutes,)),) if parts else ()
        await store.commit(replace(made, settlements=parts))
        line = Revenue(
            id=f"rev-{number}", request_id=made.entry.request_id, at_ns=made.entry.at_ns, tenant=made.entry.tenant,
            key_id=made.entry.key_id, feature=made.entry.feature, outcome="resolved", nanodollars=990_000_000,
            price_version="config",
        )  # fmt: skip
        await store.ledger.earn([line] if number % 3 == 0 else [])


@pytest.fixture(scope="module")
def earning(place: Place) -> Place:
    """A place with a past that costs and earns."""
    place.stop()
    place.in_store(earned)
    place.start()
    return place


def test_a_manager_reads_what_customers_cost_and_follows_a_figure(earning: Place, visitors: Visitors) -> None:
    page = visitors.login("max")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Money").click()
    page.get_by_label("By", exact=True).select_option("customer")
    page.get_by_role("button", name="Show").click()
    table = page.get_by_role("region", name="Money by customer")
    expect(table.get_by_role("row", name="Total 60")).to_be_visible()
    expect(page.get_by_role("heading", name="Memo")).to_be_visible()
    shot(page, "money-wide")
    table.get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Requests customer:")).to_be_visible()
    shot(page, "money-requests")


def test_it_can_be_read_on_a_phone_without_a_sideways_scroll(earning: Place, visitors: Visitors) -> None:
    page = visitors.login("lea")
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/money?by=outcome", "/money/requests?by=outcome&group=resolved"):
        page.goto(f"{earning.url}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shot(page, "money-narrow" if "requests" not in path else "money-requests-narrow")


def test_the_sums_come_as_a_file(earning: Place, visitors: Visitors) -> None:
    page = visitors.login("ada")
    page.goto(f"{earning.url}/money?by=model")
    with page.expect_download() as waited:
        page.get_by_role("link", name="Download as CSV").click()
    text = Path(waited.value.path()).read_text()
    assert waited.value.suggested_filename == "ledger-by-model.csv" and text.startswith("model,requests,tokens")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_everything_works_with_scripts_switched_off(
    earning: Place, visitors: Visitors, scheme: str, width: int
) -> None:
    size = {"width": width, "height": 844}
    lead = visitors.login("lea", path="/money", viewport=size, java_script_enabled=False, color_scheme=scheme)
    lead.get_by_label("By", exact=True).select_option("outcome")
    lead.get_by_label("The last").select_option("30d")
    lead.get_by_role("button", name="Show").click()
    lead.wait_for_url("**/money?*by=outcome*")
    table = lead.get_by_role("region", name="Money by outcome")
    expect(table.locator(".total")).to_contain_text("168,498")
    shot(lead, f"money-noscript-{width}-{scheme}")
    table.get_by_role("link", name="resolved").click()
    expect(lead.get_by_role("heading", name="Requests outcome:")).to_be_visible()
    wide = lead.locator("main").bounding_box()
    assert wide is not None and wide["width"] <= width
    shot(lead, f"money-requests-noscript-{width}-{scheme}")
    with lead.expect_download() as waited:
        lead.get_by_role("link", name="Download all as CSV").click()
    assert waited.value.suggested_filename.endswith(".csv")
