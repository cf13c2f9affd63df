"""From a configuration to what serves it: the only place that names a vendor. One immutable value, swapped by reference."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from surefoot.config.load import Config
from surefoot.config.schema import File, ModelSettings, ProviderSettings
from surefoot.errors import ConfigError
from surefoot.pipeline import Stages
from surefoot.policy import Policy
from surefoot.providers import Provider
from surefoot.providers.anthropic import AnthropicProvider
from surefoot.providers.extractive import Extractive
from surefoot.providers.openai import OpenAIProvider
from surefoot.providers.prices import PriceBook
from surefoot.providers.recorded import Recorded
from surefoot.providers.registry import Model, Registry
from surefoot.providers.simulated import Simulated
from surefoot.records import ModelPrice
from surefoot.stages import Calls, Checks, Fit, ReadRequest
from surefoot.stages.check import Agreement, Complete, Reported, Schema
from surefoot.store import Store

_VENDORS = ("openai", "anthropic")


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything that changes when the configuration changes."""

    config: Config
    policy: Policy
    registry: Registry
    stages: Stages
    calls: Calls
    providers: tuple[Provider, ...]

    async def close(self) -> None:
        """Let go of the providers' connections."""
        for provider in self.providers:
            await provider.close()


def build(config: Config, store: Store, prices: PriceBook, on_lost: Callable[[BaseException], None]) -> Runtime:
    """The runtime of a configuration. Raises ConfigError, also for a model that no price is known of."""
    settings = config.settings
    providers = {name: _provider(name, given, settings) for name, given in settings.providers.items()}
    registry = Registry(
        models=_models(settings.models, providers, prices, strict=not config.unpriced_ok),
        vendors=tuple(provider for provider in providers.values() if provider.kind in _VENDORS),
        price_of=lambda provider, model: prices.price(provider.kind, model, None),
    )
    calls = Calls(registry, store, on_lost=on_lost)
    schemas = {
        name: (Schema(feature.schema),)
        for name, feature in settings.features.items()
        if isinstance(feature.schema, dict)
    }
    stages = Stages(
        read=ReadRequest(),
        fit=Fit(registry, config.policy),
        call=calls,
        check=Checks((Complete(), Reported(), Agreement()), schemas),
    )
    return Runtime(
        config=config, policy=config.policy, registry=registry, stages=stages, calls=calls,
        providers=tuple(providers.values()),
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
