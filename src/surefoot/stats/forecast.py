"""What the sum of the coming days will be, with intervals that the series itself was asked about.

Days with an amount follow `stats.structural`; days of zero are drawn beside it: a weekday that is mostly zero by its own
share, others as a chain in which zeros last. A day that is not over is weighed by how much of a day is usually over by then.
The width is then corrected by how wide it should have been on the series' own past (rolling origins).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, floats
from surefoot.stats.intervals import Estimate, binomial_ends
from surefoot.stats.structural import State, design, filtered, sampled

DAYS_NEEDED = 21  # three of each weekday
SPENT_NEEDED = 14  # of them with an amount above 0
LONGEST = 182  # days that are looked at: what was before says little

_DRAWS, _PAST_DRAWS = 4000, 500
_EVERY = 7  # days from one rolling origin to the next
_DOUBT = 8.0  # windows that count as if they had had the right width: few windows correct little
_NARROWEST, _WIDEST = 0.9, 2.0
_MOSTLY = 0.8  # share of zeros from which a weekday is one on which nothing is spent
_LEAST_WIDTH = 0.02  # of the logarithm of how much of a day is over: no profile is surer
_TAILS = 4.0  # degrees of freedom of how odd a day's beginning may be
_FEW = 100.0  # effective draws below which a day's beginning overrules the model


class TooShort(Struct, frozen=True, kw_only=True):
    """Not enough data: so many more days are needed, at least; of them so many with an amount above 0."""

    more_days: int
    more_spent_days: int = 0


@dataclass(frozen=True, slots=True)
class Today:
    """A day that is not over: what it came to so far, and which share of a day was over by then on earlier days."""

    so_far: float
    shares: Floats  # shape (k,), in [0, 1], one each earlier day


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The distribution of what is still to come, as draws, and how forecasts of this kind did before."""

    sums: Floats  # shape (draws,), ascending
    width: float  # what the model's width was multiplied by; 1 where the past says nothing
    tested80: Estimate  # how often the 80 % interval held on the past; n is the number of windows that do not overlap
    tested95: Estimate
    growth: tuple[float, float, float]  # a week, as a factor: low, median, high (95 %)
    weekdays: tuple[float, ...]  # by weekday from Monday: factors, geometric mean 1

    @property
    def median(self) -> float:
        """As likely more as less."""
        return float(np.median(self.sums))

    def interval(self, share: float) -> tuple[float, float]:
        """The central interval that holds with this probability."""
        low, high = np.quantile(self.sums, [(1 - share) / 2, (1 + share) / 2])
        return float(low), float(high)

    def above(self, amount: float) -> float:
        """The probability that it is more than an amount."""
        return float((self.sums > amount).mean())


def forecast(
    amounts: Sequence[float] | NDArray[Any], *, weekday: int, days: int, today: Today | None = None, seed: int = 0
) -> Forecast | TooShort:
    """The distribution of the sum of the coming days.

    Args:
        amounts: shape (n,), of consecutive days that are over, at least 0, from the first day with one.
        weekday: of the first of them, 0 is Monday.
        days: how many come, today included; at least 1.
        today: the first of the coming days, when it has begun: its `so_far` is no part of the sum.
        seed: of the draws.
    Returns: TooShort below 21 days, or below 14 with an amount; never a number then.
    Raises: ValueError for amounts below 0 or not finite, no days, or a weekday out of range.
    Source: `stats.structural`; the correction of the width is the empirical counterpart of split conformal prediction on
        standardised residuals (Lei et al. 2018, JASA 113), shrunk to 1 and with windows of one series in place of
        exchangeable cases, so that it repairs but promises nothing.
    """
    given = floats(amounts)
    if days < 1 or not 0 <= weekday < 7:
        raise ValueError(f"{days} days from weekday {weekday}")
    if given.size and given.min() < 0:
        raise ValueError("an amount is below 0")
    spent = int((given > 0).sum())
    if given.size < DAYS_NEEDED or spent < SPENT_NEEDED:
        more = max(0, SPENT_NEEDED - spent)
        return TooShort(more_days=max(DAYS_NEEDED - given.size, more), more_spent_days=more)
    skipped = max(0, given.size - LONGEST)
    given, weekday = given[skipped:], (weekday + skipped) % 7
    if not (given > 0).any():
        return TooShort(more_days=SPENT_NEEDED, more_spent_days=SPENT_NEEDED)
    unit = float(np.median(given[given > 0]))
    logs = np.full(given.size, np.nan)
    logs[given > 0] = np.log(given[given > 0] / unit)
    n, origins = given.size, _origins(given, days)
    states = filtered(logs, weekday, [n, *origins])
    rng = np.random.default_rng(seed)
    tests = [
        (
            _paths(states[at], given[:at], weekday, days, rng, _PAST_DRAWS).sum(axis=1) * unit,
            given[at : at + days].sum(),
        )
        for at in origins
    ]
    windows = (n - origins[0]) / days if origins else 0.0
    width = _width(tests, windows)
    paths = _paths(states[n], given, weekday, days, rng, _DRAWS) * unit
    sums = (paths if today is None else _begun(paths, today, rng)).sum(axis=1)
    return Forecast(
        sums=np.sort(_stretched(sums, width)), width=width, tested80=_tested(tests, windows, 0.8),
        tested95=_tested(tests, windows, 0.95), growth=_growth(states[n], rng), weekdays=_weekdays(states[n]),
    )  # fmt: skip


