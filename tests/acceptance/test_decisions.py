"""What the caller is told about decisions: holding answers, cases, cache, budgets, keys."""

import json
import subprocess
import sys
import time

import anthropic
import httpx
import openai
import pytest
from acceptance_support import Running, messages


def surefoot(gateway: Running, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "surefoot", *command, "--config", str(gateway.config)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_escalation_is_a_holding_answer_with_a_case_and_no_retry(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="careful", messages=messages("pain?"))
    assert raw.parse().choices[0].message.content == "A nurse will answer you."
    assert raw.headers["x-surefoot-decision"] == "escalate"
    assert raw.headers["x-surefoot-confidence"] == "uncalibrated"
    assert raw.headers["x-should-retry"] == "false"
    assert raw.headers["x-surefoot-case"] == raw.parse().model_extra["surefoot"]["case"]


def test_a_case_can_be_asked_for_and_says_when_to_ask_again(client: openai.OpenAI, http: httpx.Client) -> None:
    raw = client.chat.completions.with_raw_response.create(model="careful", messages=messages("case?"))
    response = http.get(f"/v1/cases/{raw.headers['x-surefoot-case']}")
    assert response.json()["state"] == "open" and response.json()["role"] == "nurse"
    assert response.headers["retry-after"] == "7"


def test_an_unknown_case_is_not_found(http: httpx.Client) -> None:
    assert http.get("/v1/cases/case_none").status_code == 404


def test_an_escalation_streams_its_holding_answer(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="careful", messages=messages("stream?"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "A nurse will answer you."
    assert chunks[-1].model_extra["surefoot"]["decision"] == "escalate"


def test_an_escalated_claude_call_keeps_its_shape(claude: anthropic.Anthropic) -> None:
    message = claude.messages.create(model="careful", max_tokens=9, messages=messages("x"))
    assert (message.content[0].text, message.stop_reason) == ("A nurse will answer you.", "end_turn")


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("then", [False, True])
def test_a_believed_answer_is_given_again_streamed_or_not(client: openai.OpenAI, first: bool, then: bool) -> None:
    question = messages(f"cache {first} {then} {time.time_ns()}")
    texts, hits = [], []
    for stream in (first, then):
        if stream:
            chunks = list(client.chat.completions.create(model="believed", messages=question, stream=True))
            texts.append("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
            hits.append(chunks[-1].model_extra["surefoot"]["cache"])
        else:
            answer = client.chat.completions.create(model="believed", messages=question)
            texts.append(answer.choices[0].message.content)
            hits.append(answer.model_extra["surefoot"]["cache"])
    assert texts[0] == texts[1] and hits == ["miss", "hit"]


def test_a_hit_in_anthropics_dialect_keeps_the_order_of_events(claude: anthropic.Anthropic) -> None:
    asked = dict(model="believed-claude", max_tokens=9, messages=messages("again"))
    claude.messages.create(**asked)
    with claude.messages.stream(**asked) as stream:
        message = stream.get_final_message()
    assert message.model_extra["surefoot"]["cache"] == "hit"
    assert message.content[0].text == "You said: again"


def test_a_retracted_answer_is_not_given_again(client: openai.OpenAI, gateway: Running) -> None:
    asked = dict(model="believed", messages=messages("retract me"))
    first = client.chat.completions.create(**asked)
    surefoot(gateway, "cache", "retract", first._request_id)
    assert client.chat.completions.create(**asked).model_extra["surefoot"]["cache"] == "miss"


def test_a_new_epoch_forgets_everything(client: openai.OpenAI, gateway: Running) -> None:
    asked = dict(model="forgotten", messages=messages("forget me"))
    client.chat.completions.create(**asked)
    surefoot(gateway, "cache", "invalidate", "--feature", "forgotten")
    assert client.chat.completions.create(**asked).model_extra["surefoot"]["cache"] == "miss"


def test_an_uncalibrated_answer_never_enters_the_cache(client: openai.OpenAI) -> None:
    asked = dict(model="careful", messages=messages("not believed"))
    client.chat.completions.create(**asked)  # it waits for a person; another one who asks the same is asked for anew
    assert client.chat.completions.create(**asked, user="another").model_extra["surefoot"]["cache"] == "miss"


def test_a_spent_budget_is_a_rate_limit_error_that_is_not_retried(client: openai.OpenAI) -> None:
    with pytest.raises(openai.RateLimitError) as caught:
        client.with_options(max_retries=3).chat.completions.create(model="poor", messages=messages("x"))
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert (caught.value.body["code"], caught.value.body["type"]) == ("insufficient_quota", "insufficient_quota")


def test_a_decision_replays_byte_for_byte(client: openai.OpenAI, gateway: Running) -> None:
    answer = client.chat.completions.create(model="climbing", messages=messages("replay me"))
    assert surefoot(gateway, "replay", answer._request_id).rstrip().endswith("identical")


def test_the_journal_verifies_while_the_gateway_runs(client: openai.OpenAI, gateway: Running) -> None:
    client.chat.completions.create(model="plain", messages=messages("x"))
    assert "rows verify" in surefoot(gateway, "journal", "verify")


def test_the_ledger_adds_up_to_what_the_caller_was_told(client: openai.OpenAI, gateway: Running) -> None:
    def booked() -> int:
        return sum(row["nanodollars"] for row in json.loads(surefoot(gateway, "ledger", "--json")))

    before = booked()
    answer = client.chat.completions.create(model="cached", messages=messages("x"))
    # 100 fresh tokens at 1 USD, 20 cached at 0.50, 30 out at 2 USD per million
    assert booked() - before == 100_000 + 10_000 + 60_000
    assert answer.model_extra["surefoot"]["cost_usd"] == "0.000170000"


def test_the_ledger_can_be_read_by_tag_and_by_subject(client: openai.OpenAI, gateway: Running) -> None:
    for tags in ("spring,red", "red,spring"):
        client.chat.completions.create(
            model="plain", messages=messages("x"), user="patient-7", extra_headers={"x-litellm-tags": tags}
        )
    rows = {row["group"]: row for row in json.loads(surefoot(gateway, "ledger", "--by", "tags", "--json"))}
    assert rows["red, spring"]["requests"] == 2 and rows["red, spring"]["nanodollars"] == 2 * 180_000
    subjects = json.loads(surefoot(gateway, "ledger", "--by", "subject", "--json"))
    assert len(subjects) >= 2 and not any("patient-7" in row["group"] for row in subjects)


def test_a_caller_that_gives_up_waiting_stops_the_vendor_and_is_booked(client: openai.OpenAI, gateway: Running) -> None:
    left = gateway.upstream.left
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.6).chat.completions.create(
            model="silent", messages=messages("x"), extra_headers={"x-litellm-tags": "gave-up"}
        )
    until = time.monotonic() + 5
    while gateway.upstream.left == left and time.monotonic() < until:
        time.sleep(0.02)
    assert gateway.upstream.left > left
    rows = {row["group"]: row for row in json.loads(surefoot(gateway, "ledger", "--by", "tags", "--json"))}
    assert rows["gave-up"]["nanodollars"] == rows["gave-up"]["estimated_nanodollars"] > 0
