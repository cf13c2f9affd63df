"""The desk behind its door: who sees what, what is refused, what the feed tells. The pages themselves: `tests/browser`."""

import asyncio
import re
import time
from collections.abc import Iterator

import httpx
import pytest
from console_support import PASSWORD, Browser, Office
from door_support import CONFIG
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.config.load import load_text
from surefoot.records import Case, CaseEvent, Confidence
from surefoot.review.priority import priority
from surefoot.server.console.desk_alike import parts_of
from surefoot.server.console.desk_feed import Feed, event_of
from surefoot.server.console.desk_pages import events_of, gauge_of, row_of
from surefoot.server.console.desk_words import left, span

SECOND = 1_000_000_000


@pytest.fixture
def office() -> Iterator[Office]:
    office = Office()
    yield office
    office.close()


def asked(office: Office, question: str = "Who was Tutankhamun?") -> str:
    """The id of a new case."""

    async def ask() -> str:
        body = {"model": "clinic", "messages": [{"role": "user", "content": question}]}
        transport = httpx.ASGITransport(office.wire, client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
            return str((await client.post("/v1/chat/completions", json=body)).headers["x-surefoot-case"])

    return office.run(ask())


def held(office: Office, who: Browser, case_id: str) -> str:
    """The fence of a case that somebody takes."""
    assert who.post(f"/desk/cases/{case_id}/claim").status_code == 303
    found = re.search(r'data-fence="(\d+)"', who.get(f"/desk/cases/{case_id}").text)
    assert found
    return found[1]


def case_of(office: Office, case_id: str) -> Case:
    found = office.run(office.store.cases.find(case_id))
    assert found is not None
    return found


def test_an_answer_ends_up_in_the_case_signed(office: Office) -> None:
    case_id, who = asked(office), office.login("operator")
    fence = held(office, who, case_id)
    sent = {"fence": fence, "verb": "replace", "text": "A king of Egypt.\r\n", "seconds": "42"}
    assert who.post(f"/desk/cases/{case_id}/answer", **sent).status_code == 303
    case = case_of(office, case_id)
    assert (case.state, case.answer, case.answered_by) == ("answered", "A king of Egypt.", "operator")
    (entry,) = [e for e in office.run(office.store.ledger.entries(request_id=case.request_id)) if e.kind == "human"]
    assert (entry.quantity, entry.estimated) == (42, False)


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"verb": "replace", "text": " \x00 "}, 422, "There is nothing to send."),
        ({"verb": "replace", "text": "x" * 100_001}, 413, "This is too long."),
        ({"verb": "accept"}, 422, "There is no draft."),
        ({"verb": "ask", "text": "Which one?", "general": "1"}, 422, "This is for one person."),
        ({"verb": "replace", "text": "Late.", "fence": "77"}, 409, "You do not hold this case any more."),
        ({"verb": "shout", "text": "Late."}, 400, "Choose what to do."),
    ],
)
def test_what_cannot_be_sent_is_said_and_nothing_happens(office: Office, sent: dict, status: int, said: str) -> None:
    case_id, who = asked(office), office.login("operator")
    fence = held(office, who, case_id)
    answer = who.post(f"/desk/cases/{case_id}/answer", **({"fence": fence} | sent))
    assert answer.status_code == status and said in answer.text
    assert case_of(office, case_id).state == "claimed"


def test_a_refused_text_stays_on_the_page(office: Office) -> None:
    case_id, who = asked(office), office.login("operator")
    held(office, who, case_id)
    answer = who.post(f"/desk/cases/{case_id}/answer", fence="77", verb="replace", text="My <i>words</i>")
    assert "My &lt;i&gt;words&lt;/i&gt;" in answer.text


def test_only_who_may_answer_takes_a_case(office: Office) -> None:
    case_id = asked(office)
    auditor = office.login("auditor")
    assert auditor.get(f"/desk/cases/{case_id}").status_code == 200
    assert auditor.post(f"/desk/cases/{case_id}/claim").status_code == 403
    assert office.browser().get(f"/desk/cases/{case_id}").status_code == 303


def test_a_form_without_its_token_does_nothing(office: Office) -> None:
    case_id, who = asked(office), office.login("operator")
    who.token = "0" * 64
    assert who.post(f"/desk/cases/{case_id}/claim").status_code == 403
    assert case_of(office, case_id).state == "open"


def test_every_look_at_a_case_is_noted(office: Office) -> None:
    case_id = asked(office)
    office.login("operator").get(f"/desk/cases/{case_id}")
    (row,) = office.run(office.store.audit.events(kind="access.case", on=case_id))
    assert row.event.by == "operator"


