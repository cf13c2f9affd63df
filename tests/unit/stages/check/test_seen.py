"""Passages are found in the usual places, whichever dialect the request speaks."""

import pytest
from check_support import request, seen

RULES = "You answer for a clinic. " * 20  # long enough to be more than instructions

OPENAI_TOOL = [
    {"role": "user", "content": "How long?"},
    {
        "role": "assistant", "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c", "content": "Two days."},
]  # fmt: skip
ANTHROPIC_TOOL = [
    {"role": "user", "content": "How long?"},
    {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "look", "input": {}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "Two days."}]},
]


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
@pytest.mark.parametrize("tag", ["context", "documents", "document"])
def test_blocks_in_a_message_are_passages_and_not_the_question(dialect: str, tag: str) -> None:
    asked = request([{"role": "user", "content": f"<{tag}>Two days.</{tag}>\nHow long?"}], dialect=dialect)
    found = seen("x", of=asked)
    assert (found.question, found.passages) == ("How long?", ("Two days.",))


@pytest.mark.parametrize("dialect", ["openai", "anthropic"])
def test_blocks_in_several_parts_of_a_message_are_found(dialect: str) -> None:
    parts = [{"type": "text", "text": "<documents><document>One.</document><document>Two.</document></documents>"}]
    asked = request([{"role": "user", "content": [*parts, {"type": "text", "text": "How long?"}]}], dialect=dialect)
    found = seen("x", of=asked)
    assert (found.question, found.passages) == ("How long?", ("One.", "Two."))


@pytest.mark.parametrize(("dialect", "messages"), [("openai", OPENAI_TOOL), ("anthropic", ANTHROPIC_TOOL)])
def test_what_tools_returned_is_a_passage(dialect: str, messages: list[dict[str, object]]) -> None:
    found = seen("x", of=request(messages, dialect=dialect))
    assert (found.question, found.passages) == ("How long?", ("Two days.",))


def test_long_system_text_is_a_passage_in_both_dialects() -> None:
    ours = request([{"role": "system", "content": RULES}, {"role": "user", "content": "How long?"}])
    theirs = request([{"role": "user", "content": "How long?"}], dialect="anthropic", system=RULES)
    assert seen("x", of=ours).passages == seen("x", of=theirs).passages == (RULES.strip(),)


def test_short_system_text_alone_is_taken_for_instructions() -> None:
    asked = request([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How long?"}])
    assert seen("x", of=asked).passages == ()


def test_an_explicit_context_and_the_handbook_come_after_what_the_prompt_holds() -> None:
    asked = request([{"role": "user", "content": "<context>a</context>q"}], context=("b",))
    assert seen("x", of=asked, passages=("c",)).passages == ("a", "b", "c")


def test_the_answer_of_a_tool_call_is_empty_and_others_are_texts() -> None:
    found = seen("", others=("a", "b"))
    assert (found.text, found.others) == ("", ("a", "b"))
