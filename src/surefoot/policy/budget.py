"""Which budgets and rates a call must fit in: pure arithmetic on the places it belongs to and the clock read at the door.

A pot is named by what is added up in it: everything, or what one key, tenant or feature spent. Two budgets over the same pot
and window are two bars on one balance.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct

from surefoot.records import Budget, BudgetLimit, Caller, Rate

WINDOWS = ("hour", "day", "week", "month", "total")
HOUR_NS = 3_600_000_000_000
_PEOPLE = "people+"  # before a pot that people's minutes are added to as well: other facts, another pot


class Budgets(Struct, frozen=True, kw_only=True):
    """Every budget of a configuration, by place. All that a call falls under must have room for it."""

    organisation: tuple[Budget, ...] = ()
    tenants: dict[str, tuple[Budget, ...]] = {}
    features: dict[str, tuple[Budget, ...]] = {}
    human: dict[str, tuple[Budget, ...]] = {}  # by feature: what its people may cost, models left out

    def limits(self, caller: Caller, feature: str, at_ns: int) -> tuple[BudgetLimit, ...]:
        """The bars over a model call of a caller, the narrowest place first; () when nothing limits it."""
        return tuple(_limit(scope, budget, at_ns) for scope, budget in self._over(caller, feature))

    def human_limits(self, caller: Caller, feature: str, at_ns: int) -> tuple[BudgetLimit, ...]:
        """The bars over people's minutes, none of which refuses: those that count people, then the human budget."""
        found = [(scope, budget) for scope, budget in self._over(caller, feature) if budget.people]
        found += [(human_scope(feature), budget) for budget in self.human.get(feature, ())]
        return tuple(_limit(scope, budget, at_ns, soft=True) for scope, budget in found)

    def _over(self, caller: Caller, feature: str) -> Iterator[tuple[str, Budget]]:
        """(pot, budget) of every place, the narrowest first."""
        if caller.budget_nanodollars is not None:
            own = Budget(nanodollars=caller.budget_nanodollars, window=caller.budget_window)
            yield f"key:{caller.key_id}/feature:{feature}/own", own
        for budget in caller.budgets:
            yield _pot(budget, f"key:{caller.key_id}"), budget
        of_feature, of_tenant, of_all = pots(caller, feature)
        for budget in self.features.get(feature, ()):
            yield _pot(budget, of_feature[budget.per]), budget
        for budget in self.tenants.get(caller.tenant, ()):
            yield _pot(budget, of_tenant[budget.per]), budget
        for budget in self.organisation:
            yield _pot(budget, of_all[budget.per]), budget


class Rates(Struct, frozen=True, kw_only=True):
    """Every rate limit of a configuration, by place. All that a request falls under must have room for it."""

    organisation: tuple[Rate, ...] = ()
    tenants: dict[str, tuple[Rate, ...]] = {}
    features: dict[str, tuple[Rate, ...]] = {}

    def over(self, caller: Caller, feature: str) -> tuple[tuple[str, Rate], ...]:
        """(pot, rate) of every place that a request belongs to, the narrowest first."""
        of_feature, of_tenant, of_all = pots(caller, feature)
        found = [(of_feature[rate.per], rate) for rate in self.features.get(feature, ())]
        found += [(of_tenant[rate.per], rate) for rate in self.tenants.get(caller.tenant, ())]
        return (*found, *((of_all[rate.per], rate) for rate in self.organisation))


def pots(caller: Caller, feature: str) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """By `per`, the pots that a request falls into at its feature, its tenant and the organisation."""
    tenant, key = f"tenant:{_plain(caller.tenant)}", f"key:{caller.key_id}"
    on_feature = f"{tenant}/feature:{feature}"
    return (
        {"key": f"{key}/feature:{feature}", "tenant": on_feature, "all": f"feature:{feature}"},
        {"key": key, "feature": on_feature, "all": tenant},
        {"key": key, "feature": f"feature:{feature}", "tenant": tenant, "all": "organisation"},
    )


def human_scope(feature: str) -> str:
    """The pot of what a feature's people cost."""
    return f"people:{feature}"


def window(kind: str, at_ns: int) -> tuple[str, int | None]:
    """(label, end in UTC nanoseconds) of the window of a kind that a moment lies in; a total never ends."""
    if kind == "total":
        return "total", None
    return _window(kind, at_ns // HOUR_NS)


@lru_cache(64)
def _window(kind: str, hour: int) -> tuple[str, int]:
    """The hour, day, week or month around an hour since the epoch."""
    at = datetime.fromtimestamp(hour * 3600, UTC)
    if kind == "hour":
        return f"{at:%Y-%m-%dT%H}", (hour + 1) * HOUR_NS
    day = at.replace(hour=0)
    if kind == "day":
        return f"{at:%Y-%m-%d}", _ns(day + timedelta(days=1))
    if kind == "week":
        iso = at.isocalendar()
        return f"{iso.year}-W{iso.week:02}", _ns(day + timedelta(days=8 - iso.weekday))
    return f"{at:%Y-%m}", _ns(day.replace(year=at.year + at.month // 12, month=at.month % 12 + 1, day=1))


def _ns(at: datetime) -> int:
    return int(at.timestamp()) * 1_000_000_000


def _pot(budget: Budget, scope: str) -> str:
    return _PEOPLE + scope if budget.people else scope


def _plain(tenant: str) -> str:
    """A tenant's name without the sign that parts a pot's name."""
    return tenant.replace("%", "%25").replace("/", "%2F")


def _limit(scope: str, budget: Budget, at_ns: int, *, soft: bool = False) -> BudgetLimit:
    label, ends_ns = window(budget.window, at_ns)
    return BudgetLimit(
        scope=scope, window=label, limit_nanodollars=budget.nanodollars, resets_at_ns=ends_ns, cheaper=budget.cheaper,
        warn_at=budget.warn_at, soft=soft,
    )  # fmt: skip
