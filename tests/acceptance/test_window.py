"""Prompts that are longer than a model's window, with the official SDKs against the process."""

import anthropic
import openai
import pytest
from acceptance_support import messages

LONG = "Tell me all about refills, and leave nothing out of it. " * 100


def test_a_question_that_fits_no_window_is_refused_in_the_words_of_openai(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(model="narrow", messages=messages(LONG))
    assert refused.value.code == "context_length_exceeded"
    assert "300" in refused.value.message


def test_a_question_that_fits_no_window_is_refused_in_the_words_of_anthropic(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.BadRequestError) as refused:
        claude.messages.create(model="narrow-claude", max_tokens=50, messages=messages(LONG))
    assert refused.value.body["error"]["type"] == "invalid_request_error"  # type: ignore[index]


def test_what_does_not_fit_one_window_goes_to_a_larger_one(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="narrow-then-wide", messages=messages(LONG))
    assert answer.model_extra is not None and answer.model_extra["surefoot"]["rung"] == "plain"


def test_old_turns_are_dropped_for_a_window_and_the_answer_says_so(client: openai.OpenAI) -> None:
    turns = [
        *messages("An old question about the weather. " * 40),
        {"role": "assistant", "content": "An old answer about the sun. " * 40},
        *messages("How long do refills take?"),
    ]
    answer = client.chat.completions.create(model="narrow", messages=turns)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "You said: How long do refills take?"
    assert answer.model_extra is not None and answer.model_extra["surefoot"]["prompt"] is not None
