"""Cases at the door: whose they are, how to wait for them, and what a reader of events may ask."""

from collections.abc import Iterator

import pytest
from door_support import CONFIG, UNKNOWN, Door
from waiting_support import give

from surefoot.config.load import load_text
from surefoot.errors import BadRequest
from surefoot.server.proxy.waiting import resumed, wait_of
from surefoot.server.routes import find
from surefoot.wire.dialects import DIALECTS

BODY = b'{"model":"m","messages":[{"role":"user","content":"x"}],"surefoot":{"wait":"held"}}'


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door()
    yield door
    door.close()


def case_of(door: Door, key: str = "a") -> str:
    return str(door.ask(UNKNOWN, key).headers["x-surefoot-case"])


def test_a_waiting_case_says_when_to_ask_again_and_has_no_answer(door: Door) -> None:
    told = door.send("GET", f"/v1/cases/{case_of(door)}", "a")
    assert told.headers["retry-after"] == "60" and told.json()["retry_after"] == 60
    assert (told.json()["state"], told.json()["answer"], told.json()["response"]) == ("open", None, None)


def test_a_delivered_case_has_the_whole_answer_and_no_retry_after(door: Door) -> None:
    case = case_of(door)
    door.runner.run(give(door.app.store, case, "He ruled."))
    told = door.send("GET", f"/v1/cases/{case}", "a")
    assert "retry-after" not in told.headers and told.json()["state"] == "delivered"
    response = told.json()["response"]
    assert response["choices"][0]["message"]["content"] == "He ruled."
    assert response["surefoot"]["rung"] == "person" and response["surefoot"]["case"] == case


def test_before_the_undo_window_ends_nobody_is_told(door: Door) -> None:
    case = case_of(door)
    door.runner.run(give(door.app.store, case, "He ruled.", undo_seconds=3600))
    told = door.send("GET", f"/v1/cases/{case}", "a")
    assert told.json()["state"] == "answered" and "He ruled." not in told.text


@pytest.mark.parametrize("what", ["", "/events", "/withdraw"])
def test_another_tenants_case_is_not_there(door: Door, what: str) -> None:
    method = "POST" if what == "/withdraw" else "GET"
    assert door.send(method, f"/v1/cases/{case_of(door)}{what}", "b").status_code == 404
    assert door.send(method, f"/v1/cases/{case_of(door)}{what}", None).status_code == 401


def test_what_was_said_is_not_told_to_an_erased_subject(door: Door) -> None:
    case = case_of(door)
    door.runner.run(give(door.app.store, case, "He ruled."))
    door.runner.run(door.app.store.journal.erase_subject(tenant="acme", end_user=""))
    told = door.send("GET", f"/v1/cases/{case}", "a").json()
    assert (told["state"], told["answer"], told["response"]) == ("delivered", None, None)


def test_events_of_an_ended_case_are_told_whole_and_then_no_more(door: Door) -> None:
    case = case_of(door)
    door.runner.run(give(door.app.store, case, "He ruled."))
    told = door.send("GET", f"/v1/cases/{case}/events", "a")
    assert told.headers["content-type"].startswith("text/event-stream")
    kinds = [line.removeprefix("event: ") for line in told.text.split("\n") if line.startswith("event: ")]
    assert kinds == ["opened", "claimed", "answered", "delivered"] and "amy" not in told.text
    last = [line for line in told.text.split("\n") if line.startswith("id: ")][-1].removeprefix("id: ")
    assert door.send("GET", f"/v1/cases/{case}/events", "a", **{"last-event-id": last}).status_code == 204


def test_a_withdrawn_case_is_nobodys_to_answer(door: Door) -> None:
    case = case_of(door)
    assert door.send("POST", f"/v1/cases/{case}/withdraw", "a").json()["state"] == "withdrawn"
    assert door.runner.run(door.app.store.cases.open_cases()) == []
    again = door.send("POST", f"/v1/cases/{case}/withdraw", "a")
    assert again.status_code == 200 and again.json()["state"] == "withdrawn"


def test_an_answered_case_cannot_be_withdrawn(door: Door) -> None:
    case = case_of(door)
    door.runner.run(give(door.app.store, case, "He ruled."))
    assert door.send("POST", f"/v1/cases/{case}/withdraw", "a").json()["state"] == "delivered"


@pytest.mark.parametrize("given", ["-1", "x", "1.5", "9" * 30, "\u0661"])
def test_what_was_never_an_events_id_is_refused(given: str) -> None:
    with pytest.raises(BadRequest):
        resumed({"last-event-id": given})


def test_a_reader_without_an_id_gets_everything() -> None:
    assert resumed({}) == resumed({"last-event-id": " "}) == 0 and resumed({"last-event-id": "17"}) == 17


def test_the_body_counts_before_the_header() -> None:
    parsed = DIALECTS["openai"].parse(BODY, surface="chat")
    assert wait_of(parsed, {"x-surefoot-wait": "sse"}).manner == "held"
    bare = DIALECTS["openai"].parse(BODY.replace(b'"wait":"held"', b""), surface="chat")
    assert wait_of(bare, {"x-surefoot-wait": " SSE "}).manner == "sse"
    with pytest.raises(BadRequest):
        wait_of(bare, {"x-surefoot-wait": "for ever"})


@pytest.mark.parametrize(
    ("said", "seconds"), [("600", 600.0), ("2.5", 2.5), ("None", None), ("-1", None), ("nan", None)]
)
def test_a_clients_time_out_is_a_hint(said: str, seconds: float | None) -> None:
    parsed = DIALECTS["openai"].parse(BODY, surface="chat")
    assert wait_of(parsed, {"x-stainless-read-timeout": said}).timeout_seconds == seconds


@pytest.mark.parametrize(
    ("path", "handler"),
    [("/v1/cases/c", "case"), ("/cases/c/events", "case_events"), ("/openai/v1/cases/c/withdraw", "withdraw"),
     ("/v1/cases/events", "case"), ("/v1/models/cases/events", "model")],
)  # fmt: skip
def test_what_lies_behind_a_case_is_found(path: str, handler: str) -> None:
    found = find(path)
    assert found is not None and found[0].handler == handler


def test_a_reader_of_events_beyond_the_tenants_cap_is_told_to_ask_instead(door: Door) -> None:
    case = case_of(door)
    door.runner.run(door.app.reload(load_text(CONFIG + "[server]\nheld_per_tenant = 0\n")))
    told = door.send("GET", f"/v1/cases/{case}/events", "a")
    assert (told.status_code, told.json()["error"]["code"]) == (429, "too_many_waiting")
    assert door.send("GET", f"/v1/cases/{case}", "a").status_code == 200
