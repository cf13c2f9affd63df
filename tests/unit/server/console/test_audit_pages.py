"""What auditors see, and where a lead stops a feature."""

import json
from collections.abc import Iterator

import pytest
from console_support import Office

from surefoot.records.audit import AuditEvent
from surefoot.records.person import ACTS, ROLES


@pytest.fixture
def office() -> Iterator[Office]:
    made = Office()
    yield made
    made.close()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("path", "act"), [("/console/audit", "trail"), ("/console/audit/export", "trail"), ("/console/stops", "switch")]
)
def test_each_page_opens_for_the_roles_of_its_act_alone(office: Office, role: str, path: str, act: str) -> None:
    assert office.login(role).get(path).status_code == (200 if role in ACTS[act] else 403)


def test_the_trail_shows_who_did_what_and_lets_a_filter_choose(office: Office) -> None:
    office.run(
        office.store.audit.add(AuditEvent(kind="access.reveal", by="operator", on="case_7", detail="<b>why</b>"))
    )
    auditor = office.login("auditor")
    shown = auditor.get("/console/audit?kind=access.&by=operator").text
    assert "case_7" in shown and "&lt;b&gt;why" in shown and "account.created" not in shown
    assert "Nothing happened that fits" in auditor.get("/console/audit?on=nothing").text


def test_an_auditor_verifies_and_a_broken_chain_is_named(office: Office) -> None:
    auditor = office.login("auditor")
    auditor.get("/console/audit")
    assert "nothing is altered or missing" in auditor.post("/console/audit/verify").text
    event, body, _, row_hash = office.store._audit._rows[1]
    office.store._audit._rows[1] = (event, body + b" ", b"", row_hash)
    assert "Altered: audit_events row" in auditor.post("/console/audit/verify").text


def test_an_export_is_json_lines_and_leaves_an_event(office: Office) -> None:
    auditor = office.login("auditor")
    answer = auditor.get("/console/audit/export?kind=account.")
    rows = [json.loads(line) for line in answer.text.splitlines()]
    assert answer.headers["content-disposition"].startswith("attachment")
    assert {row["event"]["kind"] for row in rows} >= {"account.created"}
    assert all(row["event"]["kind"].startswith("account.") for row in rows)
    assert "trail.exported" in auditor.get("/console/audit?kind=trail.&by=auditor").text


def test_a_lead_stops_a_feature_with_a_reason_and_lets_it_go_on(office: Office) -> None:
    lead, feature = office.login("lead"), next(iter(office.app.policy.features))
    lead.get("/console/stops")
    assert lead.post("/console/stops", feature=feature, reason="wrong doses", do="stop").status_code == 303
    stop = office.app.stops.stopped(feature)
    assert stop is not None and (stop.by, stop.reason, stop.refuse) == ("lead", "wrong doses", False)
    assert "wrong doses" in lead.get("/console/stops").text
    lead.post("/console/stops", feature=feature, reason="mended", do="resume")
    assert office.app.stops.stopped(feature) is None


@pytest.mark.parametrize(("feature", "reason"), [("nothing", "x"), ("*", " ")])
def test_no_stop_of_an_unknown_feature_or_without_a_reason(office: Office, feature: str, reason: str) -> None:
    lead = office.login("lead")
    lead.get("/console/stops")
    assert lead.post("/console/stops", feature=feature, reason=reason, do="stop").status_code == 400
    assert len(office.app.stops) == 0
