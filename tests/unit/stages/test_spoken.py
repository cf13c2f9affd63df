"""Sentences out of a stream, wherever the network cut it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from surefoot.stages.spoken import Spoken, joined
from surefoot.wire.speech import speech

TEXT = "Refills take 2.5 working days. Dr. Smith signs them! Is that all? Yes.\n- call first\n- bring the card. The end"


async def stream(pieces: Sequence[str], then: Sequence[bytes] = ()) -> AsyncIterator[bytes]:
    ours = speech("openai", model="m", id="i", created=1)
    for piece in pieces:
        yield ours.say(piece)
    for event in then:
        yield event


def prefixes(pieces: Sequence[str], before: str = "", then: Sequence[bytes] = ()) -> tuple[list[str], str]:
    async def run() -> tuple[list[str], str]:
        spoken = Spoken("openai", before)
        return [text async for text in spoken.sentences(stream(pieces, then))], spoken.text

    return asyncio.run(run())


def cut(text: str, places: set[int]) -> list[str]:
    ends = [*sorted(place % len(text) for place in places), len(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False) if text[start:end]]


@given(st.sets(st.integers(0, 1000), max_size=12))
def test_prefixes_grow_and_end_with_whole_sentences_wherever_the_stream_is_cut(places: set[int]) -> None:
    found, whole = prefixes(cut(TEXT, places))
    assert whole == TEXT
    assert all(later.startswith(earlier) and later != earlier for earlier, later in pairwise(found))
    assert all(TEXT.startswith(prefix) and prefix.rstrip()[-1] in ".!?t" for prefix in found)
    assert not any(prefix.endswith(("2.", "Dr.")) for prefix in found)


def test_a_sentence_is_told_once_the_next_has_begun() -> None:
    assert prefixes(["One is here. ", "Two"])[0] == ["One is here."]
    assert prefixes(["One is here. "])[0] == []


def test_nothing_is_told_after_a_tool_is_called() -> None:
    tool = b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}\n\n'
    late = speech("openai", model="m", id="i", created=1).say(" Three is late. Four")
    assert prefixes(["One is here. Two"], then=[tool, late])[0] == ["One is here."]


def test_the_rest_is_put_behind_the_beginning() -> None:
    assert joined("", "B.") == "B."
    assert joined("A.", "B.") == joined("A. ", "B.") == joined("A.", " B.") == "A. B."
    assert joined("A.", "") == "A."


def test_a_model_that_says_the_beginning_again_is_not_heard_twice() -> None:
    assert joined("One is here.", "One is here. Two comes.") == "One is here. Two comes."
    assert joined("One is here.", "One is") == "One is here."
    assert prefixes(["One is here. ", "Two comes. Three"], before="One is here.")[0] == ["One is here. Two comes."]
