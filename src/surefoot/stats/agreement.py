"""Whether people who judge the same things agree by more than chance: Krippendorff's alpha."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

_LEAST = 0.5  # share of resamples that must say something


class Agreement(Struct, frozen=True, kw_only=True):
    """Krippendorff's alpha with its interval: 1 is full agreement, 0 what chance gives, below 0 systematic disagreement."""

    alpha: float | None  # None: fewer than two units, or everybody always said the same, so that chance explains it all
    low: float
    high: float  # (-1, 1) when nothing is known
    units: int  # with two values or more
    values: int  # of these units


def krippendorff(
    units: Sequence[Sequence[Hashable]], *, assurance: float = 0.95, resamples: int = 2000, seed: int = 0
) -> Agreement:
    """Nominal alpha over units that one or more people judged, with a percentile bootstrap over units.

    Args:
        units: for each thing, the values it was given, in any order; those with one value are left out.
        assurance: 1 - alpha of the interval, in (0, 1).
        resamples: of the bootstrap.
        seed: of the bootstrap; the same seed gives the same interval.
    Raises: ValueError when assurance is out of range or resamples below 1.
    Source: Krippendorff (2004), Content Analysis, chapter 11, nominal metric; observed over expected disagreement among
        pairable values. The bootstrap resamples whole units (ours), not pairs.
    """
    if not 0 < assurance < 1 or resamples < 1:
        raise ValueError(f"assurance {assurance}, {resamples} resamples")
    paired = [list(unit) for unit in units if len(unit) > 1]
    counts = _counts(paired)
    n = sum(map(len, paired))
    plain = _alpha(counts, np.ones((1, len(paired))))[0] if len(paired) > 1 else float("nan")
    if np.isnan(plain):
        return Agreement(alpha=None, low=-1.0, high=1.0, units=len(paired), values=n)
    drawn = np.random.default_rng(seed).multinomial(len(paired), np.full(len(paired), 1 / len(paired)), size=resamples)
    found = _alpha(counts, drawn.astype(np.float64))
    found = found[~np.isnan(found)]
    if found.size < _LEAST * resamples:
        return Agreement(alpha=float(plain), low=-1.0, high=1.0, units=len(paired), values=n)
    tail = (1 - assurance) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Agreement(
        alpha=float(plain), low=min(float(low), plain), high=max(float(high), plain), units=len(paired), values=n
    )


def _counts(units: Sequence[Sequence[Hashable]]) -> NDArray[np.float64]:
    """Shape (units, values): how often each value was given."""
    number = {value: place for place, value in enumerate(dict.fromkeys(value for unit in units for value in unit))}
    counts = np.zeros((len(units), len(number)))
    for place, unit in enumerate(units):
        for value in unit:
            counts[place, number[value]] += 1
    return counts


def _alpha(counts: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 - observed / expected disagreement, for each row of unit weights; nan where nothing can disagree."""
    sizes = counts.sum(axis=1)
    apart = (counts * (sizes[:, None] - counts)).sum(axis=1) / np.maximum(sizes - 1, 1)
    n = weights @ sizes
    totals = weights @ counts
    expected = (totals * (n[:, None] - totals)).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(expected > 0, 1 - (n - 1) * (weights @ apart) / expected, np.nan), dtype=np.float64)
