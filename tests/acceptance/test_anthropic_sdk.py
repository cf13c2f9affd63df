"""The official Anthropic SDK against the running process."""

import asyncio

import anthropic
import pytest
from acceptance_support import Running, messages

TOOL = {"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}


def test_a_message_comes_with_its_decision(claude: anthropic.Anthropic) -> None:
    message = claude.messages.create(model="claude", max_tokens=50, messages=messages("hello"))
    assert message.content[0].text == "You said: hello"
    assert message.model_extra["surefoot"]["rung"] == "claude-plain"
    assert message._request_id == message.model_extra["surefoot"]["request_id"]


def test_a_stream_keeps_the_exact_order_of_events(claude: anthropic.Anthropic) -> None:
    with claude.messages.create(model="claude", max_tokens=50, messages=messages("hi"), stream=True) as stream:
        kinds = [event.type for event in stream]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    assert set(kinds[2:-3]) == {"content_block_delta"}


def test_the_sdks_accumulated_message_is_whole_and_tagged(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model="claude", max_tokens=50, messages=messages("hi")) as stream:
        message = stream.get_final_message()
    assert message.content[0].text == "You said: hi"
    assert message.usage.output_tokens == 30
    assert message.model_extra["surefoot"]["decision"] == "pending"


def test_tools_are_carried_both_ways(claude: anthropic.Anthropic) -> None:
    message = claude.messages.create(model="claude-tools", max_tokens=50, messages=messages("w?"), tools=[TOOL])
    assert (message.content[0].name, message.content[0].input) == ("weather", {"city": "Paris"})
    assert message.stop_reason == "tool_use"


def test_streamed_tool_input_adds_up(claude: anthropic.Anthropic) -> None:
    with claude.messages.stream(model="claude-tools", max_tokens=50, messages=messages("w?"), tools=[TOOL]) as stream:
        assert stream.get_final_message().content[0].input == {"city": "Paris"}


def test_tokens_are_counted_upstream(claude: anthropic.Anthropic) -> None:
    assert claude.messages.count_tokens(model="claude", messages=messages("hello")).input_tokens == 42


def test_models_have_anthropics_shape(claude: anthropic.Anthropic) -> None:
    assert "claude" in {model.id for model in claude.models.list()}
    assert claude.models.retrieve("claude").type == "model"


def test_beta_headers_reach_the_vendor(claude: anthropic.Anthropic, gateway: Running) -> None:
    claude.messages.create(
        model="claude", max_tokens=50, messages=messages("beta"), extra_headers={"anthropic-beta": "tools-2026"}
    )
    headers = gateway.upstream.seen[-1].headers
    assert (headers["anthropic-beta"], headers["x-api-key"]) == ("tools-2026", "sk-other")


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("no-such-model", anthropic.NotFoundError),
        ("claude-wrong-request", anthropic.BadRequestError),
        ("claude-rate-limited", anthropic.RateLimitError),
        ("claude-server-error", anthropic.InternalServerError),
    ],
)
def test_what_goes_wrong_is_the_sdks_own_error(
    claude: anthropic.Anthropic, model: str, error: type[anthropic.APIStatusError]
) -> None:
    with pytest.raises(error) as caught:
        claude.messages.create(model=model, max_tokens=5, messages=messages("x"))
    assert caught.value.request_id.startswith("req_")
    assert caught.value.body["type"] == "error"


def test_a_stream_that_breaks_says_so_in_the_stream(claude: anthropic.Anthropic) -> None:
    stream = claude.messages.create(model="claude-mid-error", max_tokens=5, messages=messages("x"), stream=True)
    with pytest.raises(anthropic.APIError):
        list(stream)


def test_the_async_sdk_streams(gateway: Running) -> None:
    async def run() -> str:
        async with (
            anthropic.AsyncAnthropic(base_url=f"{gateway.url}/anthropic", api_key="none") as client,
            client.messages.stream(model="claude", max_tokens=50, messages=messages("async")) as stream,
        ):
            return "".join([text async for text in stream.text_stream])

    assert asyncio.run(run()) == "You said: async"