def _origins(given: Floats, days: int) -> list[int]:
    """After how many days the past is forecast: every week from when there was enough, as long as the window is over."""
    enough = [at for at in range(given.size - days, DAYS_NEEDED - 1, -_EVERY) if (given[:at] > 0).sum() >= SPENT_NEEDED]
    return enough[::-1]


def _paths(state: State, past: Floats, weekday: int, days: int, rng: np.random.Generator, n: int) -> Floats:
    """Shape (n, days): amounts of the next days, zeros included."""
    first = (weekday + past.size) % 7
    amounts = np.exp(np.minimum(sampled(state, first, days, rng, n), 50.0))
    return np.asarray(amounts * _spending(past == 0, weekday, days, rng, n), dtype=np.float64)


def _spending(zero: NDArray[np.bool_], weekday: int, days: int, rng: np.random.Generator, n: int) -> Floats:
    """Shape (n, days): 1 on days with an amount, else 0.

    A weekday on which four of five days were zero is drawn by its own share; all others are a Markov chain of two states whose
    probabilities have Jeffreys' prior, so that a long run of zeros is expected to last.
    """
    size, kinds = zero.size, (weekday + np.arange(zero.size)) % 7
    counts = np.bincount(kinds, minlength=7)
    zeros = np.bincount(kinds, weights=zero, minlength=7)
    mostly = zeros >= _MOSTLY * np.maximum(counts, 1)
    if mostly.all():  # no weekday of its own: little is spent at all
        mostly[:] = False
    chain = zero[~mostly[kinds]]
    was, now = chain[:-1], chain[1:]
    stays = rng.beta((was & now).sum() + 0.5, (was & ~now).sum() + 0.5, n)
    falls = rng.beta((~was & now).sum() + 0.1, (~was & ~now).sum() + 10.0, n)
    own = [rng.beta(zeros[k] + 0.5, counts[k] - zeros[k] + 0.5, n) for k in range(7)]
    state = np.full(n, bool(chain[-1]) if chain.size else False)
    out = np.empty((n, days))
    for day in range(days):
        kind, lot = (weekday + size + day) % 7, rng.random(n)
        if mostly[kind]:
            out[:, day] = lot >= own[kind]
        else:
            state = np.where(state, lot < stays, lot < falls)
            out[:, day] = ~state
    return out


