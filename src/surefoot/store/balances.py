"""What is spent and reserved of each budget, as arithmetic: shared by every back-end, so that they cannot differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from surefoot.errors import BudgetSpent
from surefoot.records import BudgetLimit, Entry, Reservation
from surefoot.store import SPENT_BY

Budget = tuple[str, str]  # (scope, window)


def budgets_of(limits: Iterable[BudgetLimit]) -> tuple[Budget, ...]:
    """The budgets that limits speak of, each once: two limits on one budget are two bars, not two reservations."""
    if isinstance(limits, tuple) and len(limits) == 1:  # nearly always, and several times a request
        return ((limits[0].scope, limits[0].window),)
    return tuple(dict.fromkeys((limit.scope, limit.window) for limit in limits))


def check_spent(by: Iterable[str], step_ns: int) -> None:
    """Raises ValueError for a name that lines are not grouped by, or a step below 1."""
    if unknown := [name for name in by if name not in SPENT_BY]:
        raise ValueError(f"lines are not grouped by {', '.join(unknown)}; know {', '.join(SPENT_BY)}")
    if step_ns < 1:
        raise ValueError(f"a step of {step_ns} ns")


def orphan_entry(reservation: Reservation) -> Entry:
    """The ledger line that books an orphaned reservation at its worst case."""
    return _line(reservation, 1, "orphan")


def returned_entry(reservation: Reservation) -> Entry:
    """The line that takes an orphan's booking back, once its real cost has arrived after all."""
    return _line(reservation, -1, "orphan settled")


def _line(reservation: Reservation, sign: int, note: str) -> Entry:
    return Entry(
        request_id=reservation.request_id,
        at_ns=reservation.at_ns,
        tenant=reservation.tenant,
        key_id=reservation.key_id,
        feature=reservation.feature,
        rung=reservation.rung,
        provider=reservation.provider,
        model=reservation.model,
        kind="reservation",
        quantity=sign,
        price_per_million=0,
        nanodollars=sign * reservation.nanodollars,
        price_version="estimated",
        estimated=True,
        note=note,
    )


class Balances:
    """Budgets in nano-dollars while a transaction decides about them. A budget never seen is (0, 0)."""

    def __init__(self, rows: Mapping[Budget, tuple[int, int]] | None = None) -> None:
        self._rows: dict[Budget, tuple[int, int]] = dict(rows or {})
        self._changed: dict[Budget, None] = {}

    def get(self, budget: Budget) -> tuple[int, int]:
        """(spent, reserved)."""
        return self._rows.get(budget, (0, 0))

    def changed(self) -> Sequence[tuple[int, int, str, str]]:
        """(spent, reserved, scope, window) of every budget that was touched, in the order of their names."""
        return [(*self._rows[budget], *budget) for budget in sorted(self._changed)]

    def reserve(self, reservation: Reservation) -> BudgetSpent | None:
        """Set the amount aside in all of its budgets, or in none and return why."""
        amount = reservation.nanodollars
        for limit in reservation.limits:
            spent, reserved = self.get((limit.scope, limit.window))
            if spent + reserved + amount > limit.limit_nanodollars:
                return BudgetSpent(
                    limit.scope,
                    spent=spent + reserved,
                    limit=limit.limit_nanodollars,
                    resets_at_ns=limit.resets_at_ns,
                )
        self.move(reservation.limits, spent=0, reserved=amount)
        return None

    def move(self, limits: Iterable[BudgetLimit], *, spent: int, reserved: int) -> None:
        """Add to what is spent and reserved of every budget that the limits name; negative amounts subtract."""
        for budget in budgets_of(limits):
            old_spent, old_reserved = self.get(budget)
            self._rows[budget] = (old_spent + spent, old_reserved + reserved)
            self._changed[budget] = None