def test_an_identifier_without_a_reason_stays_covered(office: Office) -> None:
    case_id = asked(office, "Who was Tutankhamun? Write to pat@example.org")
    who = office.login("operator")
    held(office, who, case_id)
    answer = who.post(f"/desk/cases/{case_id}/reveal", name="[EMAIL_1]", reason=" ")
    assert answer.status_code == 422 and "pat@example.org" not in answer.text
    answer = who.post(f"/desk/cases/{case_id}/reveal", name="[EMAIL_1]", reason="to check the spelling")
    assert "pat@example.org" in answer.text


def test_an_answer_that_names_one_person_is_given_to_no_other(office: Office) -> None:
    other, case_id = (
        asked(office, "Who was Tutankhamun, please?"),
        asked(office, "Who was Tutankhamun? pat@example.org"),
    )
    who = office.login("operator")
    fence = held(office, who, case_id)
    who.post(f"/desk/cases/{case_id}/answer", fence=fence, verb="replace", text="We wrote to [EMAIL_1].")
    assert case_of(office, case_id).answer == "We wrote to pat@example.org."
    answer = who.post(f"/desk/cases/{case_id}/alike", member=other)
    assert answer.status_code == 422 and "Your answer is for one person." in answer.text
    assert "pat@example.org" not in answer.text
    assert case_of(office, other).state == "open"


def test_only_a_general_answer_is_given_to_others(office: Office) -> None:
    like, case_id = asked(office, "Who was Tutankhamun, please?"), asked(office, "Who was Tutankhamun?")
    who = office.login("operator")
    who.post(f"/desk/cases/{case_id}/answer", fence=held(office, who, case_id), verb="replace", text="A king.")
    assert "answer them too" not in who.get(f"/desk/cases/{case_id}").text
    answer = who.post(f"/desk/cases/{case_id}/alike", member=like)
    assert answer.status_code == 422 and case_of(office, like).state == "open"


def test_a_heartbeat_of_a_lost_claim_says_so(office: Office) -> None:
    case_id, who = asked(office), office.login("operator")
    fence = held(office, who, case_id)
    assert who.post(f"/desk/cases/{case_id}/heartbeat", fence=fence).status_code == 204
    assert who.post(f"/desk/cases/{case_id}/release", fence=fence).status_code == 303
    assert who.post(f"/desk/cases/{case_id}/heartbeat", fence=fence).status_code == 409
    assert who.post(f"/desk/cases/{case_id}/autosave", fence=fence, text="x").status_code == 409


def test_strange_addresses_are_an_ordinary_queue(office: Office) -> None:
    asked(office)
    who = office.login("operator")
    for query in ("after=x.y", "after=99999999999999999999.z", "show=nothing", "first=-1", "role=%00", "told=<b>"):
        assert who.get(f"/desk?{query}").status_code == 200
    assert who.get("/desk/cases/case_none").status_code == 404


def test_the_feed_tells_whoever_comes_back_what_was_missed(office: Office) -> None:
    case_id = asked(office)

    async def follow() -> list[str]:
        feed = Feed(office.store)
        first = await anext(aiter(feed.follow(0)))
        await office.store.cases.claim(case_id, by="amy", at_ns=time.time_ns(), lease_ns=60 * SECOND)
        again = await anext(aiter(feed.follow(first[-1].id)))
        return [each.kind for each in (*first, *again)]

    assert office.run(follow()) == ["opened", "claimed"]


def test_a_follower_is_woken_and_let_go(office: Office) -> None:
    case_id = asked(office)

    async def follow() -> list[int]:
        feed, seen = Feed(office.store), []
        async for events in feed.follow(await office.store.cases.last_change()):
            seen.append(len(events))
            feed.end()
        return seen

    async def both() -> list[int]:
        following = asyncio.create_task(follow())
        await asyncio.sleep(0.05)
        await office.store.cases.claim(case_id, by="amy", at_ns=time.time_ns(), lease_ns=60 * SECOND)
        return await asyncio.wait_for(following, 10)

    assert office.run(both()) == [1]


EVENT = CaseEvent(id=7, case_id="case_1", at_ns=SECOND, kind="answered", detail="edit", by="amy", state="answered")


def test_an_event_bears_its_id_and_no_name() -> None:
    told = event_of(EVENT, "ben")
    assert told.startswith(b"id: 7\nevent: case\ndata: ") and told.endswith(b"\n\n")
    assert b"amy" not in told and b'"mine":false' in told


