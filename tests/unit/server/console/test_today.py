"""The first page of the cockpit: who may look, and what it says before anything was asked."""

from collections.abc import Iterator

import pytest
from console_support import Office


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("lead", 200), ("manager", 200), ("auditor", 200)])
def test_those_who_read_reports_may_look(office: Office, role: str, status: int) -> None:
    assert office.login(role).send("GET", "/today").status_code == status


def test_before_the_first_request_nothing_is_a_percentage(office: Office) -> None:
    shown = office.login("lead").send("GET", "/today?since=30d").text
    assert "Nothing was asked in this time." in shown and "Nobody waits." in shown
    assert "%" not in shown.partition("<h2")[2]


def test_a_time_that_does_not_exist_is_refused_in_words(office: Office) -> None:
    answer = office.login("lead").send("GET", "/today?since=11d")
    assert answer.status_code == 400 and "There is no since" in answer.text


def test_the_script_of_the_drawings_is_the_installed_one(office: Office) -> None:
    answer = office.browser().send("GET", "/static/plotly.min.js")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/javascript")
    assert b"plotly.js" in answer.content[:200]
