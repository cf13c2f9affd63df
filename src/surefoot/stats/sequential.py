"""Tests that may be looked at after every label: certificates of a promise, and detectors of drift.

Both bet against a hypothesis with a mixture of fixed bets: the wealth is a product over labels, so that their order does not
matter, and it rarely grows when the hypothesis holds (Ville's inequality). Bets are placed by the rates they are best against,
so that they fit any limit. A label's weight must be known before its lot is drawn: one that is set anew when later labels
come, such as the least propensity so far, bets with hindsight, and then nothing is promised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, bools, floats

CERTIFIED, BROKEN, OPEN = "certified", "broken", "not certified yet"
_STEPS = 20  # bets of a certificate
_BOLDEST = 0.25  # of the stake is on "nothing is wrong"
_CERTAIN = 1 - 1e-9  # a bet never stakes all it has
_RATIOS = tuple(
    2 ** (step / 2) for step in range(1, 7)
)  # times the limit's odds: what the bets against it are best against
_MOST = 1_000_000  # labels: beyond this nobody waits


class Certified(Struct, frozen=True, kw_only=True):
    """How a promise stands after the labels so far."""

    state: str  # CERTIFIED | BROKEN | OPEN
    n: int
    accuracy: float | None  # weighted estimate; None when n = 0
    at_least: float  # accuracy that is certain with the assurance, whenever it is looked at; 0 when n = 0
    labels_needed: int | None  # on average; 0: certified; None: unknown, the estimate is not better than promised
    log_wealth: float  # natural logarithm; certified from -log(1 - assurance) on


class Rows(Struct, frozen=True):
    """Labels that are alike, as one row each."""

    wrong: Floats  # 0 or 1
    weight: Floats
    count: Floats

    @property
    def rate(self) -> float:
        """The weighted share of wrong ones; 0 of nothing."""
        heavy = self.weight * self.count
        return float(heavy @ self.wrong / heavy.sum()) if heavy.size else 0.0


def certify(
    wrong: Sequence[bool] | NDArray[Any],
    weights: Sequence[float] | NDArray[Any],
    *,
    accuracy: float,
    assurance: float,
    counts: Sequence[int] | NDArray[Any] | None = None,
) -> Certified:
    """The standing of "at least `accuracy` of what is delivered is right", valid at any time and at every look.

    Args:
        wrong: shape (n,), one verdict a group, of drafts delivered by one fixed policy.
        weights: shape (n,), in (0, 1]: the least probability to be labelled that any answer had when this one's lot was
            drawn, over this one's own; 1 where all had the same, however small. Known before the lot was drawn.
        accuracy, assurance: in (0, 1).
        counts: shape (n,), how many labels each row stands for; one each when none are given.
    Returns: never latched: the same labels in any order give the same standing, and later ones may end it. n = 0 is OPEN.
    Raises: ValueError for shapes that do not fit or numbers out of range.
    Source: betting, Waudby-Smith and Ramdas (2024), JRSS B 86; weights as in Waudby-Smith et al. (2022), arXiv 2210.10768.
    """
    if not (0 < accuracy < 1 and 0 < assurance < 1):
        raise ValueError("accuracy and assurance lie between 0 and 1")
    rows = rows_of(wrong, weights, counts)
    limit, needed = 1 - accuracy, -math.log(1 - assurance)
    wealth = _wealth(rows, limit)
    bets, stakes = excess_bets(limit)
    against = _mixed(grown(rows, np.array(bets), limit), np.log(stakes))
    state = CERTIFIED if wealth >= needed else BROKEN if against >= needed else OPEN
    n = int(rows.count.sum())
    return Certified(
        state=state,
        n=n,
        accuracy=1 - rows.rate if n else None,
        at_least=_at_least(rows, needed),
        labels_needed=0 if state == CERTIFIED else _labels_needed(rows, limit, needed),
        log_wealth=wealth,
    )


@lru_cache(maxsize=256)
def kept_bets(limit: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(bets that less than `limit` is wrong, the share of the stake on each).

    Each bet grows fastest where the rate of wrong answers is 19/20, 18/20, ... 0 of the limit. A quarter of the stake is on the
    last, which makes the first certificate quick; the rest is even.
    Raises: ValueError when the limit is not in (0, 1).
    """
    if not 0 < limit < 1:
        raise ValueError(f"limit {limit} is not between 0 and 1")
    shares = (*(step / _STEPS for step in range(1, _STEPS)), _CERTAIN)
    stakes = (*((1 - _BOLDEST) / (_STEPS - 1) for _ in range(1, _STEPS)), _BOLDEST)
    return tuple(share / (1 - limit) for share in shares), stakes