def test_of_a_blind_case_nobody_learns_who_or_why() -> None:
    opened = replace(EVENT, kind="opened", detail="p >= 0.52 is below the bar", by="")
    shown = events_of([opened, replace(EVENT, kind="claimed", by="amy"), EVENT], blind=True)
    assert [each["words"] for each in shown] == ["taken", "opened"]


CASE = Case(
    id="case_1", request_id="req_1", tenant="local", feature="f", role="nurse", state="open", reason="p >= 0.52", risk=0.48,
    opened_at_ns=0, rank_ns=900 * SECOND, subject="s", fingerprint="f", p=0.52,
)  # fmt: skip


@pytest.mark.parametrize("changes", [{"kind": "audit"}, {"state": "proposed"}])
def test_a_blind_row_tells_no_reason_and_no_priority(changes: dict) -> None:
    case = replace(CASE, **changes)
    row = row_of(case, "Why?", priority(case, now_ns=SECOND), who="amy", now_ns=SECOND)
    assert (row.reason, row.priority, row.priority_why, row.level) == ("", "", "", 0)


def test_a_row_tells_its_reason_and_how_its_priority_is_made() -> None:
    row = row_of(CASE, "Why?", priority(CASE, now_ns=450 * SECOND), who="amy", now_ns=450 * SECOND)
    assert (row.reason, row.priority, row.waits) == ("p >= 0.52", "0.50", "7 min")
    assert "risk 0.48" in row.priority_why


def test_without_p_there_is_no_gauge() -> None:
    assert gauge_of(Confidence(), 0.85) is None
    assert "the bar is 0.85" in str(gauge_of(Confidence(p=0.5), 0.85))


@given(st.text(), st.text())
def test_the_parts_of_a_question_are_the_question(mine: str, other: str) -> None:
    assert " ".join(text for _, text in parts_of(mine, other)) == " ".join(other.split())


def test_what_differs_is_marked() -> None:
    assert parts_of("How do I pay?", "how do I pay twice") == [(False, "how do I pay"), (True, "twice")]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (61, "1 min"), (7500, "2 h 5 min"), (7200, "2 h"), (9e4, "1 d")]
)
def test_times_are_told_in_two_units_at_most(seconds: float, words: str) -> None:
    assert span(seconds) == words
    assert left(-int(seconds * SECOND) - 1, 0) == f"{words} ago"


def looks(office: Office, kind: str) -> list[tuple[str, str, str]]:
    rows = office.run(office.store.audit.events(kind=kind))
    return [(row.event.by, row.event.on, row.event.detail) for row in rows][::-1]


def test_a_look_at_a_list_names_its_cases_once(office: Office) -> None:
    first, who = asked(office), office.login("operator")
    who.get("/desk")
    second = asked(office, "Who was Nefertiti?")
    who.get("/desk/rows")
    who.get("/desk")
    assert looks(office, "access.list") == [("operator", "", first), ("operator", "", second)]


def general(office: Office, who: Browser, case_id: str, text: str = "A king.") -> None:
    """Answer a case for everybody."""
    sent = {"fence": held(office, who, case_id), "verb": "replace", "text": text, "general": "1"}
    assert who.post(f"/desk/cases/{case_id}/answer", **sent).status_code == 303


def delivered(office: Office) -> None:
    office.run(office.store.cases.deliver_due(now_ns=time.time_ns() + 3600 * SECOND))


def test_other_peoples_questions_are_noted_where_they_are_shown(office: Office) -> None:
    like, case_id = asked(office, "Who was Tutankhamun, please?"), asked(office)
    who = office.login("operator")
    general(office, who, case_id)
    assert looks(office, "access.alike") == []
    assert "Tutankhamun, <ins>please?" in who.get(f"/desk/cases/{case_id}/alike").text
    delivered(office)
    assert "A king." in who.get(f"/desk/cases/{like}").text
    assert looks(office, "access.alike") == [("operator", case_id, like), ("operator", like, case_id)]


def test_the_confirmed_are_answered_and_their_time_is_that_of_the_page(office: Office) -> None:
    like, case_id = asked(office, "Who was Tutankhamun, please?"), asked(office)
    who = office.login("operator")
    general(office, who, case_id)
    shown_ms = time.time_ns() // 1_000_000 - 42_000
    who.get(f"/desk/cases/{case_id}/alike")
    answer = who.post(f"/desk/cases/{case_id}/alike", member=like, seconds="", shown=str(shown_ms))
    assert answer.headers["location"].endswith("?also=1")
    entries = office.run(office.store.ledger.entries(request_id=case_of(office, like).request_id))
    ((seconds, estimated),) = [(e.quantity, e.estimated) for e in entries if e.kind == "human"]
    assert 42 <= seconds < 60 and estimated  # nobody counted: it is the time since the page was shown


