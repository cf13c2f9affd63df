"""Laws of the answerers that need no network."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from surefoot.providers import Abstained, Call, Said
from surefoot.providers.documents import Index, read_folder, sentences_of
from surefoot.providers.extractive import Extractive
from surefoot.providers.recorded import Recorded
from surefoot.providers.rows import RecordedAnswer, Row
from surefoot.records import Caller, Request
from surefoot.wire.dialects import DIALECTS

words = st.sampled_from("Red blue 3.5 dollars. visit? No. Dr. open (late) 8:00 - | * the # costs".split())
lines = st.lists(words, max_size=8).map(" ".join)
documents = st.lists(lines, max_size=12).map("\n".join)
short = st.text("ab \n<>", max_size=4)
rows = st.lists(st.tuples(short, st.lists(short, max_size=2).map(tuple)), min_size=1, max_size=5)


def flat(text: str) -> str:
    return " ".join(text.split())


@given(documents)
def test_sentences_are_the_texts_own_words(text: str) -> None:
    assert all(flat(sentence) in flat(text) for sentence in sentences_of(text))


@given(documents, lines)
def test_quotations_stand_in_their_document(text: str, question: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.md").write_text("Beginning.\n\n" + text)
        quotation = Extractive("e", Index(read_folder(folder))).quote(question)
    if quotation is not None:
        assert all(flat(sentence) in flat("Beginning.\n\n" + text) for sentence in quotation.sentences)
        assert 0 <= quotation.score <= 1


@given(rows, st.integers(0, 4), st.sampled_from(sorted(DIALECTS)))
def test_a_recording_never_answers_from_another_row(
    asked: list[tuple[str, tuple[str, ...]]], place: int, name: str
) -> None:
    recording = Recorded(
        "r",
        [
            Row(id=str(n), query=query, context=context, answers={"m": RecordedAnswer(text=f"answer {n}")})
            for n, (query, context) in enumerate(asked)
        ],
    )
    query, context = asked[place % len(asked)]
    dialect = DIALECTS[name]
    body = dialect.ask(query, context, model="m")
    top = dialect.parse(body, surface="chat").top
    request = Request(
        id="req_1", at_ns=1, draw="0", dialect=name, surface="chat", caller=Caller(key_id="k", tenant="t"), feature="f",
        model="m", stream=False, body=body, top=top,
    )  # fmt: skip
    said = asyncio.run(recording.complete(Call(request=request, model="m", top=top)))
    alike = [n for n, each in enumerate(asked) if each == (query, context)]
    if isinstance(said, Said):
        assert alike == [int(said.answer.text.removeprefix("answer "))]
    else:
        assert isinstance(said, Abstained) and said.kind == "unavailable"
