"""The money pages: who may look, sums that close, the requests behind a figure, the downloads."""

import csv
import io
import time
from collections.abc import Iterator

import pytest
from console_support import Office
from door_support import KNOWN, UNKNOWN

from surefoot.records import Request
from surefoot.wire.dialects import DIALECTS


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


def ask(office: Office, number: int, question: str, prompt: str = "Be brief.") -> None:
    body = DIALECTS["openai"].ask(question, (), model="surefoot")
    body = body.replace(b'"messages":[', b'"messages":[{"role":"system","content":"' + prompt.encode() + b'"},')
    parsed = DIALECTS["openai"].parse(body, surface="chat")
    request = Request(
        id=f"req_{number}", at_ns=time.time_ns(), draw=f"{number:032x}", dialect="openai",
        surface="chat", caller=office.app.caller(None), feature="clinic", model="clinic", stream=False, body=body, top=parsed.top,
    )  # fmt: skip
    office.run(office.app.answer(request))


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("lead", 200), ("manager", 200), ("auditor", 200)])
def test_those_who_read_reports_may_look(office: Office, role: str, status: int) -> None:
    browser = office.login(role)
    for path in ("/money", "/money/export", "/money/requests", "/money/requests/export"):
        assert browser.send("GET", path).status_code == status


def test_who_is_not_logged_in_sees_nothing(office: Office) -> None:
    assert office.browser().send("GET", "/money").status_code == 303


@pytest.mark.parametrize(
    "by", ["feature", "customer", "outcome", "key", "prompt", "model", "rung", "provider", "kind", "day"]
)
def test_every_grouping_is_a_page_and_a_download(office: Office, by: str) -> None:
    ask(office, 1, KNOWN)
    ask(office, 2, UNKNOWN)
    browser = office.login("lead")
    shown = browser.send("GET", f"/money?by={by}&since=7d")
    assert shown.status_code == 200 and "n = 2 requests" in shown.text and "Memo" in shown.text
    rows = list(csv.DictReader(io.StringIO(browser.send("GET", f"/money/export?by={by}").text)))
    assert sum(int(row["requests"]) for row in rows) == 2


def test_a_figure_leads_to_the_requests_behind_it(office: Office) -> None:
    ask(office, 1, KNOWN)
    ask(office, 2, UNKNOWN)
    browser = office.login("lead")
    behind = browser.send("GET", "/money/requests?by=outcome&group=escalated").text
    assert "req_2" in behind and "req_1" not in behind
    rows = list(
        csv.DictReader(io.StringIO(browser.send("GET", "/money/requests/export?by=outcome&group=delivered").text))
    )
    assert [row["request_id"] for row in rows] == ["req_1"]


def test_what_callers_name_is_shown_as_text(office: Office) -> None:
    ask(office, 1, KNOWN)
    shown = office.login("lead").send("GET", "/money/requests?by=model&group=<script>alert(1)</script>").text
    assert "<script>alert" not in shown and "&lt;script&gt;" in shown


@pytest.mark.parametrize("query", ["by=moon", "since=5y", "feature=none", "by=tags"])
def test_what_does_not_exist_is_refused_in_words(office: Office, query: str) -> None:
    refused = office.login("lead").send("GET", f"/money?{query}")
    assert refused.status_code == 400 and "There is no" in refused.text
