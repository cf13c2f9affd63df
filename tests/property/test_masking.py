"""Masking can be undone, whatever the text: nothing is lost, nothing is put where it was not."""

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw

from surefoot.records import Answer
from surefoot.signals.personal import KINDS, mask, placeholders, unmask
from surefoot.stages.masking import masked_top, unmasked

PIECES = [
    "a@b.org", "c.d@mail.example.com", "4111 1111 1111 1111", "DE89370400440532013000", "+44 20 7946 0958", "born 3 March 1987",
    "MRN 0012345", "born EMAIL_1", "[EMAIL_1]", "[email 2]", "EMAIL_1", r"\[EMAIL\_1\]", "\\", "[", "]", "_", "1", "\n", " ",
    "[PHONE_", "CARD-1", '"', "é", "\\n",
]  # fmt: skip
texts = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6)), max_size=12).map("".join)


@given(texts)
@settings(max_examples=300, deadline=None)
def test_unmasking_what_was_masked_gives_the_text_back(text: str) -> None:
    masked, known = mask(text, {})
    assert unmask(masked, known) == text


@given(texts, texts)
@settings(max_examples=150, deadline=None)
def test_texts_masked_one_after_the_other_share_one_mapping(first: str, second: str) -> None:
    taken = placeholders(first) | placeholders(second)
    one, known = mask(first, {}, taken=taken)
    two, known = mask(second, known, taken=taken)
    assert (unmask(one, known), unmask(two, known)) == (first, second)
    assert len(set(known.values())) == len(known)


@given(st.lists(texts, min_size=1, max_size=4))
@settings(max_examples=100, deadline=None)
def test_a_request_whose_parts_are_repeated_by_the_model_comes_back_as_it_was(said: list[str]) -> None:
    messages = [{"role": "user", "content": text} for text in said]
    top, known = masked_top({"messages": Raw(msgspec.json.encode(messages))}, KINDS)
    echo = "\n".join(message["content"] for message in msgspec.json.decode(bytes(top["messages"])))
    choice = {"index": 0, "message": {"role": "assistant", "content": echo}, "finish_reason": "stop"}
    body = msgspec.json.encode({"id": "x", "model": "m", "choices": [choice]})
    assert unmasked(Answer(body=body, text=echo), known, "openai").text == "\n".join(said)
