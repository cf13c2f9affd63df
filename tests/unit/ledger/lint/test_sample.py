"""What is known of a request: which turns are examples, which tools were called."""

import json

import pytest

from surefoot.ledger.lint.sample import Sample, called_by, calls_in, with_examples
from surefoot.ledger.lint.segments import prompt_of

PAIR = [{"role": "user", "content": "2 + 2?"}, {"role": "assistant", "content": "4"}]


def sample(*turns: dict[str, object]) -> Sample:
    return Sample(prompt=prompt_of(json.dumps({"messages": turns}).encode()))


def asked(question: str, *before: dict[str, object]) -> Sample:
    return sample(*before, {"role": "user", "content": question})


def kinds(given: Sample) -> list[str]:
    return [each.kind for each in given.prompt.said]


def test_turns_that_all_requests_begin_with_are_examples() -> None:
    for found in with_examples([asked("3 + 3?", *PAIR), asked("1 + 1?", *PAIR)]):
        assert kinds(found) == ["example", "example", "question"]


def test_of_one_request_nobody_knows() -> None:
    (found,) = with_examples([asked("3 + 3?", *PAIR)])
    assert kinds(found) == ["history", "history", "question"]


def test_a_conversation_that_goes_on_is_no_example() -> None:
    later = [*PAIR, {"role": "user", "content": "3 + 3?"}, {"role": "assistant", "content": "6"}]
    for found in with_examples([asked("3 + 3?", *PAIR), asked("1 + 1?", *later)]):
        assert "example" not in kinds(found)


def test_two_conversations_behind_the_same_examples_show_them() -> None:
    one = [*PAIR, {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    other = [*PAIR, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d"}]
    for found in with_examples([asked("x", *one), asked("y", *other)]):
        assert kinds(found) == ["example", "example", "history", "history", "question"]


@pytest.mark.parametrize(
    ("dialect", "answer", "names"),
    [
        ("openai", {"choices": [{"message": {"tool_calls": [{"function": {"name": "f"}}, {"function": {"name": "g"}}]}}]}, {"f", "g"}),
        ("openai", {"choices": [{"message": {"function_call": {"name": "f"}}}]}, {"f"}),
        ("openai", {"choices": [{"message": {"content": "no", "tool_calls": None}}]}, set()),
        ("anthropic", {"content": [{"type": "text", "text": "x"}, {"type": "tool_use", "name": "f"}]}, {"f"}),
        ("openai", ["what"], set()),
    ],
)  # fmt: skip
def test_tools_that_an_answer_calls_are_read(dialect: str, answer: object, names: set[str]) -> None:
    assert called_by(dialect, json.dumps(answer).encode()) == names


def test_tools_that_were_called_earlier_count_too() -> None:
    old = {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "f"}}]}
    assert calls_in(asked("x", *PAIR, old, {"role": "tool", "content": "r"}).prompt) == {"f"}
    block = {"role": "assistant", "content": [{"type": "tool_use", "name": "g", "input": {}}]}
    assert calls_in(asked("x", *PAIR, block).prompt) == {"g"}
