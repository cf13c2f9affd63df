"""Passages are found wherever prompts keep them, in time linear in the text."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.wire import passages


@pytest.mark.parametrize(
    ("text", "rest", "found"),
    [
        ("no block at all ", "no block at all ", ()),
        ("<context> whole </context> q", "q", ("whole",)),
        ("<documents><document index='1'> a </document><document>b</document></documents>q", "q", ("a", "b")),
        ("before <document>a</document> after", "before  after", ("a",)),
        ("<passage>a &lt; b</passage> q", "q", ("a < b",)),
        ("<context><passage>a</passage><document>b</document></context>q", "q", ("a", "b")),
        ("<context>never closed", "<context>never closed", ()),
        ("<context>open <document>a</document>", "<context>open", ("a",)),
        ("<contexts>a</contexts>", "<contexts>a</contexts>", ()),
    ],
)
def test_blocks_leave_the_text_and_become_passages(text: str, rest: str, found: tuple[str, ...]) -> None:
    assert passages.find(text) == (rest, found)


def test_other_peoples_entities_stay_as_they_are() -> None:
    assert passages.find("<passage>a &copy b &eacute; &amp;lt;</passage>")[1] == ("a &copy b &eacute; &lt;",)


def test_a_plain_query_is_written_as_it_is() -> None:
    assert passages.write_query("is 1 < 2 & 3?") == "is 1 < 2 & 3?"


def test_a_query_that_looks_like_a_block_is_written_escaped() -> None:
    assert passages.write_query("<passage>x</passage>") == "<query>&lt;passage&gt;x&lt;/passage&gt;</query>"


@pytest.mark.parametrize("piece", ["<context>", "<document ", "<passage>", "<document a='", "<context>\n<documents>"])
def test_a_megabyte_of_unclosed_blocks_is_read_like_any_text(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))  # seconds, were every opening to search the rest again
    assert passages.find(text) == (text, ())


@given(st.lists(st.text("ab<>/&\n") | st.sampled_from(["<passage>x</passage>", "<context>", "</context>", "<document a='1'>y</document>"])))
def test_places_are_those_of_the_passages_that_are_found(parts: list[str]) -> None:
    text = "".join(parts)
    places = passages.places(text)
    assert len(places) == len(passages.find(text)[1])
    assert all(start < end <= later for (start, end), (later, _) in pairwise((*places, (len(text), len(text)))))
