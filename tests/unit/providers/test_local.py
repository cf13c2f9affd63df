"""The answerers without a network: quotes, recordings, simulations."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.config.schema import SimulationSettings
from surefoot.demo.places import CLINIC
from surefoot.errors import DataError
from surefoot.providers import Abstained, Call, Said
from surefoot.providers.documents import Index, read_folder, sentences_of
from surefoot.providers.extractive import Extractive
from surefoot.providers.recorded import Recorded
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.providers.simulated import Simulated
from surefoot.records import Caller, Request
from surefoot.wire.dialects import DIALECTS

HANDBOOK = read_folder(CLINIC / "handbook")
INDEX = Index(HANDBOOK)


def call(
    query: str,
    *,
    passages: tuple[str, ...] = (),
    model: str = "m",
    row: str | None = None,
    dialect: str = "openai",
    draw: str = "0",
) -> Call:
    body = DIALECTS[dialect].ask(query, passages, model="x")
    top = DIALECTS[dialect].parse(body, surface="chat").top
    request = Request(
        id="req_1", at_ns=1, draw=draw, dialect=dialect, surface="chat", caller=Caller(key_id="k", tenant="t"), feature="f",
        model="x", stream=False, body=body, top=top, row=row,
    )  # fmt: skip
    return Call(request=request, model=model, top=top)


def said(provider: Extractive | Recorded | Simulated, asked: Call) -> Said | Abstained:
    return asyncio.run(provider.complete(asked))


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
def test_a_known_question_is_answered_by_a_quotation_with_its_source(dialect: str) -> None:
    answer = said(Extractive("e", INDEX), call("How long do repeat prescriptions take?", dialect=dialect))
    assert isinstance(answer, Said)
    assert "2 working days" in answer.answer.text and "prescriptions.md" in answer.answer.text
    assert DIALECTS[dialect].read(answer.answer.body).text == answer.answer.text


@pytest.mark.parametrize("question", ["Who was Tutankhamun?", "", "the of and", "🦄"])
def test_an_unknown_question_is_not_answered(question: str) -> None:
    assert isinstance(said(Extractive("e", INDEX), call(question)), Abstained)


@given(st.lists(st.sampled_from(sorted({word for passage in HANDBOOK for word in passage.text.split()})), max_size=8))
def test_quotations_are_the_documents_own_words(words: list[str]) -> None:
    quotation = Extractive("e", INDEX).quote(" ".join(words))
    if quotation is not None:
        passage = next(passage for passage in HANDBOOK if passage.id == quotation.passage_id)
        assert all(sentence in passage.text for sentence in quotation.sentences)
        assert 0 <= quotation.score <= 1


def test_a_typing_error_in_a_rare_word_is_forgiven() -> None:
    assert Extractive("e", INDEX).quote("How long does spirometri last?").passage_id == "procedures#spirometry"


def test_sentences_keep_abbreviations_lists_and_numbers_together() -> None:
    text = "Dr. Smith pays 3.50 dollars. He left.\n\n- one item\n- two items\n\n| a | b |\n|---|---|\n| 1 | 2 |"
    assert sentences_of(text) == ("Dr. Smith pays 3.50 dollars.", "He left.", "one item", "two items", "a | b", "1 | 2")


def test_a_folder_that_is_not_there_or_not_text_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        read_folder(tmp_path / "none")
    (tmp_path / "a.md").write_bytes(b"\xff\xfe")
    with pytest.raises(DataError, match=r"a\.md"):
        read_folder(tmp_path)


def row(id: str, query: str, text: str, context: tuple[str, ...] = ()) -> Row:
    return Row(id=id, query=query, context=context, answers={"m": RecordedAnswer(text=text, correct=True)})


RECORDING = Recorded(
    "r", [row("1", "", "one", ("a",)), row("2", "", "two", ("b",)), row("3", "q", "x"), row("4", "q", "y")]
)


def test_a_recording_is_matched_by_query_and_passages() -> None:
    assert said(RECORDING, call("", passages=("b",))).answer.text == "two"


def test_an_ambiguous_match_is_refused() -> None:
    refused = said(RECORDING, call("q"))
    assert isinstance(refused, Abstained) and refused.kind == "unavailable" and "ambiguous: 2 rows" in refused.reason


def test_within_a_trial_a_call_is_bound_to_its_row() -> None:
    assert said(RECORDING, call("q", row="4")).answer.text == "y"


def test_a_model_without_an_answer_is_unavailable() -> None:
    assert said(RECORDING, call("q", row="4", model="other")).kind == "unavailable"


def test_recorded_usage_is_estimated_and_says_so() -> None:
    usage = said(RECORDING, call("q", row="4")).usage
    assert (usage.input_tokens, usage.output_tokens, usage.estimated) == (1, 1, True)


def simulated(**behaviour: float) -> Simulated:
    return Simulated("s", INDEX, {"m": SimulationSettings(**behaviour)}, seed=1)


QUESTIONS = [f"Tell me about {passage.title.split(' / ')[-1]} please" for passage in HANDBOOK]


def test_a_simulated_model_is_right_about_as_often_as_it_is_told() -> None:
    best = {question: INDEX.rank(question)[0].passage.text for question in QUESTIONS}
    right = sum(best[question] in said(simulated(accuracy=0.7), call(question)).answer.text for question in QUESTIONS)
    assert 0.5 * len(QUESTIONS) < right < 0.9 * len(QUESTIONS)


def test_a_simulated_model_says_the_same_twice_unless_it_varies() -> None:
    asked = [call(QUESTIONS[0], draw=str(n)) for n in range(20)]
    assert len({said(simulated(variation=0.0), each).answer.text for each in asked}) == 1
    assert len({said(simulated(variation=1.0), each).answer.text for each in asked}) > 1


def test_everything_simulated_is_labelled() -> None:
    assert said(simulated(), call("anything at all")).simulated
