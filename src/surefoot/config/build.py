"""From the settings as written to the policy they amount to. Pure."""

from __future__ import annotations

from decimal import Decimal

from surefoot.config.schema import BudgetSettings, FeatureSettings, File, MapSettings
from surefoot.policy import CacheRules, Feature, Map, Person, Policy, parse_ladder


def build_policy(settings: File) -> Policy:
    """The policy of a configuration. Raises ConfigError for a ladder that makes no sense."""
    return Policy.of({name: _feature(name, given, settings) for name, given in settings.features.items()})


def _feature(name: str, given: FeatureSettings, settings: File) -> Feature:
    enforce = given.mode == "enforce"
    return Feature(
        name=name,
        mode=given.mode,
        ladder=parse_ladder(given.ladder),
        person=_person(given.person, settings),
        confidence=given.confidence,
        uncalibrated=given.uncalibrated or ("climb" if enforce else "deliver"),
        stream=given.stream or ("hold" if enforce else "through"),
        maps={rung: _map(each) for rung, each in given.maps.items()},
        cache=CacheRules(ttl_seconds=given.cache.ttl_seconds),
        baseline=given.baseline or None,
        budget_nanodollars=nanodollars(given.budget.usd) if given.budget else None,
        budget_window=_window(given.budget),
    )


def nanodollars(usd: float) -> int:
    """USD as written, in nano-dollars, without the float's own error."""
    return int((Decimal(str(usd)) * 1_000_000_000).to_integral_value())


def _person(role: str, settings: File) -> Person:
    given = settings.people.get(role)
    if given is None:
        return Person(role=role)
    return Person(role=role, holding=given.holding, retry_after_seconds=given.retry_after_seconds)


def _map(given: MapSettings) -> Map:
    if given.p is not None:
        return Map(kind="fixed", p=given.p, margin=given.margin)
    if given.steps:
        return Map(kind="steps", signal=given.signal, steps=given.steps, margin=given.margin)
    a = 1.0 if given.a is None else given.a
    return Map(kind="logistic", signal=given.signal, a=a, b=given.b or 0.0, margin=given.margin)


def _window(given: BudgetSettings | None) -> str:
    return given.window if given else "month"
