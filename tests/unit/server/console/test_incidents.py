"""The page of alarms: before and after, what changed, and who has seen to it."""

from collections.abc import Iterator

import msgspec
import pytest
from console_support import Office

from surefoot.ledger.surge import KIND as SPEND
from surefoot.records import Incident

DRIFT = {
    "limit": 0.05,
    "before": {"wrong": 0.02, "low": 0.01, "high": 0.04, "n": 300},
    "after": {"wrong": 0.3, "low": 0.2, "high": 0.42, "n": 60},
    "changed": [
        {"what": "model", "value": "small-2", "share_before": 0.0, "share_after": 1.0},
        {"what": "signal", "value": "grounding", "mean_before": 0.91, "mean_after": 0.55},
    ],
}
SURGE = {
    "window_hours": 1, "spent_nanodollars": 30_000_000_000, "expected_nanodollars": 4_000_000_000,
    "limit_nanodollars": 9_000_000_000,
    "since_a_week_ago": {"before": 1, "after": 2, "volume": 20_000_000_000, "mix": 0, "tokens": -1_000_000_000, "price": 0},
}  # fmt: skip


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    for at_ns, kind, detail in ((1, "drift", DRIFT), (2, SPEND, SURGE)):
        text = msgspec.json.encode(detail).decode()
        incident = Incident(id=f"inc_{kind}", at_ns=at_ns, feature="clinic", rung="quotes", kind=kind, detail=text)
        office.run(office.store.incidents.add(incident))
    yield office
    office.close()


def test_an_alarm_says_what_was_before_and_what_changed_with_it(office: Office) -> None:
    shown = office.login("auditor").send("GET", "/incidents").text
    assert "more wrong answers than the 5.0% that were allowed" in shown
    assert "20.0% to 42.0%" in shown and "0% of labels before, 100% after" in shown and "mean 0.91 before" in shown
    assert "30.00 USD within this hour, where 4.00 were expected" in shown and "+20.00 USD" in shown


def test_somebody_acknowledges_it_and_the_trail_keeps_who(office: Office) -> None:
    browser = office.login("lead")
    browser.get("/incidents")
    assert browser.post("/incidents", id="inc_drift", note="The model was changed back.").status_code == 303
    assert "by lead: The model was changed back." in browser.get("/incidents").text
    (row,) = office.run(office.store.audit.events(kind="incident."))
    assert (row.event.by, row.event.on) == ("lead", "inc_drift")


def test_a_note_is_needed_and_an_alarm_that_exists(office: Office) -> None:
    browser = office.login("manager")
    browser.get("/incidents")
    assert browser.post("/incidents", id="inc_drift", note=" ").status_code == 400
    assert browser.post("/incidents", id="inc_other", note="seen").status_code == 400


@pytest.mark.parametrize(("role", "may"), [("operator", False), ("auditor", False), ("lead", True)])
def test_only_leads_and_managers_acknowledge(office: Office, role: str, may: bool) -> None:
    browser = office.login(role)
    browser.get("/incidents" if role != "operator" else "/account")
    assert (browser.post("/incidents", id="inc_drift", note="seen").status_code == 303) is may
