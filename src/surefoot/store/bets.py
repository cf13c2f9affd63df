"""Bets, as a protocol and as arithmetic: events, and what they amount to. Shared by every back-end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec
from msgspec.structs import replace

from surefoot.records.bet import DROPPED, OPENED, PROMOTED, RESULT, Bet, BetEvent, Result, Stake

KINDS = {OPENED: "bet.opened", RESULT: "bet.result", PROMOTED: "bet.promoted", DROPPED: "bet.dropped"}  # in the trail


class Bets(Protocol):
    """Bets and what was found out about them. Append-only; the trail vouches for every event."""

    async def append(self, event: BetEvent) -> bool:
        """Whether it was taken: a bet is opened once, and what has ended takes nothing more. Durable before it returns.

        Raises: StoreError; ValueError for a kind that there is not, or a body that is not of it.
        """

    async def all(self) -> Sequence[Bet]:
        """Every bet, oldest first."""


def takes(kind: str, before: Sequence[str]) -> bool:
    """Whether a bet with events of these kinds takes another of `kind`."""
    return not before if kind == OPENED else bool(before) and not {PROMOTED, DROPPED} & set(before)


def check_event(event: BetEvent) -> None:
    """See that an event can be read again. Raises ValueError."""
    if event.kind not in KINDS:
        raise ValueError(f"a bet has no event {event.kind!r}; there are {', '.join(KINDS)}")
    try:
        if event.kind == OPENED:
            msgspec.json.decode(event.body, type=Stake)
        elif event.kind == RESULT:
            msgspec.json.decode(event.body, type=Result)
    except msgspec.MsgspecError as error:
        raise ValueError(f"the body of {event.kind} cannot be read: {error}") from None


def bets_of(events: Iterable[BetEvent]) -> list[Bet]:
    """The bets that events amount to, in the order in which they were opened."""
    found: dict[str, Bet] = {}
    for event in events:
        if event.kind == OPENED:
            stake = msgspec.json.decode(event.body, type=Stake)
            found[event.bet_id] = Bet(id=event.bet_id, opened_at_ns=event.at_ns, by=event.by, stake=stake)
            continue
        bet = found[event.bet_id]
        if event.kind == RESULT:
            result = msgspec.json.decode(event.body, type=Result)
            found[bet.id] = replace(bet, results=(*bet.results, result))
        else:
            found[bet.id] = replace(bet, state=event.kind, ended_at_ns=event.at_ns, why=event.body)
    return list(found.values())