def test_all_at_once_is_refused_where_the_feature_does_not_allow_it(office: Office) -> None:
    like, case_id = asked(office, "Who was Tutankhamun, please?"), asked(office)
    who = office.login("operator")
    general(office, who, case_id)
    answer = who.post(f"/desk/cases/{case_id}/alike", all="1")
    assert answer.status_code == 422 and "Nothing is confirmed." in answer.text and "Answer all" not in answer.text
    assert case_of(office, like).state == "open"


def test_an_address_puts_no_words_into_the_box_but_those_that_are_proposed(office: Office) -> None:
    case_id, other = asked(office), asked(office, "What is the capital of Peru?")
    who = office.login("operator")
    general(office, who, other, text="Lima.")
    delivered(office)
    fence = held(office, who, case_id)
    assert "Lima." not in who.get(f"/desk/cases/{case_id}?as={other}").text
    sent = {"fence": fence, "verb": "replace", "text": "A king of Egypt.", "past": other}
    who.post(f"/desk/cases/{case_id}/answer", **sent)
    said = office.run(office.store.cases.history(case_id))[-1].detail
    assert (
        said == "replace: I answer for what this says (signed in a session)"
    )  # not that answer, whatever the form says


def signing(office: Office) -> Office:
    """The same office, where nurses' answers are signed with the password and two persons must agree."""
    text = CONFIG.replace("[people.nurse]", '[people.nurse]\nsign = "password"').replace(
        'person = "nurse"', 'person = "nurse"\ntwo_persons = true'
    )
    office.run(office.app.reload(load_text(text)))
    return office


def test_a_wrong_password_sends_nothing_and_keeps_the_text(office: Office) -> None:
    case_id, who = asked(signing(office)), office.login("operator")
    fence = held(office, who, case_id)
    assert 'type="password"' in who.get(f"/desk/cases/{case_id}").text
    for proof in ({}, {"password": "wrong wrong wrong"}):
        answer = who.post(f"/desk/cases/{case_id}/answer", fence=fence, verb="replace", text="A king.", **proof)
        assert (
            answer.status_code == 403 and "This is not signed." in answer.text and ">A king.</textarea>" in answer.text
        )
    assert case_of(office, case_id).state == "claimed"


def test_each_signature_bears_name_time_meaning_and_how_it_was_signed(office: Office) -> None:
    case_id, who, second = asked(signing(office)), office.login("operator"), office.login("lead")
    fence = held(office, who, case_id)
    sent = {"fence": fence, "verb": "replace", "text": "A king.", "password": PASSWORD}
    assert who.post(f"/desk/cases/{case_id}/answer", **sent).status_code == 303
    assert 'type="password"' in second.get(f"/desk/cases/{case_id}").text
    assert second.post(f"/desk/cases/{case_id}/approve", fence=fence, password="no no no no").status_code == 403
    assert case_of(office, case_id).state == "proposed"
    assert second.post(f"/desk/cases/{case_id}/approve", fence=fence, password=PASSWORD).status_code == 303
    proposed, approved = office.run(office.store.cases.history(case_id))[-2:]
    assert (proposed.by, proposed.detail) == (
        "operator", "replace: I answer for what this says (signed with the password)",
    )  # fmt: skip
    assert (approved.by, approved.detail) == (
        "lead", "operator: I have read it and it may go (signed with the password)",
    )  # fmt: skip
    assert proposed.at_ns and approved.at_ns >= proposed.at_ns


def test_where_a_session_is_enough_no_password_is_asked_for_and_the_event_says_so(office: Office) -> None:
    case_id, who = asked(office), office.login("operator")
    fence = held(office, who, case_id)
    assert 'type="password"' not in who.get(f"/desk/cases/{case_id}").text
    who.post(f"/desk/cases/{case_id}/answer", fence=fence, verb="replace", text="A king.")
    (*_, event) = office.run(office.store.cases.history(case_id))
    assert event.detail == "replace: I answer for what this says (signed in a session)"


def test_guessing_at_signatures_is_slowed_down_like_guessing_at_the_door(office: Office) -> None:
    case_id, who = asked(signing(office)), office.login("operator")
    fence = held(office, who, case_id)
    for _ in range(4):
        said = who.post(f"/desk/cases/{case_id}/answer", fence=fence, verb="replace", text="A king.", password="x" * 12)
    said = who.post(f"/desk/cases/{case_id}/answer", fence=fence, verb="replace", text="A king.", password=PASSWORD)
    assert said.status_code == 403 and "Too many attempts; wait" in said.text
