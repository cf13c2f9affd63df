"""Tests that may be looked at after every label: certificates of a promise, and detectors of drift.

Both bet against a hypothesis with a mixture of fixed bets: the wealth is a product over labels, so that their order does not
matter, and it rarely grows when the hypothesis holds (Ville's inequality). Labels drawn with different probabilities are
weighted by the least probability over their own, which keeps every factor above 0 and the wealth a supermartingale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, bools, floats

CERTIFIED, BROKEN, OPEN = "certified", "broken", "not certified yet"
_SHARES = (1.0, 0.8, 0.6, 0.4, 0.25, 0.12, 0.05)  # of the largest bet that cannot lose everything
_PRIOR = (0.3, 0.15, 0.15, 0.15, 0.1, 0.1, 0.05)
_DRIFT_BETS = (0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0)
_MOST = 1_000_000  # labels: beyond this nobody waits


class Certified(Struct, frozen=True, kw_only=True):
    """How a promise stands after the labels so far."""

    state: str  # CERTIFIED | BROKEN | OPEN
    n: int
    accuracy: float | None  # weighted estimate; None when n = 0
    at_least: float  # accuracy that is certain with the assurance, whenever it is looked at; 0 when n = 0
    labels_needed: int | None  # 0 when certified; None: unknown, the estimate is not better than the promise
    log_wealth: float  # natural logarithm; certified from -log(1 - assurance) on


def certify(
    wrong: Sequence[bool] | NDArray[Any],
    propensities: Sequence[float] | NDArray[Any],
    *,
    accuracy: float,
    assurance: float,
) -> Certified:
    """The standing of "at least `accuracy` of what is delivered is right", valid at any time and at every look.

    Args:
        wrong: shape (n,), one verdict a group, of drafts delivered by one fixed policy.
        propensities: shape (n,), in (0, 1], how probable it was that each is labelled; known before the lot was drawn.
        accuracy, assurance: in (0, 1).
    Returns: never latched: the same labels in any order give the same standing, and later ones may end it. n = 0 is OPEN.
    Raises: ValueError for shapes that do not fit or numbers out of range.
    Source: betting, Waudby-Smith and Ramdas (2024), JRSS B 86; weights as in Waudby-Smith et al. (2022), arXiv 2210.10768.
    """
    if not (0 < accuracy < 1 and 0 < assurance < 1):
        raise ValueError("accuracy and assurance lie between 0 and 1")
    share = floats(propensities)
    errors = bools(wrong, like=share.size).astype(np.float64)
    if share.size and not (share.min() > 0 and share.max() <= 1):
        raise ValueError("a propensity is not in (0, 1]")
    weight = share.min() / share if share.size else share
    limit, needed = 1 - accuracy, -math.log(1 - assurance)
    wealth = _wealth(errors, weight, limit)
    against = _mixed(_logs(1 + np.outer(_shares(1 / limit), weight * (errors - limit))).sum(axis=1))
    state = CERTIFIED if wealth >= needed else BROKEN if against >= needed else OPEN
    estimate = float(1 - (weight @ errors) / weight.sum()) if share.size else None
    return Certified(
        state=state,
        n=int(share.size),
        accuracy=estimate,
        at_least=_at_least(errors, weight, needed),
        labels_needed=0 if state == CERTIFIED else _labels_needed(errors, weight, limit, needed),
        log_wealth=wealth,
    )


class Detector(Struct, frozen=True, kw_only=True):
    """An e-detector of "more than `limit` is wrong now": it finds a change whenever it comes.

    It raises a false alarm less often than once in `alarm_after` labels, on average, as long as the limit is kept; after an
    alarm begin a new one. Source: Shin, Ramdas and Rinaldo (2024), E-detectors: a nonparametric framework for sequential
    change detection, NEJSDS; Shiryaev-Roberts form, mixed over fixed bets.
    """

    limit: float
    alarm_after: float = 5000.0
    sums: tuple[float, ...] = (0.0,) * len(_DRIFT_BETS)
    n: int = 0

    @property
    def alarm(self) -> bool:
        """Whether it is raised."""
        return sum(self.sums) / len(self.sums) >= self.alarm_after

    def seen(self, wrong: bool, weight: float = 1.0) -> Detector:
        """The detector after one more label; `weight` is the least propensity over the label's own, in (0, 1]."""
        bets = (min(bet, 0.99 / self.limit) for bet in _DRIFT_BETS)
        sums = tuple(
            min((held + 1) * (1 + bet * weight * (float(wrong) - self.limit)), 1e300)
            for held, bet in zip(self.sums, bets, strict=True)
        )
        return Detector(limit=self.limit, alarm_after=self.alarm_after, sums=sums, n=self.n + 1)


def _shares(largest: float) -> Floats:
    return np.array(_SHARES) * largest * (1 - 1e-9)


def _wealth(errors: Floats, weight: Floats, limit: float) -> float:
    """The logarithm of the wealth of bets that less than `limit` is wrong."""
    bets = _shares(1 / (1 - limit))
    return _mixed(_logs(1 - np.outer(bets, weight * (errors - limit))).sum(axis=1))


def _logs(factors: NDArray[Any]) -> Floats:
    return np.asarray(np.log(np.maximum(factors, 1e-300)), dtype=np.float64)


def _mixed(logs: Floats) -> float:
    return float(np.logaddexp.reduce(logs + np.log(_PRIOR)))


def _at_least(errors: Floats, weight: Floats, needed: float) -> float:
    """The largest accuracy that is certified: the wealth falls as the accuracy asked for rises."""
    low, high = 0.0, 1.0
    if not errors.size or _wealth(errors, weight, 1 - 1e-6) < needed:
        return 0.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if _wealth(errors, weight, 1 - middle) >= needed else (low, middle)
        if high - low < 1e-6:
            break
    return low


def _labels_needed(errors: Floats, weight: Floats, limit: float, needed: float) -> int | None:
    """How many more until certified, if they are wrong as often as those so far and carry full weight."""
    rate = float((weight @ errors) / weight.sum()) if errors.size else 0.0
    if rate >= limit:
        return None
    bets = _shares(1 / (1 - limit))
    so_far = _logs(1 - np.outer(bets, weight * (errors - limit))).sum(axis=1) if errors.size else np.zeros(bets.size)
    growth = rate * _logs(1 - bets * (1 - limit)) + (1 - rate) * np.log1p(bets * limit)
    if rate == 0:
        growth = np.log1p(bets * limit)
    low, high = 0, 1
    while _mixed(so_far + high * growth) < needed:
        low, high = high, high * 2
        if high > _MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _mixed(so_far + middle * growth) >= needed else (middle, high)
    return high
