"""Evidence to confidence: a rung's map applied to its signals. A score is not a probability until a map says so."""

from __future__ import annotations

import math

from surefoot.policy.curve import apply_curve, sigmoid
from surefoot.policy.policy import Feature, Map
from surefoot.records import Confidence, Draft, Evidence, NoDraft, Rung

_EDGE = 1e-6  # keeps logit finite


def weigh(feature: Feature, rung: Rung, draft: Draft | NoDraft, evidence: Evidence) -> Confidence:
    """The confidence in a draft. Without a map it is uncalibrated; a cache hit carries the p it entered with."""
    if isinstance(draft, NoDraft):
        return Confidence(source="not judged")
    if draft.near is not None:  # what the near map says, times what the answer was worth when it entered
        return Confidence(p=draft.believed, low=draft.believed_low, high=draft.believed, source="cache:near")
    chosen = feature.maps.get(rung.name)
    if chosen is not None:
        return apply_map(chosen, evidence)
    if rung.kind == "cache" and draft.believed is not None:
        fitted = any(each.kind == "fitted" for each in feature.maps.values())
        source = "cache" if fitted else "cache:configured"
        return Confidence(p=draft.believed, low=draft.believed_low, high=draft.believed, source=source)
    return Confidence()


def apply_map(chosen: Map, evidence: Evidence) -> Confidence:
    """What a map makes of evidence; uncalibrated when a signal it needs is missing."""
    if chosen.kind == "fitted":
        return _fitted(chosen, evidence)
    p = chosen.p if chosen.kind == "fixed" else _configured(chosen, evidence.score(chosen.signal))
    if p is None:
        return Confidence()
    low, high = max(0.0, p - chosen.margin), min(1.0, p + chosen.margin)
    return Confidence(p=p, low=low, high=high, source=f"map:{chosen.kind}")


def line(chosen: Map, evidence: Evidence) -> float | None:
    """The fitted line's z; None when a signal is missing that never was while labels were gathered."""
    scores = {signal.name: signal.score for signal in evidence.signals}
    z = chosen.bias
    for part in chosen.inputs:
        score = scores.get(part.signal)
        if score is not None:
            z += part.weight * (score - part.center) / part.scale
        elif part.absent is not None:
            z += part.absent
        else:
            return None
    return z


def _fitted(chosen: Map, evidence: Evidence) -> Confidence:
    z = line(chosen, evidence)
    if z is None or chosen.curve is None:
        return Confidence()
    low, p, high = apply_curve(chosen.curve, z)
    return Confidence(p=p, low=low, high=high, source=f"map:{chosen.curve.kind}")


def _configured(chosen: Map, score: float | None) -> float | None:
    if score is None:
        return None
    if chosen.kind == "logistic":
        inner = min(max(score, _EDGE), 1 - _EDGE)
        return sigmoid(chosen.a * math.log(inner / (1 - inner)) + chosen.b)
    reached = [p for start, p in chosen.steps if score >= start]
    return reached[-1] if reached else 0.0
