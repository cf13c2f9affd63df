"""The page of what-if: who may ask, what it answers, and what it refuses in words."""

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
    for number, question in enumerate((KNOWN, UNKNOWN, "How long does a refill take?")):
        body = DIALECTS["openai"].ask(question, (), model="surefoot")
        parsed = DIALECTS["openai"].parse(body, surface="chat")
        request = Request(
            id=f"req_{number}", at_ns=time.time_ns(), draw=f"{number:032x}", dialect="openai", surface="chat",
            caller=office.app.caller(None), feature="clinic", model="clinic", stream=False, body=body, top=parsed.top,
        )  # fmt: skip
        office.run(office.app.answer(request))
    yield office
    office.close()


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("lead", 200), ("manager", 200), ("auditor", 200)])
def test_those_who_read_reports_may_ask(office: Office, role: str, status: int) -> None:
    assert office.login(role).send("GET", "/whatif").status_code == status


def test_nothing_is_read_before_something_is_moved(office: Office) -> None:
    assert "requests of clinic" not in office.login("lead").send("GET", "/whatif?feature=clinic").text


def test_another_bar_says_what_would_end_otherwise(office: Office) -> None:
    shown = office.login("auditor").send("GET", "/whatif?feature=clinic&confidence=0.95&since=1d").text
    assert "3 requests of clinic" in shown and "effective n" in shown
    assert "0.0% [" in shown  # nothing would be delivered: the map says 0.9
    assert "/requests/req_0" in shown and "deliver quotes" in shown


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("confidence=2", "Confidence is above 0 and at most 1."),
        ("people=many", "People is a number"),
        ("feature=none", "There is no feature"),
        ("since=3d", "There is no since"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(office: Office, query: str, words: str) -> None:
    answer = office.login("lead").send("GET", f"/whatif?{query}")
    assert answer.status_code == 400 and words in answer.text


def test_a_ladder_that_does_not_exist_is_told_above_the_form(office: Office) -> None:
    answer = office.login("lead").send("GET", "/whatif?feature=clinic&ladder=nobody")
    assert answer.status_code == 400 and "nobody" in answer.text and "Replay" in answer.text
