"""What labels taught, as data: maps and thresholds by feature and rung, laid over a configured policy."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from surefoot.policy.ladder import rung_names
from surefoot.policy.policy import Feature, Map, Policy, RouteRules


class LearnedRung(Struct, frozen=True, kw_only=True):
    """A rung's map, and which models it was fitted for: another model under the same name voids it."""

    map: Map
    models: tuple[str, ...] = ()  # "provider kind/upstream name", as the registry has them


class LearnedFeature(Struct, frozen=True, kw_only=True):
    """What was learned for one feature."""

    rungs: dict[str, LearnedRung] = {}
    thresholds: dict[str, float] = {}
    labels: int = 0
    route: bytes = b""  # a route model as `signals.router` writes it; b"": none
    route_labels: int = 0


class Learned(Struct, frozen=True, kw_only=True):
    """A candidate: everything that one round of learning found."""

    features: dict[str, LearnedFeature] = {}


def overlay(policy: Policy, learned: Learned, models: Mapping[str, tuple[str, ...]]) -> tuple[Policy, tuple[str, ...]]:
    """(the policy with what was learned, what had to be left out and why).

    Args:
        policy: as configured; a map that the configuration sets by hand gives way to a fitted one.
        learned: the candidate.
        models: by rung name, which models it means today.
    """
    features, left = dict(policy.features), []
    for name, found in learned.features.items():
        feature = features.get(name)
        if feature is None:
            left.append(f"feature {name} is no longer configured")
            continue
        names = set(rung_names(feature.ladder))
        maps = dict(feature.maps)
        stale = [rung for rung in found.rungs if rung not in names or found.rungs[rung].models != models.get(rung, ())]
        left += [f"{name}: rung {rung} is not what the labels were about" for rung in stale]
        maps |= {rung: learnt.map for rung, learnt in found.rungs.items() if rung not in stale}
        least = (
            0.0 if any(rule.red_flag for rule in feature.admits) else -1.0
        )  # at 0 the best draft goes out, whatever it is
        thresholds = (
            {} if stale else {rung: cut for rung, cut in found.thresholds.items() if rung in names and cut > least}
        )
        features[name] = replace(
            feature, maps=maps, thresholds=thresholds, route=_route(feature, found, stale=bool(stale))
        )
    return Policy.of(features), tuple(left)


def _route(feature: Feature, found: LearnedFeature, *, stale: bool) -> RouteRules | None:
    """The feature's rules with the model that serves, by its digest: the model itself is too large for a policy.

    It is about all rungs at once: where one of them is not what the labels were about, none of it serves.
    """
    if feature.route is None or not found.route or stale:
        return feature.route
    digest = hashlib.sha256(found.route).hexdigest()[:16]
    return replace(feature.route, model=digest, labels=found.route_labels)


def merge(before: Learned, after: Learned) -> Learned:
    """A candidate that keeps what it says nothing about."""
    return Learned(features={**before.features, **after.features})


def encode_learned(learned: Learned) -> bytes:
    """Canonical JSON."""
    return msgspec.json.encode(learned, order="deterministic")


def decode_learned(data: bytes) -> Learned:
    """What `encode_learned` wrote."""
    return msgspec.json.decode(data, type=Learned)
