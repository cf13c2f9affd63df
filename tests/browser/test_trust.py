"""The kill switch and the trail, in a real browser."""

import os
import time
from pathlib import Path

import httpx
import pytest
from browser_support import Place, Visitors
from playwright.sync_api import Page, expect

SHOTS = os.environ.get("SUREFOOT_SCREENSHOTS", "")


def shot(page: Page, name: str) -> None:
    """Keep a picture where SUREFOOT_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


def decision(place: Place) -> str:
    body = {"model": "clinic", "messages": [{"role": "user", "content": f"How long do refills take? {time.time()}"}]}
    return httpx.post(f"{place.url}/v1/chat/completions", json=body).json()["surefoot"]["decision"]


def test_a_lead_stops_a_feature_and_the_auditor_finds_who_and_why(place: Place, visitors: Visitors) -> None:
    lead = visitors.login("lea", path="/console/stops")
    card = lead.get_by_role("region", name="clinic")
    card.get_by_label("Reason").fill("wrong doses")
    card.get_by_label("refuse requests").check()
    card.get_by_role("button", name="Stop").click()
    expect(lead.get_by_text("by lea: wrong doses")).to_be_visible()
    shot(lead, "stops")
    assert decision(place) == "refuse"
    card.get_by_label("Reason").fill("mended")
    card.get_by_role("button", name="Let it go on").click()
    expect(lead.get_by_text("wrong doses")).to_have_count(0)
    auditor = visitors.login("ada", path="/console/audit")
    auditor.get_by_label("What", exact=True).select_option("feature.")
    auditor.get_by_role("button", name="Show").click()
    expect(auditor.get_by_role("cell", name="wrong doses")).to_be_visible()
    auditor.get_by_role("button", name="Verify everything").click()
    expect(auditor.get_by_role("status").filter(has_text="nothing is altered or missing")).to_be_visible()
    shot(auditor, "trail")


@pytest.mark.parametrize(("name", "path"), [("lea", "/console/stops"), ("ada", "/console/audit")])
def test_nothing_of_trust_sticks_out_at_390_pixels(visitors: Visitors, name: str, path: str) -> None:
    page = visitors.login(name, path=path)
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, f"narrow{path.replace('/', '-')}")
