"""A bet is opened once, takes results while it is open, and ends once; every step is in the trail."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from surefoot.records.bet import DROPPED, OPENED, PROMOTED, RESULT, BetEvent, Result, Stake
from surefoot.store import Store

STAKE = Stake(feature="triage", objective="error", change="prompt", what="ask for the dose", moves=0.02, worth_usd=1.5)
FOUND = Result(stage="trial", effect=0.03, error=0.01, n=300, cost_usd=1.0, source="trial.json")


def event(kind: str, *, bet: str = "dose", at_ns: int = 1) -> BetEvent:
    """Something that Max did."""
    bodies = {OPENED: msgspec.json.encode(STAKE).decode(), RESULT: msgspec.json.encode(FOUND).decode()}
    return BetEvent(bet_id=bet, at_ns=at_ns, kind=kind, by="max", body=bodies.get(kind, "it works"))


async def test_a_bet_is_what_its_events_say_in_their_order(store: Store):
    taken = [
        await store.bets.append(event(kind, at_ns=at)) for at, kind in enumerate((OPENED, RESULT, RESULT, PROMOTED))
    ]
    assert taken == [True] * 4
    assert await store.bets.append(event(OPENED, bet="other", at_ns=9))
    first, second = await store.bets.all()
    assert (first.id, first.by, first.stake, first.results) == ("dose", "max", STAKE, (FOUND, FOUND))
    assert (first.state, first.ended_at_ns, first.why) == (PROMOTED, 3, "it works")
    assert (second.id, second.state, second.results) == ("other", "open", ())


async def test_what_is_not_open_takes_nothing(store: Store):
    assert not await store.bets.append(event(RESULT))
    assert await store.bets.append(event(OPENED)) and not await store.bets.append(event(OPENED))
    assert await store.bets.append(event(DROPPED))
    assert not any([await store.bets.append(event(kind)) for kind in (RESULT, PROMOTED, DROPPED, OPENED)])


async def test_each_step_is_in_the_trail(store: Store):
    for kind in (OPENED, RESULT, DROPPED):
        await store.bets.append(event(kind))
    rows = await store.audit.events(kind="bet.", on="dose")
    assert [(row.event.kind, row.event.by) for row in rows] == [
        ("bet.dropped", "max"), ("bet.result", "max"), ("bet.opened", "max"),
    ]  # fmt: skip


async def test_of_two_who_end_a_bet_at_once_one_does(store: Store):
    await store.bets.append(event(OPENED))
    assert sorted(await asyncio.gather(*(store.bets.append(event(kind)) for kind in (PROMOTED, DROPPED)))) == [
        False,
        True,
    ]


async def test_what_could_not_be_read_again_is_not_written(store: Store):
    for wrong in (event("bought"), msgspec.structs.replace(event(OPENED), body="{}")):
        with pytest.raises(ValueError, match=r"event|body"):
            await store.bets.append(wrong)
    assert await store.bets.all() == []
