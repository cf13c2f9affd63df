"""LiteLLM's header names: only where they are wanted, and only what is true."""

from collections.abc import Iterator

import httpx
import pytest
from door_support import KNOWN, Door

from surefoot.config.schema import Server
from surefoot.server.asgi import Wire
from surefoot.server.proxy.litellm import litellm_headers


@pytest.fixture
def door() -> Iterator[Door]:
    door = Door(keyed=False)
    yield door
    door.close()


def sent(door: Door, *, wanted: bool, stream: bool) -> httpx.Response:
    body = {"model": "clinic", "stream": stream, "messages": [{"role": "user", "content": KNOWN}]}

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(Wire(door.app, Server(litellm_headers=wanted)), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
            return await client.post("/v1/chat/completions", json=body)

    return door.runner.run(run())


@pytest.mark.parametrize("stream", [False, True])
def test_they_say_what_our_own_headers_say(door: Door, stream: bool) -> None:
    headers = sent(door, wanted=True, stream=stream).headers
    assert headers["x-litellm-call-id"] == headers["x-request-id"]
    assert headers["x-litellm-response-cost"] == headers["x-surefoot-cost-usd"]
    assert headers["x-litellm-model-id"] == headers["x-surefoot-model"] and headers["x-litellm-model-group"] == "clinic"
    assert ("x-litellm-overhead-duration-ms" in headers) is not stream


def test_nobody_gets_them_unasked(door: Door) -> None:
    assert not [name for name in sent(door, wanted=False, stream=False).headers if name.startswith("x-litellm")]


def test_a_cost_that_is_not_known_yet_is_left_out_and_a_name_cannot_break_the_header() -> None:
    found = dict(litellm_headers([("x-surefoot-decision", "pending")], request_id="r", group="a\r\nx: é", own_us=None))
    assert found == {"x-litellm-call-id": "r", "x-litellm-model-group": "ax: "}
