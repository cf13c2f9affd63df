"""How full the budgets are that calls must fit in now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from surefoot.app.keys import LOCAL, caller_of
from surefoot.policy import Budgets
from surefoot.records import BudgetLimit
from surefoot.store import Store


class Level(Struct, frozen=True, kw_only=True):
    """One bar over one pot, in nano-dollars."""

    budget: str  # the pot's name
    window: str  # "2026-11-24", "2026-W48", "2026-11", "total"
    spent: int
    reserved: int  # set aside for calls under way and for the minutes of waiting cases
    limit: int
    resets_at_ns: int | None  # None: never
    cheaper: bool  # at the limit a call climbs only to cheaper rungs, instead of being refused

    @property
    def share(self) -> float | None:
        """How much of it is used; None for a limit of 0."""
        return (self.spent + self.reserved) / self.limit if self.limit else None

    @property
    def over(self) -> int:
        """What people spent beyond it; calls cannot."""
        return max(0, self.spent - self.limit)


async def levels(store: Store, budgets: Budgets, features: Iterable[str], now_ns: int) -> Sequence[Level]:
    """Every bar over the living keys' calls of these features, each once, fullest first. Raises StoreError."""
    found = [await _level(store, limit) for limit in await _limits(store, budgets, features, now_ns)]
    return sorted(found, key=lambda each: (-(1.0 if each.share is None else each.share), each.budget, each.window))


async def _limits(store: Store, budgets: Budgets, features: Iterable[str], now_ns: int) -> Sequence[BudgetLimit]:
    keys = await store.keys.all()
    callers = [caller_of(key) for key in keys if key.revoked_at_ns is None] if keys else [LOCAL]
    names = list(features)
    found: dict[BudgetLimit, None] = {}
    for caller in callers:
        for name in names:
            if not caller.features or name in caller.features:
                limits = (*budgets.limits(caller, name, now_ns), *budgets.human_limits(caller, name, now_ns))
                found |= dict.fromkeys(replace(limit, soft=False) for limit in limits)
    return list(found)


async def _level(store: Store, limit: BudgetLimit) -> Level:
    spent, reserved = await store.ledger.budget(limit.scope, limit.window)
    return Level(
        budget=limit.scope, window=limit.window, spent=spent, reserved=reserved, limit=limit.limit_nanodollars,
        resets_at_ns=limit.resets_at_ns, cheaper=limit.cheaper,
    )  # fmt: skip
