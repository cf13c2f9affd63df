"""`POST /v1/outcomes` at the door: who may, what is malformed, in whose words it is said."""

import asyncio
from collections.abc import Iterator

import msgspec
import pytest
from door_support import KNOWN, UNKNOWN, Door
from hypothesis import given
from hypothesis import strategies as st

from surefoot.app.outcomes import OUTCOMES, Report
from surefoot.errors import BadRequest
from surefoot.server.proxy.outcomes import MOST, parse


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def asked(door: Door, question: str = KNOWN) -> str:
    return str(door.ask(question).headers["x-request-id"])


def wrong(request_id: str, **more: object) -> dict[str, object]:
    return {"request_id": request_id, "outcome": "wrong", **more}


def labels(door: Door) -> list:
    return list(door.runner.run(door.app.store.labels.all()))


@pytest.mark.parametrize("path", ["/v1/outcomes", "/outcomes", "/openai/v1/outcomes", "/anthropic/v1/outcomes/"])
def test_a_report_becomes_a_label_under_every_mount(door: Door, path: str) -> None:
    request_id = asked(door)
    told = door.send("POST", path, "s", {"request_id": request_id, "outcome": "accepted"})
    assert told.status_code == 200 and told.json()["new"] is True
    (label,) = labels(door)
    assert (label.id, label.request_id, label.verdict) == (told.json()["id"], request_id, "accepted")
    assert (label.source, label.propensity, label.by, label.rung) == ("client", None, "key_s", "quotes")


def test_a_key_without_the_scope_may_not_report_in_its_own_dialect(door: Door) -> None:
    body = wrong(asked(door))
    refused = door.send("POST", "/v1/outcomes", "a", body)
    assert refused.status_code == 403 and refused.json()["error"]["code"] == "permission_denied"
    claude = door.send("POST", "/v1/outcomes", "a", body, **{"anthropic-version": "2023-06-01"})
    assert claude.status_code == 403 and claude.json()["error"]["type"] == "permission_error"
    assert claude.json()["type"] == "error" and labels(door) == []


@pytest.mark.parametrize("key", [None, "unknown", "r"])
def test_without_a_living_key_nothing_is_reported(door: Door, key: str | None) -> None:
    assert door.send("POST", "/v1/outcomes", key, wrong(asked(door))).status_code == 401


def test_another_tenants_request_is_not_there(door: Door) -> None:
    request_id = asked(door)
    foreign, unknown = (door.send("POST", "/v1/outcomes", "t", wrong(name)) for name in (request_id, "req_none"))
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.json()["error"]["message"].replace(request_id, "req_none") == unknown.json()["error"]["message"]
    assert labels(door) == []


def test_a_feature_must_be_open_to_the_key_that_reports(door: Door) -> None:
    request_id = asked(door)
    assert door.send("POST", "/v1/outcomes", "p", wrong(request_id)).status_code == 403
    other = door.ask(KNOWN, "o", model="surefoot").headers["x-request-id"]
    assert door.send("POST", "/v1/outcomes", "p", wrong(other)).status_code == 200


def test_without_any_key_the_local_caller_may_report() -> None:
    door = Door(keyed=False)
    request_id = door.ask(KNOWN, None).headers["x-request-id"]
    assert door.send("POST", "/v1/outcomes", None, wrong(request_id)).status_code == 200
    assert labels(door)[0].by == "local"
    assert door.send("POST", "/v1/outcomes", None, wrong(request_id), host="gateway.example").status_code == 403
    door.close()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"outcome": "wrong"}, "request_id"),
        ({"request_id": "", "outcome": "wrong"}, "request_id"),
        ({"request_id": 7, "outcome": "wrong"}, "request_id"),
        ({"request_id": "a\0", "outcome": "wrong"}, "request_id"),
        ({"request_id": "a" * 201, "outcome": "wrong"}, "request_id"),
        ({"request_id": "a"}, "outcome"),
        ({"request_id": "a", "outcome": "fine"}, "outcome"),
        ({"request_id": "a", "outcome": ["wrong"]}, "outcome"),
        ({"request_id": "a", "outcome": "wrong", "reason": 4}, "reason"),
        ({"request_id": "a", "outcome": "wrong", "reason": "x" * 2001}, "reason"),
        ({"request_id": "a", "outcome": "wrong", "rung": {}}, "rung"),
        ({"request_id": "a", "outcome": "wrong", "reasn": "tone"}, "reasn"),
        ({"outcomes": {}}, "outcomes"),
        ({"outcomes": []}, "outcomes"),
        ({"outcomes": [1], "request_id": "a"}, "request_id"),
        ([], None),
        ("wrong", None),
    ],
)
def test_what_is_malformed_is_refused_with_its_field(door: Door, body: object, field: str | None) -> None:
    refused = door.send("POST", "/v1/outcomes", "s", body)
    assert refused.status_code == 400 and refused.json()["error"]["param"] == field
    assert labels(door) == []


