"""How probable it is that a target is met by a date: a line through the past with sceptical priors, read at the window that
ends then.

The priors are declared, not fitted: without data the level is as probably good as bad, and a trend is small until it shows. A
line is a poor prophet for long: its interval widens with the distance, and nothing here knows of the change that somebody
plans. That is what bets are for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.stats.arrays import Floats, effective, floats, sigmoid
from surefoot.stats.ratios import Ratio

LEVEL_SD = 1.5  # of the level's logit around the target's
TREND_SD = 0.5  # of the logit's change over one window
_STEPS = 50


class Line(Struct, frozen=True):
    """A level now and its change over one window, normal."""

    mean: Floats  # shape (2,)
    covariance: Floats  # shape (2, 2)

    def below(self, limit: float, windows: float, *, noise: float = 0.0) -> float:
        """P(the line's mean over the window that ends `windows` windows from now is below the limit).

        Args:
            noise: variance of what is seen around the line's mean over a window.
        """
        place = np.array([1.0, windows - 0.5])
        spread = math.sqrt(float(place @ self.covariance @ place) + noise)
        gap = limit - float(place @ self.mean)
        return 0.5 * math.erfc(-gap / (spread * math.sqrt(2))) if spread > 0 else float(gap > 0)


def line_of_rate(ages: Sequence[float], wrong: Sequence[bool], weights: Sequence[float], limit: float) -> Line:
    """The posterior of a rate's logit.

    Args:
        ages: shape (n,), how long ago each label is, in windows.
        wrong, weights: shape (n,); weights above 0, as 1 / propensity.
        limit: the target, in (0, 1): where the prior is centred.
    Returns: the prior when n = 0.
    Source: Laplace's approximation, by Newton's method; MacKay (2003), chapter 27.
    """
    x = np.column_stack([np.ones(len(ages)), -floats(ages)])
    y, given = floats([float(each) for each in wrong]), floats(weights)
    weight = given / given.mean() * (effective(given) / given.size) if given.size else given
    precision = np.diag([LEVEL_SD**-2, TREND_SD**-2])
    prior = np.array([math.log(limit / (1 - limit)), 0.0])
    mean = prior.copy()
    for _ in range(_STEPS):
        p = sigmoid(x @ mean)
        slope = x.T @ (weight * (y - p)) - precision @ (mean - prior)
        curve = precision + (x * (weight * p * (1 - p))[:, None]).T @ x
        step = np.linalg.solve(curve, slope)
        mean = mean + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-9:
            break
    return Line(mean, np.linalg.inv(curve))


def line_of_days(ages: Sequence[float], top: Sequence[float], bottom: Sequence[float], found: Ratio) -> Line | None:
    """The posterior of a ratio counted by days; None below two days, or where they are all alike.

    Args:
        ages: shape (days,), how long ago each day's middle is, in windows.
        top, bottom: as of `stats.ratios.ratio`.
        found: that ratio.
    """
    if found.value is None or not found.error:
        return None
    spread = found.error * math.sqrt(found.days)  # of a day of usual size
    weight = np.maximum(floats(bottom), 0.0) / float(np.mean(bottom))  # more was given back than earned: no rate
    x = np.column_stack([np.ones(len(ages)), -floats(ages)])
    values = np.divide(floats(top), floats(bottom), out=np.zeros(len(top)), where=floats(bottom) > 0)
    precision = (x * (weight / spread**2)[:, None]).T @ x + np.diag([0.0, (TREND_SD * spread) ** -2])
    mean = np.linalg.solve(precision, x.T @ (weight * values) / spread**2)
    return Line(np.asarray(mean, dtype=np.float64), np.asarray(np.linalg.inv(precision), dtype=np.float64))
