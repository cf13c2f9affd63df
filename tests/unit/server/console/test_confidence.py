"""The page of what probabilities are worth: who may look, figures with n, and words where nothing is known."""

import time
from collections.abc import Iterator

import pytest
from console_support import Office
from door_support import CONFIG, KNOWN

from surefoot.records import Label, Request
from surefoot.wire.dialects import DIALECTS

NEAR = 'ladder = ["cache", "quotes"]\ncache = { kind = "near" }'


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


def judged(office: Office, number: int, verdict: str) -> None:
    """A request that the map delivered, drawn for an audit and judged."""
    body = DIALECTS["openai"].ask(KNOWN, (), model="surefoot")
    body = body.replace(b"{", f'{{"seed":{number},'.encode(), 1)  # else the cache would answer
    parsed = DIALECTS["openai"].parse(body, surface="chat")
    request = Request(
        id=f"req_{number}", at_ns=time.time_ns(), draw=f"{number:032x}", dialect="openai", surface="chat",
        caller=office.app.caller(None), feature="clinic", model="clinic", stream=False, body=body, top=parsed.top,
    )  # fmt: skip
    office.run(office.app.answer(request))
    label = Label(
        id=f"lab_{number}", request_id=request.id, at_ns=time.time_ns(), tenant=request.caller.tenant, feature="clinic",
        rung="quotes", edition=office.app.policy.editions["clinic"], verdict=verdict, source="audit", group=str(number),
        propensity=0.5,
    )  # fmt: skip
    office.run(office.store.labels.add(label))


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("lead", 200), ("manager", 200), ("auditor", 200)])
def test_those_who_read_reports_may_look(office: Office, role: str, status: int) -> None:
    assert office.login(role).send("GET", "/confidence").status_code == status


def test_without_labels_it_says_so_and_draws_nothing(office: Office) -> None:
    shown = office.login("lead").send("GET", "/confidence?feature=clinic").text
    assert "not enough data" in shown and "data-figure" not in shown
    assert "p that a hit entered with" in shown


def test_labels_are_held_against_what_was_claimed(office: Office) -> None:
    for number in range(6):
        judged(office, number, "wrong" if number == 0 else "accepted")
    shown = office.login("auditor").send("GET", "/confidence?feature=clinic&since=1d").text
    assert "16.7%" in shown  # one in six is wrong
    assert "data-figure" in shown and "Reliability as a table" in shown and "90.0%" in shown


def test_a_near_cache_says_what_it_watched_and_why_it_gives_nothing() -> None:
    office = Office(config=CONFIG.replace('ladder = ["cache", "quotes"]', NEAR))
    shown = office.login("lead").send("GET", "/confidence?feature=clinic").text
    office.close()
    assert "Lexical cache: 0 questions" in shown
    assert "would have hit" in shown
    assert "none declared" in shown
