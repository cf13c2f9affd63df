"""Personal data is masked in what goes out, wherever it was written, and put back in what comes in."""

import msgspec
import pytest
from msgspec import Raw

from surefoot.records import Answer
from surefoot.signals.personal import KINDS
from surefoot.stages.masking import masked_top, unmasked
from surefoot.wire import Top


def top_of(**fields: object) -> Top:
    return {name: Raw(msgspec.json.encode(value)) for name, value in fields.items()}


def masked(**fields: object) -> tuple[dict[str, object], dict[str, str]]:
    top, known = masked_top(top_of(**fields), KINDS)
    return {name: msgspec.json.decode(bytes(value)) for name, value in top.items()}, known


def test_nothing_personal_leaves_the_request_as_it_was() -> None:
    top = top_of(messages=[{"role": "user", "content": "How long?"}], model="m")
    found, known = masked_top(top, KINDS)
    assert found is top and known == {}


def test_the_same_value_has_the_same_placeholder_in_all_messages() -> None:
    top, known = masked(
        system="Mail a@b.org",
        messages=[{"role": "user", "content": "I am a@b.org"}, {"role": "user", "content": "c@d.org"}],
    )
    assert top["system"] == "Mail [EMAIL_1]"
    assert [message["content"] for message in top["messages"]] == ["I am [EMAIL_1]", "[EMAIL_2]"]  # type: ignore[attr-defined]
    assert known == {"[EMAIL_1]": "a@b.org", "[EMAIL_2]": "c@d.org"}


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": [{"type": "text", "text": "a@b.org"}]},
        {"role": "tool", "tool_call_id": "c", "content": "a@b.org"},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": "a@b.org"}]}]},
        {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"to": "a@b.org"}'}}]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"to": {"mail": ["a@b.org"]}}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "a@b.org", "signature": "s"}]},
        {"role": "user", "content": [{"type": "document", "title": "a@b.org", "source": {"type": "text", "data": "a@b.org"}}]},
    ],
)  # fmt: skip
def test_it_is_masked_wherever_somebody_wrote_it(message: dict[str, object]) -> None:
    top, known = masked(messages=[message])
    assert b"a@b.org" not in msgspec.json.encode(top) and known == {"[EMAIL_1]": "a@b.org"}


def test_ids_names_media_and_numbers_are_left_alone() -> None:
    message = {
        "role": "user", "name": "a@b.org", "tool_call_id": "a@b.org", "count": 4111111111111111,
        "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "a@b.org"}}],
    }  # fmt: skip
    top, known = masked(messages=[message])
    assert top["messages"] == [message] and known == {}


def test_a_placeholder_that_another_message_holds_is_not_used() -> None:
    _, known = masked(messages=[{"role": "user", "content": "a@b.org"}, {"role": "user", "content": "why [EMAIL_1]?"}])
    assert known == {"[EMAIL_2]": "a@b.org"}


def openai_answer(**message: object) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return msgspec.json.encode(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    )


KNOWN = {"[EMAIL_1]": "a@b.org", "[PHONE_1]": "+44 20 7946 0958", "[EMAIL_2]": "é@ü.org"}


@pytest.mark.parametrize(
    "said",
    [
        "Write to [EMAIL_1].",
        "Write to [email_1].",
        "Write to EMAIL_1.",
        "Write to \\[EMAIL\\_1\\].",
        "Write to [EMAIL 1].",
    ],
)
def test_values_are_put_back_in_text_even_where_the_model_changed_the_placeholder(said: str) -> None:
    body = openai_answer(content=said)
    assert unmasked(Answer(body=body, text=said), KNOWN, "openai").text == "Write to a@b.org."


def test_values_are_put_back_after_a_line_break() -> None:
    body = openai_answer(content="To:\nEMAIL_1\n[EMAIL_2]")
    assert unmasked(Answer(body=body, text=""), KNOWN, "openai").text == "To:\na@b.org\né@ü.org"


def test_values_are_put_back_inside_the_arguments_of_a_tool_call() -> None:
    arguments = msgspec.json.encode({"to": "[EMAIL_1]", "call": "[PHONE_1]", "say": '"[EMAIL_2]"\n'}).decode()
    body = openai_answer(content=None, tool_calls=[{"id": "c", "function": {"name": "f", "arguments": arguments}}])
    found = msgspec.json.decode(unmasked(Answer(body=body, text=""), KNOWN, "openai").body)
    call = found["choices"][0]["message"]["tool_calls"][0]["function"]
    assert msgspec.json.decode(call["arguments"]) == {
        "to": "a@b.org", "call": "+44 20 7946 0958", "say": '"é@ü.org"\n',
    }  # fmt: skip


def test_values_are_put_back_in_anthropics_dialect() -> None:
    blocks = [
        {"type": "text", "text": "Write to [EMAIL_1]."},
        {"type": "tool_use", "id": "t", "name": "f", "input": {"to": "[EMAIL_1]"}},
    ]
    body = msgspec.json.encode(
        {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": blocks, "stop_reason": "tool_use"}
    )
    found = unmasked(Answer(body=body, text=""), KNOWN, "anthropic")
    assert found.text == "Write to a@b.org."
    assert msgspec.json.decode(found.body)["content"][1]["input"] == {"to": "a@b.org"}


def test_the_events_of_a_masked_answer_are_cut_anew() -> None:
    given = Answer(body=openai_answer(content="[EMAIL_1]"), text="[EMAIL_1]", events=(b"data: [EMAIL_1]\n\n",))
    assert unmasked(given, KNOWN, "openai").events == ()
