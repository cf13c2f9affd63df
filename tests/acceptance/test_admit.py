"""Red flags through the real SDKs: never a model's words, always the rule's own, streamed or not, in both dialects and modes."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import anthropic
import httpx
import openai
import pytest
from acceptance_support import PRICE, Running, messages

from surefoot.demo.process import free_port, serving
from surefoot.providers.testing import ScriptedUpstream

HOLDING = "Call 112 now. A nurse will read your message."
CONFIG = """
[store]
database = "{folder}/surefoot.db"
key_file = "{folder}/surefoot.key"
[providers.vendor]
kind = "openai"
base_url = "{upstream}/v1"
[providers.other]
kind = "anthropic"
base_url = "{upstream}"
[models.plain]
provider = "vendor"
{price}
[models.claude]
provider = "other"
model = "plain"
{price}
[people.nurse]
holding = "A nurse will answer you."
retry_after_seconds = 7
[people.doctor]
holding = "A doctor will answer you."
"""
FEATURE = """
[features.{mode}-{model}]
mode = "{mode}"
ladder = ["cache", "{model}"]
person = "nurse"
[features.{mode}-{model}.maps.{model}]
p = 0.99
[[features.{mode}-{model}.admit]]
name = "heart"
phrases = ["chest pain"]
role = "doctor"
holding = "{holding}"
red_flag = true
[[features.{mode}-{model}.admit]]
name = "legal"
phrases = ["my lawyer"]
"""
BOTH = pytest.mark.parametrize("mode", ["observe", "enforce"])
RED = [
    "I have chest pain", "CHEST-PAIN", "ch\u200best  pain", "chets pain", [{"type": "text", "text": "my chest"}, {"type": "text", "text": "pain"}],
]  # fmt: skip


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A gateway whose every feature has a red flag."""
    folder = tmp_path_factory.mktemp("ward")
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = contextlib.AsyncExitStack()

    async def start() -> Running:
        upstream = await stack.enter_async_context(ScriptedUpstream())
        return await _gateway(stack, folder, upstream)

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(40)
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(40)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _gateway(stack: contextlib.AsyncExitStack, folder: Path, upstream: ScriptedUpstream) -> Running:
    features = [
        FEATURE.format(mode=mode, model=model, holding=HOLDING)
        for mode in ("observe", "enforce") for model in ("plain", "claude")
    ]  # fmt: skip
    config = folder / "surefoot.toml"
    text = CONFIG.format(folder=folder, upstream=upstream.url, price=PRICE) + "".join(features)
    config.write_text(text, "utf-8")
    url = await stack.enter_async_context(serving(config, free_port()))
    return Running(url, upstream, folder)


@pytest.fixture
def ours(ward: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{ward.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def theirs(ward: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=ward.url, api_key="none", max_retries=0) as client:
        yield client


@BOTH
@pytest.mark.parametrize("text", RED)
def test_a_red_flag_gets_the_rules_own_words_and_no_model_is_asked(
    ours: openai.OpenAI, ward: Running, mode: str, text: object
) -> None:
    asked = len(ward.upstream.seen)
    answer = ours.chat.completions.create(model=f"{mode}-plain", messages=[{"role": "user", "content": text}])  # type: ignore[typeddict-item]
    note = answer.model_extra["surefoot"]
    assert answer.choices[0].message.content == HOLDING
    assert (note["decision"], note["verdict"], note["cost_usd"]) == ("escalate", "escalate", "0.000000000")
    assert "heart" in note["reason"] and len(ward.upstream.seen) == asked


@BOTH
def test_streamed_it_is_the_same(ours: openai.OpenAI, ward: Running, mode: str) -> None:
    asked = len(ward.upstream.seen)
    chunks = list(ours.chat.completions.create(model=f"{mode}-plain", messages=messages("chest pain"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == HOLDING
    assert chunks[-1].model_extra["surefoot"]["decision"] == "escalate" and len(ward.upstream.seen) == asked


@BOTH
def test_anthropics_dialect_is_told_the_same_streamed_or_not(
    theirs: anthropic.Anthropic, ward: Running, mode: str
) -> None:
    asked = len(ward.upstream.seen)
    given = dict(model=f"{mode}-claude", max_tokens=99, messages=messages("chest pain"))
    message = theirs.messages.create(**given)
    with theirs.messages.stream(**given) as stream:
        streamed = stream.get_final_message()
    assert message.content[0].text == streamed.content[0].text == HOLDING
    assert message.model_extra["surefoot"]["decision"] == streamed.model_extra["surefoot"]["decision"] == "escalate"
    assert len(ward.upstream.seen) == asked


@BOTH
def test_an_answer_that_the_client_begins_itself_hides_nothing(theirs: anthropic.Anthropic, mode: str) -> None:
    begun = [*messages("chest pain"), {"role": "assistant", "content": "Sure, "}]
    assert theirs.messages.create(model=f"{mode}-claude", max_tokens=9, messages=begun).content[0].text == HOLDING


def test_the_conversation_stays_with_the_person_after_a_red_flag(ours: openai.OpenAI) -> None:
    turns = [*messages("chest pain"), {"role": "assistant", "content": HOLDING}, *messages("So can I book a visit?")]
    answer = ours.chat.completions.create(model="enforce-plain", messages=turns)
    assert answer.choices[0].message.content == HOLDING


def test_its_case_waits_for_the_rules_role(ours: openai.OpenAI, ward: Running) -> None:
    raw = ours.chat.completions.with_raw_response.create(model="enforce-plain", messages=messages("chest pain"))
    case = httpx.get(f"{ward.url}/v1/cases/{raw.headers['x-surefoot-case']}").json()
    assert (case["role"], case["state"]) == ("doctor", "open")


def test_another_rule_uses_the_persons_words_and_its_answered_turns_are_done_with(ours: openai.OpenAI) -> None:
    first = ours.chat.completions.create(model="enforce-plain", messages=messages("I will ask my lawyer"))
    assert first.choices[0].message.content == "A nurse will answer you."
    turns = [*messages("my lawyer"), {"role": "assistant", "content": "noted"}, *messages("What does a letter cost?")]
    then = ours.chat.completions.create(model="enforce-plain", messages=turns)
    assert then.choices[0].message.content == "You said: What does a letter cost?"


@BOTH
def test_a_believed_answer_in_the_cache_is_not_given_to_a_red_flag(ours: openai.OpenAI, mode: str) -> None:
    for _ in range(2):
        answer = ours.chat.completions.create(model=f"{mode}-plain", messages=messages("chest pain again"))
        assert answer.model_extra["surefoot"]["cache"] == "off" and answer.choices[0].message.content == HOLDING


@BOTH
def test_other_messages_are_answered_as_ever(ours: openai.OpenAI, mode: str) -> None:
    answer = ours.chat.completions.create(model=f"{mode}-plain", messages=messages("When are you open?"))
    assert answer.choices[0].message.content == "You said: When are you open?"
