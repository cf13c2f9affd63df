"""How good a router is: RouteLLM's own measures of who gets the strong model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from surefoot.stats.arrays import Bools, Floats, bools, floats

_POINTS = 11  # shares of questions that go to the strong model: 0, 0.1, ... 1


def recovered(scores: Sequence[float] | Floats, weak: Bools, strong: Bools) -> Floats:
    """Performance gap recovered at every number of calls of the strong model: shape (n + 1,), NaN without a gap.

    Args:
        scores: shape (n,); the highest go to the strong model first, ties as they come.
        weak, strong: shape (n,), whether each model is right.
    Returns: (accuracy of the mixture - the weak model's) / (the strong model's - the weak model's), from no call to n.
    Source: Ong et al. (2024), RouteLLM, arXiv 2406.18665.
    """
    score = floats(scores)
    below, top = bools(weak, like=score.size), bools(strong, like=score.size)
    gains = (top.astype(np.float64) - below)[np.argsort(-score, kind="stable")]
    gap = float(gains.sum())
    risen = np.concatenate([[0.0], np.cumsum(gains)])
    return risen / gap if gap else np.full(score.size + 1, np.nan)


def apgr(scores: Sequence[float] | Floats, weak: Bools, strong: Bools) -> float:
    """Average performance gap recovered: the area under `recovered` by trapezoids between 11 shares; NaN without a gap.

    A random router has 0.5 on average. Source: as `recovered`.
    """
    return area(recovered(scores, weak, strong))


def area(curve: Floats) -> float:
    """The area under a curve of gaps recovered."""
    shares = np.linspace(0, 1, _POINTS)
    heights = curve[np.round(shares * (curve.size - 1)).astype(int)]
    return float(((heights[1:] + heights[:-1]) / 2 * np.diff(shares)).sum())


def calls_for(curve: Floats, share: float) -> float:
    """CPT: the least share of strong calls that recovers a share of the gap; NaN where none does.

    Source: as `recovered` (call-performance threshold).
    """
    reached: NDArray[np.int64] = np.flatnonzero(curve >= share - 1e-12)
    return float(reached[0] / (curve.size - 1)) if reached.size else float("nan")
