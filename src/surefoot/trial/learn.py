"""Learning from a labelled file: the same stages as live traffic, every rung of the ladder, nothing kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from surefoot.app import App
from surefoot.config.load import Config
from surefoot.learning.ladder import LadderReport, learn_ladder
from surefoot.policy import Learned, LearnedFeature, overlay
from surefoot.providers.rows import Row
from surefoot.store.memory import MemoryStore
from surefoot.trial.gather import gather


async def learn_from_rows(
    rows: Sequence[Row], config: Config, feature: str, models: Mapping[str, tuple[str, ...]], *, person: bool = True
) -> tuple[LearnedFeature, LadderReport]:
    """What labelled rows teach about a feature's ladder.

    Raises: NotFound for an unknown feature, ConfigError for a configuration that cannot be served.
    """
    app = await App.start(config, store=MemoryStore())
    try:
        rules = app.policy.features[app.feature_for(app.caller(None), "surefoot", feature)]
        walks = await gather(app, rules, rows)
    finally:
        await app.close()
    return learn_ladder(walks, rules, models, person=person)


def with_learned(config: Config, feature: str, found: LearnedFeature, models: Mapping[str, tuple[str, ...]]) -> Config:
    """A configuration that serves what was learned."""
    policy, _ = overlay(config.policy, Learned(features={feature: found}), models)
    return replace(config, policy=policy)
