"""Budgets and rate limits against the running process: many clients, a tiny budget, and what the SDKs make of a refusal."""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime

import anthropic
import openai
import pytest
from acceptance_support import Running, messages

CLIENTS = 64
COST = 120 * 1000 + 30 * 2000  # of one answer, in nano-dollars
RACE = 30_000_000  # nano-dollars of the feature: three worst cases at once, or 166 answers
SHORT = 9_000_000  # one worst case: a few answers, then none fits any more


def balance(gateway: Running, scope: str) -> tuple[int, int]:
    """(spent, reserved) as the database has it."""
    with sqlite3.connect(f"file:{gateway.folder}/surefoot.db?mode=ro", uri=True) as reader:
        row = reader.execute('SELECT spent, reserved FROM budgets WHERE scope = ? AND "window" = ?', (scope, "total"))
        return row.fetchone() or (0, 0)


def race(gateway: Running, feature: str, tries: int) -> tuple[int, list[int]]:
    """(how many of 64 clients were answered, what was spent and reserved whenever somebody looked).

    Each asks again after a refusal, up to so many times.
    """
    seen: list[int] = []
    scope = f"feature:{feature}" if feature == "race" else f"key:local/feature:{feature}"

    async def client(vendor: openai.AsyncOpenAI, number: int) -> bool:
        for _ in range(tries):
            try:
                await vendor.chat.completions.create(model=feature, messages=messages(f"client {number}"))
                return True
            except openai.RateLimitError:
                seen.append(sum(balance(gateway, scope)))
            except openai.APIStatusError as error:
                if error.status_code != 408:  # this gateway gives a body one second, which a busy machine may miss
                    raise
            await asyncio.sleep(0.02)
        return False

    async def all_at_once() -> int:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as vendor:
            return sum(await asyncio.gather(*(client(vendor, number) for number in range(CLIENTS))))

    return asyncio.run(all_at_once()), seen


def in_a_row(ask: Callable[[], object]) -> None:
    """Of five where two a minute are let in, one is refused, whenever the minute ends."""
    for _ in range(5):
        ask()


def test_64_clients_share_a_tiny_budget_and_everybody_is_served_in_the_end(gateway: Running) -> None:
    answered, seen = race(gateway, "race", tries=1000)
    assert answered == CLIENTS  # whoever was refused found room once others had settled
    assert seen and max(seen) <= RACE
    assert balance(gateway, "feature:race") == (CLIENTS * COST, 0)


def test_64_clients_never_spend_a_nanodollar_more_than_there_is(gateway: Running) -> None:
    answered, seen = race(gateway, "short", tries=20)
    spent, reserved = balance(gateway, "key:local/feature:short")
    assert 0 < answered < CLIENTS and spent == answered * COST and reserved == 0
    assert spent <= SHORT and max(seen) <= SHORT


def test_an_hours_budget_says_when_it_resets(claude: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.RateLimitError) as caught:
        claude.with_options(max_retries=3).messages.create(model="empty-hour", max_tokens=5, messages=messages("x"))
    headers = caught.value.response.headers
    assert headers["x-should-retry"] == "false" and 0 < int(headers["retry-after"]) <= 3600
    assert datetime.fromisoformat(headers["x-surefoot-budget-resets"]).minute == 0
    assert caught.value.body["error"]["type"] == "rate_limit_error"
    assert "this key on feature empty-hour" in caught.value.body["error"]["message"]


def test_openais_sdk_sees_its_rate_limit_in_headers_and_errors(client: openai.OpenAI) -> None:
    told = client.chat.completions.with_raw_response.create(model="limited", messages=messages("x")).headers
    assert (told["x-ratelimit-limit-requests"], told["x-ratelimit-limit-tokens"]) == ("2", "100000")
    assert int(told["x-ratelimit-remaining-requests"]) == 1 and int(told["x-ratelimit-remaining-tokens"]) < 100_000
    assert told["x-ratelimit-reset-requests"].endswith("s")
    with pytest.raises(openai.RateLimitError) as caught:
        in_a_row(lambda: client.chat.completions.create(model="limited", messages=messages("x")))
    headers = caught.value.response.headers
    assert caught.value.body["code"] == "rate_limit_exceeded"
    assert headers["x-should-retry"] == "true" and 0 < int(headers["retry-after"]) <= 60
    assert headers["x-ratelimit-remaining-requests"] == "0"


def test_anthropics_sdk_sees_its_rate_limit_in_headers_and_errors(claude: anthropic.Anthropic) -> None:
    asked = dict(model="limited-claude", max_tokens=5, messages=messages("x"))
    told = claude.messages.with_raw_response.create(**asked).headers
    assert (told["anthropic-ratelimit-requests-limit"], told["anthropic-ratelimit-requests-remaining"]) == ("2", "1")
    assert datetime.fromisoformat(told["anthropic-ratelimit-tokens-reset"]).second == 0
    with pytest.raises(anthropic.RateLimitError) as caught:
        in_a_row(lambda: claude.messages.create(**asked))
    assert caught.value.body["error"]["type"] == "rate_limit_error"
    assert caught.value.response.headers["anthropic-ratelimit-requests-remaining"] == "0"


def test_a_stream_tells_its_rate_limit_before_its_first_event(client: openai.OpenAI) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="limited-stream", messages=messages("x"), stream=True
    ) as response:
        assert response.headers["x-ratelimit-limit-requests"] == "1000"
        assert "x-ratelimit-limit-tokens" not in response.headers


def test_budgets_can_be_listed(client: openai.OpenAI, gateway: Running) -> None:
    command = [sys.executable, "-m", "surefoot", "budgets", "--json", "--config", str(gateway.config)]
    rows = json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    (poor,) = [row for row in rows if row["budget"] == "key:local/feature:poor"]
    assert (poor["limit_nanodollars"], poor["window"], poor["resets_at"]) == (0, "total", None)
