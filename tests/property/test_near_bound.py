"""Wrong near hits stay within the bound whatever the map believes, with two processes on one account that see it late."""

import asyncio

import numpy as np
import pytest

from surefoot.learning.nearbook import NearBook
from surefoot.policy import NearLine, NearRules, closed, near_p
from surefoot.records import Nearness, Proposal
from surefoot.store.memory import MemoryStore

BOUND, REQUESTS, RUNS = 0.05, 1200, 40
NEAR = Nearness(answer="a", item="i", lead=0.5, score=0.8, nearest=0.9, support=3, crowd=2, record=0.0)
LIES = NearLine(center=(0.0,) * 6, scale=(1.0,) * 6, weight=(0.0,) * 6, bias=6.9, labels=300)  # p = 0.999 of anything
RULES = NearRules(errors_per_request=BOUND, shadow_requests=0, line=LIES)


async def exceeded(seed: int, error: np.ndarray, silent: float) -> tuple[bool, int]:
    """(whether at some time more was wrong than declared, hits); a share of verdicts never comes."""
    rng, store = np.random.default_rng(seed), MemoryStore()
    await store.start()
    books = (NearBook(RULES), NearBook(RULES))
    wrong_hits, over = 0, False
    for place, rate in enumerate(error):
        book = books[int(rng.integers(2))]
        book.saw(near_p(RULES, NEAR))
        if place % 10 == 0:  # each process looks at the store now and then
            for each in books:
                counted, each.counted = each.counted, 0
                each.account = await store.near.count("f", counted)
        if closed(RULES, 0.0, NEAR, book.gate(), believed_low=1.0):
            continue
        wrong, explored = bool(rng.random() < rate), bool(rng.random() < RULES.explore)
        proposal = Proposal(
            request_id=str(place), at_ns=place, tenant="t", feature="f", answer="a", item="i", inputs=(), p=0.999,
            action="explored" if explored else "hit",
        )  # fmt: skip
        counted, book.counted = book.counted, 0
        goes, book.account = await store.near.propose(proposal, requests=counted, room=book.room())
        if not goes:
            continue
        if not explored:
            wrong_hits += wrong
            over = over or wrong_hits > BOUND * (place + 1)
        elif rng.random() >= silent:
            await store.near.judge(str(place), not wrong, source="model", at_ns=place)
    return over, (await store.near.account("f")).hits


@pytest.mark.parametrize("silent", [0.0, 0.2])
def test_a_map_that_lies_costs_hits_and_never_the_bound(silent: float) -> None:
    turned = np.where(np.arange(REQUESTS) < 700, 0.0, 1.0)
    found = [
        asyncio.run(exceeded(seed, error, silent))
        for seed in range(RUNS // 2)
        for error in (np.full(REQUESTS, 0.3), turned)
    ]
    assert sum(over for over, _ in found) <= RUNS * 0.05 and max(hits for _, hits in found) > 0
