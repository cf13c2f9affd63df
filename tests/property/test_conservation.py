"""Money is conserved: whatever dialect, stream, cache, retry or fallback, the ledger is the sum of the vendor's usage."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from surefoot.app import App
from surefoot.config.load import load_text
from surefoot.errors import UpstreamFailed
from surefoot.providers.testing import ScriptedUpstream
from surefoot.records import Request
from surefoot.store.memory import MemoryStore
from surefoot.wire.dialects import DIALECTS

PRICE = "price = { input_usd_per_million = 1.0, cached_usd_per_million = 0.5, output_usd_per_million = 2.0 }"
# By hand, in nano-dollars: 120 in at 1,000 and 30 out at 2,000 each; with 20 of the 120 cached at 500.
PLAIN, CACHED = 120 * 1000 + 30 * 2000, 100 * 1000 + 20 * 500 + 30 * 2000
COSTS = {
    "plain": PLAIN, "cached": CACHED, "gzip": PLAIN, "busy-then-ok": PLAIN,
    "fallback": PLAIN, "server-error": 0, "wrong-request": 0, "hit": 0,
}  # fmt: skip
CONFIG = """
[providers.openai]
kind = "openai"
base_url = "{url}/v1"
break_after = 0
retries = 1
[providers.anthropic]
kind = "anthropic"
base_url = "{url}"
break_after = 0
retries = 1
"""
TABLE = """
[models."{dialect}-{model}"]
provider = "{dialect}"
model = "{upstream}"
fallbacks = {fallbacks}
{price}
[features."{dialect}-{model}-{mode}"]
mode = "{mode}"
ladder = ["cache", "{dialect}-{model}"]
[features."{dialect}-{model}-{mode}".maps."{dialect}-{model}"]
p = 0.9
"""


def config_text(url: str) -> str:
    tables = [CONFIG.format(url=url)]
    for dialect in DIALECTS:
        for model in ("plain", "cached", "gzip", "busy-then-ok", "server-error", "wrong-request", "fallback"):
            upstream = "server-error" if model == "fallback" else model
            fallbacks = f'["{dialect}-plain"]' if model == "fallback" else "[]"
            both = [
                TABLE.format(
                    dialect=dialect, model=model, mode=mode, upstream=upstream, fallbacks=fallbacks, price=PRICE
                )
                for mode in ("observe", "enforce")
            ]
            tables += [both[0], both[1][both[1].index("[features") :]]
    return "\n".join(tables)


class World:
    """An application and its vendor on one loop."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.upstream = ScriptedUpstream()
        self.runner.run(self.upstream.__aenter__())
        self.app: App = self.runner.run(App.start(load_text(config_text(self.upstream.url)), store=MemoryStore()))
        self.count = 0

    def close(self) -> None:
        self.runner.run(self.app.close())
        self.runner.run(self.upstream.__aexit__())
        self.runner.close()

    def ask(self, dialect: str, model: str, mode: str, stream: bool, question: str) -> str:
        """Ask, and give the request's id."""
        self.count += 1
        body = DIALECTS[dialect].ask(question, (), model="surefoot", stream=stream)
        parsed = DIALECTS[dialect].parse(body, surface="chat")
        request = Request(
            id=f"req_{self.count}", at_ns=time.time_ns(), draw=f"{self.count:032x}", dialect=dialect, surface="chat",
            caller=self.app.caller(None), feature=f"{dialect}-{model}-{mode}", model="surefoot", stream=stream, body=body,
            top=parsed.top, max_output_tokens=parsed.max_output_tokens,
        )  # fmt: skip
        self.runner.run(self._send(request))
        return request.id

    async def _send(self, request: Request) -> None:
        try:
            if not request.stream:
                await self.app.answer(request)
                return
            reply = await self.app.stream(request, include_usage=False)
            async for _ in reply.events:
                pass
        except UpstreamFailed:
            pass

    def booked(self, request_id: str) -> int:
        entries = self.runner.run(self.app.store.ledger.entries(request_id=request_id))
        return sum(entry.nanodollars for entry in entries)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


asks = st.tuples(
    st.sampled_from(sorted(DIALECTS)),
    st.sampled_from(["plain", "cached", "gzip", "busy-then-ok", "server-error", "wrong-request", "fallback"]),
    st.sampled_from(["observe", "enforce"]),
    st.booleans(),
    st.booleans(),  # whether the same question is asked again
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(asks, min_size=1, max_size=4))
def test_the_ledger_equals_the_invoice_by_hand(world: World, given: list[tuple[str, str, str, bool, bool]]) -> None:
    before, invoice = world.runner.run(world.app.store.ledger.total()), 0
    for dialect, model, mode, stream, again in given:
        question = f"question {world.count}"
        for turn in range(1 + again):
            delivered = COSTS[model] > 0
            expected = COSTS["hit"] if turn and delivered else COSTS[model]
            invoice += expected
            assert world.booked(world.ask(dialect, model, mode, stream, question)) == expected
    assert world.runner.run(world.app.store.ledger.total()) - before == invoice


def test_a_stream_without_usage_is_booked_as_estimated_and_never_as_free(world: World) -> None:
    entries = []

    async def run() -> None:
        body = DIALECTS["openai"].ask("long question " * 20, (), model="surefoot", stream=True)
        parsed = DIALECTS["openai"].parse(body, surface="chat")
        request = Request(
            id="req_left", at_ns=time.time_ns(), draw="0" * 32, dialect="openai", surface="chat",
            caller=world.app.caller(None), feature="openai-plain-observe", model="surefoot", stream=True, body=body,
            top=parsed.top,
        )  # fmt: skip
        reply = await world.app.stream(request, include_usage=False)
        async for _ in reply.events:
            break  # the caller leaves after the first event
        await reply.events.aclose()  # type: ignore[attr-defined]
        entries.extend(await world.app.store.ledger.entries(request_id="req_left"))

    world.runner.run(run())
    assert entries and all(entry.estimated for entry in entries) and sum(entry.nanodollars for entry in entries) > 0
