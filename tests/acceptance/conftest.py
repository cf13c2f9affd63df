"""A gateway process, a scripted vendor, and the official SDKs between which nothing is faked."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

import anthropic
import httpx
import openai
import pytest
from acceptance_support import Running, running


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One gateway for all tests; they keep apart by what they ask."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = contextlib.AsyncExitStack()
    try:
        context = running(tmp_path_factory.mktemp("gateway"))
        yield asyncio.run_coroutine_threadsafe(stack.enter_async_context(context), loop).result(40)
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(40)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@pytest.fixture
def client(gateway: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def claude(gateway: Running) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=gateway.url, api_key="none", max_retries=0) as client:
        yield client


@pytest.fixture
def http(gateway: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=gateway.url, timeout=20) as client:
        yield client