@lru_cache(maxsize=256)
def excess_bets(limit: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """(bets that more than `limit` is wrong, the share of the stake on each).

    Each bet grows fastest where the odds of a wrong answer are the square root of two, 2, ... 8 times the limit's; the stake
    halves from each to the next, since the smaller excess is the one that takes long to show.
    Raises: ValueError when the limit is not in (0, 1).
    """
    if not 0 < limit < 1:
        raise ValueError(f"limit {limit} is not between 0 and 1")
    odds = [ratio * limit / (1 - limit) for ratio in _RATIOS]
    rates = [each / (1 + each) for each in odds]
    halves = [0.5**step for step in range(len(rates))]
    return tuple((rate - limit) / (limit * (1 - limit)) for rate in rates), tuple(h / sum(halves) for h in halves)


class Detector(Struct, frozen=True, kw_only=True):
    """An e-detector of "more than `limit` is wrong now": it finds a change whenever it comes.

    It raises a false alarm less often than once in `alarm_after` labels, on average, as long as the limit is kept; after an
    alarm begin a new one. Source: Shin, Ramdas and Rinaldo (2024), E-detectors: a nonparametric framework for sequential
    change detection, NEJSDS; Shiryaev-Roberts form, mixed over fixed bets.
    """

    limit: float
    alarm_after: float = 5000.0
    sums: tuple[float, ...] = (0.0,) * len(_RATIOS)
    n: int = 0

    @property
    def alarm(self) -> bool:
        """Whether it is raised."""
        return sum(stake * held for stake, held in zip(excess_bets(self.limit)[1], self.sums, strict=True)) >= (
            self.alarm_after
        )

    def seen(self, wrong: bool, weight: float = 1.0) -> Detector:
        """The detector after one more label; `weight` in (0, 1] as in `certify`."""
        step = weight * (float(wrong) - self.limit)
        bets = excess_bets(self.limit)[0]
        sums = tuple(min((held + 1) * (1 + bet * step), 1e300) for held, bet in zip(self.sums, bets, strict=True))
        return Detector(limit=self.limit, alarm_after=self.alarm_after, sums=sums, n=self.n + 1)


def rows_of(
    wrong: Sequence[bool] | NDArray[Any], weights: Sequence[float] | NDArray[Any], counts: Sequence[int] | NDArray[Any] | None
) -> Rows:  # fmt: skip
    """Labels with equal verdict and weight as one row each. Raises ValueError as `certify`."""
    weight = floats(weights)
    errors = bools(wrong, like=weight.size).astype(np.float64)
    if weight.size and not (weight.min() > 0 and weight.max() <= 1):
        raise ValueError("a weight is not in (0, 1]")
    count = np.ones(weight.size) if counts is None else floats(counts, like=weight.size)
    if count.size and count.min() < 0:
        raise ValueError("a count is below 0")
    alike, place = np.unique(np.column_stack([errors, weight]), axis=0, return_inverse=True)
    counted = np.bincount(place.reshape(-1), weights=count, minlength=len(alike)).astype(np.float64)
    there = counted > 0
    return Rows(alike[there, 0], alike[there, 1], counted[there])


def grown(rows: Rows, bets: Floats, limit: float) -> Floats:
    """By bet, the logarithm of what a stake of 1 has become."""
    factors = 1 + np.outer(bets, rows.weight * (rows.wrong - limit))
    return np.asarray(np.log(np.maximum(factors, 1e-300)) @ rows.count, dtype=np.float64)


def _for(rows: Rows, limit: float) -> Floats:
    """The same, of bets that less than `limit` is wrong."""
    return grown(rows, -np.array(kept_bets(limit)[0]), limit)


def _wealth(rows: Rows, limit: float) -> float:
    return _mixed(_for(rows, limit), np.log(kept_bets(limit)[1]))


def _mixed(logs: Floats, stakes: Floats) -> float:
    return float(np.logaddexp.reduce(logs + stakes))


def _at_least(rows: Rows, needed: float) -> float:
    """The largest accuracy that is certified: the wealth falls as the accuracy asked for rises."""
    low, high = 0.0, 1.0
    if not rows.count.size or _wealth(rows, 1 - 1e-6) < needed:
        return 0.0
    while high - low >= 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if _wealth(rows, 1 - middle) >= needed else (low, middle)
    return low


def _labels_needed(rows: Rows, limit: float, needed: float) -> int | None:
    """How many more until certified, on average, if they are wrong as often as those so far and carry full weight.

    It is when the expected logarithms of the bets suffice; half of the time rather fewer do.
    """
    rate = rows.rate
    if rate >= limit:
        return None
    so_far, stakes = _for(rows, limit), np.log(kept_bets(limit)[1])
    more = Rows(np.array([0.0, 1.0]), np.ones(2), np.array([1 - rate, rate]))
    growth = _for(more, limit)
    low, high = 0, 1
    while _mixed(so_far + high * growth, stakes) < needed:
        low, high = high, high * 2
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _mixed(so_far + middle * growth, stakes) >= needed else (middle, high)
    return high
