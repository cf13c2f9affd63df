"""What a page of the desk is told of a case, and what it must never be told."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.app import App
from surefoot.app.caseview import CaseView, Cover, case_view, clean, identifiers_in, is_blind, pieces_of, uncovered
from surefoot.config.load import load_text
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records import Case, Span
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of

CONFIG = """
[providers.rows]
kind = "recorded"
file = "{file}"
[models.small]
provider = "rows"
[features.f]
mode = "enforce"
ladder = ["small"]
[features.f.maps.small]
p = 0.5
"""
PASSAGES = ("The desk opens at 8 in the morning.", "Parking costs 2 dollars an hour. It is free after 6 pm.")
ANSWER = "Parking costs 5 dollars an hour. Thank you for asking!"
QUERY = "What does parking cost? My e-mail is amy@example.org, please answer there."


@pytest.fixture
def seen(tmp_path: Path):
    """A function from a row's parts to the view of the case that it opens."""

    def view(query: str = QUERY, answer: str = ANSWER, passages: tuple[str, ...] = PASSAGES, **changes) -> CaseView:
        row = Row(id="0", query=query, context=passages, answers={"small": RecordedAnswer(answer, False)})
        file = tmp_path / "rows.jsonl"
        file.write_bytes(msgspec.json.encode(row))
        return asyncio.run(_view(file, row, changes))

    return view


async def _view(file: Path, row: Row, changes: dict) -> CaseView:
    store = MemoryStore()
    app = await App.start(load_text(CONFIG.format(file=file)), store=store)
    try:
        reply = await app.answer(request_of(app, app.policy.features["f"], row))
        entry = await store.journal.get(reply.request_id)
        assert entry is not None and entry.case_id is not None
        case = await store.cases.get(entry.case_id, tenant="local")
        assert case is not None
        return await case_view(store, replace(case, **changes), bar=0.85)
    finally:
        await app.close()


def test_the_pieces_are_the_draft(seen):
    view = seen()
    assert "".join(piece.text for piece in view.pieces) == view.draft == ANSWER


def test_an_unsupported_sentence_has_its_nearest_passage_and_a_reason(seen):
    (wrong,) = [piece for piece in seen().pieces if piece.supported is False]
    assert wrong.text == "Parking costs 5 dollars an hour."
    assert wrong.nearest == "Parking costs 2 dollars an hour."
    assert wrong.passage == 1
    assert "number" in wrong.why


def test_passages_stand_beside_the_question_and_not_in_it(seen):
    view = seen()
    assert view.question.startswith("What does parking cost?")
    assert view.passages == PASSAGES


def test_it_says_why_a_person_is_asked(seen):
    why = seen().why
    assert why is not None
    assert (why.confidence.p, why.bar) == (0.5, 0.85)
    assert "grounded" in {signal.name for signal in why.signals}


def test_the_least_safe_signal_comes_first(seen):
    why = seen().why
    assert why is not None
    scores = [each.score for each in why.signals if each.score is not None and "." not in each.name]
    assert scores == sorted(scores)


@pytest.mark.parametrize("changes", [{"kind": "audit"}, {"state": "proposed"}])
def test_a_blind_case_says_nothing_of_what_its_draft_is_worth(seen, changes):
    view = seen(**changes)
    assert view.draft == ANSWER
    assert view.why is None and not view.model
    assert all(piece.supported is None for piece in view.pieces)


def test_identifiers_are_masked_and_come_back_in_the_answer(seen):
    view = seen()
    assert "amy@example.org" not in view.question
    assert "[EMAIL_1]" in view.question
    assert uncovered(view, "I wrote to [EMAIL_1].") == "I wrote to amy@example.org."


def test_an_answer_with_an_identifier_is_about_one_person(seen):
    view = seen()
    assert identifiers_in(view, "write to [EMAIL_1]") == identifiers_in(view, "to amy@example.org") == ("[EMAIL_1]",)
    assert identifiers_in(view, "Parking costs 2 dollars.") == ()


def test_a_case_without_a_draft_is_shown_without_one(seen):
    view = seen(rung="")
    assert (view.draft, view.pieces, view.unsupported) == ("", (), 0)
    assert view.question


def test_what_was_erased_is_not_there_and_the_case_is(seen):
    view = asyncio.run(case_view(MemoryStore(), _case()))
    assert not view.kept and view.question == ""


def _case() -> Case:
    return Case(
        id="case_1", request_id="req_1", tenant="local", feature="f", role="nurse", state="open", reason="r",
        opened_at_ns=0, subject="s", fingerprint="f",
    )  # fmt: skip


def test_a_question_is_not_blind_and_its_second_review_is():
    assert not is_blind(_case())
    assert is_blind(replace(_case(), state="proposed"))


def test_an_identifier_across_a_cut_is_shown_once():
    text = "Call +43 660 123 45 67 today."
    cover = Cover.over([text])
    middle = text.index("123")
    assert cover.part(text, 0, middle) + cover.part(text, middle, len(text)) == "Call [PHONE_1] today."


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(-3, 70), st.integers(-3, 70)), max_size=6))
def test_whatever_the_spans_the_pieces_are_the_draft(draft, places):
    spans = [Span(start=start, end=end, score=0.1, supported=False, passage=3) for start, end in places]
    assert "".join(piece.text for piece in pieces_of(draft, spans, (), Cover({}))) == Cover({}).text(draft)


@given(st.text())
def test_a_clean_text_has_no_control_characters_and_stays_clean(text):
    found = clean(text)
    assert not [char for char in found.text if ord(char) < 32 and char not in "\n\t"]
    assert clean(found.text) == (found.text, 0) or clean(found.text).text == found.text


def test_cleaning_says_how_much_it_took_out():
    found = clean("a\x00b\x1b[31m\r\nc\td ")
    assert (found.text, found.removed) == ("ab[31m\nc\td", 2)
