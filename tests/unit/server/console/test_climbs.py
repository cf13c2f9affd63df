"""One request's way up the ladder, for those who read the trail: why there, what was said, what it cost, who looked."""

from collections.abc import Iterator

import msgspec
import pytest
from console_support import Office

from surefoot.config.load import load_text
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records.person import ACTS, ROLES
from surefoot.replay import shadow_id
from surefoot.trial.asking import request_of

ROW = Row(
    id="q", group="q", query="Call me on +49 30 901820 <b>soon</b>?",
    answers={"small": RecordedAnswer(text="The answer is 30.", correct=True), "large": RecordedAnswer(text="The answer is 31.", correct=False)},
)  # fmt: skip
CONFIG = """
[providers.rec]
kind = "recorded"
file = "{file}"
[models.small]
provider = "rec"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 4.0 }}
[models.large]
provider = "rec"
price = {{ input_usd_per_million = 100.0, output_usd_per_million = 400.0 }}
[features.f]
ladder = ["small", "large"]
stream = "hold"
{audit}
[features.f.maps.small]
p = 0.9
[features.f.route]
explore = 0.0
person_seconds = 0
shadow = 1.0
"""


@pytest.fixture
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = Office()
    file = tmp_path_factory.mktemp("climbs") / "rows.jsonl"
    file.write_bytes(msgspec.json.encode(ROW))
    made.file = file  # type: ignore[attr-defined]
    yield made
    made.close()


def asked(office: Office, audit: str = "") -> str:
    """The id of a request that was answered and shadowed."""
    app = office.app
    office.run(app.reload(load_text(CONFIG.format(file=office.file, audit=audit))))  # type: ignore[attr-defined]
    app.shadow_calls._after_seconds = 0.0
    request = request_of(app, app.policy.features["f"], ROW)
    office.run(app.answer(request))
    office.run(app.shadow_calls.settled())
    return request.id


@pytest.mark.parametrize("role", ROLES)
def test_the_page_opens_for_those_who_read_the_trail_alone(office: Office, role: str) -> None:
    path = f"/requests/{asked(office)}"
    assert office.login(role).get(path).status_code == (200 if role in ACTS["trail"] else 403)


def test_it_says_why_the_ladder_began_there_and_what_each_rung_said_and_cost(office: Office) -> None:
    name = asked(office)
    shown = office.login("auditor").get(f"/requests/{name}").text
    assert "The ladder was begun at small: the least expected cost of the whole way." in shown
    assert "declared; no label says so yet" in shown and "begun here" in shown
    assert "acceptable with a probability of 0.90" in shown and "configured by hand" in shown
    assert "Verdict: deliver" in shown and "was delivered with the draft of small" in shown
    assert "large was asked too, which had a chance of 100.0%" in shown and "it agrees to 0%" in shown
    assert "The answer is 30." in shown and "The answer is 31." in shown
    assert "901820" not in shown and "[PHONE_1] &lt;b&gt;soon" in shown
    assert office.login("auditor").get(f"/requests/{shadow_id(name)}").text.count(name) >= 1


def test_a_look_is_in_the_trail_and_what_was_erased_is_not_shown(office: Office) -> None:
    name = asked(office)
    auditor = office.login("auditor")
    auditor.get(f"/requests/{name}")
    looks = [row.event for row in office.run(office.store.audit.events(kind="access.request"))]
    assert [(event.by, event.on) for event in looks] == [("auditor", name)]
    office.run(office.store.journal.erase_subject(tenant="local", end_user=""))
    shown = auditor.get(f"/requests/{name}").text
    assert "not kept, or erased" in shown and "The answer is 3" not in shown and "Verdict: deliver" in shown
    assert auditor.get("/requests/req_unknown").status_code == 404


def test_who_may_judge_a_draft_that_is_to_be_judged_blind_is_not_told_what_it_is_worth(office: Office) -> None:
    name = asked(office, audit="audit = 1.0")
    blind, seen = (office.login(role).get(f"/requests/{name}").text for role in ("manager", "auditor"))
    assert "must be blind" in blind and "0.90" not in blind and "The answer is 30." not in blind
    assert "0.90" in seen
    assert not office.run(office.store.audit.events(kind="access.request", by="manager"))
