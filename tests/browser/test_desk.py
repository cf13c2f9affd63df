"""The desk in a real browser: what an operator does all day, and what goes wrong on a bad one."""

from __future__ import annotations

import itertools
import json
import re
import time
from collections.abc import Iterator

import httpx
import msgspec
import pytest
from browser_support import Place, Visitors
from msgspec.structs import replace
from playwright.sync_api import Page, expect

from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records import Commit
from surefoot.store import Store
from surefoot.wire.dialects import DIALECTS

_people = itertools.count()
CANCEL = "Can I cancel my visit tomorrow without paying? Call me: +43 660 123 45 67."
RIGHT = "A visit can be cancelled free of charge up to 24 hours before it begins."
WRONG = "A visit can be cancelled free of charge up to 48 hours before it begins."
DRAFT = f"{WRONG} A late cancellation costs 25 dollars."
PASSAGE = f"{RIGHT} A late cancellation costs 25 dollars. A missed visit costs 40 dollars."
CONFIG = """
[store]
database = "{folder}/surefoot.db"
key_file = "{folder}/surefoot.key"
[providers.rows]
kind = "recorded"
file = "{folder}/rows.jsonl"
[models.small]
provider = "rows"
[features.clinic]
mode = "enforce"
ladder = ["small"]
person = "nurse"
undo_seconds = 3
[features.clinic.maps.small]
p = 0.62
margin = 0.1
[features.audited]
mode = "enforce"
ladder = ["small"]
person = "nurse"
audit = 1.0
[features.audited.maps.small]
p = 0.97
[features.paired]
mode = "enforce"
ladder = ["small"]
person = "nurse"
two_persons = true
undo_seconds = 1
[features.paired.maps.small]
p = 0.62
[people.nurse]
holding = "A nurse will answer you."
capacity = 100
sla_seconds = 900
[people.nurse.canned]
hours = "The front desk is open from 8 to 17."
[people.physician]
holding = "A physician will answer you."
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A gateway whose small model says the same wrong thing whenever it is asked about cancelling."""
    folder = tmp_path_factory.mktemp("desk")
    row = Row(id="0", query=CANCEL, context=(PASSAGE,), answers={"small": RecordedAnswer(DRAFT, False)})
    (folder / "rows.jsonl").write_bytes(msgspec.json.encode(row))
    place = Place(folder, config=CONFIG)
    yield place
    place.stop()


@pytest.fixture(autouse=True)
def empty_desk(place: Place) -> None:
    """No test sees the cases of another."""

    async def withdraw(store: Store) -> None:
        now = time.time_ns()
        for case in await store.cases.waiting(limit=5000):
            if not await store.cases.withdraw(case.id, tenant=case.tenant, at_ns=now):
                await store.cases.resolve(case.id, state="withdrawn", at_ns=now)

    place.in_store(withdraw)


def drafted(place: Place, *, feature: str = "clinic") -> str:
    """A case with the draft, of a new person; of an audit the caller is not told."""
    body = json.loads(DIALECTS["openai"].ask(CANCEL, (PASSAGE,), model=feature)) | {"user": f"pat {next(_people)}"}
    told = httpx.post(f"{place.url}/v1/chat/completions", json=body, timeout=30)
    return told.headers.get("x-surefoot-case") or "case_" + told.headers["x-request-id"].removeprefix("req_")


def undrafted(place: Place, question: object) -> str:
    """A case without a draft, of a new person."""
    return place.case(question, user=f"pat {next(_people)}")


def at_case(visitors: Visitors, case_id: str, name: str = "amy", **options: object) -> Page:
    """A window of somebody who holds the case."""
    page = visitors.login(name, path=f"/desk/cases/{case_id}", **options)
    page.get_by_role("button", name="Take this case").click()
    expect(page.locator("#text")).to_be_visible()
    if options.get("java_script_enabled", True):
        ready(page)
    return page


def ready(page: Page) -> None:
    """Wait until the page's script listens to keys."""
    expect(page.locator("html.js")).to_be_attached()


