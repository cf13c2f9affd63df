"""Which budgets a call must fit in: pure arithmetic on the key, the feature and the clock read at the door."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from surefoot.policy.policy import Feature
from surefoot.records import BudgetLimit, Caller

_DAY_NS = 86_400_000_000_000


def limits(caller: Caller, feature: Feature, at_ns: int) -> tuple[BudgetLimit, ...]:
    """The limits of a key on a feature: the feature's own and the key's; () when neither sets one."""
    scope = f"key:{caller.key_id}/feature:{feature.name}"
    found = []
    if feature.budget_nanodollars is not None:
        found.append(_limit(scope, feature.budget_nanodollars, feature.budget_window, at_ns))
    if caller.budget_nanodollars is not None:
        found.append(_limit(f"{scope}/own", caller.budget_nanodollars, caller.budget_window, at_ns))
    return tuple(found)


def window(kind: str, at_ns: int) -> tuple[str, int | None]:
    """(label, end in UTC nanoseconds) of the "day", "month" or "total" that a moment lies in; a total never ends."""
    if kind == "total":
        return "total", None
    return _window(kind, at_ns // _DAY_NS)


@lru_cache(64)
def _window(kind: str, day: int) -> tuple[str, int]:
    """The day or month around a day since the epoch."""
    at = datetime.fromtimestamp(day * 86_400, UTC)
    if kind == "day":
        return f"{at:%Y-%m-%d}", (day + 1) * _DAY_NS
    first = at.replace(year=at.year + at.month // 12, month=at.month % 12 + 1, day=1)
    return f"{at:%Y-%m}", int(first.timestamp()) * 1_000_000_000


def _limit(scope: str, limit: int, kind: str, at_ns: int) -> BudgetLimit:
    label, ends_ns = window(kind, at_ns)
    return BudgetLimit(scope=scope, window=label, limit_nanodollars=limit, resets_at_ns=ends_ns)
