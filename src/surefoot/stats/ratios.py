"""A ratio of sums over days, such as cost per resolution: days are what is independent, not the requests within them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, floats
from surefoot.stats.intervals import student, student_tail

_LEAST = 2  # days below which there is no variance
_MOST = 3650  # days: beyond this nobody waits


class Ratio(Struct, frozen=True, kw_only=True):
    """A ratio with its interval.

    `value` is None when what it is divided by comes to 0 or less, `error` below two days. The ends are None then too, and where
    all days are alike: that is no certainty.
    """

    value: float | None
    low: float | None
    high: float | None
    days: int
    error: float | None  # standard error, days being the clusters

    def beyond(self, limit: float) -> tuple[float, float]:
        """(p of "it is not below the limit", p of "it is not above it"), at a single look; (1, 1) where nothing is known.

        Days that are all alike have no variance; they are tested by their signs.
        """
        if self.value is None or self.error is None:
            return 1.0, 1.0
        if self.error == 0:
            sign = 0.5**self.days
            return (sign if self.value < limit else 1.0), (sign if self.value > limit else 1.0)
        t = (limit - self.value) / self.error
        return student_tail(t, self.days - 1), student_tail(-t, self.days - 1)


def ratio(
    top: Sequence[float] | NDArray[Any], bottom: Sequence[float] | NDArray[Any], *, assurance: float = 0.95
) -> Ratio:
    """The ratio of two sums, with an interval by Student's t on its linearised days.

    Args:
        top, bottom: shape (days,); days on which nothing happened may be left out.
        assurance: in (0, 1).
    Raises: ValueError for shapes that do not fit or an assurance out of range.
    Source: Cochran (1977), Sampling Techniques, 6.3 and 9A; the days are the clusters.
    """
    if not 0 < assurance < 1:
        raise ValueError(f"assurance {assurance} is not between 0 and 1")
    above, below = floats(top), floats(bottom, like=len(top))
    n, total = above.size, float(below.sum())
    if total <= 0:
        return Ratio(value=None, low=None, high=None, days=n, error=None)
    value = float(above.sum()) / total
    if n < _LEAST:
        return Ratio(value=value, low=None, high=None, days=n, error=None)
    error = _error(above - value * below, total)
    if error == 0:
        return Ratio(value=value, low=None, high=None, days=n, error=error)
    half = student(n - 1, assurance) * error
    return Ratio(value=value, low=value - half, high=value + half, days=n, error=error)


def days_needed(found: Ratio, limit: float, doubt: float, *, looks: int) -> int | None:
    """How many more days until one side of the limit is told, if days go on as they did; None: unknown, or over ten years.

    Args:
        looks: by which a p-value of a single look is multiplied (Bonferroni): how often it is looked at in a window.
    """
    if found.value is None or found.error is None or found.value == limit:
        return None
    if found.error == 0:
        return max(0, math.ceil(math.log2(looks / doubt)) - found.days)
    day = found.error * math.sqrt(found.days)
    for days in _growing(found.days):
        t = abs(limit - found.value) * math.sqrt(days) / day
        if looks * student_tail(t, days - 1) <= doubt:
            return days - found.days
    return None


def _growing(days: int) -> list[int]:
    """Numbers of days from `days` on, each but the first about a tenth larger."""
    found = [days]
    while found[-1] < _MOST:
        found.append(max(found[-1] + 1, math.ceil(found[-1] * 1.1)))
    return found


def _error(residuals: Floats, total: float) -> float:
    n = residuals.size
    return math.sqrt(float(np.square(residuals).sum()) * n / (n - 1)) / total
