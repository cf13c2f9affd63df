"""What a schema cannot say of a feature's cache."""

from __future__ import annotations

from collections.abc import Iterator

from surefoot.config.problem import Problem, near
from surefoot.config.schema import CacheSettings, FeatureSettings

KINDS = ("exact", "near")
_NEAR = ("errors_per_request", "errors_per_hit", "shadow_requests", "label_error")


def cache_problems(path: tuple[str, ...], given: FeatureSettings) -> Iterator[Problem]:
    """Everything that is wrong with what a feature says of its cache."""
    cache = given.cache
    if cache.ttl_seconds <= 0:
        yield Problem((*path, "ttl_seconds"), "ttl_seconds must be above 0")
    if cache.kind not in KINDS:
        yield Problem((*path, "kind"), f"unknown kind {cache.kind!r}{near(cache.kind, KINDS)}")
    elif cache.kind == "exact":
        plain = CacheSettings()
        for name in _NEAR:
            if getattr(cache, name) != getattr(plain, name):
                yield Problem((*path, name), f'{name} does nothing for an exact cache: write kind = "near"')
        return
    for name in ("errors_per_request", "errors_per_hit"):
        limit = getattr(cache, name)
        if limit is not None and not 0 < limit < 1:
            yield Problem((*path, name), f"{name} {limit} is not between 0 and 1, both left out")
    if cache.shadow_requests < 0:
        yield Problem((*path, "shadow_requests"), "shadow_requests may not be below 0")
    if not 0 <= cache.label_error < 1:
        yield Problem((*path, "label_error"), f"label_error {cache.label_error} is not between 0 and 1")
    if "cache" not in given.ladder:
        yield Problem((*path, "kind"), 'a near cache needs the rung "cache" on the ladder')
    if given.confidence == 0:
        yield Problem((*path, "kind"), "with confidence = 0 no answer is believed, and none enters the cache")
