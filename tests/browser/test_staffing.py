"""The staffing page in a real browser: read by a lead, wide and narrow, by day and at night."""

import os
import time
from pathlib import Path

import pytest
from browser_support import Place, Visitors
from playwright.sync_api import Page, expect
from staffing_support import HOUR, SECOND, answered, asked

from surefoot.store import Store

SHOTS = os.environ.get("SUREFOOT_SCREENSHOTS", "")


def shot(page: Page, name: str) -> None:
    """Keep a picture where SUREFOOT_SCREENSHOTS names a folder."""
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=True)


async def worked(store: Store) -> None:
    """Four days, busy by day; half of the requests wait for a nurse, and every fourth of these is answered along with the one before."""
    begin = time.time_ns() - 4 * 24 * HOUR
    busy = [hour for hour in range(95) for _ in range((1, 6)[8 <= hour % 24 < 18])]
    for each, hour in enumerate(busy):
        at_ns, along = begin + hour * HOUR + each % 60 * SECOND, each % 4 == 3
        await asked(store, f"d{each}", at_ns=at_ns, p=((0.87, 0.92, 0.99)[each % 3],))
        await asked(store, f"r{each}", at_ns=at_ns, p=(0.3, 0.7), role="nurse")
        await answered(
            store, f"r{each}", at_ns=at_ns + 600 * SECOND, seconds=8 if along else 420, by="amy" if each % 2 else "ben",
            meaning=f"answered, as for case-r{each - 1}" if along else "answered", verb="replace" if along else "accept",
        )  # fmt: skip


@pytest.fixture(scope="module")
def busy(place: Place) -> Place:
    """A place with a past; its process rests meanwhile, since it would end leases of four days ago."""
    place.stop()
    place.in_store(worked)
    place.start()
    return place


def test_a_lead_reads_who_is_needed_when_and_asks_for_less_time(busy: Place, visitors: Visitors) -> None:
    lead = visitors.login("lea")
    lead.get_by_role("navigation", name="Main").get_by_role("link", name="Staffing").click()
    nurse = lead.get_by_role("region", name="People: nurse")
    expect(nurse.get_by_role("img", name="People needed: at most")).to_be_visible()
    box = nurse.locator("rect.hour").last.bounding_box()
    assert box is not None and box["width"] > 1 and box["height"] > 1
    nurse.get_by_text("Every hour as a table").click()
    expect(nurse.get_by_role("columnheader", name="Mon")).to_be_visible()
    expect(lead.get_by_role("table", name="What people's answers did")).to_be_visible()
    for bar, to_people in (("0.85", "50.0%"), ("0.90", "66.8%"), ("0.95", "83.4%")):
        row = nurse.get_by_role("row").filter(has=lead.get_by_role("rowheader", name=bar))
        expect(row.get_by_role("cell").first).to_have_text(to_people)
    shot(lead, "staffing")
    lead.get_by_label("The last").select_option("1w")
    lead.get_by_label("To be answered in time").select_option("95")
    lead.get_by_role("button", name="Show").click()
    expect(nurse.get_by_text("95% answered within")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_390_pixels_by_day_and_at_night(busy: Place, visitors: Visitors, scheme: str) -> None:
    page = visitors.login("max", path="/console/staffing", color_scheme=scheme)
    page.set_viewport_size({"width": 390, "height": 800})
    page.get_by_role("region", name="People: nurse").get_by_text("Every hour as a table").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    wide = "[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth).length"
    assert page.evaluate(wide) == 0
    shot(page, f"staffing-{scheme}")