def taught(place: Place, visitors: Visitors, *questions: str, answer: str) -> None:
    """Like questions that one general answer has resolved, the first by itself and the others confirmed."""
    first, *others = (undrafted(place, text) for text in questions)
    page = at_case(visitors, first)
    page.locator("#text").fill(answer)
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("Control+Enter")
    page.get_by_role("link", name="alike: answer them too").click()
    for box in page.get_by_role("checkbox").all():
        box.check()
    page.get_by_role("button", name="Answer the confirmed ones").click()
    expect(page.get_by_text("answered too")).to_be_visible()
    assert {told(place, case_id) for case_id in (first, *others)} == {answer}


def told(place: Place, case_id: str) -> object:
    """The answer that the waiting client gets in the end."""
    for _ in range(100):
        found = place.told(case_id)["answer"]
        if found is not None:
            return found
        time.sleep(0.1)
    return None


def test_a_case_is_claimed_edited_answered_and_its_caller_gets_it(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id)
    expect(page.locator("#text")).to_have_value(DRAFT)
    page.locator("#text").fill(f"{RIGHT} A late cancellation costs 25 dollars.")
    page.get_by_role("button", name="Send the edited draft").click()
    expect(page.get_by_text("until then you can take it back")).to_be_visible()
    assert place.told(case_id)["answer"] is None
    expect(page.locator(".after.done")).to_contain_text("Delivered")
    assert told(place, case_id) == f"{RIGHT} A late cancellation costs 25 dollars."


def test_an_unsupported_sentence_shows_why_and_the_nearest_passage(place: Place, visitors: Visitors) -> None:
    page = at_case(visitors, drafted(place))
    mark = page.locator(".draft mark")
    expect(mark).to_have_text(re.compile("48 hours"))
    note = page.locator(f"#{mark.get_attribute('aria-describedby')}")
    expect(note).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("]")
    expect(mark).to_be_focused()
    expect(note).to_be_visible()
    expect(note).to_contain_text(RIGHT)
    expect(note).to_contain_text("A number that is not in the passages")


def test_the_draft_is_accepted_with_one_key(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id)
    page.keyboard.press("a")
    expect(page.get_by_text("until then you can take it back")).to_be_visible()
    assert told(place, case_id) == DRAFT
    expect(
        page.get_by_text("Delivered at")
    ).to_be_visible()  # the page turns by itself; a window is not closed meanwhile


def test_a_whole_case_needs_no_mouse(place: Place, visitors: Visitors) -> None:
    case_id = undrafted(place, "Is there a place for bicycles?")
    page = visitors.login()
    ready(page)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.get_by_role("link", name="Is there a place for bicycles?")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/{case_id}")
    ready(page)
    page.keyboard.press("c")
    expect(page.locator("#text")).to_be_visible()
    ready(page)
    page.keyboard.press("r")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("Yes, beside the entrance. ")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Next case")).to_have_count(2)
    assert told(place, case_id) == "Yes, beside the entrance. The front desk is open from 8 to 17."


