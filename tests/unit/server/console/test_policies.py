"""The page of policies: what a revision would change, and that two persons let it serve."""

from collections.abc import Iterator

import pytest
from console_support import Browser, Office

from surefoot.policy import Learned, LearnedFeature, LearnedRung, Map
from surefoot.policy.learned import encode_learned

LEARNED = Learned(
    features={"clinic": LearnedFeature(rungs={"quotes": LearnedRung(map=Map(kind="fixed", p=0.7), models=())}, labels=40)}
)  # fmt: skip


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    office.run(office.store.revisions.add(encode_learned(LEARNED), note="labels: clinic (40)", at_ns=1))
    yield office
    office.close()


def send(browser: Browser, **fields: str) -> int:
    browser.get("/policies")
    return browser.post("/policies", **fields).status_code


def serving(office: Office) -> int:
    return office.run(office.store.revisions.serving())


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("lead", 200), ("manager", 200), ("auditor", 200)])
def test_those_who_read_reports_may_look(office: Office, role: str, status: int) -> None:
    browser = office.login(role)
    assert browser.send("GET", "/policies").status_code == status
    assert browser.send("GET", "/policies/1").status_code == status


def test_a_revision_says_what_it_would_change(office: Office) -> None:
    shown = office.login("auditor").send("GET", "/policies/1").text
    assert "maps.quotes.p" in shown or "Not used" in shown
    assert office.login("auditor").send("GET", "/policies/7").status_code == 400


def test_two_persons_let_a_revision_serve(office: Office) -> None:
    lead, manager = office.login("lead"), office.login("manager")
    assert send(lead, do="approve", number="1") == 400  # nobody proposed it
    assert send(lead, do="propose", number="1", note="") == 400
    assert send(lead, do="propose", number="1", note="forty labels, nothing wrong") == 303
    assert send(lead, do="propose", number="1", note="again") == 400
    assert send(lead, do="approve", number="1") == 400
    assert serving(office) == 0
    assert send(manager, do="approve", number="1") == 303
    assert serving(office) == 1
    kinds = [row.event.kind for row in office.run(office.store.audit.events(kind="revision."))]
    assert kinds == ["revision.promoted", "revision.approved", "revision.proposed"]


def test_one_person_goes_back_at_once(office: Office) -> None:
    lead, manager = office.login("lead"), office.login("manager")
    send(lead, do="propose", number="1", note="try it")
    send(manager, do="approve", number="1")
    assert send(lead, do="rollback") == 303
    assert serving(office) == 0
    assert send(manager, do="approve", number="1") == 400  # what was promoted once is no proposal any more


def test_a_proposal_is_taken_away_and_an_auditor_may_only_look(office: Office) -> None:
    lead = office.login("lead")
    send(lead, do="propose", number="1", note="try it")
    assert send(lead, do="decline", number="1") == 303
    assert send(office.login("manager"), do="approve", number="1") == 400
    assert send(office.login("auditor"), do="propose", number="1", note="mine") == 403
