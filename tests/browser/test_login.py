"""Coming in and going out, in a real browser."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from browser_support import PASSWORD, Place, Visitors, fill_login
from playwright.sync_api import Browser, expect


@pytest.fixture
def new_place(tmp_path: Path) -> Iterator[Place]:
    """A gateway where nobody has an account yet."""
    place = Place(tmp_path, people=False)
    yield place
    place.stop()


def test_the_first_start_prints_a_link_that_makes_the_first_manager(browser: Browser, new_place: Place) -> None:
    link = re.search(r"http://\S+/welcome/\S+", new_place.log.read_text())
    assert link
    page = (visitors := Visitors(browser, new_place)).visitor()
    page.goto(link[0])
    page.get_by_label("Account").fill("Max")
    page.get_by_label("Name, as colleagues read it").fill("Max Meier")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("The same again").fill(PASSWORD)
    page.get_by_label("Account").fill("max")
    page.get_by_role("button", name="Make the account").click()
    fill_login(page, "max")
    page.wait_for_url("**/desk")
    assert page.goto(link[0]).status == 403
    visitors.close()
    assert visitors.complaints == []


def test_somebody_comes_in_and_goes_out(visitors: Visitors) -> None:
    page = visitors.login("amy", path="/account")
    expect(page.get_by_role("heading", name="Amy Adler")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto("/account")
    assert page.url.endswith("/login?next=/account")


def test_a_wrong_password_says_no_more_than_a_wrong_name(visitors: Visitors) -> None:
    page, said = visitors.visitor(), []
    for name in ("ben", "nobody"):
        page.goto("/login")
        fill_login(page, name, "not this password")
        said.append(page.get_by_role("alert").inner_text())
    assert said[0] == said[1] == "The name or the password is wrong."


def test_the_way_back_leads_nowhere_else(visitors: Visitors) -> None:
    page = visitors.visitor()
    page.goto("/login?next=//evil.example/")
    fill_login(page, "amy")
    page.wait_for_url("**/desk")


def test_cookies_are_out_of_reach_of_scripts(visitors: Visitors) -> None:
    page = visitors.login("amy", path="/account")
    assert page.evaluate("document.cookie") == ""
    (session,) = [each for each in page.context.cookies() if each["name"] == "surefoot"]
    assert session["httpOnly"] and session["sameSite"] == "Lax"


def test_what_a_page_injects_does_not_run(visitors: Visitors) -> None:
    page = visitors.login("amy", path="/account")
    ran = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.injected = true";
            document.body.append(script);
            return window.injected === true;
        }"""
    )
    assert not ran and any("Content Security Policy" in text for text in visitors.complaints)
    visitors.complaints.clear()


def test_a_manager_makes_an_account_and_its_person_comes_in(visitors: Visitors) -> None:
    page = visitors.login("max", path="/console/accounts")
    page.get_by_label("Account", exact=True).fill("eve")
    page.get_by_label("Name, as colleagues read it").fill("Eve <b>Ernst</b>")
    page.get_by_role("button", name="Make the account").click()
    link = page.get_by_role("textbox", name="Link").input_value()
    new = visitors.visitor()
    new.goto(link)
    new.get_by_label("Password").fill(PASSWORD)
    new.get_by_label("The same again").fill(PASSWORD)
    new.get_by_role("button", name="Choose it").click()
    fill_login(new, "eve")
    new.goto("/account")
    expect(new.get_by_role("heading", name="Eve <b>Ernst</b>")).to_be_visible()
    assert new.goto("/console/accounts").status == 403


def test_who_is_disabled_is_out_at_once(visitors: Visitors) -> None:
    ben, manager = visitors.login("ben", path="/account"), visitors.login("max", path="/console/accounts")
    manager.get_by_role("row", name="Ben Bauer").get_by_role("button", name="Disable").click()
    expect(manager.get_by_role("row", name="Ben Bauer")).to_contain_text("disabled")
    ben.reload()
    assert "/login" in ben.url
    manager.get_by_role("row", name="Ben Bauer").get_by_role("button", name="Enable").click()


def test_a_page_that_lies_open_is_hidden_in_the_end(visitors: Visitors, place: Place) -> None:
    page = visitors.visitor()
    page.clock.install()
    page.goto("/login?next=/account")
    fill_login(page, "amy")
    page.wait_for_url("**/account")
    page.clock.run_for(1_810_000)
    page.wait_for_url("**/login?away=1&next=%2Faccount")
    expect(page.get_by_role("alert")).to_contain_text("nothing happened")


@pytest.mark.parametrize("path", ["/login", "/account", "/console/accounts"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_shows_everything(visitors: Visitors, path: str, scheme: str) -> None:
    view = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    page = visitors.visitor(**view) if path == "/login" else visitors.login("max", path=path, **view)
    page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_keyboard_alone_is_enough_to_come_in(visitors: Visitors) -> None:
    page = visitors.visitor()
    page.goto("/login?next=/account")
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type("lea")
    page.keyboard.press("Tab")
    expect(page.locator("#password")).to_be_focused()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lea Lang")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()


def test_nothing_of_a_secret_is_written_down(visitors: Visitors, place: Place) -> None:
    page = visitors.login("lea", path="/account")
    (session,) = [each for each in page.context.cookies() if each["name"] == "surefoot"]
    database = sqlite3.connect(place.folder / "surefoot.db")
    written = "\n".join(database.iterdump()) + place.log.read_text()
    database.close()
    assert "lea" in written and PASSWORD not in written and session["value"] not in written


def test_a_foreign_host_name_is_not_served(place: Place) -> None:
    refused = httpx.get(f"{place.url}/login", headers={"host": "evil.example"})
    assert refused.status_code == 403 and "allowed_hosts" in refused.text
