"""Why a prefix cache missed: each cause alone, the surest first."""

import json
from typing import Any

import pytest

from benchmarks.prompts import SYSTEM, anthropic, marked, openai, tools
from surefoot.ledger.lint.cachemiss import Miss, explain
from surefoot.ledger.lint.sample import Call, Sample, estimated_tokens
from surefoot.ledger.lint.segments import prompt_of

SECOND = 1_000_000_000


def sample(body: dict[str, Any], *, at: float = 0.0, cached: int = 0, provider: str = "p", model: str = "m") -> Sample:
    prompt = prompt_of(json.dumps(body).encode())
    call = Call(provider=provider, model=model, input_tokens=estimated_tokens(prompt), cached_tokens=cached)
    return Sample(prompt=prompt, calls=(call,), at_ns=round(at * SECOND), request_id="r")


def miss(one: dict[str, Any], other: dict[str, Any], *, after: float = 10.0, **more: Any) -> Miss:
    return explain(sample(one), sample(other, at=after, **more))


def test_a_hit_has_no_cause() -> None:
    found = miss(openai(SYSTEM, "a"), openai(SYSTEM, "b"), cached=2432)
    assert found.causes == () and found.cached_tokens == 2432 and found.same_tokens >= 2432


def test_up_to_the_last_mark_is_all_that_can_be_read() -> None:
    one = [*marked(SYSTEM), {"type": "text", "text": SYSTEM.replace("clinic", "practice")}]
    found = miss(anthropic(one, "a"), anthropic(one, "b"), cached=2500)
    assert found.causes == () and found.same_tokens > 5000


@pytest.mark.parametrize(
    ("one", "other", "more", "cause"),
    [
        (openai(SYSTEM), openai(SYSTEM), {"model": "n"}, "another model: m, then n"),
        (openai(SYSTEM), openai(SYSTEM), {"provider": "q"}, "another provider: p, then q"),
        (openai(SYSTEM), openai(SYSTEM), {"after": 4000.0}, "too old: 4000 s"),
        (openai(SYSTEM), openai(SYSTEM), {"after": 400.0}, "perhaps too old: 400 s"),
        (openai(SYSTEM), openai(SYSTEM), {"after": -1.0}, "the second request came before"),
        (openai(SYSTEM), openai(SYSTEM), {}, "nothing in the requests"),
        (openai(SYSTEM, tools=tools()), openai(SYSTEM, tools=tools()[::-1]), {}, "the same tools in another order"),
        (openai(SYSTEM, tools=tools()), openai(SYSTEM, tools=tools()[1:]), {}, "tools gone: find_visit"),
        (openai("Short.", "a"), openai("Short.", "b"), {}, "too short"),
        (openai(SYSTEM, prompt_cache_key="a"), openai(SYSTEM, prompt_cache_key="b"), {}, "prompt_cache_key differs"),
        (anthropic(SYSTEM), anthropic(SYSTEM), {}, "no cache mark"),
        (anthropic(SYSTEM), anthropic(marked(SYSTEM)), {}, "the request before had no cache mark"),
        (anthropic(marked(SYSTEM)), anthropic(marked(SYSTEM)), {"after": 301.0}, "too old: 301 s"),
        (openai(f"It is 10:00, id 1. Time: 10:00.\n{SYSTEM}"), openai(f"It is 10:00, id 1. Time: 10:07.\n{SYSTEM}"), {}, "system 1, after"),
    ],
)  # fmt: skip
def test_every_cause_is_named(one: dict[str, Any], other: dict[str, Any], more: dict[str, Any], cause: str) -> None:
    assert any(cause in each for each in miss(one, other, **more).causes), miss(one, other, **more).causes


def test_a_day_and_an_hour_are_waited_where_the_request_asks_for_them() -> None:
    long = {"prompt_cache_retention": "24h"}
    assert not any("old" in each for each in miss(openai(SYSTEM, **long), openai(SYSTEM, **long), after=4000.0).causes)
    hour = [{"type": "text", "text": SYSTEM, "cache_control": {"type": "ephemeral", "ttl": "1h"}}]
    assert not any("old" in each for each in miss(anthropic(hour), anthropic(hour), after=3000.0).causes)


def test_both_sides_are_shown_from_the_first_byte_that_differs_with_personal_data_masked() -> None:
    one, other = openai(SYSTEM, "Call pat@example.org"), openai(SYSTEM, "Call ann@example.org or 020 7946 0958")
    found = miss(one, other)
    assert found.before is not None and found.after is not None
    body = json.dumps(other).encode()
    assert body[found.after.byte :].startswith(b"ann@") and found.after.line == 1 and found.after.column == 6
    assert "example.org" not in found.before.text + found.after.text and "7946" not in found.after.text


def test_a_prompt_that_only_goes_on_has_no_sides() -> None:
    one = openai(SYSTEM, "a")
    other = openai(SYSTEM, "b", before=[{"role": "user", "content": "a"}, {"role": "assistant", "content": "c"}])
    found = miss(one, other)
    assert found.before is None and found.after is None
