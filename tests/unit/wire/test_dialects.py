"""Both dialects: what goes in comes out, and nothing on the way is re-serialised."""

import json

import anthropic.types
import msgspec
import openai.types
import openai.types.chat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import BadAnswer, BadRequest
from surefoot.records import Usage
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import tag_body
from surefoot.wire.sse import MAX_EVENT_BYTES, Splitter, event_of

NAMES = sorted(DIALECTS)
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=80)
marks = st.lists(
    st.sampled_from(
        "<context> </context> <passage> </passage> <document> </document> <query> </query> <documents>\n &lt; &amp; a".split(
            " "
        )
    )
)
any_text = texts | marks.map("".join)
tokens = st.integers(0, 10_000)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    cached, written, fresh, thought, said = (draw(tokens) for _ in range(5))
    return Usage(
        input_tokens=cached + written + fresh, cached_tokens=cached, cache_write_tokens=written,
        output_tokens=thought + said, reasoning_tokens=thought,
    )  # fmt: skip


@given(st.sampled_from(NAMES), any_text, st.lists(any_text, max_size=3))
def test_a_query_over_passages_comes_back_as_it_was(name: str, query: str, passages: list[str]) -> None:
    dialect = DIALECTS[name]
    parsed = dialect.parse(dialect.ask(query, passages, model="m"), surface="chat")
    assert dialect.question(parsed.top) == (query, tuple(passages))


@given(st.sampled_from(NAMES), texts, usages())
def test_a_composed_answer_reads_as_what_it_was_made_of(name: str, text: str, usage: Usage) -> None:
    body = DIALECTS[name].compose(text, model="m", id="id-1", created=7, usage=usage)
    read = DIALECTS[name].read(body)
    assert (read.text, read.model, read.finish, read.usage, read.id) == (text, "m", "stop", usage, "id-1")


@given(st.sampled_from(NAMES), texts, usages())
def test_a_stream_joins_to_the_body_it_was_cut_from(name: str, text: str, usage: Usage) -> None:
    dialect = DIALECTS[name]
    body = dialect.compose(text, model="m", id="id-1", created=7, usage=usage)
    assert json.loads(dialect.join(dialect.cut(body, include_usage=True))) == json.loads(body)


@given(st.sampled_from(NAMES), texts, st.lists(st.integers(1, 40), max_size=200))
def test_events_come_out_whole_however_the_network_cuts_them(name: str, text: str, sizes: list[int]) -> None:
    dialect = DIALECTS[name]
    events = dialect.cut(dialect.compose(text, model="m", id="i", created=7, usage=Usage()), include_usage=True)
    data, splitter, found = b"".join(events), Splitter(), []
    for size in (*sizes, len(data)):
        found += splitter.feed(data[:size])
        data = data[size:]
    assert tuple(found) == events and splitter.rest() == b""


@given(st.sampled_from(NAMES), texts)
def test_a_text_never_looks_like_the_end_of_a_stream(name: str, text: str) -> None:
    dialect = DIALECTS[name]
    hostile = text + '"finish_reason":"stop" "choices":[] "usage" message_stop event: error {"error":{}} [DONE]'
    events = dialect.cut(dialect.compose(hostile, model="m", id="i", created=7, usage=Usage()), include_usage=True)
    content = [event for event in events if b"message_stop event" in event]
    assert content and not any(dialect.is_closing(e) or dialect.is_error(e) or dialect.is_last(e) for e in content)


