"""Whether an hour's amount is more than it should ever be: limits by hour of the week that hold at every look.

Amounts within an hour only grow, so that the hour's limit may be compared as often as one likes: looking again and again adds
no false alarm. An hour is judged with the 3, 23 and 71 before it too: what is too small to show in one hour shows in a day
or three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from surefoot.stats.arrays import Bools, Floats, bools, floats

WINDOWS = (1, 4, 24, 72)  # hours, the judged one the last of them
WEEK = 168
HOURS_NEEDED = 4 * WEEK  # a week before the first level, three days that do not teach, two of each hour of the week
_QUARTER = 13 * WEEK
_TAIL = 0.1  # share of the hours that tell how surprising hours can be
_RARER = 3.0  # false alarms are aimed at one in so many quarters: the tail is guessed from few hours
_OWN = 3.0  # how many weeks an hour of the week is worth by what hours like it do
_SMALL = 0.25  # of a mean hour is added to what is compared: a quiet hour that wakes is no surprise
_LEAST = 0.3  # of the logarithm: a third more than expected is never an alarm


@dataclass(frozen=True, slots=True)
class Surge:
    """How the hours compare with their limits; each of shape (n,) or (windows, n), NaN where too little came before."""

    ratio: Floats  # what each window came to, over what was expected
    expected: Floats
    limit: Floats  # amounts above which a window is an alarm
    over: Bools  # shape (n,): in any window


def surge(
    amounts: Sequence[float] | NDArray[Any], *, hour: int, unusual: Sequence[bool] | NDArray[Any] | None = None
) -> Surge | None:
    """Hours compared with their limits; None up to four weeks, or where less than an eighth of the last hours had any spend.

    An amount is expected to be the mean of the week before it times its hour of the week. How far windows stray from that is an
    exponential tail of their log ratios; the limits are where all windows together raise a false alarm about once in three
    quarters. Windows that overlap exceed a limit together: `w` hours count as the square root of `w` alarms.

    Args:
        amounts: shape (n,), by hour, at least 0; the last may be under way.
        hour: of the week, of the first of them, 0 to 167 from Monday's first.
        unusual: shape (n,), hours that are not to teach what is usual, as those after an alarm.
    Raises: ValueError for shapes that do not fit, amounts below 0 or an hour out of range.
    Source: peaks over a threshold, Pickands (1975), Annals of Statistics 3, with the shape of an exponential on the logarithm.
    """
    x = floats(amounts)
    if x.size and x.min() < 0:
        raise ValueError("an amount is below 0")
    if not 0 <= hour < WEEK:
        raise ValueError(f"there is no hour {hour} of the week")
    usual = ~bools(unusual, like=x.size) if unusual is not None else np.ones(x.size, dtype=np.bool_)
    usual[-WINDOWS[-1] :] = False  # a surge that grows must not teach that it is usual
    if x.size <= HOURS_NEEDED or np.count_nonzero(x[-HOURS_NEEDED - 1 : -1]) < HOURS_NEEDED // 8:
        return None
    sums = np.concatenate([[0.0], np.cumsum(x)])
    level = np.full(x.size, np.nan)
    level[WEEK:] = (sums[WEEK:-1] - sums[: -WEEK - 1]) / WEEK
    level = np.where(level > 0, level, np.nan)
    shape = _shape(x, level, (hour + np.arange(x.size)) % WEEK, usual)
    ratios, expecteds, limits, over = [], [], [], np.zeros(x.size, dtype=np.bool_)
    for window in WINDOWS:
        before = np.full(x.size, np.nan)
        before[window - 1 :] = level[: x.size - window + 1]
        expected = before * _rolled(shape, window)
        small = _SMALL * before
        spent = _rolled(x, window)
        with np.errstate(invalid="ignore", divide="ignore"):
            score = np.log((spent + small) / (expected + small))
            ratio = spent / expected
        far = max(_far(score[usual & np.isfinite(score)], window), _LEAST)
        limit = np.exp(far) * (expected + small) - small
        over |= np.nan_to_num(score, nan=-np.inf) > far
        ratios.append(ratio)
        expecteds.append(expected)
        limits.append(limit)
    return Surge(ratio=np.stack(ratios), expected=np.stack(expecteds), limit=np.stack(limits), over=over)


def _shape(x: Floats, level: Floats, kind: NDArray[np.int64], usual: Bools) -> Floats:
    """Shape (n,): what an hour is of its week's mean, by the other weeks alone.

    Each hour of the week is drawn to what hours like it do: the same hour on working days or on weekend days, times its day.
    """
    with np.errstate(invalid="ignore"):
        part = np.minimum(x / level, 8.0)
    good = np.isfinite(part) & usual
    counts = np.bincount(kind[good], minlength=WEEK).astype(np.float64)
    totals = np.bincount(kind[good], weights=part[good], minlength=WEEK)
    means = np.divide(totals, counts, out=np.full(WEEK, np.nan), where=counts > 0).reshape(7, 24)
    like = np.ones((7, 24))
    filled = np.where(np.isnan(means), np.nanmean(means) if np.isfinite(means).any() else 1.0, means)
    for days in (slice(0, 5), slice(5, 7)):
        day, time = filled[days].mean(axis=1, keepdims=True), filled[days].mean(axis=0, keepdims=True)
        whole = filled[days].mean()
        like[days] = day * time / whole if whole > 0 else 0.0
    own = np.where(good, part, 0.0)
    others = counts[kind] - good
    return np.asarray((totals[kind] - own + _OWN * like.reshape(-1)[kind]) / (others + _OWN), dtype=np.float64)


def _rolled(values: Floats, window: int) -> Floats:
    """The sum of each value and those before it; NaN where there are too few."""
    sums = np.concatenate([[0.0], np.cumsum(values)])
    out = np.full(values.size, np.nan)
    out[window - 1 :] = sums[window:] - sums[:-window]
    return out


def _far(scores: Floats, window: int) -> float:
    """The log ratio that windows exceed no more often than their part of the false alarms; infinity of too few."""
    if scores.size < WEEK:
        return float("inf")
    start = float(np.quantile(scores, 1 - _TAIL))
    beyond = scores[scores > start] - start
    looks = _QUARTER * len(WINDOWS) * _RARER / window**0.5
    return start + (float(beyond.mean()) if beyond.size else 0.0) * float(np.log(_TAIL * looks))