def test_an_answer_is_taken_back_before_it_is_delivered(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    ready(page)
    page.keyboard.press("u")
    expect(page.get_by_text("Taken back: nothing was delivered.")).to_be_visible()
    expect(page.locator("#text")).to_have_value(DRAFT)
    time.sleep(4)
    assert place.told(case_id)["answer"] is None


def test_of_two_who_want_one_case_one_gets_it(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    amy = visitors.login("amy", path=f"/desk/cases/{case_id}")
    ben = visitors.login("ben", path=f"/desk/cases/{case_id}")
    ben.route("**/desk/events*", lambda route: route.abort())
    ben.reload()
    amy.get_by_role("button", name="Take this case").click()
    expect(amy.locator("#text")).to_be_visible()
    ben.get_by_role("button", name="Take this case").click()
    expect(ben.get_by_role("alert")).to_contain_text("Somebody was faster.")
    expect(ben.get_by_text("amy has this case")).to_be_visible()
    expect(ben.locator("#text")).to_have_count(0)


def test_a_late_answer_after_a_lost_lease_is_refused_and_its_text_kept(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    amy = at_case(visitors, case_id)
    amy.evaluate("document.querySelector('#text').value = 'My careful answer.'")
    amy.evaluate("for (const each of document.querySelectorAll('form')) each.noValidate = true")

    async def lapse(store: Store) -> None:
        later = time.time_ns() + 3600 * 1_000_000_000
        await store.cases.lapse_leases(now_ns=later)
        await store.cases.claim(case_id, by="ben", at_ns=time.time_ns(), lease_ns=3600 * 1_000_000_000)

    place.in_store(lapse)
    expect(amy.get_by_role("alert")).to_contain_text("You do not hold this case any more")
    expect(amy.get_by_role("button", name="Send the edited draft")).to_be_disabled()
    amy.evaluate("document.querySelector('form[data-answer]:not(.accept)').submit()")
    expect(amy.get_by_role("alert")).to_contain_text("Nothing was sent; your text is below.")
    expect(amy.get_by_label("Your text, as you wrote it")).to_have_value("My careful answer.")
    assert place.told(case_id)["answer"] is None


def test_a_second_window_cannot_answer_again(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    first = at_case(visitors, case_id)
    second = first.context.new_page()
    second.route("**/desk/events*", lambda route: route.abort())
    second.goto(f"/desk/cases/{case_id}")
    second.locator("#text").fill("What the other window says.")
    first.keyboard.press("a")
    expect(first.get_by_text("until then you can take it back")).to_be_visible()
    second.keyboard.press("Control+Enter")
    expect(second.get_by_role("alert")).to_contain_text("You do not hold this case any more.")
    expect(second.get_by_label("Your text, as you wrote it")).to_have_value("What the other window says.")
    assert told(place, case_id) == DRAFT


def test_the_queue_shows_what_comes_without_a_reload(place: Place, visitors: Visitors) -> None:
    page = visitors.login()
    expect(page.get_by_text("Nothing waits here.")).to_be_visible()
    page.evaluate("window.stayed = true")
    case_id = undrafted(place, "Do you sell stamps?")
    expect(page.get_by_role("link", name="Do you sell stamps?")).to_be_visible()
    expect(page.locator("[data-toasts]")).to_contain_text("A new case waits.")

    async def take(store: Store) -> None:
        await store.cases.claim(case_id, by="ben", at_ns=time.time_ns(), lease_ns=60 * 1_000_000_000)

    place.in_store(take)
    expect(page.get_by_role("cell", name="taken by ben")).to_be_visible()
    assert page.evaluate("window.stayed")


def test_a_queue_that_was_cut_off_misses_nothing(place: Place, visitors: Visitors) -> None:
    page = visitors.login()
    page.context.set_offline(True)
    expect(page.locator("#offline")).to_be_visible()
    undrafted(place, "Were you away?")
    page.context.set_offline(False)
    expect(page.locator("#offline")).to_be_hidden()
    expect(page.get_by_role("link", name="Were you away?")).to_be_visible()


def test_what_is_written_is_saved_and_there_after_a_reload(place: Place, visitors: Visitors) -> None:
    page = at_case(visitors, drafted(place))
    page.keyboard.press("r")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("Half an answer")
    expect(page.locator("[data-saved]")).to_contain_text("Saved")
    page.reload()
    expect(page.locator("#text")).to_have_value("Half an answer")
    expect(page.get_by_role("radio", name="Own answer")).to_be_checked()


def test_like_questions_are_offered_and_the_confirmed_ones_answered(place: Place, visitors: Visitors) -> None:
    asked = ("How can I pay my bill?", "how can i pay my bill please", "How can I pay my bill of 30 dollars?")
    first, like, other = (undrafted(place, text) for text in asked)
    page = at_case(visitors, first)
    page.locator("#text").fill("Online, by card or by transfer.")
    page.get_by_role("radio", name="everybody who asks this").check()
    page.keyboard.press("Control+Enter")
    page.get_by_role("link", name="alike: answer them too").click()
    expect(page.get_by_role("checkbox", name="of 30 dollars")).to_be_disabled()
    assert sorted(page.locator(".members ins").all_inner_texts(), key=len) == ["please", "of 30 dollars?"]
    page.get_by_role("checkbox", name="please").check()
    page.get_by_role("button", name="Answer the confirmed ones").click()
    expect(page.get_by_text("1 like case was answered too.")).to_be_visible()
    assert told(place, first) == told(place, like) == "Online, by card or by transfer."
    assert place.told(other)["answer"] is None


PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def test_a_question_that_came_with_an_image_is_not_answered_along(place: Place, visitors: Visitors) -> None:
    first, like = (
        undrafted(place, "Is this rash on my arm bad?"),
        undrafted(place, "Is this rash on my arm bad, please?"),
    )
    parts = [
        {"type": "text", "text": "Is this rash on my arm bad?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    pictured = undrafted(place, parts)
    page = at_case(visitors, first)
    page.locator("#text").fill("Show it to us when it lasts for more than a week.")
    page.get_by_role("radio", name="everybody who asks this").check()
    page.keyboard.press("Control+Enter")
    page.get_by_role("link", name="alike: answer them too").click()
    odd = page.locator(".members > li", has_text="1 image")
    expect(odd.locator(".differs li")).to_have_text("attachment: yours came with nothing, this one came with 1 image")
    expect(odd.get_by_role("checkbox")).to_be_disabled()
    page.get_by_role("checkbox", name="please").check()
    page.wait_for_timeout(2100)  # the time of the batch is counted
    page.get_by_role("button", name="Answer the confirmed ones").click()
    expect(page.get_by_text("1 like case was answered too.")).to_be_visible()
    assert told(place, like) and place.told(pictured)["answer"] is None

    async def booked(store: Store) -> list[tuple[int, bool]]:
        case = await store.cases.find(like)
        assert case is not None
        lines = await store.ledger.entries(request_id=case.request_id)
        return [(line.quantity, line.estimated) for line in lines if line.kind == "human"]

    ((seconds, estimated),) = place.in_store(booked)
    assert 2 <= seconds < 30 and not estimated
    page.goto(f"/desk/cases/{pictured}")
    expect(page.get_by_text("It came with 1 image, which the desk does not show.")).to_be_visible()


def test_the_answer_that_seems_to_fit_is_used_by_keyboard(place: Place, visitors: Visitors) -> None:
    answer = "Bring your insurance card and a list of your medicines."
    wordings = (
        "What do I bring to my visit?",
        "what do i bring to my visit please",
        "What do I bring to my visit, please?",
    )
    taught(place, visitors, *wordings, answer=answer)
    again = undrafted(place, "Please, what do I bring to my visit?")
    page = at_case(visitors, again)
    box = page.get_by_role("region", name="An earlier answer seems to fit")
    expect(box).to_contain_text(answer)
    expect(box).to_contain_text("No other number, name, date, negation or attachment.")
    page.keyboard.press("f")
    expect(page.locator("#text")).to_have_value(answer)
    expect(page.locator("#text")).to_be_focused()
    expect(page.get_by_role("radio", name="this person only")).to_be_checked()
    page.keyboard.press("Control+Enter")
    assert told(place, again) == answer

    async def meaning(store: Store) -> str:
        return next(each.detail for each in await store.cases.history(again) if each.kind == "answered")

    assert ", as before for case_" in place.in_store(meaning)


def test_a_fitting_answer_says_what_differs_and_needs_no_script(place: Place, visitors: Visitors) -> None:
    answer = "Yes, with a meal."
    asked = (
        "May I take 20 mg of it twice a day?",
        "may i take 20 mg of it twice a day please",
        "20 mg of it twice a day, may I take it?",
    )
    taught(place, visitors, *asked, answer=answer)
    other = undrafted(place, "May I take 80 mg of it twice a day?")
    page = at_case(visitors, other, java_script_enabled=False)
    box = page.get_by_role("region", name="An earlier answer may fit, but something differs")
    expect(box.get_by_role("listitem")).to_contain_text(["number: that question says 20 mg, this one 80 mg"])
    box.get_by_role("link", name="Put it into my answer").click()
    expect(page.locator("#text")).to_have_value(answer)
    page.locator("#text").fill(f"{answer} Not more than 60 mg.")
    page.get_by_role("button", name="Send").click()

    async def meaning(store: Store) -> str:
        return next(each.detail for each in await store.cases.history(other) if each.kind == "answered")

    assert ", edited (signed in a session)" in place.in_store(meaning)


def test_an_identifier_is_covered_revealed_with_a_reason_and_put_back(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id)
    assert "660 123" not in page.content()
    page.get_by_text("1 identifier is covered").click()
    page.get_by_label("Reason").fill("she asked to be called")
    page.get_by_role("button", name="Reveal").click()
    expect(page.locator(".revealed")).to_have_text("+43 660 123 45 67")
    page.get_by_role("radio", name="Own answer").check()
    page.locator("#text").fill("We call you on [PHONE_1].")
    page.get_by_role("button", name="Send my answer").click()
    assert told(place, case_id) == "We call you on +43 660 123 45 67."

    async def revealed(store: Store) -> list[str]:
        return [row.event.detail for row in await store.audit.events(kind="access.reveal", on=case_id)]

    assert place.in_store(revealed) == ["[PHONE_1]: she asked to be called"]


def test_what_names_one_person_is_not_for_everybody(place: Place, visitors: Visitors) -> None:
    page = at_case(visitors, drafted(place))
    page.keyboard.press("r")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("We call you on [PHONE_1].")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("This cannot be for everybody.")
    expect(page.locator("#text")).to_have_value("We call you on [PHONE_1].")


def test_scripts_are_text_and_control_characters_go(place: Place, visitors: Visitors) -> None:
    case_id = undrafted(place, "<script>document.title='owned'</script><img src=x onerror=alert(1)> What is this?")
    page = at_case(visitors, case_id)
    expect(page.locator("[data-question]")).to_contain_text("<script>document.title='owned'</script>")
    page.evaluate("document.querySelector('#text').value = 'It is <b>text</b>\\u0000\\u001b.'")
    page.get_by_role("button", name="Send my answer").click()
    expect(page.locator(".turn.person")).to_contain_text("It is <b>text</b>.")
    expect(page.get_by_text("2 control characters were taken out")).to_be_visible()
    assert told(place, case_id) == "It is <b>text</b>."


def test_an_answer_of_a_megabyte_is_refused_and_kept(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id)
    page.evaluate("document.querySelector('#text').value = 'long '.repeat(200_000)")
    page.get_by_role("button", name="Send the edited draft").click()
    expect(page.get_by_role("alert")).to_contain_text("at most 100,000 can be sent. Nothing was sent.")
    assert page.evaluate("document.querySelector('#text').value.length") > 999_000
    assert place.told(case_id)["state"] == "claimed"


def test_an_audit_says_nothing_of_what_the_answer_is_worth(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place, feature="audited")
    page = at_case(visitors, case_id)
    assert DRAFT not in page.content()
    page.get_by_role("link", name="Show the draft").click()
    expect(page.locator(".draft")).to_have_text(DRAFT)
    shown = page.locator(".desk").inner_html()
    assert not [word for word in ("0.97", "grounded", "signal", "<mark", "small", "priority") if word in shown]
    page.get_by_role("button", name="Wrong").click()
    expect(page.get_by_text("Your verdict is kept.")).to_be_visible()

    async def verdicts(store: Store) -> list[tuple[str, str]]:
        case = await store.cases.find(case_id)
        assert case is not None
        return [(label.verdict, label.by) for label in await store.labels.of(case.request_id)]

    assert place.in_store(verdicts) == [("wrong", "amy")]


def test_a_second_person_decides_and_the_first_cannot(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place, feature="paired")
    amy = at_case(visitors, case_id)
    amy.locator("#text").fill(RIGHT)
    amy.keyboard.press("Control+Enter")
    expect(amy.get_by_text("Your answer waits for a second person.")).to_be_visible()
    expect(amy.get_by_role("button", name="Approve")).to_have_count(0)
    ben = visitors.login("ben", path=f"/desk/cases/{case_id}")
    expect(ben.get_by_text("Proposed answer")).to_be_visible()
    assert not [
        word for word in ("0.62", "grounded", "<mark", DRAFT, "amy") if word in ben.locator(".desk").inner_html()
    ]
    ben.get_by_role("button", name="Approve").click()
    assert told(place, case_id) == RIGHT
    for page in (amy, ben):  # both pages say so by themselves
        expect(page.locator(".after.done")).to_be_visible()


def test_a_case_is_put_aside_and_handed_over_with_a_note(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id)
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.get_by_label("Hand to").select_option("physician")
    page.get_by_label("Note").fill("Please look at the dose.")
    page.get_by_role("button", name="Give it back").click()
    expect(page.get_by_text("Given back to the queue.")).to_be_visible()
    page.goto(f"/desk/cases/{case_id}")
    expect(page.get_by_text("Please look at the dose.")).to_be_visible()
    assert place.told(case_id)["role"] == "physician"


def test_a_shift_is_handed_over_whole(place: Place, visitors: Visitors) -> None:
    cases = [undrafted(place, f"Question {n}?") for n in range(2)]
    page = visitors.login()
    for case_id in cases:
        page.goto(f"/desk/cases/{case_id}")
        ready(page)
        page.keyboard.press("c")
        expect(page.locator("#text")).to_be_visible()
    page.goto("/desk/shift")
    page.get_by_label("Note to whoever comes next").fill("Both wait for the laboratory.")
    page.get_by_role("button", name="Hand over 2 cases").click()
    expect(page.get_by_text("Handed over.")).to_be_visible()
    assert [place.told(case_id)["state"] for case_id in cases] == ["open", "open"]


def test_a_person_is_asked_back_through_the_same_channel(place: Place, visitors: Visitors) -> None:
    case_id = undrafted(place, "Can I take it twice?")
    page = at_case(visitors, case_id)
    page.keyboard.press("Escape")
    page.keyboard.press("q")
    expect(page.locator("#text")).to_be_focused()
    page.keyboard.type("Which medicine do you mean?")
    page.keyboard.press("Control+Enter")
    assert told(place, case_id) == "Which medicine do you mean?"
    assert place.told(case_id)["verb"] == "ask"


def test_it_works_without_javascript(place: Place, visitors: Visitors) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id, java_script_enabled=False)
    expect(page.locator("kbd.js-only").first).to_be_hidden()
    page.get_by_role("radio", name="Own answer").check(force=True)
    page.locator("#text").fill("Written without a script.")
    page.get_by_role("button", name="Send").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#text")).to_have_value("Written without a script.")


@pytest.mark.parametrize("path", ["/desk", "/desk/shift", "case"])
def test_nothing_sticks_out_at_390_pixels(place: Place, visitors: Visitors, path: str) -> None:
    case_id = drafted(place)
    page = at_case(visitors, case_id, viewport={"width": 390, "height": 844})
    if path != "case":
        page.goto(path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    small = page.evaluate(
        "[...document.querySelectorAll('.desk button, .desk .button')].filter(b => b.offsetHeight && b.offsetHeight < 40).length"
    )
    assert small == 0


def test_a_screen_reader_finds_its_way(place: Place, visitors: Visitors) -> None:
    page = at_case(visitors, drafted(place))
    for role, name in (
        ("main", ""), ("complementary", "What helps to answer"), ("region", "Conversation"), ("region", "Draft"),
        ("region", "Your answer"), ("region", "Why it is here"), ("navigation", "Desk"),
    ):  # fmt: skip
        expect(page.get_by_role(role, name=name).first).to_be_visible()
    unnamed = page.evaluate(
        """[...document.querySelectorAll('button, a[href], input:not([type=hidden]), select, textarea')].filter(e =>
        !(e.labels?.length || e.getAttribute('aria-label') || e.textContent.trim())).map(e => e.outerHTML)"""
    )
    assert unnamed == []
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('main h1, main h2')].map(h => Number(h.tagName[1]))")
    assert levels[0] == 1 and set(levels[1:]) == {2}


def test_a_thousand_open_cases_are_a_page_at_a_time(place: Place, visitors: Visitors) -> None:
    drafted(place)
    place.in_store(open_thousand)
    page = visitors.login()
    expect(page.locator("tr[data-case]")).to_have_count(50)
    expect(page.locator("[data-counts]")).to_contain_text("1001 waiting")
    page.get_by_role("link", name="Further 50").click()
    expect(page.get_by_text("51–100")).to_be_visible()
    expect(page.locator("tr[data-case]")).to_have_count(50)


async def open_thousand(store: Store) -> None:
    """A thousand copies of the case that waits."""
    (first,) = await store.cases.waiting()
    entry, content = await store.journal.get(first.request_id), await store.journal.content(first.request_id)
    assert entry is not None and content is not None
    for number in range(1000):
        name = f"copy{number:04}"
        case = replace(first, id=f"case_{name}", request_id=f"req_{name}", fingerprint=name)
        copied = replace(entry, request_id=f"req_{name}", case_id=case.id)
        done = store.commit(Commit(entry=copied, content=content, subject="user:local:many", case=case))
    await done
