"""Rate limits: never more in a minute than allowed, in one process or several, and tokens as they were really used."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from surefoot.app.rates import MINUTE_NS, SHARES, RateLimits
from surefoot.errors import RateLimited
from surefoot.policy import Rates
from surefoot.records import Caller, Rate, Request
from surefoot.store.memorybudgets import MemoryRates

KEY = Caller(key_id="k", tenant="acme")
ASKED = Request(
    id="r", at_ns=MINUTE_NS * 7 + 1, draw="", dialect="openai", surface="chat", caller=KEY, feature="f", model="m",
    stream=False, body=b"x" * 30,
)  # fmt: skip


class Shared(MemoryRates):
    """A store that several processes draw from; counts how often it is asked."""

    shared = True

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    async def grant(self, scope, minute, *, asked, most):  # type: ignore[no-untyped-def]
        self.asked += 1
        await asyncio.sleep(0)
        return await super().grant(scope, minute, asked=asked, most=most)


def limits(*rates: Rate, shares: MemoryRates | None = None) -> RateLimits:
    told = Rates(features={"f": rates})
    return RateLimits(shares or MemoryRates(), lambda: told)


async def _let_in(limits: RateLimits, count: int, request: Request = ASKED) -> int:
    asked = (limits.admit(replace(request, id=f"{request.id}{n}")) for n in range(count))
    return sum(result is None for result in await asyncio.gather(*asked, return_exceptions=True))


def let_in(limits: RateLimits, count: int, request: Request = ASKED) -> int:
    return asyncio.run(_let_in(limits, count, request))


def test_a_minute_lets_in_what_its_limit_says_and_the_next_begins_anew() -> None:
    found = limits(Rate(requests=5, per="key"))
    assert let_in(found, 9) == 5
    assert let_in(found, 9, replace(ASKED, at_ns=ASKED.at_ns + MINUTE_NS)) == 5


def test_a_clock_that_was_set_back_gives_nothing_twice() -> None:
    found = limits(Rate(requests=5, per="key"))
    assert let_in(found, 9) == 5
    assert let_in(found, 9, replace(ASKED, at_ns=ASKED.at_ns - MINUTE_NS)) == 0


def test_each_key_has_its_own_pot_and_all_share_the_features() -> None:
    found = limits(Rate(requests=5, per="key"), Rate(requests=7, per="all"))
    assert let_in(found, 9) == 5
    assert let_in(found, 9, replace(ASKED, caller=Caller(key_id="other", tenant="acme"))) == 2


def test_a_refusal_names_the_level_and_when_to_come_again() -> None:
    found = limits(Rate(requests=1, per="key"))
    assert let_in(found, 1) == 1
    with pytest.raises(
        RateLimited, match=r"this key on feature f is reached: 1 requests a minute; try again in 60 sec"
    ) as refused:
        asyncio.run(found.admit(ASKED))
    assert refused.value.retry and refused.value.wait_seconds == 60
    state = found.state(ASKED)
    assert state is not None and (state.requests, state.tokens) == ((1, 0), None)
    assert state.resets_at_ns == 8 * MINUTE_NS


def test_what_never_fits_is_not_to_be_tried_again() -> None:
    with pytest.raises(RateLimited, match="never fits") as refused:
        asyncio.run(limits(Rate(tokens=5)).admit(ASKED))
    assert not refused.value.retry


def test_tokens_are_estimated_at_the_door_and_corrected_at_the_end() -> None:
    found = limits(Rate(tokens=100))
    asyncio.run(found.admit(replace(ASKED, max_output_tokens=80)))
    state = found.state(ASKED)
    assert state is not None and state.tokens == (100, 10)  # 30 bytes are 10 tokens
    found.ended("r", 25)
    state = found.state(ASKED)
    assert state is not None and state.tokens == (100, 75)
    found.ended("r", 25)
    assert found.state(ASKED) == state  # told twice, counted once


def test_counting_tokens_costs_none() -> None:
    found = limits(Rate(tokens=5))
    assert let_in(found, 3, replace(ASKED, surface="count_tokens")) == 3


def test_where_nothing_is_configured_nothing_is_counted() -> None:
    found = limits()
    assert let_in(found, 100) == 100 and found.state(ASKED) is None


@given(
    limit=st.integers(1, 60), processes=st.integers(1, 4), rounds=st.lists(st.integers(0, 30), min_size=1, max_size=6)
)  # fmt: skip
def test_processes_never_let_in_more_together_than_the_limit(limit: int, processes: int, rounds: list[int]) -> None:
    async def work() -> int:
        shares = Shared()
        each = [limits(Rate(requests=limit, tokens=10 * limit), shares=shares) for _ in range(processes)]
        total = 0
        for turn, count in enumerate(rounds):
            asked = (
                _let_in(process, count, replace(ASKED, id=f"{number}.{turn}.")) for number, process in enumerate(each)
            )  # fmt: skip
            total += sum(await asyncio.gather(*asked))
        return total

    assert asyncio.run(work()) <= limit


def test_one_process_may_use_the_whole_of_a_shared_limit_and_asks_the_store_seldom() -> None:
    shares = Shared()
    found = limits(Rate(requests=1000), shares=shares)
    assert let_in(found, 1500) == 1000
    assert shares.asked <= SHARES + 1
    state = found.state(ASKED)
    assert state is not None and state.requests == (1000, 0)
