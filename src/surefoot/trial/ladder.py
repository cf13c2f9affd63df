"""A configuration without a file: a ladder of recorded models, as named on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import UNSET

from surefoot.config.build import build_policy
from surefoot.config.load import Config
from surefoot.config.schema import (
    FeatureSettings,
    File,
    MapSettings,
    ModelSettings,
    PromiseSettings,
    ProviderSettings,
    StoreSettings,
)
from surefoot.errors import ConfigError
from surefoot.policy import parse_ladder

FEATURE = "trial"


def ends_with_person(ladder: Sequence[str]) -> bool:
    """Whether a ladder as written on the command line ends with a person."""
    return bool(ladder) and ladder[-1].strip() == "person"


def ladder_config(
    file: Path, ladder: Sequence[str], *, bar: float | None, maps: Mapping[str, float], promise: PromiseSettings | None = None,
    uncalibrated: str = "deliver",
) -> Config:  # fmt: skip
    """The configuration that serves a file of recorded answers by a ladder: `["small", "a+b", "large", "person"]`.

    A rung without a map is uncalibrated and, unless said otherwise, delivered. `person` may stand last. Without a `bar` it is
    the usual one, or a promise alone rules.
    Raises: ConfigError for an empty ladder, `person` elsewhere, a bar or p outside [0, 1], a map for no rung.
    """
    names = [name.strip() for name in ladder if name.strip()]
    if "person" in names[:-1]:
        raise ConfigError("`person` can only stand last", file="--ladder")
    names = [name for name in names if name != "person"]
    rungs = parse_ladder(names)
    if bar is not None and not 0 <= bar <= 1:
        raise ConfigError(f"the bar {bar} is not between 0 and 1", file="--bar")
    for name, p in maps.items():
        if name not in {rung.name for rung in rungs}:
            raise ConfigError(f"no rung is called {name!r}; rungs are {[rung.name for rung in rungs]}", file="--map")
        if not 0 <= p <= 1:
            raise ConfigError(f"p {p} of rung {name!r} is not between 0 and 1", file="--map")
    models = dict.fromkeys(model for rung in rungs for model in rung.models)
    settings = File(
        store=StoreSettings(database="memory", content=False),
        providers={"recorded": ProviderSettings(kind="recorded", file=str(file))},
        models={name: ModelSettings(provider="recorded") for name in models},
        features={
            FEATURE: FeatureSettings(
                ladder=tuple(names),
                mode="enforce",
                confidence=UNSET if bar is None else bar,
                uncalibrated=uncalibrated,
                promise=promise,
                maps={name: MapSettings(p=p) for name, p in maps.items()},
            )
        },
    )
    return Config(settings=settings, policy=build_policy(settings), file="--ladder", unpriced_ok=True)
