"""Money is conserved: whatever dialect, stream, cache, retry or fallback, the ledger is the sum of the vendor's usage."""

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world_support import World

from surefoot.errors import UpstreamFailed
from surefoot.records import Request
from surefoot.records.case import human_cost
from surefoot.records.person import Person
from surefoot.wire.dialects import DIALECTS

ANN = Person(name="ann", shown="Ann", role="manager")
FIVE_MINUTES = 5_000_000_000  # at 60 USD an hour
PRICE = "price = { input_usd_per_million = 1.0, cached_usd_per_million = 0.5, output_usd_per_million = 2.0 }"
# By hand, in nano-dollars: 120 in at 1,000 and 30 out at 2,000 each; with 20 of the 120 cached at 500.
PLAIN, CACHED = 120 * 1000 + 30 * 2000, 100 * 1000 + 20 * 500 + 30 * 2000
COSTS = {
    "plain": PLAIN, "cached": CACHED, "gzip": PLAIN, "busy-then-ok": PLAIN,
    "fallback": PLAIN, "server-error": 0, "wrong-request": 0, "hit": 0,
}  # fmt: skip
ALL = "people+organisation"  # the pot that everything falls into: its balance is the ledger's sum, to the nano-dollar
CONFIG = """
[budget]
usd = 1000000
window = "total"
people = true
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


PERSON = """
[features.unsure]
mode = "enforce"
ladder = ["openai-plain"]
maps.openai-plain = { p = 0.1 }
[people.person]
reserve_minutes = 5.0
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
    tables += [PERSON]
    return "\n".join(tables)


class Till(World):
    """With what its pot of everything holds."""

    def __init__(self) -> None:
        super().__init__(config_text)

    def ask(self, dialect: str, model: str, mode: str, stream: bool, question: str) -> str:
        """Ask, and give the request's id."""
        request = self.request(dialect, f"{dialect}-{model}-{mode}", question, stream=stream)
        self.runner.run(self._send(request))
        return request.id

    def ask_unsure(self) -> str:
        """Ask what a person must answer, and give the request's id."""
        request = self.request("openai", "unsure", f"unsure {self.count}")
        self.runner.run(self._send(request))
        return request.id

    def case_of(self, request_id: str) -> str:
        entry = self.runner.run(self.app.store.journal.get(request_id))
        assert entry is not None and entry.case_id is not None
        return entry.case_id

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

    def balance(self) -> tuple[int, int]:
        """(spent, reserved) of everything."""
        return self.runner.run(self.app.store.ledger.budget(ALL, "total"))

    def aside(self) -> int:
        """What the waiting cases set aside."""
        return FIVE_MINUTES * len(self.runner.run(self.app.store.cases.open_cases()))

    def total(self) -> int:
        return self.runner.run(self.app.store.ledger.total())

    def booked(self, request_id: str) -> int:
        entries = self.runner.run(self.app.store.ledger.entries(request_id=request_id))
        return sum(entry.nanodollars for entry in entries)


@pytest.fixture(scope="module")
def world() -> Iterator[Till]:
    world = Till()
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
def test_the_ledger_equals_the_invoice_by_hand(world: Till, given: list[tuple[str, str, str, bool, bool]]) -> None:
    before, invoice = world.runner.run(world.app.store.ledger.total()), 0
    for dialect, model, mode, stream, again in given:
        question = f"question {world.count}"
        for turn in range(1 + again):
            delivered = COSTS[model] > 0
            expected = COSTS["hit"] if turn and delivered else COSTS[model]
            invoice += expected
            assert world.booked(world.ask(dialect, model, mode, stream, question)) == expected
    assert world.total() - before == invoice
    assert world.balance() == (world.total(), world.aside())


def test_a_stream_without_usage_is_booked_as_estimated_and_never_as_free(world: Till) -> None:
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
    assert world.balance() == (world.total(), world.aside())
    assert entries and all(entry.estimated for entry in entries) and sum(entry.nanodollars for entry in entries) > 0


minutes = st.lists(st.one_of(st.none(), st.integers(0, 7200)), min_size=1, max_size=3)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes, st.booleans())
def test_peoples_minutes_are_in_the_same_sum(world: Till, worked: list[int | None], withdrawn: bool) -> None:
    """A case sets five minutes aside; every answer, taken back or not, books what it took; an ended case holds nothing."""
    before, cases = world.total(), world.app.store.cases
    request = world.ask_unsure()
    case = world.case_of(request)
    assert world.balance() == (world.total(), world.aside())
    if withdrawn:
        world.runner.run(cases.withdraw(case, tenant="local", at_ns=time.time_ns()))
        worked = []
    fence = 0
    for place, seconds in enumerate(worked):
        if place == 0:
            claim = world.runner.run(world.app.desk.claim(case, by=ANN))
        else:
            claim = world.runner.run(world.app.desk.undo(case, by=ANN, fence=fence))
        assert claim is not None
        fence = claim.fence
        answer = world.app.desk.answer(
            case, by=ANN, fence=fence, verb="replace", text=f"Answer {place}.", seconds=seconds
        )
        assert world.runner.run(answer)
    booked = sum(human_cost(1 if seconds is None else seconds, 60_000_000_000) for seconds in worked)
    assert world.total() - before == PLAIN + booked
    assert world.balance() == (world.total(), world.aside())
