"""A fitted curve applied: from z to (low, p, high), in plain arithmetic."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from operator import itemgetter

from surefoot.policy.policy import Curve

_EDGE = 1e-6  # keeps logarithms finite; the same as in fitting
_AT = itemgetter(0)


def sigmoid(z: float) -> float:
    """1 / (1 + exp(-z)), without overflow."""
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def apply_curve(curve: Curve, z: float) -> tuple[float, float, float]:
    """(low, p, high) of a draft whose line comes to z; low <= p <= high."""
    if curve.kind == "venn-abers":
        below = bisect_right(curve.p0, z, key=_AT)
        above = bisect_left(curve.p1, z, key=_AT)
        low = curve.p0[below - 1][1] if below else 0.0
        high = curve.p1[above][1] if above < len(curve.p1) else 1.0
        p = min(max(high / (1 - low + high), low), high)
        least, most = _band(curve.band, z) if curve.band else (low, high)
        return min(low, least), p, max(high, most)
    if curve.kind == "beta":
        inner = min(max(sigmoid(z), _EDGE), 1 - _EDGE)
        p = sigmoid(curve.a * math.log(inner) - curve.b * math.log(1 - inner) + curve.c)
    else:
        p = sigmoid(curve.a * z + curve.b)
    low, high = _band(curve.band, z)
    return min(low, p), p, max(high, p)


def _band(band: tuple[tuple[float, float, float], ...], z: float) -> tuple[float, float]:
    """(low, high) by straight lines; outside the labels the end's own: what was not seen is not known better."""
    if not band:
        return 0.0, 1.0
    place = bisect_right(band, z, key=_AT)
    if place in (0, len(band)):
        return band[min(place, len(band) - 1)][1:]
    (left, low, high), (right, low_after, high_after) = band[place - 1], band[place]
    share = (z - left) / (right - left)
    return low + share * (low_after - low), high + share * (high_after - high)
