"""The books close: whatever happens, entries, roll-ups, budgets and what callers were told are one sum, to the nano-dollar.

Over dialect, stream, cache state, retry, fallback, abandoned streams, usage that contradicts itself, judges and people's minutes.
"""

import json
from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world_support import World

from surefoot.app.money import Asked, requests, stated
from surefoot.app.outcomes import Report
from surefoot.errors import UpstreamFailed
from surefoot.ledger.statement import GROUPINGS
from surefoot.records import Request
from surefoot.records.person import Person
from surefoot.wire.dialects import DIALECTS

HEAD = """
[people.person]
hourly_cost_usd = 61.7
"""
PROVIDER = """
[providers.{dialect}]
kind = "{dialect}"
base_url = "{url}"
break_after = 0
retries = 1
[models.{dialect}-top]
provider = "{dialect}"
model = "plain"
price = {{ input_usd_per_million = 10.01, output_usd_per_million = 30.03 }}
"""
FEATURE = """
[models.{name}]
provider = "{dialect}"
model = "{model}"
fallbacks = {fallbacks}
price = {{ input_usd_per_million = 1.37, cached_usd_per_million = 0.51, output_usd_per_million = 2.11, request_usd = 0.000003 }}
[features.{name}]
mode = "{mode}"
ladder = ["cache", "{name}"]
baseline = "{dialect}-top"
budget = {{ usd = 1000.0, window = "total" }}
revenue = {{ request_usd = 0.02, outcomes = {{ resolved = 0.99 }} }}
{more}
[features.{name}.maps.{name}]
p = {p}
"""
KINDS = {  # name -> (how the vendor behaves, mode, p, more of the feature)
    **{
        each: (each, "enforce", 0.9, "")
        for each in ("plain", "cached", "busy-then-ok", "no-usage", "below-zero", "contradicts")
    },
    "fallback": ("server-error", "enforce", 0.9, ""),
    "refused": ("wrong-request", "enforce", 0.9, ""),
    "broken": ("half-stream", "observe", 0.9, ""),
    "left": ("plain", "observe", 0.9, ""),
    "judged": ("plain", "enforce", 0.9, 'judge = { model = "openai-top" }'),
    "asked": ("plain", "enforce", 0.5, ""),
}
AMY = Person(name="amy", shown="Amy", role="operator")


def name_of(dialect: str, kind: str) -> str:
    return f"{dialect}-{kind}"


def config(url: str) -> str:
    tables = [HEAD]
    for dialect in sorted(DIALECTS):
        tables.append(PROVIDER.format(dialect=dialect, url=url + ("/v1" if dialect == "openai" else "")))
        for kind, (model, mode, p, more) in KINDS.items():
            fallbacks = f'["{dialect}-top"]' if kind == "fallback" else "[]"
            given = {"dialect": dialect, "model": model, "mode": mode, "p": p, "more": more, "fallbacks": fallbacks}
            tables.append(FEATURE.format(name=name_of(dialect, kind), **given))
    return "\n".join(tables)


