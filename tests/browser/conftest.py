"""Real Chromium, driven by Playwright. Where there is none, these tests say so and are skipped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

try:
    from playwright.sync_api import Browser, Error, sync_playwright
except ImportError:
    pytest.skip("browser tests need playwright (the dev extra has it)", allow_module_level=True)

from browser_support import CHROMIUM, Place, Visitors


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser a file; every window has cookies of its own. It ends with the file, since its loop occupies the thread."""
    if CHROMIUM is None:
        pytest.skip("browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        except Error as error:
            pytest.skip(f"browser tests need a Chromium that starts: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A gateway process with people, one for all tests of a file."""
    place = Place(tmp_path_factory.mktemp("place"))
    yield place
    place.stop()


@pytest.fixture
def visitors(browser: Browser, place: Place) -> Iterator[Visitors]:
    """Windows on the place; nothing may have gone wrong in them."""
    visitors = Visitors(browser, place)
    yield visitors
    visitors.close()
    assert visitors.complaints == []
