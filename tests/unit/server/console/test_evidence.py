"""The evidence pack: who may take it, what stands in it, and that taking it is known."""

from collections.abc import Iterator

import pytest
from console_support import Office
from door_support import KNOWN

from surefoot.records import Incident, Request
from surefoot.wire.dialects import DIALECTS


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    body = DIALECTS["openai"].ask(KNOWN, (), model="surefoot")
    parsed = DIALECTS["openai"].parse(body, surface="chat")
    request = Request(
        id="req_1", at_ns=1, draw="0" * 32, dialect="openai", surface="chat", caller=office.app.caller(None), feature="clinic",
        model="clinic", stream=False, body=body, top=parsed.top,
    )  # fmt: skip
    office.run(office.app.answer(request))
    yield office
    office.close()


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("lead", 403), ("manager", 200), ("auditor", 200)])
def test_those_who_read_the_trail_may_take_it(office: Office, role: str, status: int) -> None:
    assert office.login(role).send("GET", "/evidence").status_code == status


def test_it_says_whether_the_record_is_whole_and_what_decides(office: Office) -> None:
    office.run(office.app.stops.stop("other", by="max", reason="a wrong dose"))
    shown = office.login("auditor").send("GET", "/evidence?since=7d").text
    assert "nothing is altered or missing" in shown and "1 requests" in shown
    assert office.app.policy.version in shown and "a wrong dose" in shown and "not enough data" in shown


def test_the_json_says_the_same_and_unknown_is_null(office: Office) -> None:
    office.run(
        office.store.incidents.add(
            Incident(id="inc", at_ns=2**62, feature="clinic", rung="quotes", kind="drift", detail="{}")
        )
    )
    answer = office.login("manager").send("GET", "/evidence?as=json")
    pack = answer.json()
    assert "attachment" in answer.headers["content-disposition"]
    assert (pack["policy"], pack["integrity"]["requests"]) == (office.app.policy.version, 1)
    assert pack["features"][0]["error"]["wrong"]["estimate"] is None
    assert [each["incident"]["id"] for each in pack["alarms"]] == ["inc"]


def test_whoever_takes_it_is_in_the_trail(office: Office) -> None:
    office.login("auditor").send("GET", "/evidence")
    (row,) = office.run(office.store.audit.events(kind="trail.evidence"))
    assert row.event.by == "auditor"
