"""How far the budgets have emptied that requests of routed features fall under: read again every second by every replica.

A start is chosen before anything is set aside: what is a second old may cost a choice, and exceeds no budget.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from surefoot.app.loops import keep
from surefoot.policy import Budgets, scarcity
from surefoot.records import BudgetLimit, Request
from surefoot.stages.routing import Scarcity
from surefoot.store import Store

_SECONDS = 1.0
_POTS = 500  # those that were asked for last are read


class Balances:
    """What is spent and reserved of the budgets that were asked for lately; nothing is read before somebody asks."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._used: OrderedDict[tuple[str, str], int | None] = OrderedDict()  # by (pot, window); None: not read yet

    def over(self, budgets: Budgets) -> Scarcity:
        """The scarcity of a configuration's budgets."""
        return _Scarcity(self, budgets)

    def weigh(self, limits: tuple[BudgetLimit, ...], at_ns: int) -> float | None:
        """What a dollar counts under some bars; None where there are none, or none was read yet."""
        known = {}
        for limit in limits:
            pot = (limit.scope, limit.window)
            used = self._used.setdefault(pot, None)
            self._used.move_to_end(pot)
            if used is not None:
                known[pot] = used
        while len(self._used) > _POTS:
            self._used.popitem(last=False)
        return scarcity(limits, known, at_ns)

    async def refresh(self) -> None:
        """Read the balances again. Raises StoreError."""
        for scope, window in list(self._used):
            spent, reserved = await self._store.ledger.budget(scope, window)
            if (scope, window) in self._used:
                self._used[scope, window] = spent + reserved

    async def keep_fresh(self, on_lost: Callable[[str], None]) -> None:
        """Refresh for ever; when the store does not answer, what was known goes on counting."""
        await keep(self.refresh, every_seconds=_SECONDS, what="budgets of routes", on_lost=on_lost)


class _Scarcity:
    def __init__(self, balances: Balances, budgets: Budgets) -> None:
        self._balances, self._budgets = balances, budgets

    def __call__(self, request: Request, /) -> float | None:
        limits = self._budgets.limits(request.caller, request.feature, request.at_ns)
        return self._balances.weigh(limits, request.at_ns) if limits else None
