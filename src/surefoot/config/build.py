"""From the settings as written to the policy they amount to. Pure."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from surefoot.config.budgets import nanodollars
from surefoot.config.hours import open_hours
from surefoot.config.schema import AdmitSettings, CacheSettings, FeatureSettings, File, MapSettings, RevenueSettings
from surefoot.policy import (
    Admit,
    CacheRules,
    Compress,
    Feature,
    Map,
    NearRules,
    Person,
    Policy,
    Promise,
    RevenueRules,
    RouteRules,
    continued,
    parse_ladder,
)

BAR = 0.85  # of a feature that says nothing else


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
        confidence=_bar(given),
        uncalibrated=given.uncalibrated or ("climb" if enforce else "deliver"),
        stream=given.stream or ("hold" if enforce or given.mask else "through"),
        maps={rung: _map(each) for rung, each in given.maps.items()},
        cache=_cache(given.cache),
        baseline=given.baseline or None,
        revenue=_revenue(given.revenue),
        per_answer=given.promise is None or given.confidence is not UNSET,
        promise=Promise(accuracy=given.promise.accuracy, assurance=given.promise.assurance) if given.promise else None,
        audit=given.audit,
        vary=given.vary,
        admits=tuple(_admit(each, given.person, settings) for each in given.admit),
        people=_people(given, settings),
        compress=Compress(target=given.compress.target, max_harm=given.compress.max_harm) if given.compress else None,
        window=given.window.keep if given.window else (),
        cache_marks=given.cache_marks,
        two_persons=given.two_persons,
        customers=dict(given.customers),
        undo_seconds=given.undo_seconds,
        bulk=given.bulk,
        route=_route(given),
    )


def _cache(given: CacheSettings) -> CacheRules:
    if given.kind != "near":
        return CacheRules(ttl_seconds=given.ttl_seconds)
    near = NearRules(
        errors_per_request=given.errors_per_request, errors_per_hit=given.errors_per_hit,
        shadow_requests=given.shadow_requests, label_error=given.label_error,
    )  # fmt: skip
    return CacheRules(ttl_seconds=given.ttl_seconds, near=near)


def _route(given: FeatureSettings) -> RouteRules | None:
    if given.route is None:
        return None
    return RouteRules(
        explore=given.route.explore, person_seconds=given.route.person_seconds, shadow=given.route.shadow,
        second_nanodollars=round(given.route.second_value * 1e9),
    )  # fmt: skip


def rung_models(settings: File) -> dict[str, tuple[str, ...]]:
    """By rung name, which models it means: "provider kind/upstream name". What labels taught of others does not count."""
    found = {}
    for feature in settings.features.values():
        ladder = parse_ladder(feature.ladder)
        for rung in (*ladder, *(more for each in ladder[1:] if (more := continued(each)) is not None)):
            found[rung.name] = tuple(_identity(name, settings) for name in rung.models)
    return found


def _identity(name: str, settings: File) -> str:
    model = settings.models.get(name)
    if model is None:
        return name
    provider = settings.providers.get(model.provider)
    return f"{provider.kind if provider else model.provider}/{model.model or name}"


def _bar(given: FeatureSettings) -> float:
    return BAR if isinstance(given.confidence, UnsetType) else given.confidence


def _admit(given: AdmitSettings, person: str, settings: File) -> Admit:
    role = _person(given.role or person, settings)
    return Admit(name=given.name, role=role.role, holding=given.holding or role.holding, red_flag=given.red_flag)


def _people(given: FeatureSettings, settings: File) -> dict[str, Person]:
    """Every role that a case of a feature may come to: its person's, its rules', and whoever is asked after them."""
    found: dict[str, Person] = {}
    ahead = [given.person, *(rule.role for rule in given.admit if rule.role)]
    while ahead:
        role = ahead.pop(0)
        if role not in found:
            found[role] = _person(role, settings)
            ahead += [found[role].next_role] if found[role].next_role else []
    return found


def _person(role: str, settings: File) -> Person:
    given = settings.people.get(role)
    if given is None:
        return Person(role=role)
    return Person(
        role=role,
        holding=given.holding,
        retry_after_seconds=given.retry_after_seconds,
        sla_seconds=given.sla_seconds,
        deadline_seconds=given.deadline_seconds,
        safe_default=given.safe_default,
        next_role=given.next_role,
        hourly_nanodollars=nanodollars(given.hourly_cost_usd),
        reserve_seconds=given.reserve_minutes * 60,
        capacity=given.capacity,
        hours=open_hours(given.hours, given.timezone),
        holding_closed=given.holding_closed,
    )


def _map(given: MapSettings) -> Map:
    if given.p is not None:
        return Map(kind="fixed", p=given.p, margin=given.margin)
    if given.steps:
        return Map(kind="steps", signal=given.signal, steps=given.steps, margin=given.margin)
    a = 1.0 if given.a is None else given.a
    return Map(kind="logistic", signal=given.signal, a=a, b=given.b or 0.0, margin=given.margin)


def _revenue(given: RevenueSettings | None) -> RevenueRules | None:
    if given is None:
        return None
    outcomes = {name: nanodollars(usd) for name, usd in given.outcomes.items()}
    return RevenueRules(request_nanodollars=nanodollars(given.request_usd), outcomes=outcomes)
