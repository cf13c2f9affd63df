"""One immutable value that says how every feature decides. It is stored by version and swapped by reference."""

from __future__ import annotations

import hashlib

import msgspec
from msgspec import Struct

from surefoot.records import Rung


class Map(Struct, frozen=True, kw_only=True):
    """From evidence to a calibrated probability, for one rung. In this version it is configured, later it is fitted.

    kind "fixed":    p, whatever the evidence.
    kind "logistic": 1 / (1 + exp(-(a * logit(score) + b))) of one signal (Platt 1999, on the logit of the score).
    kind "steps":    a non-decreasing step function of one signal: the p of the last step whose score is reached.
    A missing signal leaves the rung uncalibrated for this draft; it is never taken as 0.
    """

    kind: str
    p: float | None = None
    signal: str = ""
    a: float = 1.0
    b: float = 0.0
    steps: tuple[tuple[float, float], ...] = ()  # (score from which on, p), ascending in both
    margin: float = 0.0  # half-width of the interval around p; `low` is what is compared with the bar


class CacheRules(Struct, frozen=True, kw_only=True):
    """How long a believed answer may be given again."""

    ttl_seconds: int = 86_400


class Person(Struct, frozen=True, kw_only=True):
    """A role at the end of a ladder and what the caller is told while it waits."""

    role: str
    holding: str = "Your question has been passed to a person, who will answer it."
    retry_after_seconds: int = 60


class Feature(Struct, frozen=True, kw_only=True):
    """One feature's ladder and bars."""

    name: str
    mode: str = "observe"  # "observe" delivers and records | "enforce" acts
    ladder: tuple[Rung, ...]
    person: Person = Person(role="person")
    confidence: float = 0.85  # the bar for the lower end of p; 0 delivers everything
    uncalibrated: str = "deliver"  # what becomes of a draft that no map judges: "deliver" | "climb"
    stream: str = "hold"  # "hold" judges, then streams | "through" passes on, judges afterwards (observe only)
    maps: dict[str, Map] = {}  # by rung name
    cache: CacheRules = CacheRules()
    baseline: str | None = None  # model name the saving is stated against; None: the last model of the ladder
    budget_nanodollars: int | None = None  # of this feature, per key
    budget_window: str = "month"

    def models(self) -> tuple[str, ...]:
        """Every configured model of the ladder, in order, each once."""
        return tuple(dict.fromkeys(name for rung in self.ladder for name in rung.models))


class Policy(Struct, frozen=True, kw_only=True):
    """All features; `version` is the digest of everything else in it."""

    features: dict[str, Feature]
    version: str = ""

    @classmethod
    def of(cls, features: dict[str, Feature]) -> Policy:
        """A policy with its version filled in: the first 16 hex digits of the sha256 of its JSON."""
        return cls(features=features, version=hashlib.sha256(encode(features)).hexdigest()[:16])


def encode(features: dict[str, Feature]) -> bytes:
    """Canonical JSON of a policy's features: what is hashed and stored."""
    return msgspec.json.encode(features, order="deterministic")


def decode(data: bytes) -> Policy:
    """The policy that `encode` wrote."""
    return Policy.of(msgspec.json.decode(data, type=dict[str, Feature]))
