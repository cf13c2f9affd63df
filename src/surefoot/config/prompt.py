"""What a schema cannot say of how prompts are compressed, fitted to windows and marked."""

from __future__ import annotations

from collections.abc import Iterator

from surefoot.config.problem import Problem, near
from surefoot.config.schema import FeatureSettings, File

DROPPED = ("passages", "history")  # what may be dropped


def prompt_problems(path: tuple[str, ...], given: FeatureSettings, settings: File) -> Iterator[Problem]:
    """Everything that is wrong with what a feature does to prompts."""
    if given.compress is not None:
        if not 0 < given.compress.target < 1:
            yield Problem((*path, "compress", "target"), "target is a share between 0 and 1, both left out")
        if not 0 < given.compress.max_harm <= 1:
            yield Problem((*path, "compress", "max_harm"), "max_harm is a share above 0")
        if "grounding" not in given.checks or given.confidence == 0:
            yield Problem(
                (*path, "compress"),
                'compress needs the check "grounding" and a bar above 0: else nobody sees what it harms',
            )
    models = [settings.models[name] for rung in given.ladder for name in rung.split("+") if name in settings.models]
    if given.window is not None:
        for name in given.window.keep:
            if name not in DROPPED:
                yield Problem((*path, "window", "keep"), f"nothing is called {name!r}{near(name, DROPPED)}")
        if len(set(given.window.keep)) != len(given.window.keep) or not given.window.keep:
            yield Problem((*path, "window", "keep"), "keep names each of what may be dropped once, and at least one")
        if models and all(model.context_tokens is None for model in models):
            yield Problem((*path, "window"), "window does nothing: no model of the ladder has context_tokens")
    kinds = {settings.providers[model.provider].kind for model in models if model.provider in settings.providers}
    if given.cache_marks and models and "anthropic" not in kinds:
        yield Problem((*path, "cache_marks"), "cache_marks does nothing: no model of the ladder is Anthropic's")
