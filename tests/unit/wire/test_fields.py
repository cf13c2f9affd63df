"""What is not ours keeps its bytes; what is wrong is named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import BadAnswer, BadRequest
from surefoot.wire.dialects import DIALECTS
from surefoot.wire.fields import tag_body, tag_event

OPENAI, ANTHROPIC = DIALECTS["openai"], DIALECTS["anthropic"]
objects = st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=4) | st.just({}), max_size=3)
GOOD: dict[str, object] = {"model": "m", "messages": [{"role": "user", "content": "x"}], "max_tokens": 5}


@given(objects, st.sampled_from([None, 1]), st.sampled_from(["", "\n", " \r\n"]))
def test_a_tagged_body_has_one_more_field(value: dict[str, object], indent: int | None, end: str) -> None:
    value.pop("surefoot", None)
    body = (end + json.dumps(value, indent=indent) + end).encode()
    assert json.loads(tag_body(body, b'{"a":1}')) == {**value, "surefoot": {"a": 1}}


@pytest.mark.parametrize("body", [b"", b"[1]", b'[{"a":1}]', b'"}"', b'{"a":1} x'])
def test_only_objects_can_be_tagged(body: bytes) -> None:
    with pytest.raises(BadRequest):
        tag_body(body, b"1")


@pytest.mark.parametrize("event", [b"data: [DONE]\n\n", b": hi\n\n", b'data: {"message":null}\n\n'])
def test_an_event_that_cannot_be_tagged_is_a_bad_answer(event: bytes) -> None:
    with pytest.raises(BadAnswer):
        tag_event(event, b"1", inside="message")
    with pytest.raises(BadAnswer):
        OPENAI.tag(b"data: [DONE]\n\n", b"1")


def test_an_object_over_several_data_lines_can_be_tagged() -> None:
    tagged = tag_event(b'id: {7}\ndata: {"a":\ndata: 1}\n\n', b"2")
    assert tagged == b'id: {7}\ndata: {"a":\ndata: 1,"surefoot":2}\n\n'


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"model": None}, "model"), ({"model": ""}, "model"), ({"model": 3}, "model"),
        ({"messages": []}, "messages"), ({"messages": {}}, "messages"), ({"messages": [3]}, "messages[0]"),
        ({"messages": [{"content": "x"}]}, "messages[0]"), ({"stream": "yes"}, "stream"), ({"stream": 1}, "stream"),
        ({"max_tokens": 0}, "max_tokens"), ({"max_tokens": 1.5}, "max_tokens"), ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 2**63}, "max_tokens"), ({"tools": {}}, "tools"), ({"tags": "a"}, "tags"),
        ({"metadata": 3}, "metadata"), ({"surefoot": {"contexts": []}}, "surefoot"),
        ({"surefoot": {"context": "a"}}, "surefoot.context"), ({"surefoot": {"feature": 1}}, "surefoot.feature"),
        ({"surefoot": {"wait": "soon"}}, "surefoot.wait"), ({"surefoot": {"webhook": 3}}, "surefoot.webhook"),
        ({"surefoot": {"webhook": "https://a/" + "a" * 3000}}, "surefoot.webhook"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field(name: str, wrong: dict[str, object], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        DIALECTS[name].parse(json.dumps({**GOOD, **wrong}).encode(), surface="chat")
    assert refused.value.param == param and refused.value.status == 400


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("missing", ["model", "messages"])
def test_a_refusal_names_the_missing_field(name: str, missing: str) -> None:
    body = json.dumps({field: value for field, value in GOOD.items() if field != missing}).encode()
    with pytest.raises(BadRequest) as refused:
        DIALECTS[name].parse(body, surface="chat")
    assert refused.value.param == missing


@pytest.mark.parametrize("name", sorted(DIALECTS))
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"model":"\xff"}', b"[" * 100_000, b'{"a":1}x'])
def test_what_is_no_json_object_is_refused(name: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        DIALECTS[name].parse(body, surface="chat")


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_depth_inside_a_message_is_refused_and_no_crash(name: str) -> None:
    deep = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":' + b"[" * 50_000 + b"]" * 50_000 + b"}]}"
    with pytest.raises(BadRequest):
        DIALECTS[name].parse(deep, surface="chat")


@given(st.sampled_from(sorted(DIALECTS)), st.binary(max_size=60))
def test_no_bytes_crash_a_parser(name: str, body: bytes) -> None:
    with pytest.raises(BadRequest):
        DIALECTS[name].parse(body, surface="chat")


def test_the_last_of_duplicate_keys_counts_everywhere() -> None:
    body = b'{"model":"a","max_tokens":5,"model":"b","messages":[{"role":"user","content":"x"}]}'
    parsed = ANTHROPIC.parse(body, surface="chat")
    assert parsed.model == "b" and bytes(parsed.top["model"]) == b'"b"'


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_litellms_tags_leave_the_metadata_and_its_other_bytes_stay(name: str) -> None:
    body = (
        b'{"model":"m","max_tokens":5,"messages":[{"role":"user"}],"metadata":{"a": 1.10,"tags":["t",3],"user_id":"u"}}'
    )
    parsed = DIALECTS[name].parse(body, surface="chat")
    assert bytes(parsed.top["metadata"]) == b'{"a":1.10,"user_id":"u"}' and parsed.attribution.tags == ("t",)


def test_stream_options_keep_their_bytes() -> None:
    body = (
        b'{"stream_options":{"x": 1.10,"include_usage":false},"model":"m","messages":[{"role":"user"}],"stream":true}'
    )
    sent = OPENAI.upstream(OPENAI.parse(body, surface="chat").top, model="n", stream=True)
    assert (
        sent
        == b'{"stream_options":{"x":1.10,"include_usage":true},"model":"n","messages":[{"role":"user"}],"stream":true}'
    )


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_how_to_wait_is_read_and_goes_on_to_nobody(name: str) -> None:
    ours = {"wait": "webhook", "webhook": "https://example.org/told"}
    parsed = DIALECTS[name].parse(json.dumps({**GOOD, "surefoot": ours}).encode(), surface="chat")
    assert (parsed.wait, parsed.webhook) == ("webhook", "https://example.org/told")
    assert b"example.org" not in DIALECTS[name].upstream(parsed.top, model="m", stream=False)
    plain = DIALECTS[name].parse(json.dumps(GOOD).encode(), surface="chat")
    assert (plain.wait, plain.webhook) == ("", "")
