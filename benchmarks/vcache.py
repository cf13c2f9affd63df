"""The baseline of `benchmarks.semantic_cache`: one item, one bound; the idea of vCache, written from the paper.

Each cached question keeps the (cosine, same answer?) pairs that were seen while its answer was withheld, and nothing is
pooled. A logistic curve over cosines says how probable "the same" is; a confidence band for its place gives a pessimistic p;
the model is asked with a probability tau so that tau + (1 - tau) p >= 1 - bound: every single request then keeps the bound in
expectation. Below `FEWEST` pairs of its own an item is never served. Source: Schroeder et al. (2025), vCache: Verified
Semantic Prompt Caching.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist

FEWEST = 4
_DOUBTS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5)  # of the place of the curve; the best of them is taken
_QUANTILES = tuple(NormalDist().inv_cdf(1 - doubt) for doubt in _DOUBTS)
_STEEPEST, _PULL = 60.0, 0.05  # of a curve; how strongly it is held, so that separable pairs have one
_STEPS = 12


class Item:
    """What was seen of one cached question."""

    def __init__(self) -> None:
        self.pairs: list[tuple[float, bool]] = []
        self._fitted: tuple[int, float, float, float] | None = None

    def ask(self, cosine: float, bound: float) -> float:
        """The probability with which the model is asked."""
        if len(self.pairs) < FEWEST:
            return 1.0
        place, slope, error = self._curve()
        taus = []
        for doubt, z in zip(_DOUBTS, _QUANTILES, strict=True):
            p = (1 - doubt) * _sigmoid(slope * (cosine - place - z * error))
            taus.append(max(0.0, 1 - bound / max(1 - p, 1e-12)))
        return min(taus)

    def _curve(self) -> tuple[float, float, float]:
        """(place, slope, standard error of the place)."""
        if self._fitted is None or self._fitted[0] != len(self.pairs):
            self._fitted = (len(self.pairs), *_fit(self.pairs))
        return self._fitted[1:]


def _fit(pairs: Sequence[tuple[float, bool]]) -> tuple[float, float, float]:
    """Penalised likelihood of sigmoid(slope * (cosine - place)) by Newton's method on (bias, slope)."""
    mean = sum(cosine for cosine, _ in pairs) / len(pairs)
    bias, slope = 0.0, 10.0
    for _ in range(_STEPS):
        g0, g1, h00, h01, h11 = _PULL * bias, _PULL * (slope - 10.0) / 100, _PULL, 0.0, _PULL / 100
        for cosine, same in pairs:
            x = cosine - mean
            p = _sigmoid(bias + slope * x)
            w = max(p * (1 - p), 1e-6)
            g0, g1 = g0 + p - same, g1 + (p - same) * x
            h00, h01, h11 = h00 + w, h01 + w * x, h11 + w * x * x
        det = h00 * h11 - h01 * h01
        bias -= (h11 * g0 - h01 * g1) / det
        slope = max(1.0, min(_STEEPEST, slope - (h00 * g1 - h01 * g0) / det))
    det = h00 * h11 - h01 * h01
    v00, v01, v11 = h11 / det, -h01 / det, h00 / det
    place = -bias / slope  # about the mean; delta method
    d0, d1 = -1 / slope, bias / slope**2
    return mean + place, slope, math.sqrt(max(d0 * d0 * v00 + 2 * d0 * d1 * v01 + d1 * d1 * v11, 1e-12))


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, z))))
