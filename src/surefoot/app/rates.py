"""Rate limits: what may be asked in each calendar minute, held by counters in memory.

A process counts its own requests. Where other processes may serve the same callers (PostgreSQL), it draws shares of the minute
from the store, a twentieth at a time, and counts within them: together they never let more through than the limit, the database
is asked about twenty times a minute and limit, and a share that one process does not use up is missing to the others until the
minute ends. Tokens are charged at the door by an estimate, and corrected when the request has ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from surefoot.errors import RateLimited
from surefoot.policy import Rates
from surefoot.records import Rate, Request
from surefoot.records.rate import RateState
from surefoot.store.budgets import Rates as Shares

MINUTE_NS = 60_000_000_000
SHARES = 20  # of a minute, drawn one after the other
_BYTES_PER_TOKEN = 3
_NO_LIMIT = 2**62

Pair = tuple[int, int]  # requests, tokens
_NONE: Pair = (0, 0)


class _Slot:
    """One pot in one minute, as this process sees it: (requests, tokens) used, had, and left in the store."""

    __slots__ = ("drawing", "had", "left", "minute", "most", "rate", "scope", "used")

    def __init__(self, scope: str, rate: Rate, minute: int, *, shared: bool) -> None:
        self.scope, self.rate, self.minute = scope, rate, minute
        self.most: Pair = (
            _NO_LIMIT if rate.requests is None else rate.requests, _NO_LIMIT if rate.tokens is None else rate.tokens
        )  # fmt: skip
        self.used: Pair = (0, 0)
        requests, tokens = shared and rate.requests is not None, shared and rate.tokens is not None
        self.left: Pair = (self.most[0] if requests else 0, self.most[1] if tokens else 0)
        self.had: Pair = (self.most[0] - self.left[0], self.most[1] - self.left[1])
        self.drawing = asyncio.Lock()

    def lacks(self, need: Pair) -> Pair:
        """How many more of each must be had; (0, 0) when there is room."""
        return max(0, self.used[0] + need[0] - self.had[0]), max(0, self.used[1] + need[1] - self.had[1])

    def charge(self, need: Pair) -> None:
        """Count; negative numbers give back."""
        self.used = (self.used[0] + need[0], self.used[1] + need[1])

    def free(self, place: int) -> int:
        """What may still be asked, as far as this process knows."""
        return max(0, min(self.most[place], self.had[place] - self.used[place] + self.left[place]))


class RateLimits:
    """The limits of one configuration at a time. `current` gives the one that serves."""

    def __init__(self, shares: Shares, current: Callable[[], Rates]) -> None:
        self._shares, self._current = shares, current
        self._rates = Rates()
        self._places: dict[tuple[str, str, str], list[_Slot]] = {}  # by key, tenant and feature
        self._slots: dict[tuple[str, Rate], _Slot] = {}
        self._charged: dict[str, tuple[int, int, list[_Slot]]] = {}  # by request: minute, tokens, where
        self._minute = 0

    async def admit(self, request: Request) -> None:
        """Count a request in every pot it falls into, or in none.

        Raises: RateLimited; StoreError when shares cannot be drawn.
        """
        slots, need = self._slots_of(request), (1, _estimate(request))
        if not slots:
            return
        for slot in slots:
            await self._have(slot, need)
        for slot in slots:
            lacks = slot.lacks(need)
            if lacks != _NONE:
                raise _refusal(slot, lacks, need, request.at_ns)
        for slot in slots:
            slot.charge(need)
        self._charged[request.id] = (slots[0].minute, need[1], slots)

    def state(self, request: Request) -> RateState | None:
        """What is left in this minute of what the request falls under, the nearest to its end; None where nothing limits it."""
        slots = self._slots_of(request)
        if not slots:
            return None
        requests, tokens = (_nearest(slots, place) for place in (0, 1))
        return RateState(requests=requests, tokens=tokens, resets_at_ns=(slots[0].minute + 1) * MINUTE_NS)

    def ended(self, request_id: str, tokens: int) -> None:
        """Correct the estimate by what a request used, while its minute lasts."""
        charged = self._charged.pop(request_id, None)
        if charged is not None and charged[0] == self._minute:
            for slot in charged[2]:
                slot.charge((0, tokens - charged[1]))

    async def _have(self, slot: _Slot, need: Pair) -> None:
        """Draw shares until there is room or nothing is left."""
        if slot.lacks(need) == _NONE or slot.left == _NONE:
            return
        async with slot.drawing:
            lacks = slot.lacks(need)
            while any(lacks) and all(left > 0 for left, lack in zip(slot.left, lacks, strict=True) if lack):
                asked = tuple(
                    max(lack, most // SHARES) if lack else 0
                    for lack, most in zip(lacks, slot.most, strict=True)
                )  # fmt: skip
                grant = await self._shares.grant(slot.scope, slot.minute, asked=(asked[0], asked[1]), most=slot.most)
                slot.had = (slot.had[0] + grant.given[0], slot.had[1] + grant.given[1])
                slot.left = grant.left
                lacks = slot.lacks(need)

    def _slots_of(self, request: Request) -> list[_Slot]:
        """The pots that a request falls into, in its minute. A clock that was set back goes on counting where it was."""
        rates, minute = self._current(), request.at_ns // MINUTE_NS
        if minute > self._minute:
            self._minute = minute
            self._slots, self._places = {}, {}
            self._charged = {name: charged for name, charged in self._charged.items() if charged[0] == minute}
        if rates is not self._rates:  # another configuration: bars that stayed as they were go on counting
            self._rates, self._places = rates, {}
        if not (rates.organisation or rates.features or rates.tenants):
            return []
        place = (request.caller.key_id, request.caller.tenant, request.feature)
        found = self._places.get(place)
        if found is None:
            bars = rates.over(request.caller, request.feature)
            found = self._places[place] = [self._slot(scope, rate) for scope, rate in bars]
        return found

    def _slot(self, scope: str, rate: Rate) -> _Slot:
        found = self._slots.get((scope, rate))
        if found is None:
            found = self._slots[scope, rate] = _Slot(scope, rate, self._minute, shared=self._shares.shared)
        return found


def _refusal(slot: _Slot, lacks: Pair, need: Pair, at_ns: int) -> RateLimited:
    place = 0 if lacks[0] else 1
    wait = max(1, -(-((slot.minute + 1) * MINUTE_NS - at_ns) // 1_000_000_000))
    what = ("requests", "tokens")[place]
    return RateLimited(slot.scope, what, limit=slot.most[place], needed=need[place], wait_seconds=wait)


def _estimate(request: Request) -> int:
    """Tokens that a request may take: its body's, and of its output what the client limits it to."""
    if request.surface == "count_tokens":
        return 0
    return -(-len(request.body) // _BYTES_PER_TOKEN) + (request.max_output_tokens or 0) * request.choices


def _nearest(slots: list[_Slot], place: int) -> Pair | None:
    """(limit, remaining) of the pot that is nearest its end; None where nothing limits it."""
    bars = [(slot.most[place], slot.free(place)) for slot in slots if slot.most[place] < _NO_LIMIT]
    return min(bars, key=lambda bar: bar[1] / bar[0], default=None)