@given(
    st.sampled_from(NAMES),
    st.dictionaries(
        texts.filter(
            lambda k: (
                k
                not in (
                    "model",
                    "stream",
                    "messages",
                    "max_tokens",
                    "surefoot",
                    "tags",
                    "metadata",
                    "user",
                    "n",
                    "tools",
                    "stream_options",
                    "system",
                    "max_completion_tokens",
                    "safety_identifier",
                    "context",
                )
            )
        ),
        st.integers() | texts,
        max_size=4,
    ),
)
def test_fields_we_do_not_know_reach_the_vendor_byte_for_byte(name: str, extra: dict[str, object]) -> None:
    body = msgspec.json.encode({"messages": [{"role": "user", "content": "x"}], "model": "a", "max_tokens": 5, **extra})
    parsed = DIALECTS[name].parse(body, surface="chat")
    assert DIALECTS[name].upstream(parsed.top, model="a", stream=False) == body


def test_what_is_ours_or_litellms_does_not_reach_the_vendor() -> None:
    body = b'{"model":"a","messages":[{"role":"user","content":"x"}],"tags":["t"],"metadata":{"tags":["u"],"k":"v"},"surefoot":{"context":["p"],"feature":"f"}}'
    parsed = DIALECTS["openai"].parse(body, surface="chat")
    sent = json.loads(DIALECTS["openai"].upstream(parsed.top, model="b", stream=False))
    assert sent == {"model": "b", "messages": [{"role": "user", "content": "x"}], "metadata": {"k": "v"}}
    assert parsed.attribution.tags == ("t", "u") and parsed.context == ("p",) and parsed.feature == "f"


def test_usage_is_asked_for_in_streams_and_other_options_are_kept() -> None:
    body = b'{"model":"a","messages":[{"role":"user","content":"x"}],"stream":true,"stream_options":{"x":1}}'
    top = DIALECTS["openai"].parse(body, surface="chat").top
    assert json.loads(DIALECTS["openai"].upstream(top, model="a", stream=True))["stream_options"] == {
        "x": 1,
        "include_usage": True,
    }
    assert "stream_options" not in json.loads(DIALECTS["openai"].upstream(top, model="a", stream=False))


def test_anthropics_input_leaves_cached_tokens_out_and_ours_does_not() -> None:
    usage = {"input_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 11, "output_tokens": 3}
    body = msgspec.json.encode({"content": [], "model": "m", "stop_reason": "max_tokens", "usage": usage})
    read = DIALECTS["anthropic"].read(body)
    assert read.usage == Usage(input_tokens=23, cached_tokens=7, cache_write_tokens=11, output_tokens=3)
    assert read.finish == "length"


def test_composed_bodies_are_the_sdks_own_types() -> None:
    usage = Usage(input_tokens=3, cached_tokens=1, output_tokens=2)
    body = DIALECTS["openai"].compose("hi", model="m", id="chatcmpl-1", created=7, usage=usage)
    openai.types.chat.ChatCompletion.model_validate_json(body)
    anthropic.types.Message.model_validate_json(
        DIALECTS["anthropic"].compose("hi", model="m", id="msg_1", created=7, usage=usage)
    )


def test_model_cards_are_the_sdks_own_types() -> None:
    card = {"id": "m", "created": 7, "owned_by": "o", "display_name": "M"}
    openai.types.Model.model_validate_json(DIALECTS["openai"].model(card))
    anthropic.types.ModelInfo.model_validate_json(DIALECTS["anthropic"].model(card))
    assert json.loads(DIALECTS["openai"].models([card, card]))["object"] == "list"
    page = json.loads(DIALECTS["anthropic"].models([card, {**card, "id": "n"}]))
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("m", "n", False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"<html>", b'{"choices":"x","content":"x"}'])
def test_an_answer_of_another_shape_is_a_bad_answer(name: str, body: bytes) -> None:
    with pytest.raises(BadAnswer):
        DIALECTS[name].read(body)


@pytest.mark.parametrize("name", NAMES)
def test_half_a_stream_is_a_bad_answer(name: str) -> None:
    dialect = DIALECTS[name]
    events = dialect.cut(dialect.compose("hi", model="m", id="i", created=7, usage=Usage()))
    for end in range(len(events)):
        with pytest.raises(BadAnswer):
            dialect.join(events[:end])


