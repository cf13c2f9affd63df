"""What a schema cannot say of the embedder."""

from __future__ import annotations

from collections.abc import Iterator

from surefoot.config.problem import Problem, near
from surefoot.config.schema import File

_MOST_DIMENSIONS = 8192


def embedder_problems(settings: File) -> Iterator[Problem]:
    """Everything that is wrong with `[embedder]`."""
    given = settings.embedder
    if given is None:
        return
    model = settings.models.get(given.model)
    if model is None:
        yield Problem(("embedder", "model"), f"there is no model {given.model!r}{near(given.model, settings.models)}")
    else:
        provider = settings.providers.get(model.provider)
        if provider is not None and provider.kind != "openai":
            yield Problem(
                ("embedder", "model"), f'an embedder speaks OpenAI\'s dialect: {given.model!r} is of kind "{provider.kind}"'
            )
        if model.fallbacks:
            yield Problem(("embedder", "model"), "an embedder has no fallbacks: vectors of two models cannot be compared")
    if not 0 <= given.dimensions <= _MOST_DIMENSIONS:
        yield Problem(("embedder", "dimensions"), f"dimensions is from 0 (the model's own) to {_MOST_DIMENSIONS}")
    if not 0 < given.timeout_seconds <= 60:
        yield Problem(("embedder", "timeout_seconds"), "timeout_seconds is above 0 and at most 60")
    if all(feature.route is None for feature in settings.features.values()):
        yield Problem(("embedder",), "the embedder does nothing: no feature has a [features.NAME.route]")
