"""Texts are changed inside messages; every other byte stays."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from surefoot.wire import passages
from surefoot.wire.rewrite import changed_message, is_marked, messages_of, role_of, with_messages

ODD = b'{ "role":"user",  "x_unknown": 1e2, "content":[ {"type":"text","text":"a\\u00e9"}, {"type":"image_url","image_url":{"url":"u"}} ] }'


def test_a_message_without_a_change_keeps_its_very_bytes():
    assert changed_message(ODD, lambda text: text) == ODD


def test_only_the_text_is_another():
    made = msgspec.json.decode(changed_message(ODD, str.upper))
    assert made["content"] == [{"type": "text", "text": "AÉ"}, {"type": "image_url", "image_url": {"url": "u"}}]
    assert made["x_unknown"] == 100


def test_content_that_is_no_text_passes():
    raw = b'{"role":"assistant","content":null,"tool_calls":[]}'
    assert changed_message(raw, str.upper) == raw
    assert role_of(raw) == "assistant"


def test_a_text_that_speaks_of_marks_is_no_mark():
    assert not is_marked(msgspec.json.encode({"content": '"cache_control"'}))
    assert is_marked(b'{"type":"text","text":"x","cache_control":{"type":"ephemeral"}}')


def test_messages_go_back_as_they_came():
    top = {"messages": msgspec.Raw(b"[" + ODD + b"," + ODD + b"]")}
    assert bytes(with_messages(top, messages_of(top))["messages"]) == bytes(top["messages"])


_BITS = st.sampled_from(
    ["<context>", "</context>", "<passage>", "</passage>", "<document>", "</document>", "<b>", "one", "&amp;", "<", " "]
)


@given(st.lists(_BITS, max_size=20).map("".join))
def test_passages_are_found_and_replaced_in_one_order(text):
    found: list[str] = []

    def collect(passage: str) -> str:
        found.append(passage)
        return passage

    assert passages.replaced(text, collect) == text
    assert tuple(found) == passages.find(text)[1]


@given(st.lists(st.text(max_size=20), min_size=1, max_size=4), st.lists(st.text(max_size=20), min_size=4, max_size=4))
def test_what_we_wrote_can_be_replaced_by_anything(given_, put):
    left = iter(put)
    made = passages.replaced(f"Before {passages.write(given_)} after", lambda _: next(left))
    assert passages.find(made)[1] == tuple(put[: len(given_)])
    assert made.startswith("Before ") and made.endswith(" after")


def test_a_document_with_tags_of_its_own_is_left_as_it_is():
    text = "<document><source>a</source>words</document>"
    assert passages.replaced(text, lambda _: "x") == text
