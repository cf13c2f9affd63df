"""What is spent and reserved of each budget, as arithmetic: shared by every back-end, so that they cannot differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from surefoot.errors import BudgetSpent
from surefoot.records import BudgetLimit, Entry, Reservation

Budget = tuple[str, str]  # (scope, window)
_FULL_PPM = 1_000_000


class Warned(Struct, frozen=True, kw_only=True):
    """A level of a budget that was reached in one of its windows; the level 1 also when the budget refused a call."""

    scope: str
    window: str
    limit_nanodollars: int
    level_ppm: int  # share of the limit, in millionths
    spent: int  # nano-dollars, when it was reached
    at_ns: int = 0
    attempts: int = 0  # to tell somebody
    told_at_ns: int = 0  # 0: nobody was told yet

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What there is one warning of."""
        return self.scope, self.window, self.limit_nanodollars, self.level_ppm


def wait_ns(attempts: int) -> int:
    """How long a warning waits after so many attempts to tell it: a minute, then three times as long each time, at most 6 h."""
    return min(6 * 3600, 60 * int(3 ** (attempts - 1))) * 1_000_000_000


def levels_of(limit: BudgetLimit) -> tuple[int, ...]:
    """The shares at which people are told, in millionths."""
    return tuple(round(share * _FULL_PPM) for share in limit.warn_at)


def budgets_of(limits: Iterable[BudgetLimit]) -> tuple[Budget, ...]:
    """The budgets that limits speak of, each once: two limits on one budget are two bars, not two reservations."""
    if isinstance(limits, tuple) and len(limits) == 1:  # nearly always, and several times a request
        return ((limits[0].scope, limits[0].window),)
    return tuple(dict.fromkeys((limit.scope, limit.window) for limit in limits))


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
        self._warnings: dict[tuple[str, str, int, int], Warned] = {}

    def get(self, budget: Budget) -> tuple[int, int]:
        """(spent, reserved)."""
        return self._rows.get(budget, (0, 0))

    def changed(self) -> Sequence[tuple[int, int, str, str]]:
        """(spent, reserved, scope, window) of every budget that was touched, in the order of their names."""
        return [(*self._rows[budget], *budget) for budget in sorted(self._changed)]

    def reserve(self, reservation: Reservation) -> BudgetSpent | None:
        """Set the amount aside in all of its budgets, or in none and return why."""
        stopped = [limit for limit in reservation.limits if not self._has_room(limit, reservation.nanodollars)]
        if stopped:
            for limit in stopped:
                if _FULL_PPM in levels_of(limit):
                    self._crossed(limit, _FULL_PPM)
            # One budget that refuses rules over all that only leave out dear rungs.
            return self._refusal(next((limit for limit in stopped if not limit.cheaper), stopped[0]))
        self.move(reservation.limits, spent=0, reserved=reservation.nanodollars)
        return None

    def move(self, limits: Iterable[BudgetLimit], *, spent: int, reserved: int) -> None:
        """Add to what is spent and reserved of every budget that the limits name; negative amounts subtract."""
        for budget in budgets_of(limits):
            old_spent, old_reserved = self.get(budget)
            self._rows[budget] = (old_spent + spent, old_reserved + reserved)
            self._changed[budget] = None
        if spent > 0:
            self._warn(limits)

    def warnings(self) -> Mapping[tuple[str, str, int, int], Warned]:
        """Levels that spending was seen at or above, each once; whether they were known before is the back-end's to say."""
        return self._warnings

    def _has_room(self, limit: BudgetLimit, amount: int) -> bool:
        spent, reserved = self.get((limit.scope, limit.window))
        return limit.soft or spent + reserved + amount <= limit.limit_nanodollars

    def _refusal(self, limit: BudgetLimit) -> BudgetSpent:
        spent, reserved = self.get((limit.scope, limit.window))
        return BudgetSpent(
            limit.scope, spent=spent + reserved, limit=limit.limit_nanodollars, resets_at_ns=limit.resets_at_ns,
            window=limit.window, cheaper=limit.cheaper,
        )  # fmt: skip

    def _warn(self, limits: Iterable[BudgetLimit]) -> None:
        for limit in limits:
            if limit.warn_at:
                spent, _ = self.get((limit.scope, limit.window))
                for level in levels_of(limit):
                    if spent * _FULL_PPM >= level * limit.limit_nanodollars:
                        self._crossed(limit, level)

    def _crossed(self, limit: BudgetLimit, level: int) -> None:
        spent, _ = self.get((limit.scope, limit.window))
        found = Warned(
            scope=limit.scope, window=limit.window, limit_nanodollars=limit.limit_nanodollars, level_ppm=level, spent=spent
        )  # fmt: skip
        self._warnings.setdefault(found.key, found)
