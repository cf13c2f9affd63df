"""The page of prompts in a real browser: wide and narrow, with and without JavaScript."""

import os
import time
from pathlib import Path

import pytest
from browser_support import Place, Visitors
from lint_support import SECOND, prompted
from playwright.sync_api import Page, expect

from benchmarks.prompts import AGAIN, SECTIONS, SYSTEM, context, openai, question, tools
from surefoot.store import Store

SHOTS = os.environ.get("SUREFOOT_SCREENSHOTS", "")


def shot(page: Page, name: str) -> None:
    """Keep a picture where SUREFOOT_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def worked(store: Store) -> None:
    """Four days of requests with a time stamp in front, a rule said twice and a passage sent twice."""
    begin = time.time_ns() - 4 * 86_400 * SECOND + 3600 * SECOND
    for each in range(80):
        system = f"It is 2026-11-24T10:{each % 60:02}:07Z.\n\n{SYSTEM}\n\n{AGAIN}"
        body = openai(system, f"{context(SECTIONS[each % 50], SECTIONS[each % 50])}{question(each)}", tools=tools())
        at_ns = begin + each // 20 * 86_400 * SECOND + each % 20 * 60 * SECOND
        await prompted(store, f"p{each}", body, at_ns=at_ns, user=f"u{each}", input_tokens=3100 + each)


@pytest.fixture(scope="module")
def past(place: Place) -> Place:
    """A place with prompts in its journal."""
    place.in_store(worked)
    return place


def test_a_lead_reads_what_is_paid_in_vain(past: Place, visitors: Visitors) -> None:
    lead = visitors.login("lea")
    lead.get_by_role("navigation", name="Main").get_by_role("link", name="Prompts").click()
    expect(lead.get_by_role("heading", name="volatile")).to_be_visible()
    expect(lead.get_by_role("heading", name="uncalled-tool")).to_have_count(4)
    expect(lead.get_by_text("It is ‹time stamp›").first).to_be_visible()
    table = lead.get_by_role("table", name="What each part costs")
    expect(table.get_by_role("rowheader", name="passages")).to_be_visible()
    shot(lead, "prompts")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_without_javascript(past: Place, visitors: Visitors, scheme: str) -> None:
    narrow = {"width": 390, "height": 844}
    lead = visitors.login("lea", path="/prompts", viewport=narrow, java_script_enabled=False, color_scheme=scheme)
    expect(lead.get_by_role("heading", name="volatile")).to_be_visible()
    shot(lead, f"prompts-narrow-{scheme}")
    wide = lead.locator("main").bounding_box()
    assert wide is not None and wide["width"] <= 390
    lead.get_by_label("The last").select_option("1w")
    lead.get_by_role("button", name="Show").click()
    lead.wait_for_url("**/prompts?feature=clinic&since=1w")
