"""The books close: whatever happens, entries, roll-ups, budgets and what callers were told are one sum, to the nano-dollar.

Over dialect, surface, stream, cache state, retry, fallback between models, callers that leave, models that we stop, tries that
fall silent, streams that break off, cache writes, usage that contradicts itself, judges and people's minutes; on two back-ends.
"""

import asyncio
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
from surefoot.store import Store
from surefoot.store.open import open_store
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
first_token_seconds = {patience}
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
price = {{ input_usd_per_million = 1.37, cached_usd_per_million = 0.51, cache_write_usd_per_million = 1.71, output_usd_per_million = 2.11, request_usd = 0.000003 }}
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
SENTENCES = 'stream = "sentence"'
KINDS = {  # name -> (how the vendor behaves, mode, p, more of the feature)
    **{
        each: (each, "enforce", 0.9, "")
        for each in ("plain", "cached", "writes-cache", "busy-then-ok", "no-usage", "below-zero", "contradicts")
    },
    "fallback": ("server-error", "enforce", 0.9, ""),
    "half-fallback": ("half-stream", "enforce", 0.9, ""),  # breaks off when streamed, then another model answers
    "gone": ("silent", "enforce", 0.9, ""),  # the caller leaves before anything came
    "stopped": ("slips", "enforce", 0.9, SENTENCES),  # we stop the model at an unsupported sentence
    "left-speaking": ("slips", "enforce", 0.9, SENTENCES),
    "refused": ("wrong-request", "enforce", 0.9, ""),
    "broken": ("half-stream", "observe", 0.9, ""),
    "left": ("plain", "observe", 0.9, ""),
    "judged": ("plain", "enforce", 0.9, 'judge = { model = "openai-top" }'),
    "asked": ("plain", "enforce", 0.5, ""),
}
SURFACES = {  # of kinds that are no chat: (surface, how the vendor behaves)
    **{
        f"embeds-{each}": ("embeddings", each)
        for each in ("plain", "busy-then-ok", "no-usage", "contradicts", "silent")
    },
    "embeds-fallback": ("embeddings", "server-error"),
    "counts": ("count_tokens", "plain"),
}
IN, CACHED, WRITTEN, OUT, REQUEST = 1370, 510, 1710, 2110, 3000  # nano-dollars for a token, and for each request
TOP_IN, TOP_OUT = 10_010, 30_030
BY_HAND = {  # what a call costs by the vendor's own usage, where that can be known
    "plain": 120 * IN + 30 * OUT + REQUEST,
    "busy-then-ok": 120 * IN + 30 * OUT + REQUEST,
    "cached": 100 * IN + 20 * CACHED + 30 * OUT + REQUEST,
    "writes-cache": 50 * IN + 20 * CACHED + 50 * WRITTEN + 30 * OUT + REQUEST,
    "contradicts": {"openai": 120 * CACHED + 80 * OUT + REQUEST, "anthropic": 120 * IN + 60 * OUT + REQUEST},
    "fallback": 120 * TOP_IN + 30 * TOP_OUT,
    "judged": 120 * (IN + TOP_IN) + 30 * (OUT + TOP_OUT) + REQUEST,
    "refused": 0,
    "embeds-plain": 5 * IN + REQUEST,
    "embeds-busy-then-ok": 5 * IN + REQUEST,
    "embeds-contradicts": 120 * CACHED + 80 * OUT + REQUEST,
    "embeds-fallback": 5 * TOP_IN,
    "counts": 0,
}
PASSAGE = "Refills take two working days. Call the pharmacy before noon. The desk is open from 8 to 17 on weekdays."
TEXTS = {
    "slips": "Refills take two working days. Call the pharmacy before midnight on Sundays in Antarctica. Good luck to you."
}
AMY = Person(name="amy", shown="Amy", role="operator")


def name_of(dialect: str, kind: str) -> str:
    return f"{dialect}-{kind}"


def config(url: str, patience: float = 60.0) -> str:
    tables = [HEAD]
    others = {kind: (model, "observe", 0.9, "") for kind, (_, model) in SURFACES.items()}
    for dialect in sorted(DIALECTS):
        base = url + ("/v1" if dialect == "openai" else "")
        tables.append(PROVIDER.format(dialect=dialect, url=base, patience=patience))
        for kind, (model, mode, p, more) in (KINDS | others).items():
            fallbacks = f'["{dialect}-top"]' if kind.endswith("fallback") else "[]"
            given = {"dialect": dialect, "model": model, "mode": mode, "p": p, "more": more, "fallbacks": fallbacks}
            tables.append(FEATURE.format(name=name_of(dialect, kind), **given))
    return "\n".join(tables)


