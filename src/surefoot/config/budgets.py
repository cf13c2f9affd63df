"""Budgets and rates as they are written: what is wrong with them, and the values they amount to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from surefoot.config.problem import Problem, near
from surefoot.config.schema import Budgets as Written
from surefoot.config.schema import BudgetSettings, File, HumanBudgetSettings, RateSettings
from surefoot.config.schema import Rates as WrittenRates
from surefoot.policy import WINDOWS, Budgets, Rates
from surefoot.records import Budget, Rate

AT_LIMIT = ("refuse", "cheaper")
_PER = {  # place -> what there may be a pot for; the first is the default
    "organisation": ("all", "tenant", "feature", "key"),
    "tenants": ("all", "feature", "key"),
    "features": ("key", "tenant", "all"),
}
_MOST_A_MINUTE = 10**12
_MOST_USD = 1e9  # in nano-dollars still far within 64 bits


def build_budgets(settings: File) -> Budgets:
    """Every budget of a configuration."""
    return Budgets(
        organisation=_all(settings.budget, "organisation"),
        tenants={name: _all(given.budget, "tenants") for name, given in settings.tenants.items() if given.budget},
        features={name: _all(given.budget, "features") for name, given in settings.features.items() if given.budget},
        human={name: (_human(given.human_budget),) for name, given in settings.features.items() if given.human_budget},
    )


def build_rates(settings: File) -> Rates:
    """Every rate limit of a configuration."""
    return Rates(
        organisation=_rates(settings.rate, "organisation"),
        tenants={name: _rates(given.rate, "tenants") for name, given in settings.tenants.items() if given.rate},
        features={name: _rates(given.rate, "features") for name, given in settings.features.items() if given.rate},
    )


def budget_problems(settings: File) -> Iterator[Problem]:
    """Everything that is wrong with them."""
    yield from _place(("budget",), settings.budget, "organisation")
    yield from _rate(("rate",), settings.rate, "organisation")
    for name, tenant in settings.tenants.items():
        yield from _place(("tenants", name, "budget"), tenant.budget, "tenants")
        yield from _rate(("tenants", name, "rate"), tenant.rate, "tenants")
    for name, feature in settings.features.items():
        yield from _place(("features", name, "budget"), feature.budget, "features")
        yield from _rate(("features", name, "rate"), feature.rate, "features")
        if feature.human_budget is not None:
            yield from _amount(("features", name, "human_budget"), feature.human_budget)


def nanodollars(usd: float) -> int:
    """USD as written, in nano-dollars, without the float's own error."""
    return int((Decimal(str(usd)) * 1_000_000_000).to_integral_value())


def _all(given: Written, place: str) -> tuple[Budget, ...]:
    return tuple(_budget(each, place) for each in _listed(given))


def _budget(given: BudgetSettings, place: str) -> Budget:
    return Budget(
        nanodollars=nanodollars(given.usd), window=given.window, per=given.per or _PER[place][0],
        cheaper=given.at_limit == "cheaper", warn_at=given.warn_at, people=given.people,
    )  # fmt: skip


def _human(given: HumanBudgetSettings) -> Budget:
    return Budget(nanodollars=nanodollars(given.usd), window=given.window, warn_at=given.warn_at, people=True)


def _listed(given: Written) -> tuple[BudgetSettings, ...]:
    return (given,) if isinstance(given, BudgetSettings) else given


def _place(path: tuple[str, ...], given: Written, place: str) -> Iterator[Problem]:
    seen: set[tuple[str, str, bool]] = set()
    for each in _listed(given):
        yield from _amount(path, each)
        per = each.per or _PER[place][0]
        yield from _per(path, per, place)
        if each.at_limit not in AT_LIMIT:
            hint = near(each.at_limit, AT_LIMIT)
            yield Problem((*path, "at_limit"), f'at_limit is "refuse" or "cheaper"{hint}')
        if (per, each.window, each.people) in seen:
            yield Problem(
                path, f"two budgets per {per} and {each.window} stand here: only the smaller would ever count"
            )
        seen.add((per, each.window, each.people))


def _per(path: tuple[str, ...], per: str, place: str) -> Iterator[Problem]:
    if per not in _PER[place]:
        words = " or ".join(f'"{word}"' for word in _PER[place])
        yield Problem((*path, "per"), f"a {path[-1]} stands here per {words}{near(per, _PER[place])}")


def _rates(given: WrittenRates, place: str) -> tuple[Rate, ...]:
    return tuple(
        Rate(requests=each.requests_per_minute, tokens=each.tokens_per_minute, per=each.per or _PER[place][0])
        for each in _listed_rates(given)
    )


def _listed_rates(given: WrittenRates) -> tuple[RateSettings, ...]:
    return (given,) if isinstance(given, RateSettings) else given


def _rate(path: tuple[str, ...], given: WrittenRates, place: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for each in _listed_rates(given):
        per = each.per or _PER[place][0]
        yield from _per(path, per, place)
        if each.requests_per_minute is None and each.tokens_per_minute is None:
            yield Problem(path, "a rate needs requests_per_minute or tokens_per_minute")
        for option in ("requests_per_minute", "tokens_per_minute"):
            most = getattr(each, option)
            if most is not None and not 1 <= most <= _MOST_A_MINUTE:
                yield Problem((*path, option), f"{option} is from 1 to {_MOST_A_MINUTE}")
        if per in seen:
            yield Problem(path, f"two rates per {per} stand here: write one")
        seen.add(per)


def _amount(path: tuple[str, ...], given: BudgetSettings | HumanBudgetSettings) -> Iterator[Problem]:
    if not 0 <= given.usd <= _MOST_USD:
        yield Problem((*path, "usd"), "a budget needs usd >= 0, and at most a billion")
    if given.window not in WINDOWS:
        yield Problem((*path, "window"), f"its window is one of {', '.join(WINDOWS)}{near(given.window, WINDOWS)}")
    if list(given.warn_at) != sorted(set(given.warn_at)) or not all(0 < share <= 1 for share in given.warn_at):
        yield Problem((*path, "warn_at"), "warn_at holds shares above 0 and at most 1, ascending")
    if given.warn_at and given.usd == 0 and math.isfinite(given.usd):
        yield Problem((*path, "warn_at"), "a budget of 0 has no shares to warn at")
