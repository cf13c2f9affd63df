"""Budgets at work: every level must have room, what does not fit is refused or left out, and everything is told apart."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest
from msgspec.structs import replace

from surefoot.app import App
from surefoot.app.reply import Reply
from surefoot.app.settle import NOBODY, UNCHECKED
from surefoot.config.load import load_text
from surefoot.errors import BudgetSpent
from surefoot.policy import window
from surefoot.providers.testing import ScriptedUpstream
from surefoot.records import Budget, Caller, NoDraft, Request
from surefoot.records.person import Person
from surefoot.replay import replay as replayed
from surefoot.store.memory import MemoryStore
from surefoot.wire.dialects import DIALECTS

T = TypeVar("T")
COST = 120 * 1000 + 30 * 2000  # of one call, in nano-dollars
DEAR = 4096 * 2000  # reserved for the output of one, and about 25,000 more for the prompt
CONFIG = """
{root}
[providers.openai]
kind = "openai"
base_url = "{url}/v1"
retries = 0
break_after = 0
[models.dear]
provider = "openai"
model = "plain"
{price}
[models.cheap]
provider = "openai"
model = "plain"
max_output_tokens = 100
{price}
[models.broken]
provider = "openai"
model = "server-error"
fallbacks = ["cheap"]
{price}
[people.person]
hourly_cost_usd = 60.0
reserve_minutes = 5.0
safe_default = "{default}"
[features.f]
{feature}
"""
PRICE = "price = { input_usd_per_million = 1.0, cached_usd_per_million = 0.5, output_usd_per_million = 2.0 }"
UNSURE = 'mode = "enforce"\nladder = ["cheap"]\nmaps.cheap = { p = 0.1 }\n'
RULE = '[[features.f.admit]]\nname = "urgent"\nphrases = ["chest pain"]\nholding = "Call 112."\nred_flag = true\n'
_numbers = itertools.count()


class World:
    """An application before a scripted vendor."""

    def __init__(self, app: App, upstream: ScriptedUpstream) -> None:
        self.app, self.upstream, self.store = app, upstream, app.store

    def request(
        self, text: str = "How long?", *, caller: Caller | None = None, surface: str = "chat", stream: bool = False
    ) -> Request:
        body = DIALECTS["openai"].ask(text, (), model="surefoot", stream=stream)
        if surface == "embeddings":
            body = b'{"model":"cheap","input":"x"}'
        parsed = DIALECTS["openai"].parse(body, surface=surface)
        return Request(
            id=f"req_b{next(_numbers)}", at_ns=time.time_ns(), draw="0" * 32, dialect="openai", surface=surface,
            caller=caller or self.app.caller(None), feature="f", model=parsed.model, stream=stream, body=body,
            top=parsed.top,
        )  # fmt: skip

    async def ask(self, text: str = "How long?", **how: object) -> Reply:
        return await self.app.answer(self.request(text, **how))  # type: ignore[arg-type]

    async def balance(self, scope: str, kind: str = "month") -> tuple[int, int]:
        return await self.store.ledger.budget(scope, window(kind, time.time_ns())[0])


def run(feature: str, work: Callable[[World], Awaitable[T]], *, root: str = "", default: str = "decline") -> T:
    @contextlib.asynccontextmanager
    async def world() -> AsyncIterator[World]:
        async with ScriptedUpstream() as upstream:
            text = CONFIG.format(url=upstream.url, price=PRICE, root=root, feature=feature, default=default)
            app = await App.start(load_text(text, environ={}), store=MemoryStore())
            try:
                yield World(app, upstream)
            finally:
                await app.close()

    async def main() -> T:
        async with world() as here:
            return await work(here)

    return asyncio.run(main())


@pytest.mark.parametrize(
    ("root", "feature", "words"),
    [
        ("budget = { usd = 0 }", "", "the organisation"),
        ("", "budget = { usd = 0 }", "this key on feature f"),
        ("", 'budget = { usd = 0, per = "all" }', "feature f"),
        ("[tenants.local]\nbudget = { usd = 0 }", "", "this tenant"),
    ],
)
def test_the_level_that_has_no_room_is_named(root: str, feature: str, words: str) -> None:
    async def work(world: World) -> None:
        with pytest.raises(BudgetSpent, match=f"the budget of {words} for") as spent:
            await world.ask()
        own = words.startswith("this")
        assert ("USD are used" in spent.value.message) == own  # others' figures are nobody's business
        assert spent.value.resets_at_ns is not None and world.upstream.seen == []

    run('ladder = ["dear"]\n' + feature, work, root=root)


def test_all_levels_are_charged_what_a_call_cost() -> None:
    async def work(world: World) -> None:
        await world.ask()
        for scope in ("organisation", "tenant:local", "feature:f", "key:local/feature:f", "key:local"):
            assert await world.balance(scope) == (COST, 0)

    root = '[[budget]]\nusd = 1\n[[budget]]\nusd = 1\nper = "key"\n[tenants.local]\nbudget = { usd = 1 }\n'
    run('ladder = ["dear"]\nbudget = [{ usd = 1 }, { usd = 1, per = "all" }]\n', work, root=root)


def test_a_key_has_budgets_over_all_features() -> None:
    async def work(world: World) -> None:
        caller = Caller(key_id="k", tenant="local", budgets=(Budget(nanodollars=COST, window="day"),))
        with pytest.raises(BudgetSpent, match="the budget of this key for"):
            await world.ask(caller=caller)

    run('ladder = ["dear"]', work)


def test_a_rung_that_does_not_fit_is_left_out_and_the_next_one_answers() -> None:
    async def work(world: World) -> None:
        reply = await world.ask()
        assert reply.decision is not None and reply.decision.rung is not None
        assert (reply.decision.rung.name, reply.nanodollars) == ("cheap", COST)
        entry = await world.store.journal.get(reply.request_id)
        assert entry is not None
        (left_out,) = [step.value for step in entry.steps if isinstance(step.value, NoDraft)]
        assert (left_out.kind, left_out.rung, left_out.status) == ("budget", "dear", 429)
        assert left_out.limit is not None and left_out.limit.scope == "key:local/feature:f"
        assert (await replayed(world.store, reply.request_id)).same
        assert await world.balance("key:local/feature:f") == (COST, 0)
        assert b'surefoot_unaffordable_rungs_total{feature="f",rung="dear"} 1.0' in world.app.metrics.text()

    run('ladder = ["dear", "cheap"]\nbudget = { usd = 0.005, at_limit = "cheaper" }\n', work)


def test_one_budget_that_refuses_rules_over_one_that_leaves_out() -> None:
    async def work(world: World) -> None:
        with pytest.raises(BudgetSpent, match="the organisation"):
            await world.ask()

    run(
        'ladder = ["dear", "cheap"]\nbudget = { usd = 0.005, at_limit = "cheaper" }\n', work, root="budget = { usd = 0.006 }"
    )  # fmt: skip


def test_when_no_rung_fits_the_person_is_the_last_one() -> None:
    async def work(world: World) -> None:
        reply = await world.ask()
        assert reply.decision is not None and reply.decision.action == "escalate"
        assert "has no room" in reply.decision.verdict.reason and world.upstream.seen == []
        assert (await replayed(world.store, reply.request_id)).same

    run('mode = "enforce"\nladder = ["dear"]\nbudget = { usd = 0.001, at_limit = "cheaper" }\n', work)


@pytest.mark.parametrize("surface", ["chat", "embeddings"])
def test_where_nothing_may_go_to_a_person_nothing_that_fits_is_a_refusal(surface: str) -> None:
    async def work(world: World) -> None:
        request = world.request(surface=surface)
        with pytest.raises(BudgetSpent) as spent:
            await world.app.answer(request)
        assert not spent.value.retry and spent.value.resets_at_ns is not None
        assert (await replayed(world.store, request.id)).same

    run('ladder = ["dear"]\nbudget = { usd = 0.0, at_limit = "cheaper" }\n', work)


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_streams_leave_out_rungs_too(mode: str) -> None:
    async def work(world: World) -> None:
        reply = await world.app.stream(world.request(stream=True), include_usage=False)
        events = [event async for event in reply.events]
        assert b"data: [DONE]" in events[-1]
        assert await world.balance("key:local/feature:f") == (COST, 0)

    ladder = 'ladder = ["dear", "cheap"]\nmaps.cheap = { p = 0.9 }\n'
    run(f'mode = "{mode}"\n{ladder}budget = {{ usd = 0.005, at_limit = "cheaper" }}\n', work)


def test_answers_told_sentence_by_sentence_leave_out_rungs_too() -> None:
    async def work(world: World) -> None:
        request = replace(world.request("<context>You said so.</context> so", stream=True))
        reply = await world.app.stream(request, include_usage=False)
        async for _ in reply.events:
            pass
        entry = await world.store.journal.get(request.id)
        assert entry is not None and (await replayed(world.store, request.id)).same
        assert [step.value.kind for step in entry.steps if isinstance(step.value, NoDraft)] == ["budget"]
        assert await world.balance("key:local/feature:f") == (COST, 0)

    ladder = 'ladder = ["dear", "cheap"]\nmaps.cheap = { p = 0.9 }\nstream = "sentence"\n'
    run(f'mode = "enforce"\n{ladder}budget = {{ usd = 0.005, at_limit = "cheaper" }}\n', work)


def test_embeddings_are_set_aside_and_settled_like_everything() -> None:
    async def work(world: World) -> None:
        await world.ask(surface="embeddings")
        total = await world.store.ledger.total()
        assert total > 0 and await world.balance("organisation") == (total, 0)

    run('ladder = ["cheap"]', work, root="budget = { usd = 1 }")


def test_a_judge_is_charged_to_every_level() -> None:
    async def work(world: World) -> None:
        await world.ask()
        assert len(world.upstream.seen) == 2
        assert await world.balance("organisation") == (2 * COST, 0)

    run('ladder = ["cheap"]\njudge = { model = "cheap" }', work, root="budget = { usd = 1 }")


def test_a_caller_that_leaves_a_stream_leaves_nothing_set_aside() -> None:
    async def work(world: World) -> None:
        reply = await world.app.stream(world.request(stream=True), include_usage=False)
        async for _ in reply.events:
            break
        await reply.events.aclose()  # type: ignore[attr-defined]
        total = await world.store.ledger.total()
        assert total > 0 and await world.balance("organisation") == (total, 0)

    run('ladder = ["cheap"]', work, root="budget = { usd = 1 }")


@pytest.mark.parametrize("at_limit", ["refuse", "cheaper"])
def test_a_call_that_failed_before_its_fallback_was_refused_keeps_nothing_reserved(at_limit: str) -> None:
    async def work(world: World) -> None:
        request = world.request()

        async def one_more() -> None:  # while the first model is asked, somebody else takes the rest
            while not world.upstream.seen:
                await asyncio.sleep(0.001)

        taken = asyncio.create_task(one_more())
        with contextlib.suppress(BudgetSpent):
            await world.app.answer(request)
        await taken
        assert (await world.balance("key:local/feature:f"))[1] == 0

    # Room for one worst case, not for two: the failed call's is still set aside when the fallback asks.
    run(f'mode = "enforce"\nladder = ["broken"]\nbudget = {{ usd = 0.0083, at_limit = "{at_limit}" }}\n', work)


def test_a_pair_whose_second_model_does_not_fit_is_billed_for_its_first() -> None:
    async def work(world: World) -> None:
        with pytest.raises(BudgetSpent):
            await world.ask()
        assert await world.store.ledger.total() == COST
        assert await world.balance("key:local/feature:f") == (COST, 0)

    run('mode = "enforce"\nladder = ["cheap+dear"]\nbudget = { usd = 0.005 }\n', work)


HUMAN = "human_budget = { usd = 6.0 }\n"  # a case sets 5 USD aside: five minutes at 60 USD an hour


async def _open_and_spend(world: World, seconds: float) -> str:
    """The id of a case that a person worked on for so long."""
    reply = await world.ask(f"question {next(_numbers)}")
    entry = await world.store.journal.get(reply.request_id)
    assert entry is not None and entry.case_id is not None
    claim = await world.app.desk.claim(entry.case_id, by=BOSS)
    assert claim is not None
    assert await world.app.desk.answer(
        entry.case_id, by=BOSS, fence=claim.fence, verb="replace", text="Two days.", seconds=seconds
    )  # fmt: skip
    return entry.case_id


BOSS = Person(name="ann", shown="Ann", role="manager")


def test_minutes_are_set_aside_when_a_case_opens_and_settled_when_it_is_answered() -> None:
    async def work(world: World) -> None:
        reply = await world.ask()
        pots = ("people+organisation", "people:f")
        minutes = 5_000_000_000
        assert [await world.balance(pot) for pot in pots] == [(COST, minutes), (0, minutes)]
        case = (await world.store.journal.get(reply.request_id)).case_id  # type: ignore[union-attr]
        claim = await world.app.desk.claim(case, by=BOSS)
        await world.app.desk.answer(case, by=BOSS, fence=claim.fence, verb="replace", text="Two days.", seconds=60)
        assert [await world.balance(pot) for pot in pots] == [(COST + 10**9, 0), (10**9, 0)]
        assert await world.store.ledger.total() == COST + 10**9

    run(UNSURE + HUMAN, work, root="budget = { usd = 100, people = true }")


def test_a_case_that_is_withdrawn_gives_its_minutes_back() -> None:
    async def work(world: World) -> None:
        reply = await world.ask()
        entry = await world.store.journal.get(reply.request_id)
        assert entry is not None and entry.case_id is not None
        await world.store.cases.withdraw(entry.case_id, tenant="local", at_ns=time.time_ns())
        assert await world.balance("people:f") == (0, 0)

    run(UNSURE + HUMAN, work)


@pytest.mark.parametrize(("default", "words"), [("decline", NOBODY), ("stronger", NOBODY), ("draft", UNCHECKED)])
def test_without_money_for_a_person_the_safe_default_happens_at_once(default: str, words: str) -> None:
    async def work(world: World) -> None:
        await world.ask("the first")
        await world.app.human_budgets.refresh(*world.app._budgets())
        reply = await world.ask("the second")
        assert reply.decision is not None and reply.decision.action == "default"
        assert words in reply.body.decode() and dict(reply.headers)["x-surefoot-decision"] == "default"
        entry = await world.store.journal.get(reply.request_id)
        assert entry is not None and (entry.action, entry.case_id) == ("default", None)
        assert (await replayed(world.store, reply.request_id)).same
        assert len(await world.store.cases.open_cases()) == 1

    run(UNSURE + HUMAN, work, default=default)


@pytest.mark.parametrize("stream", ["hold", "sentence"])
def test_a_stream_ends_with_the_safe_default_too(stream: str) -> None:
    async def work(world: World) -> None:
        await world.ask("the first")
        await world.app.human_budgets.refresh(*world.app._budgets())
        reply = await world.app.stream(world.request("the second", stream=True), include_usage=False)
        said = b"".join([event async for event in reply.events]).decode()
        assert NOBODY in said and '"decision":"default"' in said

    run(UNSURE + f'stream = "{stream}"\n' + HUMAN, work)


def test_a_red_flag_opens_a_case_whatever_people_have_cost() -> None:
    async def work(world: World) -> None:
        await world.app.human_budgets.refresh(*world.app._budgets())
        reply = await world.ask("I have chest pain")
        assert reply.decision is not None and reply.decision.action == "escalate"
        assert (await world.balance("people:f"))[1] == 5_000_000_000  # over the budget, and shown to be

    run(UNSURE + "human_budget = { usd = 1.0 }\n" + RULE, work)


def test_people_never_refuse_a_model_where_a_budget_does_not_count_them() -> None:
    async def work(world: World) -> None:
        await _open_and_spend(world, 3600)
        reply = await world.ask("another")
        assert reply.decision is not None and await world.balance("organisation") == (2 * COST, 0)

    run(UNSURE, work, root="budget = { usd = 1 }")


def test_a_budget_that_counts_people_is_exceeded_by_them_and_then_refuses_models() -> None:
    async def work(world: World) -> None:
        await _open_and_spend(world, 3600)
        spent, reserved = await world.balance("people+organisation")
        assert (spent, reserved) == (COST + 60 * 10**9, 0)
        with pytest.raises(BudgetSpent, match="the organisation"):
            await world.ask("another")

    run(UNSURE, work, root="budget = { usd = 10, people = true }")


def test_the_same_question_again_joins_its_case_and_sets_nothing_aside() -> None:
    async def work(world: World) -> None:
        for _ in range(2):
            request = world.request("the same")
            await world.app.answer(replace(request, wait=replace(request.wait, joins=True)))
        assert await world.balance("people:f") == (0, 5_000_000_000)

    run(UNSURE + HUMAN, work)


def test_an_answer_given_twice_over_is_paid_for_twice() -> None:
    async def work(world: World) -> None:
        case_id = await _open_and_spend(world, 60)
        case = await world.store.cases.get(case_id, tenant="local")
        assert case is not None
        again = await world.app.desk.undo(case_id, by=BOSS, fence=case.fence)
        assert again is not None
        await world.app.desk.answer(case_id, by=BOSS, fence=again.fence, verb="replace", text="Three.", seconds=120)
        assert await world.balance("people:f") == (3 * 10**9, 0)

    run(UNSURE + HUMAN, work)