class Books(World):
    """With what callers were told."""

    def __init__(self, store: Store | None = None, patience: float = 60.0) -> None:
        super().__init__(lambda url: config(url, patience), store=store, texts=TEXTS)
        self.told: dict[str, int] = {}  # by request, as its answer said
        self.untold: set[str] = set()  # those that ended without an answer

    async def ask(self, dialect: str, kind: str, stream: bool, question: str) -> Request:
        surface, _ = SURFACES.get(kind, ("chat", ""))
        dialect = {"embeddings": "openai", "count_tokens": "anthropic"}.get(surface, dialect)
        stream = stream and surface == "chat"
        given = (PASSAGE,) if KINDS.get(kind, ("",))[0] == "slips" else ()
        name = name_of(dialect, kind)
        request = self.request(dialect, name, question, stream=stream, surface=surface, passages=given)
        try:
            if kind in ("gone", "embeds-silent"):
                await self._leave(request)
            elif not stream:
                reply = await self.app.answer(request)
                self.told[request.id] = _said(json.loads(reply.body)["surefoot"]["cost_usd"])
                assert dict(reply.headers)["x-surefoot-cost-usd"] == json.loads(reply.body)["surefoot"]["cost_usd"]
            else:
                await self._listen(request, leaves=kind in ("left", "left-speaking"))
        except UpstreamFailed:
            self.untold.add(request.id)
        return request

    async def _leave(self, request: Request) -> None:
        """Hang up as soon as the vendor was asked."""
        asked = len(self.upstream.seen)
        begun = self.app.stream(request, include_usage=False) if request.stream else self.app.answer(request)
        call = asyncio.ensure_future(begun)
        while len(self.upstream.seen) == asked:
            await asyncio.sleep(0.001)
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        self.untold.add(request.id)

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
        for name in self.untold:  # whoever left does not wait for what is booked of it
            while await self.app.store.journal.get(name) is None:
                await asyncio.sleep(0.001)
        await self.app.store.flush()
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


@pytest.fixture(scope="module")
def sqlite_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Books]:
    world = Books(open_store(str(tmp_path_factory.mktemp("books") / "books.db"), key_file=bytes(32)))
    yield world
    world.close()


asks = st.tuples(
    st.sampled_from(sorted(DIALECTS)),
    st.sampled_from(sorted({*KINDS, *SURFACES})),
    st.booleans(),
    st.booleans(),  # whether the same question is asked again
    st.floats(0, 4000),  # how long the person took
    st.booleans(),  # whether an outcome is reported
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(asks, min_size=1, max_size=5))
def test_the_books_close_whatever_happens(world: Books, given) -> None:
    happen(world, given)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(asks, min_size=1, max_size=5))
def test_the_books_close_in_a_database_too(sqlite_world: Books, given) -> None:
    happen(sqlite_world, given)


def happen(world: Books, given) -> None:
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
@pytest.mark.parametrize("kind", sorted(BY_HAND))
def test_what_is_booked_is_the_vendors_usage_by_hand(world: Books, dialect: str, kind: str) -> None:
    request = world.runner.run(world.ask(dialect, kind, False, f"by hand {world.count}"))
    entries = world.runner.run(world.app.store.ledger.entries(request_id=request.id))
    expected = BY_HAND[kind]
    assert sum(entry.nanodollars for entry in entries) == (
        expected[dialect] if isinstance(expected, dict) else expected
    )


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("stream", [False, True])
def test_a_caller_that_leaves_pays_for_its_prompt_and_holds_nothing(world: Books, dialect: str, stream: bool) -> None:
    request = world.runner.run(world.ask(dialect, "gone", stream, f"long question {world.count}" * 20))
    world.runner.run(world.app.store.flush())
    lines = world.runner.run(world.app.store.ledger.entries(request_id=request.id))
    assert [(line.kind, line.estimated, line.note) for line in lines] == [
        ("input", True, "abandoned"), ("request", True, "abandoned"),
    ]  # fmt: skip
    world.runner.run(world.check())


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize("kind", ["stopped", "left-speaking", "half-fallback"])
def test_what_a_model_wrote_before_it_was_stopped_is_paid_for(world: Books, dialect: str, kind: str) -> None:
    request = world.runner.run(world.ask(dialect, kind, True, f"How long do refills take, {world.count}?"))
    world.runner.run(world.app.store.flush())
    lines = world.runner.run(world.app.store.ledger.entries(request_id=request.id))
    cut_off = [line for line in lines if line.estimated]
    assert {line.kind for line in cut_off} == {"input", "output", "request"}
    assert ("plain" in {line.model for line in lines if not line.estimated}) == (kind == "half-fallback")
    world.runner.run(world.check())


@pytest.mark.parametrize("dialect", sorted(DIALECTS))
@pytest.mark.parametrize(("model", "answered"), [("silent", False), ("silent-then-ok", True)])
def test_a_try_that_fell_silent_may_be_billed(dialect: str, model: str, answered: bool) -> None:
    KINDS["impatient"] = (model, "enforce", 0.9, "")
    impatient = Books(patience=0.15)
    try:
        request = impatient.runner.run(impatient.ask(dialect, "impatient", False, "long question " * 20))
        lines = impatient.runner.run(impatient.app.store.ledger.entries(request_id=request.id))
        unanswered = [line for line in lines if line.note == "unanswered" and line.kind == "input"]
        assert len(unanswered) == (1 if answered else 2) and all(line.estimated for line in unanswered)
        assert len({line.quantity for line in unanswered}) == 1
        assert sum(line.nanodollars for line in lines if not line.note) == (BY_HAND["plain"] if answered else 0)
        impatient.runner.run(impatient.check())
    finally:
        del KINDS["impatient"]
        impatient.close()


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
