"""Answers that we say ourselves, in events that the dialects' own readers understand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.records import Usage
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.speech import added, speech
from surefoot.wire.sse import Splitter, object_of

USAGE = Usage(input_tokens=120, cached_tokens=20, output_tokens=30)
NOTE = b'{"decision":"deliver"}'


def events(name: str, pieces: list[str], *, finish: str = "stop", include_usage: bool = True) -> list[bytes]:
    ours = speech(name, model="m", id="id-1", created=7)
    said = [ours.say(piece) for piece in pieces]
    return [*ours.begin(NOTE), *said, *ours.end(NOTE, finish=finish, usage=USAGE, include_usage=include_usage)]


@pytest.mark.parametrize("name", ["openai", "anthropic"])
@given(pieces=st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_a_speech_joins_to_its_text_and_totals(name: str, pieces: list[str]) -> None:
    read = DIALECTS[name].read(DIALECTS[name].join(events(name, pieces)))
    assert (read.text, read.finish, read.model, read.usage) == ("".join(pieces), "stop", "m", USAGE)


@pytest.mark.parametrize("name", ["openai", "anthropic"])
@given(pieces=st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_what_each_event_adds_is_the_text(name: str, pieces: list[str]) -> None:
    assert "".join(added(name, event) or "" for event in events(name, pieces)) == "".join(pieces)


@pytest.mark.parametrize(
    ("finish", "openai", "anthropic"), [("length", "length", "max_tokens"), ("stopped", "stop", "end_turn")]
)
def test_the_end_says_why_it_ended(finish: str, openai: str, anthropic: str) -> None:
    chunk = object_of(events("openai", ["x"], finish=finish)[2])
    assert chunk["choices"][0]["finish_reason"] == openai  # type: ignore[index]
    delta = object_of(events("anthropic", ["x"], finish=finish)[-2])["delta"]
    assert delta["stop_reason"] == anthropic  # type: ignore[index]


def test_openai_totals_are_told_only_when_asked_for() -> None:
    assert not any(DIALECTS["openai"].is_usage_only(event) for event in events("openai", ["x"], include_usage=False))


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_the_note_is_in_the_first_event_and_in_the_one_that_announces_the_end(name: str) -> None:
    found = events(name, ["x", "y"])
    noted = [place for place, event in enumerate(found) if b'"surefoot"' in event]
    closing = next(place for place, event in enumerate(found) if DIALECTS[name].is_closing(event))
    assert noted == [0, closing]


def test_what_is_no_text_is_told_apart() -> None:
    tool = b'data: {"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}\n\n'
    thought = b'event: content_block_delta\ndata: {"type":"content_block_delta","delta":{"type":"thinking_delta"}}\n\n'
    opened = b'event: x\ndata: {"type":"content_block_start","content_block":{"type":"tool_use"}}\n\n'
    assert added("openai", tool) is added("anthropic", thought) is added("anthropic", opened) is None
    assert added("openai", b"data: {not json\n\n") is added("anthropic", b"data: {not json\n\n") is None
    assert added("openai", b"data: [DONE]\n\n") == added("anthropic", b'data: {"type":"ping"}\n\n') == ""
    assert added("openai", b'data: {"choices":[{"index":1,"delta":{"content":"b"}}]}\n\n') is None


@pytest.mark.parametrize("name", ["openai", "anthropic"])
def test_going_on_keeps_the_request_and_adds_what_was_said(name: str) -> None:
    dialect = DIALECTS[name]
    top = dialect.parse(dialect.ask("Why?", ["Because."], model="m"), surface="chat").top
    roles = [role for role, _ in dialect.texts(dialect.continuing(top, "So far. "))]
    texts = [text for _, text in dialect.texts(dialect.continuing(top, "So far. "))]
    before = dialect.texts(top)
    assert roles[-2:] == ["assistant", "user"] and texts[-2].strip() == "So far."
    assert [text for _, text in before] == texts[:-2]


@pytest.mark.parametrize("name", ["openai", "anthropic"])
@given(beats=st.lists(st.integers(0, 4), min_size=3, max_size=3))
def test_signs_of_life_change_nothing_of_what_is_said(name: str, beats: list[int]) -> None:
    plain = events(name, ["Two ", "days."])
    alive = speech(name, model="m", id="id-1", created=7).alive()
    begun = len(plain) - len(events(name, [])) + 1
    kept = [*plain[:begun], *[alive] * beats[0], *plain[begun:-2], *[alive] * beats[1], *plain[-2:]]
    network = b"".join(kept).replace(b"\n", b"\r\n")
    dialect = DIALECTS[name]
    assert dialect.read(dialect.join(Splitter().feed(network + b"\r\n"))).text == "Two days."
