"""Evidence to confidence: a rung's map applied to its signals. A score is not a probability until a map says so."""

from __future__ import annotations

import math

from surefoot.policy.policy import Feature, Map
from surefoot.records import Confidence, Draft, Evidence, NoDraft, Rung

_EDGE = 1e-6  # keeps logit finite


def weigh(feature: Feature, rung: Rung, draft: Draft | NoDraft, evidence: Evidence) -> Confidence:
    """The confidence in a draft. Without a map it is uncalibrated; a cache hit carries the p it entered with."""
    if isinstance(draft, NoDraft):
        return Confidence(source="not judged")
    chosen = feature.maps.get(rung.name)
    if chosen is not None:
        return _apply(chosen, evidence)
    if rung.kind == "cache" and draft.believed is not None:
        return Confidence(p=draft.believed, low=draft.believed_low, high=draft.believed, source="cache")
    return Confidence()


def _apply(chosen: Map, evidence: Evidence) -> Confidence:
    p = chosen.p if chosen.kind == "fixed" else _curve(chosen, evidence.score(chosen.signal))
    if p is None:
        return Confidence()
    low, high = max(0.0, p - chosen.margin), min(1.0, p + chosen.margin)
    return Confidence(p=p, low=low, high=high, source=f"map:{chosen.kind}")


def _curve(chosen: Map, score: float | None) -> float | None:
    if score is None:
        return None
    if chosen.kind == "logistic":
        inner = min(max(score, _EDGE), 1 - _EDGE)
        z = chosen.a * math.log(inner / (1 - inner)) + chosen.b
        return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))
    reached = [p for start, p in chosen.steps if score >= start]
    return reached[-1] if reached else 0.0