class Books(World):
    """With what callers were told."""

    def __init__(self) -> None:
        super().__init__(config)
        self.told: dict[str, int] = {}  # by request, as its answer said
        self.untold: set[str] = set()  # those that ended without an answer

    async def ask(self, dialect: str, kind: str, stream: bool, question: str) -> Request:
        request = self.request(dialect, name_of(dialect, kind), question, stream=stream)
        try:
            if not stream:
                reply = await self.app.answer(request)
                self.told[request.id] = _said(json.loads(reply.body)["surefoot"]["cost_usd"])
                assert dict(reply.headers)["x-surefoot-cost-usd"] == json.loads(reply.body)["surefoot"]["cost_usd"]
            else:
                await self._listen(request, leaves=kind == "left")
        except UpstreamFailed:
            self.untold.add(request.id)
        return request

    async def _listen(self, request: Request, *, leaves: bool) -> None:
        reply = await self.app.stream(request, include_usage=False)
        costs = []
        async for event in reply.events:
            if leaves:
                break
            data = event.partition(b"data: ")[2].strip()
            said = json.loads(data) if data.startswith(b"{") else {}
            notes = [each.get("surefoot") for each in (said, said.get("message") or {})]
            costs += [note["cost_usd"] for note in notes if note and note.get("cost_usd")]
        if leaves:
            await reply.events.aclose()  # type: ignore[attr-defined]
        if costs:
            self.told[request.id] = _said(costs[-1])
        else:
            self.untold.add(request.id)

    async def answer_case(self, request: Request, seconds: float) -> None:
        claim = await self.app.desk.next(by=AMY)
        assert claim is not None and claim.case.request_id == request.id
        await self.app.desk.answer(
            claim.case.id, by=AMY, fence=claim.fence, verb="replace", text="Rest.", seconds=seconds
        )

    async def check(self) -> None:
        """Every sum that must be the same one."""
        ledger = self.app.store.ledger
        entries = await ledger.entries()
        spent = sum(entry.nanodollars for entry in entries)
        human = sum(entry.nanodollars for entry in entries if entry.kind == "human")
        for by in GROUPINGS:
            found = await stated(self.app.store, by, Asked())
            assert found.total.nanodollars == spent == sum(line.nanodollars for line in found.lines)
            assert found.total.human_nanodollars == human
            assert found.total.revenue_nanodollars == sum(line.nanodollars for line in await ledger.revenue())
        each = [row async for row in requests(self.app.store, Asked())]
        assert sum(row.line.nanodollars for row in each) == spent and len(each) == self.count
        compared = [row for row in each if row.baseline_nanodollars is not None]
        assert found.total.baseline_nanodollars == sum(row.baseline_nanodollars or 0 for row in compared)
        assert found.total.compared_nanodollars == sum(row.line.nanodollars for row in compared)
        budgets = [await ledger.budget(f"key:local/feature:{name}", "total") for name in self.app.policy.features]
        assert sum(reserved for _, reserved in budgets) == 0
        assert sum(spent for spent, _ in budgets) == spent - human
        for row in each:
            machine = row.line.nanodollars - row.line.human_nanodollars
            assert row.request_id in self.untold or self.told[row.request_id] == machine


def _said(usd: str) -> int:
    return int(Decimal(usd) * 1_000_000_000)


@pytest.fixture(scope="module")
def world() -> Iterator[Books]:
    world = Books()
    yield world
    world.close()


asks = st.tuples(
    st.sampled_from(sorted(DIALECTS)),
    st.sampled_from(sorted(KINDS)),
    st.booleans(),
    st.booleans(),  # whether the same question is asked again
    st.floats(0, 4000),  # how long the person took
    st.booleans(),  # whether an outcome is reported
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(asks, min_size=1, max_size=5))
def test_the_books_close_whatever_happens(world: Books, given) -> None:
    async def run() -> None:
        for dialect, kind, stream, again, seconds, reported in given:
            question = f"question {world.count}"
            for _ in range(1 + (again and kind != "asked")):
                request = await world.ask(dialect, kind, stream, question)
                if reported:
                    report = Report(request_id=request.id, outcome="resolved")
                    await world.app.outcomes.report(world.app.caller(None), [report])
                if kind == "asked":
                    await world.answer_case(request, seconds)
        await world.check()

    world.runner.run(run())


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("kind", ["no-usage", "below-zero", "contradicts"])
@pytest.mark.parametrize("stream", [False, True])
def test_usage_that_cannot_be_is_estimated_and_the_answer_is_delivered(
    world: Books, dialect: str, kind: str, stream: bool
) -> None:
    request = world.runner.run(world.ask(dialect, kind, stream, f"strange {world.count}"))
    entries = world.runner.run(world.app.store.ledger.entries(request_id=request.id))
    assert entries and all(entry.estimated and entry.nanodollars > 0 for entry in entries)
    assert request.id in world.told


@pytest.mark.parametrize("stream", [False, True])
def test_a_cached_answer_costs_nothing_and_its_baseline_what_it_would_have(world: Books, stream: bool) -> None:
    question = f"memo {world.count}"
    world.runner.run(world.ask("openai", "plain", False, question))
    hit = world.runner.run(world.ask("openai", "plain", stream, question))
    entry = world.runner.run(world.app.store.journal.get(hit.id))
    assert world.told[hit.id] == 0
    assert (
        entry.baseline_nanodollars == 120 * 10_010 + 30 * 30_030
    )  # by hand: 120 tokens in, 30 out, at the top model's price