def test_only_post_reports(door: Door) -> None:
    refused = door.send("GET", "/v1/outcomes", "s")
    assert refused.status_code == 405 and refused.headers["allow"] == "POST"


def test_of_a_list_each_says_what_became_of_it(door: Door) -> None:
    request_id = asked(door)
    items = [wrong("req_none"), wrong(request_id), {"request_id": request_id}, 5, wrong(request_id)]
    told = door.send("POST", "/v1/outcomes", "s", {"outcomes": items})
    data = told.json()["data"]
    assert told.status_code == 200 and told.json()["object"] == "list"
    assert [each.get("error", {}).get("status") for each in data] == [404, None, 400, 400, None]
    assert data[0]["error"]["param"] == "outcomes[0].request_id" and data[2]["error"]["param"] == "outcomes[2].outcome"
    assert [data[1]["new"], data[4]["new"]] == [True, False] and len(labels(door)) == 1


def test_a_list_has_an_end() -> None:
    with pytest.raises(BadRequest):
        parse(msgspec.json.encode({"outcomes": [wrong("a")] * (MOST + 1)}))


def test_an_audit_is_hidden_from_the_caller(door: Door) -> None:
    request_id = asked(door, UNKNOWN)
    entry = door.runner.run(door.app.store.journal.get(request_id))
    assert door.send("GET", f"/v1/cases/{entry.case_id}", "a").status_code == 200
    case = door.app.store.cases._cases[entry.case_id]
    door.app.store.cases._cases[entry.case_id] = msgspec.structs.replace(case, kind="audit")
    assert door.send("GET", f"/v1/cases/{entry.case_id}", "a").status_code == 404


def test_what_is_reported_at_once_is_reported_once(door: Door) -> None:
    request_id, reports = asked(door), door.app.outcomes
    caller = door.app.caller("s")

    async def run() -> list:
        given = [Report(request_id=request_id, outcome="edited")]
        return [
            one for told in await asyncio.gather(*(reports.report(caller, given) for _ in range(9))) for one in told
        ]

    told = door.runner.run(run())
    assert sum(one.new for one in told) == 1 and len({one.label for one in told}) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(OUTCOMES),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["request_id", "outcome", "reason", "rung", "outcomes"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(json_values | st.binary(max_size=20))
def test_any_body_is_read_or_refused_with_400(body: object) -> None:
    try:
        reports, listed = parse(body if isinstance(body, bytes) else msgspec.json.encode(body))
    except BadRequest:
        return
    assert listed or len(reports) == 1
    assert all(isinstance(each, BadRequest) or each.outcome in OUTCOMES for each in reports)


@pytest.mark.parametrize(
    ("written", "nanodollars"),
    [
        ("0.99", 990_000_000),
        ('"0.1"', 100_000_000),
        ("3", 3_000_000_000),
        ("-0.000000001", -1),
        ("0.30000000000000000", 300_000_000),
        ("1e-9", 1),
        ("null", None),
    ],
)
def test_an_amount_is_read_exactly_as_it_is_written(written: str, nanodollars: int | None) -> None:
    (report,), _ = parse(f'{{"request_id": "a", "outcome": "resolved", "value_usd": {written}}}'.encode())
    assert isinstance(report, Report) and report.nanodollars == nanodollars


@pytest.mark.parametrize("written", ["0.0000000001", '"much"', '"NaN"', "1000001", "true", "[1]", '"Infinity"', '""'])
def test_an_amount_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(BadRequest) as refused:
        parse(f'{{"request_id": "a", "outcome": "resolved", "value_usd": {written}}}'.encode())
    assert refused.value.param == "value_usd"
