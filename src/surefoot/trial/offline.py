"""A configuration that learns from a labelled file without asking a vendor: what the file holds of a model is given again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from surefoot.config.load import Config
from surefoot.config.schema import ModelSettings, ProviderSettings
from surefoot.errors import ConfigError
from surefoot.learning.gathered import of_today
from surefoot.providers.rows import Row

_PROVIDER = "the labelled file"
_VENDORS = ("openai", "anthropic")


def offline(config: Config, feature: str, file: Path, rows: Sequence[Row]) -> Config:
    """The configuration with every vendor's model answered from the file; providers in this process are asked as they are.

    A judge that is a vendor's model is left out, so that a map is fitted without its signal.
    Raises: ConfigError when the file has no answer of a model of the feature's ladder, which would have to be asked for money.
    """
    said = {name for row in rows for name in row.answers}
    settings = config.settings
    models = dict(settings.models)
    for name in config.policy.features[feature].models():
        given = settings.models[name]
        if settings.providers[given.provider].kind not in _VENDORS:
            continue
        known = _name_in(said, name, given)
        if known is None:
            raise ConfigError(
                f"it has no answers of model {name!r} ({given.model or name}), and learning asks no vendor; "
                f"models in it: {', '.join(sorted(said)) or 'none'}", file=str(file),
            )  # fmt: skip
        models[name] = replace(given, provider=_PROVIDER, model=known, fallbacks=())
    providers: Mapping[str, ProviderSettings] = {
        **settings.providers,
        _PROVIDER: ProviderSettings(kind="recorded", file=str(file)),
    }
    features = dict(settings.features)
    judge = features[feature].judge
    if judge is not None and settings.providers[settings.models[judge.model].provider].kind in _VENDORS:
        features[feature] = replace(features[feature], judge=None)
    quiet = replace(settings, models=models, providers=dict(providers), features=features)
    return replace(config, settings=quiet, unpriced_ok=True)


def _name_in(said: set[str], name: str, given: ModelSettings) -> str | None:
    """How the file calls a model: by the vendor's name, by a dated snapshot of it, or by ours."""
    upstream = given.model or name
    exact = [each for each in (upstream, name) if each in said]
    dated = sorted(each for each in said if of_today(each, (f"vendor/{upstream}",)))
    return next(iter((*exact, *dated)), None)
