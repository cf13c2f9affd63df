"""The official OpenAI SDK against the running process."""

import asyncio
import time

import openai
import pytest
from acceptance_support import Running, ask, messages

TOOL = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def test_an_answer_comes_with_its_decision(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="plain", messages=messages("hello"))
    assert answer.choices[0].message.content == "You said: hello"
    note = answer.model_extra["surefoot"]
    assert (note["decision"], note["rung"], note["calibrated"]) == ("deliver", "requested", False)
    assert note["cost_usd"] == "0.000180000"


def test_the_request_id_is_the_sdks_own(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="plain", messages=messages("hello"))
    assert answer._request_id == answer.model_extra["surefoot"]["request_id"]


def test_a_stream_gives_the_same_text_and_ends_with_the_decision(client: openai.OpenAI) -> None:
    chunks = list(client.chat.completions.create(model="plain", messages=messages("stream"), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "You said: stream"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].model_extra["surefoot"]["cost_usd"] == "0.000180000"


def test_the_usage_chunk_comes_only_to_those_who_ask(client: openai.OpenAI) -> None:
    asked = dict(model="plain", messages=messages("usage"), stream=True)
    without = list(client.chat.completions.create(**asked))
    with_it = list(client.chat.completions.create(**asked, stream_options={"include_usage": True}))
    assert all(chunk.choices for chunk in without)
    assert with_it[-1].choices == [] and with_it[-1].usage.prompt_tokens == 120


def test_usage_is_asked_for_upstream_all_the_same(client: openai.OpenAI, gateway: Running) -> None:
    list(client.chat.completions.create(model="plain", messages=messages("look upstream"), stream=True))
    assert gateway.upstream.seen[-1].json["stream_options"] == {"include_usage": True}


def test_tools_are_carried_both_ways(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="tools", messages=messages("weather?"), tools=[TOOL])
    call = answer.choices[0].message.tool_calls[0]
    assert (call.function.name, call.function.arguments) == ("weather", '{"city":"Paris"}')


def test_streamed_tool_calls_add_up(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="tools", messages=messages("weather?"), tools=[TOOL], stream=True)
    parts = [call for chunk in stream for call in (chunk.choices[0].delta.tool_calls or ())]
    assert "".join(part.function.arguments or "" for part in parts) == '{"city":"Paris"}'


def test_images_and_unknown_fields_reach_the_vendor_untouched(client: openai.OpenAI, gateway: Running) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
    content = [{"type": "text", "text": "what is it"}, image]
    client.chat.completions.create(
        model="plain", messages=[{"role": "user", "content": content}], extra_body={"new_field": {"b": 1, "a": [2]}}
    )
    seen = gateway.upstream.seen[-1]
    assert seen.json["messages"][0]["content"] == content
    assert b'"new_field":{"b":1,"a":[2]}' in seen.body.replace(b" ", b"")


def test_our_key_goes_upstream_and_the_callers_headers_do_not(client: openai.OpenAI, gateway: Running) -> None:
    client.chat.completions.create(
        model="plain", messages=messages("headers"), extra_headers={"x-litellm-tags": "a,b", "Helicone-User-Id": "u"}
    )
    headers = gateway.upstream.seen[-1].headers
    assert headers["authorization"] == "Bearer sk-vendor"
    assert not [name for name in headers if name.startswith(("x-litellm", "helicone", "x-stainless", "x-surefoot"))]


def test_embeddings_pass_and_are_priced(client: openai.OpenAI) -> None:
    answer = client.embeddings.create(model="plain", input="hello", encoding_format="float")
    assert answer.data[0].embedding == [0.1, 0.2]
    assert answer.model_extra["surefoot"]["cost_usd"] == "0.000005000"


def test_models_are_listed_and_retrieved(client: openai.OpenAI) -> None:
    assert {"default", "plain"} <= {model.id for model in client.models.list()}
    assert client.models.retrieve("plain").id == "plain"


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("no-such-model", openai.NotFoundError),
        ("wrong-request", openai.BadRequestError),
        ("rate-limited", openai.RateLimitError),
        ("server-error", openai.InternalServerError),
        ("refused-key", openai.InternalServerError),
        ("garbage", openai.InternalServerError),
        ("html", openai.InternalServerError),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_goes_wrong_is_the_sdks_own_error(
    client: openai.OpenAI, model: str, error: type[openai.APIStatusError], stream: bool
) -> None:
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=model, messages=messages("x"), stream=stream)
    assert caught.value.request_id.startswith("req_")
    assert isinstance(caught.value.body, dict) and caught.value.body["message"]


def test_a_busy_vendor_is_asked_again_and_billed_once(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="busy-then-ok", messages=messages("x"))
    assert answer.model_extra["surefoot"]["cost_usd"] == "0.000180000"


def test_a_fallback_answers_for_a_broken_model(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="fallback", messages=messages("x"))
    assert answer.model == "plain"


def test_an_unavailable_rung_is_climbed_over(client: openai.OpenAI) -> None:
    note = client.chat.completions.create(model="climbing", messages=messages("x")).model_extra["surefoot"]
    assert (note["decision"], note["rung"]) == ("deliver", "plain")


def test_a_silent_vendor_is_given_up(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError) as caught:
        client.with_options(timeout=30).chat.completions.create(model="silent", messages=messages("x"))
    assert caught.value.status_code == 504


@pytest.mark.parametrize("model", ["half-stream", "mid-error"])
def test_a_stream_that_breaks_says_so_in_the_stream(client: openai.OpenAI, model: str) -> None:
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model=model, messages=messages("x"), stream=True))


def test_compressed_answers_are_read(client: openai.OpenAI) -> None:
    assert ask(client, "gzip", "x") == "You said: x"


def test_a_caller_that_leaves_a_stream_stops_the_vendor(client: openai.OpenAI, gateway: Running) -> None:
    left = gateway.upstream.left
    with client.chat.completions.create(model="plain", messages=messages("leave " * 50), stream=True) as stream:
        next(iter(stream))
    until = time.monotonic() + 5
    while gateway.upstream.left == left and time.monotonic() < until:
        time.sleep(0.02)
    assert gateway.upstream.left > left


def test_many_callers_at_once_each_get_their_own(gateway: Running) -> None:
    async def run() -> list[str | None]:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="none") as client:
            asked = (client.chat.completions.create(model="plain", messages=messages(str(n))) for n in range(40))
            return [answer.choices[0].message.content for answer in await asyncio.gather(*asked)]

    assert asyncio.run(run()) == [f"You said: {n}" for n in range(40)]


def test_the_async_sdk_streams(gateway: Running) -> None:
    async def run() -> str:
        async with openai.AsyncOpenAI(base_url=f"{gateway.url}/openai", api_key="none") as client:
            stream = await client.chat.completions.create(model="plain", messages=messages("async"), stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert asyncio.run(run()) == "You said: async"
