"""What is left out of prompts, what never is, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from fit_support import ASKED, FULL, OTHER, asked, fit, model, request
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.policy import Budgets
from surefoot.providers.imagetokens import size_of
from surefoot.providers.tokens import Estimator
from surefoot.records import Ask, Budget, Request
from surefoot.stages.fit.count import tokens_of
from surefoot.wire import passages
from surefoot.wire.fields import body_of

CONTEXT = passages.write([FULL, OTHER])


def run(stage: Any, made: Request, name: str = "small") -> Ask:
    return asyncio.run(asked(stage, made, name))


def sent(ask: Ask) -> list[dict[str, Any]]:
    top = ask.request.top if ask.top is None else ask.top
    return msgspec.json.decode(body_of(top))["messages"]


def single() -> Request:
    return request([{"role": "system", "content": CONTEXT}, {"role": "user", "content": ASKED}])


def test_passages_are_compressed_and_the_journal_says_so():
    ask = run(fit(model("small"), compress=True), single())
    assert ask.shortened is not None and ask.shortened.compressed is not None
    assert ask.shortened.compressed < 0.8 and ask.shortened.saved_tokens > 0 and len(ask.shortened.digest) == 64
    assert "within 30 days" in sent(ask)[0]["content"] and "popular" not in sent(ask)[0]["content"]
    assert sent(ask)[1]["content"] == ASKED


def test_without_the_option_the_prompt_goes_out_as_it_came():
    ask = run(fit(model("small")), single())
    assert ask.top is None and ask.shortened is None


def test_every_rung_of_a_request_sends_the_same_passages():
    stage, made = fit(model("small"), model("big"), compress=True), single()
    assert sent(run(stage, made)) == sent(run(stage, made, "big"))


def test_compression_that_did_too_much_harm_has_stopped_itself():
    ask = run(fit(model("small"), compress=True, harmful=True), single())
    assert ask.top is None and ask.shortened is not None and ask.shortened.why == "harm"


def test_passages_that_were_sent_before_are_in_the_providers_cache_and_stay():
    stage = fit(model("small"), compress=True)
    run(stage, single())
    again = request(
        [{"role": "system", "content": CONTEXT}, {"role": "user", "content": "When does a bus leave?"}],
        at_s=60,
        id="req_2",
    )
    ask = run(stage, again)
    assert ask.top is None and ask.shortened is not None and ask.shortened.why == "prefix"


def test_what_the_assistant_has_answered_already_is_never_touched():
    turns = [
        {"role": "user", "content": f"{CONTEXT} What opens?"}, {"role": "assistant", "content": "A shop."},
        {"role": "user", "content": ASKED},
    ]  # fmt: skip
    assert run(fit(model("small"), compress=True), request(turns)).top is None


def test_nothing_up_to_the_clients_last_mark_is_touched():
    marked = {"type": "text", "text": CONTEXT, "cache_control": {"type": "ephemeral"}}
    made = request(
        [{"role": "user", "content": [marked, {"type": "text", "text": ASKED}]}], dialect="anthropic", max_tokens=10
    )
    assert run(fit(model("small", kind="anthropic"), compress=True), made).top is None


def test_instructions_are_no_passages():
    made = request([{"role": "system", "content": FULL + OTHER}, {"role": "user", "content": ASKED}])
    ask = run(fit(model("small"), compress=True), made)
    assert ask.top is None and ask.shortened is not None and ask.shortened.why == "nothing to leave out"


def history(turns: int) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = [{"role": "system", "content": "Be brief."}]
    for n in range(turns):
        said += [
            {"role": "user", "content": f"Turn {n} " + "word " * 60},
            {"role": "assistant", "content": None, "tool_calls": [
                {"id": f"c{n}", "type": "function", "function": {"name": "look", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": f"c{n}", "content": "found " * 40},
            {"role": "assistant", "content": "Done."},
        ]  # fmt: skip
    return [*said, {"role": "user", "content": ASKED}]


def test_the_oldest_turns_go_whole_and_no_more_than_needed():
    ask = run(fit(model("small", context=700), window=("passages", "history")), request(history(6)))
    left = sent(ask)
    assert ask.refusal is None and ask.shortened is not None and 0 < ask.shortened.dropped_turns < 6
    assert [left[0]["role"], left[1]["role"], left[-1]["content"]] == ["system", "user", ASKED]
    calls = {call["id"] for each in left for call in each.get("tool_calls") or ()}
    assert calls == {each["tool_call_id"] for each in left if each["role"] == "tool"}


def test_what_is_declared_last_is_dropped_first():
    turns = history(4)
    turns[-1] = {"role": "user", "content": f"{CONTEXT} {ASKED}"}
    first = run(fit(model("small", context=900), window=("passages", "history")), request(turns)).shortened
    other = run(fit(model("small", context=900), window=("history", "passages")), request(turns)).shortened
    assert first is not None and first.dropped_turns and not first.dropped_passages
    assert other is not None and other.dropped_passages


def test_the_least_relevant_passage_goes_first_and_leaves_a_sign():
    turns = [{"role": "user", "content": f"{CONTEXT} {ASKED}"}]
    ask = run(fit(model("small", context=170), window=("passages",)), request(turns))
    content = sent(ask)[0]["content"]
    assert "within 30 days" in content and "platforms" not in content and content.count("<passage>") == 2


def test_what_fits_nowhere_is_refused_and_says_so():
    ask = run(fit(model("small", context=50), model("big", context=60)), single())
    assert ask.too_long and ask.refusal is not None and "do not fit" in ask.refusal


def test_a_larger_window_above_is_climbed_to():
    ask = run(fit(model("small", context=50), model("big", context=10_000)), single())
    assert ask.refusal is not None and not ask.too_long
    assert run(fit(model("small", context=50), model("big", context=10_000)), single(), "big").refusal is None


def test_the_room_that_the_client_wants_for_the_answer_counts():
    made = request([{"role": "user", "content": ASKED}], max_tokens=1000)
    assert run(fit(model("small", context=1000)), made).refusal is not None
    assert run(fit(model("small", context=1200)), made).refusal is None


def test_an_image_counts_as_tokens_and_not_as_bytes():
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 300_000}}
    made = request([{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}])
    assert len(size_of(made.top).images) == 1 and size_of(made.top).text < 1000
    assert 85 + 8 * 170 < tokens_of(Estimator(), model("small"), "openai", made.top) < 85 + 8 * 170 + 300


def test_a_text_that_speaks_of_images_is_no_image():
    made = request([{"role": "user", "content": '{"type": "image"} ' * 10}])
    assert size_of(made.top).images == ()


def test_providers_teach_how_long_prompts_are():
    estimator = Estimator()
    before = estimator.count("small", 30_000)
    for _ in range(50):
        estimator.learn("small", 10_000, 2_000)
    assert before == 10_000 and 6_000 <= estimator.count("small", 30_000) < 7_500
    assert estimator.count("other", 30_000) == 10_000


def test_the_extra_counts_exactly_when_the_window_is_nearly_full():
    pytest.importorskip("bpe_openai")
    made = request([{"role": "user", "content": "word " * 1000}])
    assert run(fit(model("gpt-4o", context=1_100)), made, "gpt-4o").refusal is None
    assert run(fit(model("unknown", context=1_100)), made, "unknown").refusal is not None


_TURN = st.lists(st.sampled_from(["user", "assistant", "call", "system", "context"]), max_size=14)


@settings(max_examples=60, deadline=None)
@given(
    _TURN,
    st.integers(20, 900),
    st.sampled_from([("history",), ("passages", "history"), ("history", "passages")]),
    st.booleans(),
)
def test_whatever_is_dropped_the_prompt_stays_legal(kinds, window, keep, compress):
    said: list[dict[str, Any]] = []
    for n, kind in enumerate(kinds):
        if kind == "call":
            said.append({"role": "assistant", "content": None, "tool_calls": [
                {"id": f"c{n}", "type": "function", "function": {"name": "f", "arguments": "{}"}}]})  # fmt: skip
            said.append({"role": "tool", "tool_call_id": f"c{n}", "content": "found " * 30})
        elif kind == "context":
            said.append({"role": "user", "content": f"{CONTEXT} and {n}?"})
        else:
            said.append({"role": kind, "content": f"{kind} {n} " + "word " * 20})
    said.append({"role": "user", "content": ASKED})
    ask = run(fit(model("small", context=window), window=keep, compress=compress or None), request(said))
    left = sent(ask)
    assert left[-1] == said[-1]
    assert [each for each in left if each["role"] == "system"] == [each for each in said if each["role"] == "system"]
    calls = {call["id"] for each in left for call in each.get("tool_calls") or ()}
    assert calls == {each["tool_call_id"] for each in left if each["role"] == "tool"}
    if ask.shortened is not None and ask.shortened.dropped_turns:
        spoken = [each["role"] for each in left if each["role"] != "system"]
        assert spoken[0] == "user"


def test_budgets_of_another_hour_or_another_caller_are_looked_up_anew():
    stage = fit(model("small"), budgets=Budgets(organisation=(Budget(nanodollars=5, window="hour"),)))
    first, later = (request([{"role": "user", "content": ASKED}], at_s=at) for at in (0, 3600))
    rich = replace(first, caller=replace(first.caller, budget_nanodollars=7))
    windows = [[limit.window for limit in run(stage, each).limits] for each in (first, later, first)]
    assert windows == [["1970-01-01T00"], ["1970-01-01T01"], ["1970-01-01T00"]]
    assert [limit.limit_nanodollars for limit in run(stage, rich).limits] == [7, 5]
