"""From a configuration to what serves it: the only place that names a vendor. One immutable value, swapped by reference."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

import structlog
from msgspec.structs import replace

from surefoot.app.economics import baseline_name
from surefoot.app.evidence import check_set, reading
from surefoot.app.near import NearCache
from surefoot.app.scarcity import Balances
from surefoot.config.budgets import build_budgets, build_rates
from surefoot.config.load import Config
from surefoot.config.schema import File, ModelSettings, ProviderSettings
from surefoot.errors import ConfigError
from surefoot.pipeline import Stages
from surefoot.policy import Budgets, Feature, Policy, Rates
from surefoot.providers import Provider
from surefoot.providers.anthropic import AnthropicProvider
from surefoot.providers.extractive import Extractive
from surefoot.providers.openai import OpenAIProvider
from surefoot.providers.prices import PriceBook
from surefoot.providers.recorded import Recorded
from surefoot.providers.recorder import Recorder
from surefoot.providers.registry import Model, Registry
from surefoot.providers.simulated import Simulated
from surefoot.providers.tokens import Estimator
from surefoot.records import ModelPrice
from surefoot.records.audit import Stop
from surefoot.signals.router import Router, read_route
from surefoot.stages import Calls, Checks, Fit, Prefixes, ReadRequest
from surefoot.stages.check import HttpGate
from surefoot.stages.embedding import EmbedderRules, RemoteEmbedder
from surefoot.stages.handbook import Handbook
from surefoot.stages.read import Repeats
from surefoot.stages.recall import Recall
from surefoot.stages.routing import Latencies, Routing, Scarcity, Warmth
from surefoot.store import Store

_VENDORS = ("openai", "anthropic")

log = structlog.get_logger("surefoot")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptsSeen:
    """What a process has learned of prompts; it outlives the configuration."""

    estimator: Estimator = field(default_factory=Estimator)
    prefixes: Prefixes = field(default_factory=Prefixes)
    harmful: Mapping[str, bool] = field(default_factory=dict)  # by feature, whether its compression stopped itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything that changes when the configuration changes."""

    config: Config
    policy: Policy
    registry: Registry
    stages: Stages
    calls: Calls
    providers: tuple[Provider, ...]
    handbooks: Mapping[str, Handbook]  # by feature
    baselines: Mapping[str, ModelPrice | None]  # by feature: what its saving is stated against; None: no price is known
    budgets: Budgets
    rates: Rates
    gates: tuple[HttpGate, ...] = ()
    recorder: Recorder | None = None
    warmth: Warmth = field(default_factory=Warmth)
    latencies: Latencies = field(default_factory=Latencies)
    embedder: RemoteEmbedder | None = None  # None: words alone say how alike questions are

    async def close(self) -> None:
        """Let go of the providers' connections."""
        for provider in self.providers:
            await provider.close()
        for gate in self.gates:
            await gate.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is looked up at every request."""

    standings: Mapping[str, str] | None = None  # by feature, how its promise stands
    stops: Mapping[str, Stop] | None = None  # by feature, whether it is stopped
    repeats: Repeats | None = None  # knows which questions have a case
    people_spent: Container[str] = frozenset()  # the features whose human budget has no room for another case
    routers: Mapping[str, bytes] = field(default_factory=dict)  # by feature, the route model that labels taught
    latencies: Latencies | None = None  # of rungs, as this process saw them
    balances: Balances | None = None  # of the budgets that requests of routed features fall under
    near: NearCache | None = None  # knows what lies near
    lost: Callable[[str], None] = lambda what: None  # counts what failed open


NOTHING = Watched()


def build(
    config: Config, store: Store, prices: PriceBook, on_lost: Callable[[BaseException], None], watched: Watched = NOTHING,
    prompts: PromptsSeen | None = None,
) -> Runtime:  # fmt: skip
    """The runtime of a configuration. Raises ConfigError, also for a model that no price is known of.

    Args:
        watched: what its requests look up.
        prompts: what was learned of them before.
    """
    known = prompts or PromptsSeen()
    settings = config.settings
    providers = {name: _provider(name, given, settings) for name, given in settings.providers.items()}
    registry = Registry(
        models=_models(settings.models, providers, prices, strict=not config.unpriced_ok),
        vendors=tuple(provider for provider in providers.values() if provider.kind in _VENDORS),
        price_of=lambda provider, model: prices.price(provider.kind, model, None),
    )
    budgets = build_budgets(settings)
    masks = {name: feature.mask for name, feature in settings.features.items() if feature.mask}
    counted = any(model.context_tokens for model in settings.models.values())
    counted = counted or any(feature.cache_marks for feature in settings.features.values())
    calls = Calls(
        registry, store, on_lost=on_lost, masks=masks, estimator=known.estimator if counted else None,
        recall=Recall(store.cache, config.policy.features, watched.near),
    )  # fmt: skip
    warmth, latencies = Warmth(), watched.latencies or Latencies()
    scarce = None if watched.balances is None else watched.balances.over(budgets)
    embedder = _embedder(settings, registry, calls, budgets, masks, watched)
    seen = (warmth, latencies, scarce, embedder)
    readings = {
        name: replace(
            reading(given),
            routing=_routing(config.policy.features[name], registry, watched.routers, seen),
            near=watched.near.look_up(config.policy.features[name]) if watched.near is not None else None,
        )
        for name, given in settings.features.items()
    }
    handbooks = {name: found.handbook for name, found in readings.items() if found.handbook is not None}
    checks = {name: check_set(given, calls) for name, given in settings.features.items()}
    stages = Stages(
        read=ReadRequest(readings, watched.standings, watched.stops, watched.repeats, watched.people_spent, embedder),
        fit=Fit(
            registry,
            config.policy,
            handbooks,
            estimator=known.estimator,
            prefixes=known.prefixes,
            harmful=known.harmful,
            budgets=budgets,
        ),
        call=calls,
        check=Checks(checks),
    )
    asking = [*(each for found in checks.values() for each in found.asking)]
    asking += [gate for found in readings.values() if found.admission is not None for gate in found.admission.gates]
    gates = [each for each in asking if isinstance(each, HttpGate)]
    baselines = {name: _baseline(feature, registry) for name, feature in config.policy.features.items()}
    return Runtime(
        config=config, policy=config.policy, registry=registry, stages=stages, calls=calls,
        providers=tuple(providers.values()), gates=tuple(gates),
        recorder=Recorder(settings.recorder.file) if settings.recorder.file else None, handbooks=handbooks,
        baselines=baselines,
        budgets=budgets, rates=build_rates(settings), warmth=warmth, latencies=latencies, embedder=embedder,
    )  # fmt: skip


def _baseline(feature: Feature, registry: Registry) -> ModelPrice | None:
    model = registry.get(baseline_name(feature))
    return model.price if model is not None else None


def _embedder(
    settings: File, registry: Registry, calls: Calls, budgets: Budgets, masks: Mapping[str, tuple[str, ...]],
    watched: Watched,
) -> RemoteEmbedder | None:  # fmt: skip
    given = settings.embedder
    model = registry.get(given.model) if given is not None else None
    if given is None or model is None:
        return None
    rules = EmbedderRules(dimensions=given.dimensions, timeout_seconds=given.timeout_seconds)
    return RemoteEmbedder(model, calls, budgets, rules=rules, masks=masks, on_failed=lambda: watched.lost("embedding"))


def _routing(
    feature: Feature, registry: Registry, routers: Mapping[str, bytes],
    known: tuple[Warmth, Latencies, Scarcity | None, RemoteEmbedder | None],
) -> Routing | None:  # fmt: skip
    """What the feature expects of its rungs; None where it does not route. Rungs whose models clients name are left out."""
    if feature.route is None:
        return None
    models = {
        rung.name: tuple(model for name in rung.models if (model := registry.get(name)) is not None)
        for rung in feature.ladder
        if rung.models
    }
    data = routers.get(feature.name, b"") if feature.route.model else b""
    fitted = read_route(data) if data else None
    if data and fitted is None:
        log.warning("a route is of an earlier version: fit it again", feature=feature.name)
    warmth, latencies, scarcity, embedder = known
    return Routing(
        models=models, warmth=warmth, latencies=latencies, scarcity=scarcity,
        router=Router(fitted) if fitted is not None else None, embedder=embedder.name if embedder is not None else "",
    )  # fmt: skip


def _provider(name: str, given: ProviderSettings, settings: File) -> Provider:
    match given.kind:
        case "openai":
            return OpenAIProvider(name, given)
        case "anthropic":
            return AnthropicProvider(name, given)
        case "extractive":
            return Extractive.of(name, given)
        case "recorded":
            return Recorded.of(name, given)
        case "simulated":
            models = {model.model or key: model for key, model in settings.models.items() if model.provider == name}
            return Simulated.of(name, given, models)
        case _:
            raise ConfigError(f"unknown provider kind {given.kind!r}", key=f"providers.{name}.kind")


def _models(
    given: Mapping[str, ModelSettings], providers: Mapping[str, Provider], prices: PriceBook, *, strict: bool
) -> dict[str, Model]:
    models = {}
    for name, settings in given.items():
        provider, upstream = providers[settings.provider], settings.model or name
        models[name] = Model(
            name=name,
            provider=provider,
            upstream=upstream,
            price=_price(name, settings, provider, prices, strict=strict),
            context_tokens=settings.context_tokens,
            max_output_tokens=settings.max_output_tokens,
            fallbacks=settings.fallbacks,
            logprobs=settings.logprobs,
        )
    return models


def _price(
    name: str, settings: ModelSettings, provider: Provider, prices: PriceBook, *, strict: bool
) -> ModelPrice | None:
    if provider.kind == "extractive":
        return None
    price = prices.price(provider.kind, settings.model or name, settings.price)
    if price is None and strict and provider.kind in _VENDORS:
        raise ConfigError(
            f"no price is known for model {name!r}; say what it costs:\n\n{prices.block(name)}", key=f"models.{name}"
        )
    return price
