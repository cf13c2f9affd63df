"""A structural model of daily amounts: level, weekday, growth, outliers and jumps; filtered forwards, drawn from forwards.

The logarithm of a day's amount is a level that wanders and grows, plus the weekday's effect, plus noise. Each day may also be
an outlier (an outage, a batch run) or begin a new level (a release, a new customer): three models side by side, whose
probabilities and rates are learned day by day. One pass gives the state after every past day, so that a back-test costs no
second fit.

Source: multi-process models of class II, Harrison and Stevens (1976), JRSS B 38, and West and Harrison (1997), Bayesian
Forecasting and Dynamic Models, chapter 12; the wandering's share is integrated over a grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from surefoot.stats.arrays import Floats

_RATIOS = np.array([0.0, 0.04, 0.08, 0.12, 0.18, 0.26, 0.38, 0.56, 0.85])  # the level's daily steps over the noise
_STEADY = 0.3  # how likely it is, before anything is known, that the level does not wander at all
_GROWTH = 0.01  # standard deviation of growth a day, before anything is known
_WEEKDAY = 0.5  # of a weekday's effect
_OUTLIER, _SHIFT = 0.8, 0.5  # of an outlier, of a jump of the level, in logarithms
_RATE_OUTLIER, _RATE_SHIFT = 0.4, 0.06  # how many of each are supposed, before anything is known,
_RATE_DAYS = 40.0  # in so many days
_WARM = 28  # days that the scale of the noise is first taken from
_STRANGE = 0.2  # how likely a day must be an outlier to be remembered as one
_FREEDOM = 3.0  # degrees of freedom of that scale
_NORMAL, _OUT, _JUMP = 0, 1, 2
_DIM = 8  # level, growth, six weekdays against the seventh


@dataclass(frozen=True, slots=True)
class State:
    """What is known after a day: by ratio (G) and model of that day (3).

    `mean` (G, 3, 8) and `cov` (G, 3, 8, 8) of level, growth and weekdays, the latter in units of the noise's variance, which is
    inverse gamma with `freedom` and `squares` (G, 3). `logs` (G, 3) are the logarithms of the weights, `counts` how many
    outliers and jumps there were so far on average.
    """

    day: int
    mean: Floats
    cov: Floats
    freedom: float
    squares: Floats
    logs: Floats
    counts: tuple[float, float]
    scale: float  # of the noise, as first guessed: what outliers and jumps are measured in
    outliers: tuple[tuple[float, float], ...] = ()  # (how likely, how far off) of every day that may have been one
    error: float = 0.0  # of the last day

    @property
    def weights(self) -> Floats:
        """Shape (G, 3), adding up to 1."""
        weights = np.exp(self.logs - self.logs.max())
        return np.asarray(weights / weights.sum(), dtype=np.float64)

    @property
    def rates(self) -> Floats:
        """(ordinary, outlier, jump): how likely each is on any day."""
        days = _RATE_DAYS + self.day
        out, jump = (_RATE_OUTLIER + self.counts[0]) / days, (_RATE_SHIFT + self.counts[1]) / days
        return np.array([1 - out - jump, out, jump])


def design(weekday: int) -> Floats:
    """What a day of the week (0 to 6) takes of a state; the seventh weekday is minus the sum of the others."""
    row = np.zeros(_DIM)
    row[0] = 1.0
    row[2:] = -1.0 if weekday == 6 else 0.0
    if weekday < 6:
        row[2 + weekday] = 1.0
    return row


def filtered(logs: Floats, weekday: int, keep: Sequence[int]) -> dict[int, State]:
    """The states after the days in `keep` (a number of days each).

    Args:
        logs: shape (n,), logarithms of daily amounts, NaN on days without one.
        weekday: of the first day, 0 to 6.
        keep: each from 0 to n.
    """
    state, wanted = _begin(logs, weekday), set(keep)
    found = {0: state} if 0 in wanted else {}
    for day, value in enumerate(logs):
        state = _step(state, float(value), design((weekday + day) % 7))
        if day + 1 in wanted:
            found[day + 1] = state
    return found


def _begin(logs: Floats, weekday: int) -> State:
    warm = logs[:_WARM]
    weekly = np.abs(warm[7:] - warm[:-7])
    weekly = weekly[np.isfinite(weekly)]
    scale = float(np.median(weekly)) / 0.6745 / np.sqrt(2) if weekly.size >= 5 else 0.3
    scale = min(max(scale, 0.01), 1.5)
    cov = np.zeros((_DIM, _DIM))
    cov[0, 0], cov[1, 1] = 9.0, _GROWTH**2
    cov[2:, 2:] = _WEEKDAY**2 * (np.eye(6) - 1 / 7)
    known = warm[np.isfinite(warm)]
    mean = np.zeros(_DIM)
    mean[0] = float(np.median(known)) if known.size else 0.0
    grid = _RATIOS.size
    likely = np.where(_RATIOS == 0, _STEADY, (1 - _STEADY) / (grid - 1))
    return State(
        day=0, mean=np.tile(mean, (grid, 3, 1)), cov=np.tile(cov / scale**2, (grid, 3, 1, 1)), freedom=_FREEDOM,
        squares=np.full((grid, 3), _FREEDOM * scale**2), logs=np.log(np.outer(likely, [1.0, 1e-9, 1e-9])),
        counts=(0.0, 0.0), scale=scale,
    )  # fmt: skip


def _step(state: State, value: float, row: Floats) -> State:
    """The state after one more day."""
    mean = state.mean.copy()
    mean[..., 0] += mean[..., 1]
    cov = state.cov.copy()
    cov[..., 0, :] += cov[..., 1, :]
    cov[..., :, 0] += cov[..., :, 1]
    wander = _RATIOS[:, None] ** 2
    if not np.isfinite(value):
        cov[..., 0, 0] += wander
        return State(
            day=state.day + 1, mean=mean, cov=cov, freedom=state.freedom, squares=state.squares, logs=state.logs,
            counts=state.counts, scale=state.scale, outliers=state.outliers, error=state.error,
        )  # fmt: skip
    extra_level = np.array([0.0, 0.0, (_SHIFT / state.scale) ** 2])[None, None, :] + wander[..., None]  # (G, 1, 3)
    extra_noise = np.array([1.0, 1.0 + (_OUTLIER / state.scale) ** 2, 1.0])
    along = cov @ row  # (G, 3, d)
    error = value - mean @ row  # (G, 3)
    spread = (along @ row)[..., None] + extra_level + extra_noise  # (G, 3, 3): from model i to model j
    fit = error[..., None] ** 2 / spread
    own = state.squares[..., None]
    logs = (
        state.logs[..., None] + np.log(state.rates) - 0.5 * np.log(spread * own)
        - (state.freedom + 1) / 2 * np.log1p(fit / own)
    )  # fmt: skip
    logs -= logs.max()
    weights = np.exp(logs)  # (G, 3, 3)
    total = weights.sum()
    before = weights.sum(axis=(0, 2)) / total  # what yesterday was, now that today is known
    strange = state.outliers + (((float(before[_OUT]), state.error),) if before[_OUT] > _STRANGE else ())
    gain = np.repeat(along[:, :, None, :], 3, axis=2)
    gain[..., 0] += extra_level
    gain /= spread[..., None]  # (G, i, j, d)
    means = mean[:, :, None, :] + gain * error[..., None, None]
    share = weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-300)  # over i, given j
    squares = own + fit
    merged_squares = 1 / np.maximum((share / squares).sum(axis=1), 1e-300)
    merged = np.einsum("gij,gijd->gjd", share, means)
    off = means - merged[:, None]
    unit = (state.freedom + 1) / merged_squares  # over the noise's variance
    root = gain * np.sqrt(spread * share)[..., None]
    away = off * np.sqrt(share * unit[:, None])[..., None]
    covs = (
        np.einsum("gij,gide->gjde", share, cov)
        - np.einsum("gijd,gije->gjde", root, root)
        + np.einsum("gijd,gije->gjde", away, away)
    )
    covs[..., 0, 0] += (share * extra_level).sum(axis=1)
    return State(
        day=state.day + 1, mean=merged, cov=covs, freedom=state.freedom + 1, squares=merged_squares,
        logs=np.log(np.maximum(weights.sum(axis=1), 1e-300) / total),
        counts=(state.counts[0] + float(before[_OUT]), state.counts[1] + float(before[_JUMP])), scale=state.scale,
        outliers=strange, error=float((error * state.weights).sum()),
    )  # fmt: skip


def sampled(state: State, weekday: int, days: int, rng: np.random.Generator, n: int) -> Floats:
    """Shape (n, days): logarithms of the amounts of the next days, drawn from the model, its unknowns included.

    Args:
        weekday: of the next day.
    """
    weights = state.weights
    place = rng.choice(weights.size, size=n, p=weights.ravel())
    ratio, model = np.divmod(place, 3)
    noise = np.sqrt(state.squares[ratio, model] / rng.chisquare(state.freedom, n))  # its standard deviation
    values = np.empty((n, _DIM))
    for each in np.unique(place):
        g, j = divmod(int(each), 3)
        mine = np.flatnonzero(place == each)
        root = _root(state.cov[g, j])
        values[mine] = state.mean[g, j] + noise[mine, None] * (rng.standard_normal((mine.size, _DIM)) @ root.T)
    rates = state.rates
    kind = rng.random((n, days))
    jumps = (kind < rates[_JUMP]) * rng.normal(0, _SHIFT, (n, days))
    steps = values[:, 1:2] + _RATIOS[ratio][:, None] * noise[:, None] * rng.standard_normal((n, days)) + jumps
    outliers = (kind > 1 - rates[_OUT]) * _strange(state, rng, (n, days))
    effects = values @ np.stack([design((weekday + day) % 7) for day in range(days)]).T
    return np.asarray(
        effects + np.cumsum(steps, axis=1) + noise[:, None] * rng.standard_normal((n, days)) + outliers,
        dtype=np.float64,
    )


def _strange(state: State, rng: np.random.Generator, shape: tuple[int, int]) -> Floats:
    """How far off outliers will be: like one of those that were seen, or like none of them."""
    drawn = rng.normal(0, _OUTLIER, shape)
    if not state.outliers:
        return drawn
    likely, off = np.array(state.outliers).T
    seen = rng.choice(off, size=shape, p=likely / likely.sum())
    return np.where(rng.random(shape) * (likely.sum() + 1) < likely.sum(), seen, drawn).astype(np.float64)


def _root(cov: Floats) -> Floats:
    """A square root of a covariance, whatever rounding did to it."""
    values, vectors = np.linalg.eigh((cov + cov.T) / 2)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)), dtype=np.float64)