def _begun(paths: Floats, today: Today, rng: np.random.Generator) -> Floats:
    """The paths given how today began, each with what is still to come of today.

    A path counts by how likely its day is to have come to `so_far` by now, the logarithm of the share being a t around the
    usual one: mornings may be odd (importance resampling, Rubin 1988). What no path explains overrules them: then today is
    `so_far` over the usual share.
    """
    shares = today.shares[(today.shares > 0) & np.isfinite(today.shares)]
    if today.so_far <= 0 or shares.size < 7:
        rest = 1 - float(np.mean(today.shares)) if today.shares.size else 1.0
        begun = paths.copy()
        begun[:, 0] = np.maximum(begun[:, 0] - today.so_far, 0.0) if today.so_far > 0 else begun[:, 0] * rest
        return begun
    usual, spread = _center(np.log(shares))
    with np.errstate(divide="ignore"):
        off = (math.log(today.so_far) - np.log(paths[:, 0]) - usual) / spread
    weights = np.nan_to_num((1 + off**2 / _TAILS) ** (-(_TAILS + 1) / 2), nan=0.0)
    total = weights.sum()
    drawn = np.exp(math.log(today.so_far) - usual + spread * rng.standard_t(_TAILS, len(paths)))
    if total <= 0 or total**2 / (weights**2).sum() < _FEW or np.min(np.abs(off)) > 3:
        begun = paths.copy()
        begun[:, 0] = np.maximum(drawn - today.so_far, 0.0)
        return begun
    begun = paths[rng.choice(len(paths), size=len(paths), p=weights / total)]
    begun[:, 0] = np.maximum(begun[:, 0] - today.so_far, 0.0)
    return np.asarray(begun, dtype=np.float64)


def _center(values: Floats) -> tuple[float, float]:
    """(median, robust standard deviation, widened for what a median of few does not know)."""
    middle = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - middle)))
    return middle, max(spread * math.sqrt(1 + 1.57 / values.size), _LEAST_WIDTH)


def _width(tests: Sequence[tuple[Floats, float]], windows: float) -> float:
    """What the width is multiplied by: the root mean square of the outcomes' normal scores, shrunk to 1.

    Outcomes in windows that overlap say little that is new: they weigh as many as there are windows side by side.
    """
    if not tests or windows < 1:
        return 1.0
    squares = [_score(sums, actual) ** 2 for sums, actual in tests]
    weight = min(windows, len(tests))
    mean = (float(np.mean(squares)) * weight + _DOUBT) / (weight + _DOUBT)
    return min(max(math.sqrt(mean), _NARROWEST), _WIDEST)


def _score(sums: Floats, actual: float) -> float:
    """How many standard deviations an outcome lay from the median, on the logarithm and by the interval's own side."""
    low, middle, high = np.log(np.maximum(np.quantile(sums, [0.1, 0.5, 0.9]), 1e-12))
    off = math.log(max(actual, 1e-12)) - middle
    side = (high - middle) if off > 0 else (middle - low)
    return min(float(abs(off)) / max(float(side) / 1.2816, 1e-3), 4.0)


def _stretched(sums: Floats, width: float) -> Floats:
    """The sums, `width` times as far from their median on the logarithm."""
    middle = float(np.median(sums))
    if width == 1.0 or middle <= 0:
        return sums
    return np.asarray(middle * (sums / middle) ** width, dtype=np.float64)


def _tested(tests: Sequence[tuple[Floats, float]], windows: float, share: float) -> Estimate:
    """How often the past lay in the model's intervals, before their width was corrected; None where there was no window."""
    weight = min(windows, len(tests))
    if weight < 1:
        return Estimate(estimate=None, low=0.0, high=1.0, n=0)
    ends = [np.quantile(sums, [(1 - share) / 2, (1 + share) / 2]) for sums, _ in tests]
    held = float(np.mean([low <= actual <= high for (low, high), (_, actual) in zip(ends, tests, strict=True)]))
    low, high = binomial_ends(held * weight, weight)
    return Estimate(estimate=held, low=low, high=high, n=int(weight))


def _growth(state: State, rng: np.random.Generator) -> tuple[float, float, float]:
    """Growth a week as a factor: 95 % interval and median."""
    weights = state.weights.ravel()
    place = rng.choice(weights.size, size=2000, p=weights)
    ratio, model = np.divmod(place, 3)
    noise = np.sqrt(state.squares[ratio, model] / rng.chisquare(state.freedom, 2000))
    spread = noise * np.sqrt(np.maximum(state.cov[ratio, model, 1, 1], 0.0))
    drawn = np.exp(7 * (state.mean[ratio, model, 1] + spread * rng.standard_normal(2000)))
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    return float(low), float(middle), float(high)


def _weekdays(state: State) -> tuple[float, ...]:
    mean = np.einsum("gj,gjd->d", state.weights, state.mean)
    return tuple(math.exp(float(mean @ design(day) - mean[0])) for day in range(7))
