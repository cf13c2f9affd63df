"""Which budgets and rates a call must fit in: pure arithmetic on the places it belongs to and the clock read at the door.

A pot is named by what is added up in it: everything, or what one key, tenant or feature spent. Two budgets over the same pot
and window are two bars on one balance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct

from surefoot.records import Budget, BudgetLimit, Caller, Rate

WINDOWS = ("hour", "day", "week", "month", "total")
HOUR_NS = 3_600_000_000_000
_SCARCEST = 100.0  # that a dollar ever counts
_REST_OF_A_TOTAL = 0.2
_DAY_LABEL = len("2026-11-24")
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


def scarcity(limits: Iterable[BudgetLimit], used: Mapping[tuple[str, str], int], at_ns: int) -> float | None:
    """What a dollar counts while budgets empty: 1 while each lasts until its window ends, more where one runs ahead of it.

    It is the share of the window that is left over the share of the budget that is left, of the budget where that is most,
    between 1 and 100. A total has no end: its last fifth counts as running out.
    Args:
        limits: that the call must fit in.
        used: by (pot, window) nano-dollars spent and reserved; budgets that are not there are not known yet.
    Returns: None when nothing is known of any.
    """
    known = [(limit, used[limit.scope, limit.window]) for limit in limits if (limit.scope, limit.window) in used]
    if not known:
        return None
    most = 1.0
    for limit, gone in known:
        left = max(0.0, 1 - gone / limit.limit_nanodollars) if limit.limit_nanodollars > 0 else 0.0
        most = max(most, rest_of(limit, at_ns) / max(left, 1 / _SCARCEST))
    return min(most, _SCARCEST)


def rest_of(limit: BudgetLimit, at_ns: int) -> float:
    """The share of a budget's window that is left at a moment, in [0, 1]; a fifth for a total."""
    ends_ns, label = limit.resets_at_ns, limit.window
    if ends_ns is None:
        return _REST_OF_A_TOTAL
    if "T" in label:
        length = HOUR_NS
    elif "W" in label:
        length = 7 * 24 * HOUR_NS
    elif len(label) == _DAY_LABEL:
        length = 24 * HOUR_NS
    else:
        length = ends_ns - _ns(datetime.fromisoformat(f"{label}-01").replace(tzinfo=UTC))
    return min(1.0, max(0.0, (ends_ns - at_ns) / length))


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