def test_a_tag_changes_nothing_but_what_it_adds() -> None:
    event = b'data: {"a": {"b": "}"} , "c":1 }\n\n'
    tagged = DIALECTS["openai"].tag(event, b'{"x":1}')
    assert tagged == b'data: {"a": {"b": "}"} , "c":1,"surefoot":{"x":1}}\n\n'


def test_an_empty_object_can_be_tagged() -> None:
    assert tag_body(b"{ }", b"1") == b'{"surefoot":1}'


def test_a_message_start_is_tagged_inside_its_message() -> None:
    event = event_of({"type": "message_start", "message": {"id": "m"}}, name="message_start")
    tagged = DIALECTS["anthropic"].tag(event, b"1")
    assert json.loads(tagged.split(b"data: ")[1]) == {"type": "message_start", "message": {"id": "m", "surefoot": 1}}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, "authentication_error"),
        (413, "request_too_large"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
        (500, "api_error"),
    ],
)
def test_anthropics_errors_have_their_types(status: int, kind: str) -> None:
    body = json.loads(DIALECTS["anthropic"].error(status=status, code="c", message="m", request_id="r"))
    assert body["error"]["type"] == kind and body["request_id"] == "r"


def test_openais_error_codes_are_strings() -> None:
    body = json.loads(DIALECTS["openai"].error(status=404, code="not_found", message="m", param="model"))
    assert body["error"] == {
        "message": "m",
        "type": "invalid_request_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_several_choices_and_tool_calls_join_each_by_its_index() -> None:
    def chunk(index: int, delta: dict[str, object], finish: str | None = None) -> bytes:
        return event_of({"id": "c", "choices": [{"index": index, "delta": delta, "finish_reason": finish}]})

    def call(place: int, **function: str) -> dict[str, object]:
        return {"tool_calls": [{"index": place, "function": function}]}

    events = [
        chunk(0, {"role": "assistant", "content": ""}), chunk(1, {"content": "b"}), chunk(0, {"content": "a"}),
        chunk(0, call(1, name="g", arguments="{")), chunk(0, call(0, name="f", arguments="1")), chunk(0, call(1, arguments="}")),
        chunk(1, {"content": "c"}, "stop"), chunk(0, {}, "tool_calls"), b"data: [DONE]\n\n",
    ]  # fmt: skip
    first, second = json.loads(DIALECTS["openai"].join(events))["choices"]
    assert [c["function"] for c in first["message"]["tool_calls"]] == [
        {"name": "f", "arguments": "1"},
        {"name": "g", "arguments": "{}"},
    ]
    assert (first["message"]["content"], second["message"]["content"]) == ("a", "bc")


def test_thinking_tools_and_citations_survive_a_stream() -> None:
    content = [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "yes", "citations": [{"type": "char_location", "cited_text": "y"}]},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [1]}},
        {"type": "of_tomorrow", "what": 1},
    ]
    body = {
        "id": "m",
        "type": "message",
        "role": "assistant",
        "model": "x",
        "content": content,
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    joined = json.loads(DIALECTS["anthropic"].join(DIALECTS["anthropic"].cut(msgspec.json.encode(body))))
    assert joined == body


def test_an_event_without_end_is_refused() -> None:
    with pytest.raises(BadAnswer):
        Splitter().feed(b"x" * (MAX_EVENT_BYTES + 1))


def test_comments_are_dropped_and_other_line_ends_are_read() -> None:
    splitter = Splitter()
    assert splitter.feed(b": ping\n\ndata: a\r\n\r\ndata: b\r") == [b"data: a\n\n"]
    assert splitter.feed(b"\n\r\n") == [b"data: b\n\n"]


def test_a_body_nested_too_deeply_is_a_bad_request() -> None:
    with pytest.raises(BadRequest):
        DIALECTS["openai"].parse(b'{"a":' * 100_000, surface="chat")
