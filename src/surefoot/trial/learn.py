"""Learning from a labelled file: the same stages as live traffic, every rung of the ladder, nothing kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from surefoot.app import App
from surefoot.config.load import Config
from surefoot.learning.examples import Walk
from surefoot.learning.ladder import LadderReport, learn_ladder
from surefoot.learning.routing import Asked, with_route
from surefoot.policy import Learned, LearnedFeature, Policy, overlay
from surefoot.providers.rows import Row
from surefoot.store.memory import MemoryStore
from surefoot.trial.gather import gather


async def learn_from_rows(
    rows: Sequence[Row], config: Config, feature: str, models: Mapping[str, tuple[str, ...]], *, person: bool = True,
    person_usd: float | None = None,
) -> tuple[LearnedFeature, LadderReport]:  # fmt: skip
    """What labelled rows teach about a feature's ladder, with what a person's answer costs where that is known.

    Raises: NotFound for an unknown feature, ConfigError for a configuration that cannot be served.
    """
    app = await App.start(config, store=MemoryStore())
    try:
        rules = app.policy.features[app.feature_for(app.caller(None), "surefoot", feature)]
        walks = await gather(app, rules, rows)
    finally:
        await app.close()
    price = None if person_usd is None else person_usd * 1e9
    found, report = learn_ladder(walks, rules, models, person=person, person_nanodollars=price)
    if rules.route is not None:
        rungs = [rung.name for rung in rules.ladder if rung.kind != "cache"]
        found, _ = with_route(found, asked_of(rows, walks, rungs), rungs, models)
    return found, report


def asked_of(rows: Sequence[Row], walks: Sequence[Walk], rungs: Sequence[str]) -> list[Asked]:
    """Rows as questions with the verdicts on what each rung said of them."""
    return [
        Asked(
            text=row.query, group=walk.group,
            accepted={rung: draft.accepted for rung, draft in zip(rungs, walk.drafts, strict=True) if draft is not None},
        )
        for row, walk in zip(rows, walks, strict=True)
    ]  # fmt: skip


def with_learned(
    config: Config, feature: str, found: LearnedFeature, models: Mapping[str, tuple[str, ...]], *, certified: bool = False,
    alone: bool = False,
) -> Config:  # fmt: skip
    """A configuration that serves what was learned.

    Args:
        config, feature: what was learned for.
        found: what was learned.
        models: by rung name, which models it means.
        certified: the labels certified the promise, so that it no longer holds drafts back.
        alone: the learned thresholds rule without the bar, as on a ladder without a person, where nothing can be escalated.
    """
    policy, _ = overlay(config.policy, Learned(features={feature: found}), models)
    served = policy.features[feature]
    served = replace(served, promise=None if certified else served.promise, per_answer=served.per_answer and not alone)
    return replace(config, policy=Policy.of({**policy.features, feature: served}))
