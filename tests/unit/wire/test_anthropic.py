"""Anthropic's dialect: what it bills, what it announces, what its events amount to."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import BadAnswer
from surefoot.records import Usage
from surefoot.wire.anthropic import ANTHROPIC, count_tokens_body
from surefoot.wire.sse import event_of

STOP = event_of({"type": "message_stop"}, name="message_stop")
TOOL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
inputs = st.dictionaries(texts, st.integers() | texts | st.lists(st.booleans(), max_size=2), max_size=3)
blocks = st.one_of(
    st.builds(lambda text: {"type": "text", "text": text}, texts),
    st.builds(lambda text: {"type": "text", "text": text, "citations": [{"type": "page", "cited_text": text}]}, texts),
    st.builds(lambda text: {"type": "thinking", "thinking": text, "signature": "s"}, texts),
    st.builds(lambda given: {"type": "tool_use", "id": "t", "name": "f", "input": given}, inputs),
    st.builds(lambda given: {"type": "server_tool_use", "id": "s", "name": "web_search", "input": given}, inputs),
    st.just({"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"type": "web_search_result"}]}),
    st.just({"type": "redacted_thinking", "data": "x"}),
    st.builds(lambda text: {"type": "of_tomorrow", "what": text}, texts),
)


def start(**message: object) -> bytes:
    whole = {"id": "m", "model": "a", "content": [], "usage": {"input_tokens": 9, "output_tokens": 1}, **message}
    return event_of({"type": "message_start", "message": whole}, name="message_start")


def opened(block: dict[str, object], place: int = 0) -> bytes:
    payload = {"type": "content_block_start", "index": place, "content_block": block}
    return event_of(payload, name="content_block_start")


def grown(delta: object, place: object = 0) -> bytes:
    return event_of({"type": "content_block_delta", "index": place, "delta": delta}, name="content_block_delta")


def part(text: str) -> bytes:
    return grown({"type": "input_json_delta", "partial_json": text})


def ended(delta: dict[str, object] | None = None, **payload: object) -> bytes:
    whole = {"type": "message_delta", "delta": delta or {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
    return event_of({**whole, **payload}, name="message_delta")


def joined(*events: bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(ANTHROPIC.join([start(), *events, STOP]))
    return message


def read(*content: dict[str, object]) -> str:
    return ANTHROPIC.read(json.dumps({"content": content}).encode()).text


@given(st.lists(blocks, max_size=4), st.sampled_from([{}, {"stop_details": None}, {"container": {"id": "c"}}]))
def test_a_message_cut_into_events_joins_to_itself(content: list[dict[str, object]], more: dict[str, object]) -> None:
    body = {
        "id": "m", "type": "message", "role": "assistant", "model": "a", "content": content, "stop_reason": "end_turn",
        "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 2}, **more,
    }  # fmt: skip
    assert json.loads(ANTHROPIC.join(ANTHROPIC.cut(json.dumps(body).encode()))) == body


def test_an_input_that_ran_into_the_token_limit_is_kept_as_far_as_it_came() -> None:
    message = joined(opened(TOOL), part('{"a":[1,2],"b":"ha'), ended({"stop_reason": "max_tokens"}))
    assert message["content"][0]["input"] == {"a": [1, 2]} and message["stop_reason"] == "max_tokens"


def test_an_input_is_kept_though_its_block_was_never_closed() -> None:
    assert joined(opened(TOOL), part('{"a":'), part("1}"), ended())["content"][0]["input"] == {"a": 1}


def test_counts_are_cumulative_and_null_takes_nothing_back() -> None:
    message = joined(
        ended(usage={"output_tokens": 4, "input_tokens": None, "server_tool_use": {"web_search_requests": 1}})
    )
    assert message["usage"] == {"input_tokens": 9, "output_tokens": 4, "server_tool_use": {"web_search_requests": 1}}


def test_what_the_last_delta_says_beside_usage_is_kept() -> None:
    message = joined(ended({"stop_reason": "end_turn", "container": None}, context_management={"applied_edits": []}))
    assert message["context_management"] == {"applied_edits": []} and message["container"] is None


def test_a_container_said_at_the_start_is_not_taken_back() -> None:
    events = [start(container={"id": "c"}), ended({"stop_reason": "end_turn", "container": None}), STOP]
    assert json.loads(ANTHROPIC.join(events))["container"] == {"id": "c"}


def test_a_message_bears_the_name_of_the_model_that_fell_in() -> None:
    assert joined(opened({"type": "fallback", "to": {"model": "b"}}), ended())["model"] == "b"


def test_a_signature_replaces_and_unknown_deltas_are_kept() -> None:
    message = joined(
        opened({"type": "thinking", "thinking": "", "signature": ""}), grown({"type": "thinking_delta", "thinking": "a"}),
        event_of({"type": "ping"}, name="ping"), event_of({"type": "of_tomorrow"}, name="of_tomorrow"),
        grown({"type": "thinking_delta", "thinking": "b"}), grown({"type": "signature_delta", "signature": "s"}),
        grown({"type": "of_tomorrow_delta", "mood": "good"}), ended(),
    )  # fmt: skip
    assert message["content"] == [{"type": "thinking", "thinking": "ab", "signature": "s", "mood": "good"}]


@pytest.mark.parametrize(
    "event",
    [
        grown({"type": "text_delta", "text": "x"}, 7), grown({"type": "text_delta", "text": "x"}, -1), grown(3),
        grown({}, "a"), part('{"a":nope}'), ended(usage=3), event_of({"type": "content_block_start", "content_block": 3}),
        event_of({"type": "message_start", "message": 3}), event_of({"type": "message_start", "message": {"content": 3}}),
    ],
)  # fmt: skip
def test_events_of_another_shape_are_a_bad_answer(event: bytes) -> None:
    with pytest.raises(BadAnswer):
        joined(opened(TOOL), event, ended())


@pytest.mark.parametrize(
    ("kind", "status"),
    [("overloaded_error", 529), ("rate_limit_error", 429), ("api_error", 500), ("of_tomorrow", None)],
)
def test_an_error_in_a_stream_keeps_its_message_and_status(kind: str, status: int | None) -> None:
    with pytest.raises(BadAnswer) as bad:
        joined(event_of({"type": "error", "error": {"type": kind, "message": "m"}}, name="error"))
    assert (bad.value.message, bad.value.status) == ("m", status)


@pytest.mark.parametrize(
    ("event", "closing", "last", "error"),
    [
        (b'event: message_delta\ndata: {"type":"message_delta"}\n\n', True, False, False),
        (b'event:message_stop\ndata:{"type":"message_stop"}\n\n', True, True, False),
        (b'data: {"type":"message_stop"}\n\n', True, True, False),
        (b'data: {"type": "error"}\n\n', False, False, True),
        (b'event: error\ndata: {"type":"error"}\n\n', False, False, True),
        (b'data: {"type":"content_block_start","content_block":{"type":"message_stop"}}\n\n', False, False, False),
        (b'event: content_block_delta\ndata: {"delta":{"text":"message_stop"}}\n\n', False, False, False),
        (b'data: {"type":"message_stop" garbage\n\n', False, False, False),
    ],
)
def test_events_are_known_by_name_or_by_type(event: bytes, closing: bool, last: bool, error: bool) -> None:
    assert (ANTHROPIC.is_closing(event), ANTHROPIC.is_last(event), ANTHROPIC.is_error(event)) == (closing, last, error)


def test_texts_parted_for_citations_read_as_one() -> None:
    one, two = {"type": "text", "text": "The sky is "}, {"type": "text", "text": "blue."}
    assert read(one, two) == "The sky is blue."
    assert read(two, {"type": "server_tool_use", "input": {}}, one, two) == "blue.\nThe sky is blue."


def test_what_a_tool_returned_is_nobodys_question() -> None:
    returned = {
        "type": "tool_result",
        "tool_use_id": "t",
        "content": [{"type": "text", "text": "<document>d</document>r"}],
    }
    messages = [{"role": "user", "content": "why?"}, {"role": "user", "content": [returned]}]
    parsed = ANTHROPIC.parse(json.dumps({"model": "m", "max_tokens": 5, "messages": messages}).encode(), surface="chat")
    assert ANTHROPIC.question(parsed.top) == ("why?", ("d",))


def test_thinking_is_part_of_the_output() -> None:
    usage = {"input_tokens": 1, "output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}}
    body = json.dumps({"content": [], "usage": usage}).encode()
    assert ANTHROPIC.read(body).usage == Usage(input_tokens=1, output_tokens=9, reasoning_tokens=4)


def test_usage_that_says_nothing_is_unknown_and_not_nothing() -> None:
    assert ANTHROPIC.read(b'{"content":[],"usage":{}}').usage is None


def test_a_token_count_is_written_and_read() -> None:
    assert ANTHROPIC.read(count_tokens_body(42)).usage == Usage()
    parsed = ANTHROPIC.parse(b'{"model":"m","messages":[{"role":"user"}]}', surface="count_tokens")
    assert parsed.max_output_tokens is None


@pytest.mark.parametrize("body", [b"", b"{}", b'{"content":3}', b'{"content":[3]}'])
def test_what_is_no_message_cannot_be_cut(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        ANTHROPIC.cut(body)
