"""Streams that are released sentence by sentence, with the official SDKs against the process."""

import json
import subprocess
import sys
from typing import Any

import anthropic
import httpx
import openai
import pytest
from acceptance_support import PASSAGE, TEXTS, Running, messages

QUESTION = messages(f"<context>{PASSAGE}</context>How long do refills take?")
FIRST = "Refills take two working days."


def heard(client: openai.OpenAI, feature: str, **more: Any) -> tuple[str, list[dict[str, Any]], list[Any]]:
    """(the text, the notes in the order they came, the chunks)."""
    chunks = list(client.chat.completions.create(model=feature, messages=QUESTION, stream=True, **more))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    return text, [chunk.model_extra["surefoot"] for chunk in chunks if "surefoot" in (chunk.model_extra or {})], chunks


def surefoot(gateway: Running, *command: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "surefoot", *command, "--config", str(gateway.config)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)


def test_the_caller_never_sees_an_unsupported_sentence_and_the_next_rung_goes_on(client: openai.OpenAI) -> None:
    text, notes, _ = heard(client, "spoken")
    assert text == f"{FIRST} {TEXTS['goes-on']}"
    assert (notes[0]["decision"], notes[-1]["decision"], notes[-1]["rung"]) == (
        "pending",
        "deliver",
        "continued:goes-on",
    )
    assert notes[-1]["confidence"] == 0.9 and notes[-1]["cost_usd"] is not None


def test_the_next_rung_is_told_what_was_said_and_asked_to_go_on(client: openai.OpenAI, gateway: Running) -> None:
    heard(client, "spoken")
    asked = next(each.json for each in reversed(gateway.upstream.seen) if each.json["model"] == "goes-on")
    *before, said, wish = asked["messages"]
    assert before == QUESTION and said == {"role": "assistant", "content": FIRST} and "Continue" in wish["content"]


def test_the_model_is_stopped_at_the_unsupported_sentence(client: openai.OpenAI, gateway: Running) -> None:
    left = gateway.upstream.left
    heard(client, "spoken")
    assert gateway.upstream.left == left + 1


def test_claude_streams_sentence_by_sentence_in_its_own_events(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model="spoken-claude", max_tokens=99, messages=QUESTION) as stream:
        pieces = [event.text for event in stream if event.type == "text"]
        message = stream.get_final_message()
    assert pieces[0] == FIRST and "".join(pieces) == f"{FIRST} {TEXTS['goes-on']}"
    assert message.stop_reason == "end_turn" and message.usage.output_tokens > 0
    assert "midnight" not in message.content[0].text


def test_without_a_map_for_going_on_the_case_escalates_and_what_was_released_stays(
    client: openai.OpenAI, http: httpx.Client
) -> None:
    text, notes, _ = heard(client, "spoken-alone", user="nobody-else")
    assert text == f"{FIRST}\n\nA nurse will answer you."
    assert notes[-1]["decision"] == "escalate" and not notes[-1]["calibrated"]
    assert http.get(f"/v1/cases/{notes[-1]['case']}").json()["state"] == "open"


def test_when_nothing_was_released_the_next_rung_answers_from_the_start(client: openai.OpenAI) -> None:
    text, notes, _ = heard(client, "spoken-well")
    assert text == TEXTS["faithful"] and notes[-1]["rung"] == "faithful"


def test_a_stream_that_breaks_is_gone_on_with(client: openai.OpenAI) -> None:
    text, notes, _ = heard(client, "spoken-broken")
    assert notes[-1]["decision"] in ("deliver", "escalate") and "You said" not in text


def test_totals_come_only_to_those_who_ask_for_them(client: openai.OpenAI) -> None:
    _, _, chunks = heard(client, "spoken", stream_options={"include_usage": True})
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 30
    _, _, chunks = heard(client, "spoken")
    assert all(chunk.choices for chunk in chunks)


@pytest.mark.parametrize("feature", ["spoken", "spoken-alone", "spoken-well", "spoken-broken"])
def test_a_replay_of_a_spoken_answer_is_the_same_page(client: openai.OpenAI, gateway: Running, feature: str) -> None:
    _, notes, _ = heard(client, feature)
    assert surefoot(gateway, "replay", notes[-1]["request_id"], "--json")["same"]


def test_without_passages_or_with_tools_the_answer_is_held_whole(client: openai.OpenAI) -> None:
    bare = client.chat.completions.create(model="spoken", messages=messages("How long?"), stream=True)
    notes = [chunk.model_extra["surefoot"] for chunk in bare if "surefoot" in (chunk.model_extra or {})]
    assert [note["decision"] for note in notes] == ["deliver"]
    tool = {"type": "function", "function": {"name": "t", "parameters": {"type": "object", "properties": {}}}}
    _, notes, _ = heard(client, "spoken", tools=[tool])
    assert [note["decision"] for note in notes] == ["deliver"]


def test_a_whole_answer_of_such_a_feature_is_judged_as_ever(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="spoken", messages=QUESTION)
    assert answer.choices[0].message.content == TEXTS["slips"]


def test_a_caller_that_leaves_in_the_middle_is_settled(client: openai.OpenAI, gateway: Running) -> None:
    with client.chat.completions.create(model="spoken", messages=QUESTION, stream=True) as stream:
        first = next(iter(stream)).model_extra["surefoot"]["request_id"]
    for _ in range(50):
        done = subprocess.run(
            [sys.executable, "-m", "surefoot", "replay", first, "--config", str(gateway.config), "--json"],
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            break
    assert json.loads(done.stdout)["same"]
