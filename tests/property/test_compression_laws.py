"""Laws of compression, whatever the text."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from surefoot.signals.extract.extract import compress, read_passages
from surefoot.signals.extract.sufficiency import sendable
from surefoot.signals.extract.units import units
from surefoot.signals.extract.words import read as words_of

_PIECES = st.sampled_from(
    [
        "The refund takes 30 days.", "Unless it rains, nobody comes.", "However, this is not so.", "\n", "\n\n", " ", '"', "“", "”",
        "```\ncode()\n```\n", "| a | b |\n| 1 | 2 |\n", "Dr. Smith met Mr. Jones in 1999.", "Title\n", "No fee is due.", "e.g. 5 mg",
        "靴は返品できます。", "x" * 50, "!", "...", "\t", "?", "- item\n", "1) first\n", "don't", "\u200b", "é", "€5.00",
    ]
)  # fmt: skip
_TEXTS = st.lists(st.lists(_PIECES, max_size=12).map("".join), max_size=5).map(tuple)
_QUESTIONS = st.sampled_from(
    ["refund days", "When does Smith come?", "fee", "返品", "Unless?", "who", "a b 1 2", "5 mg € code"]
)


@given(_TEXTS)
def test_units_stand_in_order_and_hold_everything_but_white_space(passages):
    for number, text in enumerate(passages):
        mine = [unit for unit in units(passages) if unit.passage == number]
        assert all(before.end <= after.start for before, after in itertools.pairwise(mine))
        left = "".join(
            text[a:b] for a, b in zip([0, *(u.end for u in mine)], [*(u.start for u in mine), len(text)], strict=True)
        )
        assert not any(char.isalnum() for char in left.replace("1", ""))  # but for the signs of lists


@given(_QUESTIONS, _TEXTS, st.floats(0.01, 1.0))
def test_spans_are_parts_of_their_passages_in_order(question, passages, target):
    read = read_passages(question, passages)
    if read is None:
        return
    made = compress(read, target)
    places = [(span.passage, span.start, span.end) for span in made.spans]
    assert places == sorted(places)
    assert all(0 <= start < end <= len(passages[passage]) for passage, start, end in places)
    assert all(passages[span.passage][span.start : span.end] in made.texts[span.passage] for span in made.spans)
    assert compress(read, target) == made


@given(_QUESTIONS, _TEXTS, st.floats(0.05, 0.95))
def test_what_may_be_sent_has_lost_nothing_protected_and_is_shorter(question, passages, target):
    made = sendable(question, passages, target).compressed
    if made is not None:
        assert made.lost_protected == 0
        assert sum(map(len, made.texts)) < sum(map(len, passages))


@given(_QUESTIONS, _TEXTS)
def test_with_room_for_everything_only_repetitions_are_left_out(question, passages):
    read = read_passages(question, passages)
    if read is None:
        return
    made = compress(read, 1.0)
    for unit in units(passages):
        said = passages[unit.passage][unit.start : unit.end]
        whole = any(
            span.passage == unit.passage and span.start <= unit.start and unit.end <= span.end for span in made.spans
        )
        words = set(words_of(said))
        assert whole or unit.kind == "title" or any(words & set(words_of(text)) for text in made.texts) or not words
    assert compress(read, 1.0).kept_p >= compress(read, 0.3).kept_p - 1e-9
