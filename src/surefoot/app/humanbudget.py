"""Which features have no money for another case: read again every second by every replica.

So a budget may be exceeded by the cases of one second, and by people who take longer than was set aside; what is over is shown
by `surefoot budgets` and warned of. A red flag opens a case whatever this says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Container

from surefoot.app.loops import keep
from surefoot.policy import Budgets, Policy, human_scope, window
from surefoot.records.case import human_cost
from surefoot.store import Store

_SECONDS = 1.0


class HumanBudgets(Container[str]):
    """The features whose human budget is spent or set aside so far that one more case does not fit."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._spent: frozenset[str] = frozenset()

    def __contains__(self, feature: object) -> bool:
        return feature in self._spent

    async def refresh(self, budgets: Budgets, policy: Policy) -> None:
        """Read the balances again. Raises StoreError."""
        now, spent = time.time_ns(), set()
        for name, bars in budgets.human.items():
            person = policy.features[name].person
            one = human_cost(round(person.reserve_seconds), person.hourly_nanodollars)
            for budget in bars:
                used, reserved = await self._store.ledger.budget(human_scope(name), window(budget.window, now)[0])
                if used + reserved + one > budget.nanodollars:
                    spent.add(name)
        self._spent = frozenset(spent)

    async def keep_fresh(self, current: Callable[[], tuple[Budgets, Policy]], on_lost: Callable[[str], None]) -> None:
        """Refresh for ever; when the store does not answer, what was known goes on counting."""
        await keep(lambda: self.refresh(*current()), every_seconds=_SECONDS, what="human budgets", on_lost=on_lost)
