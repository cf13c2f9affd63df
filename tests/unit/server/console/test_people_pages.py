"""Logging in and the people's page, through the door."""

import re
from collections.abc import Iterator

import pytest
from console_support import PASSWORD, Office

from surefoot.records.person import ROLES


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


def test_who_is_not_logged_in_comes_back_after_the_login(office: Office) -> None:
    browser = office.browser()
    asked = browser.get("/console/accounts?x=1&y=2")
    assert (asked.status_code, asked.headers["location"]) == (303, "/login?next=/console/accounts%3Fx%3D1%26y%3D2")
    assert 'value="/console/accounts?x=1&amp;y=2"' in browser.get(asked.headers["location"]).text
    assert browser.login("manager", onward="/console/accounts?x=1").headers["location"] == "/console/accounts?x=1"


def test_a_script_that_is_logged_off_is_told_so(office: Office) -> None:
    told = office.browser().get("/account", accept="application/json")
    assert told.status_code == 401 and "logged off" in told.json()["error"]["message"].lower()


@pytest.mark.parametrize("role", ROLES)
def test_only_managers_see_the_peoples_page(office: Office, role: str) -> None:
    browser = office.login(role)
    assert browser.get("/console/accounts").status_code == (200 if role == "manager" else 403)
    assert ("People" in browser.get("/account").text) == (role == "manager")
    made = browser.post("/console/accounts", name="eve", role="manager")
    assert made.status_code == (200 if role == "manager" else 403)
    assert (office.run(office.store.accounts.get("eve")) is None) == (role != "manager")


def test_too_many_attempts_say_how_long_to_wait(office: Office) -> None:
    browser = office.browser()
    told = [browser.login("operator", "wrong password") for _ in range(5)]
    assert [each.status_code for each in told] == [401] * 4 + [429]
    assert 1 <= int(told[4].headers["retry-after"]) <= 2 and "wait" in told[4].text


def test_what_is_typed_is_shown_as_text(office: Office) -> None:
    browser = office.browser()
    told = browser.login("<script>alert(1)</script>", "wrong password")
    assert "<script>alert" not in told.text and "&lt;script&gt;" in told.text


def test_a_new_person_gets_a_link_that_works_once(office: Office) -> None:
    manager, new = office.login("manager"), office.browser()
    made = manager.post("/console/accounts", name="Eve", shown="Eve Ernst", role="operator").text
    link = re.search(r"http://localhost:8080(/welcome/[\w-]+)", made)
    assert link and "Eve Ernst" in made
    assert "eve" in new.get(link[1]).text and new.get(link[1]).status_code == 200  # looking does not use it up
    assert new.post(link[1], password=PASSWORD, again="another one").status_code == 400
    assert new.post(link[1], password="short", again="short").status_code == 400
    assert new.post(link[1], password=PASSWORD, again=PASSWORD).headers["location"] == "/login?welcome=1&name=eve"
    assert new.post(link[1], password=PASSWORD, again=PASSWORD).status_code == 403
    assert new.login("eve").status_code == 303


def test_the_first_account_is_a_managers() -> None:
    office = Office(roles=())
    browser, token = office.browser(), office.run(office.people.staff.first_link())
    assert "The first account" in browser.get(f"/welcome/{token}").text
    for name, status in (("Max Meier", 400), ("max", 303)):
        fields = {"name": name, "shown": "Max Meier", "password": PASSWORD, "again": PASSWORD}
        assert browser.post(f"/welcome/{token}", **fields).status_code == status
    assert office.browser().get(f"/welcome/{token}").status_code == 403
    assert browser.login("max").status_code == 303 and browser.get("/console/accounts").status_code == 200
    office.close()


def test_a_disabled_person_is_out_with_the_next_click(office: Office) -> None:
    manager, operator = office.login("manager"), office.login("operator")
    assert manager.post("/console/accounts/change", name="operator", do="disable").status_code == 303
    assert operator.get("/account").status_code == 303
    assert operator.login("operator").status_code == 401
    assert office.run(office.people.staff.events("operator"))[0].event.by == "manager"


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/console/accounts", {"name": "operator", "role": "lead"}),
        ("/console/accounts", {"name": "eve", "role": "root"}),
        ("/console/accounts", {"name": "e v e", "role": "lead"}),
        ("/console/accounts/role", {"name": "manager", "role": "operator"}),
        ("/console/accounts/role", {"name": "nobody", "role": "operator"}),
        ("/console/accounts/change", {"name": "manager", "do": "disable"}),
        ("/console/accounts/change", {"name": "operator", "do": "delete"}),
        ("/console/accounts/change", {}),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_changes(office: Office, path: str, fields: dict[str, str]) -> None:
    manager, before = office.login("manager"), office.run(office.people.staff.all())
    refused = manager.post(path, **fields)
    assert refused.status_code == 400 and 'role="alert"' in refused.text
    assert office.run(office.people.staff.all()) == before


def test_one_changes_ones_own_password_and_stays_in(office: Office) -> None:
    here, there = office.login("lead"), office.login("lead")
    new = {"password": "staple of all things", "again": "staple of all things"}
    assert here.post("/account/password", old="wrong password", **new).status_code == 400
    assert here.post("/account/password", old=PASSWORD, **new).status_code == 303
    assert here.get("/account").status_code == 200 and there.get("/account").status_code == 303


def test_every_page_has_its_landmarks_and_labels(office: Office) -> None:
    manager = office.login("manager")
    for path in ("/account", "/console/accounts", "/nothing-here"):
        text = manager.get(path if path != "/nothing-here" else "/console/nothing").text
        assert '<main id="main"' in text and 'href="#main"' in text and 'lang="en"' in text and text.count("<h1") == 1
        fields = re.findall(r'<(?:input|select|textarea)(?![^>]*type="hidden")[^>]*>', text)
        named = [re.search(r'id="([^"]+)"', field) for field in fields]
        assert all(
            "aria-label" in field or (name and f'for="{name[1]}"' in text)
            for field, name in zip(fields, named, strict=True)
        )


def test_no_page_asks_another_site_for_anything(office: Office) -> None:
    manager = office.login("manager")
    for path in ("/login", "/account", "/console/accounts", "/static/app.css", "/static/app.js"):
        assert not re.search(r"(?:src|href)=[\"']https?:|url\(|@import", manager.get(path).text)


def test_logging_out_ends_the_session_and_its_cookie(office: Office) -> None:
    browser = office.login("operator")
    kept = dict(browser.jar)
    assert browser.post("/logout").headers["location"] == "/login" and "surefoot" not in browser.jar
    browser.jar = kept
    assert browser.get("/account").status_code == 303
