"""A budget that nears its end is told of: once a level and window, again only when nobody took it."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from aiohttp import web

from surefoot.app.metrics import Metrics
from surefoot.app.notify import Notify
from surefoot.app.serving import Serving
from surefoot.app.settler import Settler
from surefoot.app.webhooks import DELIVERY, is_signed
from surefoot.config.load import load_text
from surefoot.errors import BudgetSpent
from surefoot.records import BudgetLimit, Commit, Entry, JournalEntry, Reservation, Settlement
from surefoot.store.memory import MemoryStore

CONFIG = """
[providers.up]
kind = "openai"
[models.m]
provider = "up"
price = {{ input_usd_per_million = 1.0, output_usd_per_million = 1.0 }}
[features.f]
ladder = ["m"]
[notify]
webhook = "http://127.0.0.1:{port}/"
webhook_secret = "s3cret"
webhook_allow = ["127.0.0.1"]
digest = ""
"""
BAR = BudgetLimit(scope="organisation", window="2026-11", limit_nanodollars=100, warn_at=(0.5, 0.8, 1.0))


class Told:
    """A store whose budget is spent, a receiver of notices, and replicas that tell."""

    def __init__(self) -> None:
        self.runner, self.store, self.count = asyncio.Runner(), MemoryStore(), 0
        self.taken: list[tuple[str, bytes]] = []
        self.status, self.lost, self.now_ns = 200, [], 0
        self.runner.run(self._begin())

    async def _begin(self) -> None:
        await self.store.start()
        site = web.Application()
        site.router.add_post("/", self._take)
        self._receiver = web.AppRunner(site)
        await self._receiver.setup()
        where = web.TCPSite(self._receiver, "127.0.0.1", 0)
        await where.start()
        port = self._receiver.addresses[0][1]
        config = load_text(CONFIG.format(port=port), environ={})
        self.serving = Serving(config, self.store, Settler(self.store, Metrics()))
        self.replicas = [
            Notify(self.store, self.serving, self.lost.append, clock=lambda: self.now_ns or time.time_ns())
            for _ in range(2)
        ]  # fmt: skip

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.read()
        assert is_signed(
            "s3cret", request.headers["x-surefoot-signature"], body, now_seconds=time.time(), tolerance_seconds=1e6
        )
        self.taken.append((request.headers[DELIVERY], body))
        return web.Response(status=self.status)

    def spend(self, amount: int) -> None:
        """Reserve, then settle."""
        self.count += 1
        name = f"r{self.count}"
        told = dict(request_id=name, at_ns=1, tenant="t", key_id="k", feature="f", rung="m", provider="p", model="m")
        line = Entry(kind="input", quantity=1, price_per_million=1, nanodollars=amount, price_version="v", **told)
        entry = JournalEntry(
            request_id=name, at_ns=1, draw="0" * 32, tenant="t", key_id="k", feature="f", dialect="openai", surface="chat",
            subject="s", policy="p", mode="observe", steps=(), action="deliver", rung="m",
        )  # fmt: skip

        async def work() -> None:
            await self.store.reserve(Reservation(id=name, nanodollars=amount, limits=(BAR,), **told))
            await self.store.commit(
                Commit(entry=entry, settlements=(Settlement(reservation_id=name, entries=(line,)),))
            )

        self.runner.run(work())

    def look(self) -> list[int]:
        """Which levels the replicas tell of now, in per cent."""
        found = [notice for each in self.replicas for notice in self.runner.run(each.look())]
        return [notice.numbers["level_ppm"] // 10_000 for notice in found]

    def close(self) -> None:
        self.runner.run(self.serving.close())
        self.runner.run(self._receiver.cleanup())
        self.runner.close()


@pytest.fixture
def told() -> Iterator[Told]:
    made = Told()
    yield made
    made.close()


def test_a_level_is_told_once_whoever_looks_and_however_often_it_is_passed(told: Told) -> None:
    told.spend(49)
    assert told.look() == []
    told.spend(2)
    assert told.look() == [50]
    told.spend(1)
    assert told.look() == [] and len(told.taken) == 1
    (body,) = [body.decode() for _, body in told.taken]
    assert "the budget of organisation for 2026-11 has reached 50 %" in body


def test_a_jump_over_two_levels_tells_of_both(told: Told) -> None:
    told.spend(90)
    assert told.look() == [50, 80]


def test_a_call_that_is_refused_is_the_last_level(told: Told) -> None:
    told.spend(90)
    told.look()
    with pytest.raises(BudgetSpent):
        told.spend(11)
    assert told.look() == [100]


def test_what_nobody_took_is_told_again_later_under_the_same_name(told: Told) -> None:
    told.status = 500
    told.spend(60)
    assert told.look() == [] and told.look() == [] and len(told.taken) == 1
    told.status, told.now_ns = 200, time.time_ns() + 61 * 10**9
    assert told.look() == [50]
    assert len({name for name, _ in told.taken}) == 1 and told.look() == []
    assert told.lost == ["notice by webhook"]
