"""Whole exchanges, as the vendors' own SDKs understand them."""

import json
from collections.abc import Sequence
from pathlib import Path

import anthropic.types
import openai.types.chat
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from openai.lib.streaming.chat import ChatCompletionStreamState
from pydantic import TypeAdapter

from surefoot.records import Usage
from surefoot.wire import Dialect, Read
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.sse import Splitter, data_of

FOLDER = Path(__file__).parent / "exchanges"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sse"))
EVENTS = TypeAdapter(anthropic.types.RawMessageStreamEvent)
READS = {
    "openai-text": Read(
        text='Open from 8:00 — "finish_reason":"stop" is text.', model="gpt-x-mini", finish="stop", id="chatcmpl-1",
        usage=Usage(
            input_tokens=1200, cached_tokens=1024, cache_write_tokens=100, output_tokens=40, reasoning_tokens=30
        ),
    ),
    "openai-tools": Read(
        text="", model="gpt-x", finish="tools", id="chatcmpl-2", usage=Usage(input_tokens=80, output_tokens=34)
    ),
    "openai-choices": Read(
        text="Yes", model="gpt-x", finish="length", id="chatcmpl-3", usage=Usage(input_tokens=9, output_tokens=6)
    ),
    "anthropic-thinking-tools": Read(
        text='I will look: {"type":"message_stop"}', model="claude-x", finish="tools", id="msg_1",
        usage=Usage(
            input_tokens=1136, cached_tokens=1024, cache_write_tokens=100, output_tokens=89, reasoning_tokens=30
        ),
    ),
    "anthropic-search": Read(
        text="The clinic opens at 8:00 on weekdays.", model="claude-x", finish="stop", id="msg_2",
        usage=Usage(input_tokens=2300, output_tokens=51),
    ),
    "anthropic-truncated": Read(
        text="", model="claude-x", finish="length", id="msg_3", usage=Usage(input_tokens=20, output_tokens=32)
    ),
}  # fmt: skip


def dialect_of(name: str) -> Dialect:
    return DIALECTS[name.partition("-")[0]]


def events_of(name: str) -> list[bytes]:
    return Splitter().feed((FOLDER / f"{name}.sse").read_bytes())


def body_of(name: str) -> bytes:
    return (FOLDER / f"{name}.json").read_bytes()


def as_sdk(name: str, events: Sequence[bytes]) -> dict[str, object]:
    """What the vendor's SDK makes of a stream."""
    if name.startswith("openai"):
        state = ChatCompletionStreamState()
        for event in events[:-1]:
            state.handle_chunk(openai.types.chat.ChatCompletionChunk.model_validate_json(data_of(event)))
        return state.current_completion_snapshot.to_dict()
    message, inputs = None, {}
    for event in events:
        if b"event: ping" not in event:  # the SDK's stream drops them before it accumulates
            parsed = EVENTS.validate_json(data_of(event))
            message = accumulate_event(event=parsed, current_snapshot=message, json_bufs=inputs)
    assert message is not None
    return message.to_dict()


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_joins_to_its_body(name: str) -> None:
    assert json.loads(dialect_of(name).join(events_of(name))) == json.loads(body_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_joined_stream_is_the_sdks_own_type(name: str) -> None:
    kind = openai.types.chat.ChatCompletion if name.startswith("openai") else anthropic.types.Message
    kind.model_validate_json(dialect_of(name).join(events_of(name)))


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_reads_as_what_it_says(name: str) -> None:
    assert dialect_of(name).read(body_of(name)) == READS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_sdk_sees_no_difference_between_a_stream_and_one_cut_from_its_body(name: str) -> None:
    cut = dialect_of(name).cut(body_of(name), include_usage=True)
    assert as_sdk(name, cut) == as_sdk(name, events_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_body_survives_being_cut_and_joined(name: str) -> None:
    dialect = dialect_of(name)
    assert json.loads(dialect.join(dialect.cut(body_of(name), include_usage=True))) == json.loads(body_of(name))


@pytest.mark.parametrize("name", NAMES)
def test_only_the_last_events_announce_the_end(name: str) -> None:
    dialect, events = dialect_of(name), events_of(name)
    closing = [place for place, event in enumerate(events) if dialect.is_closing(event)]
    assert [place for place, event in enumerate(events) if dialect.is_last(event)] == [len(events) - 1]
    first = {"openai-choices": 4}.get(name, len(events) - (3 if name.startswith("openai") else 2))
    assert closing[0] == first and closing[-1] == len(events) - 1
    assert not any(dialect.is_error(event) for event in events)


@pytest.mark.parametrize("name", NAMES)
def test_every_event_but_the_bare_end_can_be_tagged_and_stays_what_it_was(name: str) -> None:
    dialect = dialect_of(name)
    for event in events_of(name):
        if data_of(event) == b"[DONE]":
            continue
        tagged = json.loads(data_of(dialect.tag(event, b'{"p":1}')))
        holder = tagged["message"] if b"message_start" in event else tagged
        assert holder.pop("surefoot") == {"p": 1} and tagged == json.loads(data_of(event))


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("anthropic")])
def test_the_sdk_keeps_the_note_of_a_message_start(name: str) -> None:
    dialect, events = dialect_of(name), events_of(name)
    assert as_sdk(name, [dialect.tag(events[0], b'{"p":1}'), *events[1:]])["surefoot"] == {"p": 1}


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_reads_the_same_byte_by_byte_and_with_other_line_ends(name: str) -> None:
    data, splitter, found = (FOLDER / f"{name}.sse").read_bytes().replace(b"\n", b"\r\n"), Splitter(), []
    for place in range(len(data)):
        found += splitter.feed(data[place : place + 1])
    assert found == events_of(name) and splitter.rest() == b""
