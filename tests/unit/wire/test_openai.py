"""OpenAI's dialect: what it bills, what it announces, what its chunks amount to."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.errors import BadAnswer
from surefoot.records import Usage
from surefoot.wire.openai import OPENAI
from surefoot.wire.sse import event_of

DONE = b"data: [DONE]\n\n"
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
calls = st.builds(
    lambda call_id, name, arguments: {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}},
    texts.filter(bool), texts, texts,
)  # fmt: skip


def chunk(delta: object, finish: str | None = None, **more: object) -> bytes:
    return event_of({"id": "c", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}], **more})


def joined(*events: bytes) -> dict[str, Any]:
    message: dict[str, Any] = json.loads(OPENAI.join([*events, chunk({}, "stop"), DONE]))["choices"][0]["message"]
    return message


def usage_of(**usage: object) -> Usage | None:
    return OPENAI.read(json.dumps({"choices": [{"message": {"content": "x"}}], "usage": usage}).encode()).usage


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, object]:
    choices = []
    for index in range(draw(st.integers(1, 3))):
        message: dict[str, object] = {"role": "assistant", "content": draw(st.none() | texts)}
        message |= draw(st.fixed_dictionaries({}, optional={
            "refusal": st.none() | texts, "tool_calls": st.lists(calls, max_size=3), "annotations": st.just([]),
            "reasoning_content": texts, "function_call": st.just({"name": "f", "arguments": "{}"}),
        }))  # fmt: skip
        more = draw(
            st.fixed_dictionaries({}, optional={"logprobs": st.none() | st.just({"content": [{"token": "a"}]})})
        )
        choices.append({"index": index, "message": message, **more, "finish_reason": "stop"})
    more = draw(st.fixed_dictionaries({}, optional={"usage": st.none() | st.just({"prompt_tokens": 1}), "x": texts}))
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": choices, **more}


@given(bodies())
def test_a_completion_cut_into_chunks_joins_to_itself(body: dict[str, object]) -> None:
    assert json.loads(OPENAI.join(OPENAI.cut(json.dumps(body).encode(), include_usage=True))) == body


def test_a_part_of_the_tokens_is_never_more_than_the_whole() -> None:
    usage = usage_of(
        prompt_tokens=5, completion_tokens=2, prompt_tokens_details={"cached_tokens": 4, "cache_write_tokens": 4},
        completion_tokens_details={"reasoning_tokens": 9},
    )  # fmt: skip
    assert usage is not None and usage.estimated
    assert (usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens) == (5, 4, 1)
    assert usage.output_tokens == usage.reasoning_tokens == 9  # all of it was generated, so all of it is paid


@pytest.mark.parametrize("usage", [{"prompt_tokens": -1}, {"completion_tokens": 2**60}, {"prompt_tokens": "5"}])
def test_tokens_that_cannot_be_are_not_known(usage: dict[str, object]) -> None:
    assert usage_of(**usage) is None


def test_a_total_above_its_parts_was_generated_and_one_below_them_changes_nothing() -> None:
    more, less = (usage_of(prompt_tokens=5, completion_tokens=2, total_tokens=total) for total in (11, 3))
    assert more == Usage(input_tokens=5, output_tokens=6, estimated=True)
    assert less == Usage(input_tokens=5, output_tokens=2, estimated=True)


def test_usage_that_says_nothing_is_unknown_and_not_nothing() -> None:
    assert usage_of() is None
    assert usage_of(prompt_tokens=3, completion_tokens=None) == Usage(input_tokens=3)


def test_embeddings_are_read_and_their_inputs_are_not() -> None:
    read = OPENAI.read(b'{"object":"list","data":[{"embedding":[0.1]}],"model":"e","usage":{"prompt_tokens":5}}')
    assert (read.text, read.model, read.usage) == ("", "e", Usage(input_tokens=5))
    parsed = OPENAI.parse(b'{"model":"e","input":[[1,2],[3]],"user":"u"}', surface="embeddings")
    assert (parsed.model, parsed.attribution.end_user) == ("e", "u")


@pytest.mark.parametrize(
    ("event", "closing"),
    [
        (b'data: {"choices":[{"finish_reason":"stop"}]}\n\n', True),
        (b'data: {"choices":[{"finish_reason" : "stop"}]}\n\n', True),
        (b'data: {"choices":[{"finish_reason":null},{"finish_reason":"stop"}]}\n\n', True),
        (b'data: {"choices":[],"usage":{"prompt_tokens":1}}\n\n', True),
        (b'data: {"choices": [ ], "usage": {"prompt_tokens":1}}\n\n', True),
        (b"data:[DONE]\n\n", True),
        (b'data: {"choices":[{"finish_reason":null}],"usage":null}\n\n', False),
        (b'data: {"choices":[{"finish_reason": null}]}\n\n', False),
        (b'data: {"choices":[{"finish_reason":""}]}\n\n', False),
        (b'data: {"choices":[{"delta":{"content":"finish_reason"},"finish_reason":null}]}\n\n', False),
        (b'data: {"choices":[{"delta":{"content":"[DONE]"}}]}\n\n', False),
        (b'data: {"x":{"finish_reason":"stop"},"choices":[{"finish_reason":null}]}\n\n', False),
        (b'data: {"choices":[{"delta":{"content":"a"}}],"usage":{"prompt_tokens":1}}\n\n', False),
        (b'data: {"choices":[],"prompt_filter_results":[]}\n\n', False),
        (b'data: {"finish_reason": garbage\n\n', False),
    ],
)
def test_only_the_end_is_announced_as_the_end(event: bytes, closing: bool) -> None:
    assert OPENAI.is_closing(event) is closing


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (b'data: {"error":{"message":"m"}}\n\n', True),
        (b'event: error\ndata: {"error":"m"}\n\n', True),
        (b'data: {"error":null,"choices":[]}\n\n', False),
        (b'data: {"choices":[{"delta":{"content":"error"}}]}\n\n', False),
        (b'data: {"error": garbage\n\n', False),
    ],
)
def test_an_error_is_told_from_what_speaks_of_errors(event: bytes, error: bool) -> None:
    assert OPENAI.is_error(event) is error


def test_pieces_of_unknown_fields_grow_and_padding_is_dropped() -> None:
    message = joined(
        chunk({"role": "assistant", "content": "", "reasoning_content": "a"}, obfuscation="x"),
        chunk({"reasoning_content": "b", "audio": {"id": "au", "transcript": "a"}}, obfuscation="yz"),
        chunk({"audio": {"id": "au", "transcript": "b", "expires_at": 7}, "score": 1}),
        chunk({"score": 2}),
    )
    assert message["reasoning_content"] == "ab" and message["score"] == 2
    assert message["audio"] == {"id": "au", "transcript": "ab", "expires_at": 7}


def test_tool_calls_without_an_index_are_told_apart_by_their_ids() -> None:
    message = joined(
        chunk({"tool_calls": None}),
        chunk({"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{"}}]}),
        chunk({"tool_calls": [{"id": "a", "function": {"arguments": "}"}}]}),
        chunk({"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "1"}}]}),
    )
    assert [(call["id"], call["function"]["arguments"]) for call in message["tool_calls"]] == [("a", "{}"), ("b", "1")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "m", "code": 429}, 429),
        ({"message": "m", "code": "503"}, 503),
        ({"message": "m", "type": "rate_limit_error", "code": "slow"}, 429),
        ({"message": "m", "type": "server_error", "code": None}, 500),
        ({"message": "m", "code": 7}, None),
        ("m", None),
    ],
)
def test_an_error_in_a_stream_keeps_its_message_and_status(error: object, status: int | None) -> None:
    with pytest.raises(BadAnswer) as bad:
        OPENAI.join([chunk({"content": "a"}), event_of({"error": error}), DONE])
    assert (bad.value.message, bad.value.status) == ("m", status)


@pytest.mark.parametrize(
    "payload",
    [
        {"choices": 3}, {"choices": [1]}, {"choices": [{"delta": "x"}]}, {"choices": [{"index": "a"}]},
        {"choices": [{"index": -1}]}, {"choices": [{"delta": {"tool_calls": 3}}]},
        {"choices": [{"delta": {"tool_calls": [{"index": None}]}}]},
    ],
)  # fmt: skip
def test_chunks_of_another_shape_are_a_bad_answer(payload: dict[str, object]) -> None:
    with pytest.raises(BadAnswer):
        OPENAI.join([event_of(payload), chunk({}, "stop"), DONE])


def test_a_stream_without_its_done_is_cut_off() -> None:
    with pytest.raises(BadAnswer):
        OPENAI.join([chunk({"content": "a"}, "stop")])


@pytest.mark.parametrize("body", [b"", b"{}", b'{"choices":3}', b'{"choices":[{"message":3}]}'])
def test_what_is_no_completion_cannot_be_cut(body: bytes) -> None:
    with pytest.raises(BadAnswer):
        OPENAI.cut(body)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "invalid_request", "invalid_request_error"),
        (401, "invalid_api_key", "invalid_request_error"),
        (429, "budget_exceeded", "insufficient_quota"),
        (429, "rate_limit_exceeded", "rate_limit_error"),
        (502, "upstream_failed", "server_error"),
    ],
)
def test_errors_have_their_types(status: int, code: str, kind: str) -> None:
    error = json.loads(OPENAI.error(status=status, code=code, message="m"))["error"]
    told = "insufficient_quota" if code == "budget_exceeded" else code  # as the vendor says it
    assert (error["type"], error["code"], error["param"]) == (kind, told, None)
