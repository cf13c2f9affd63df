"""Logistic regression with an L2 penalty, by Newton's method."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.stats.arrays import Floats, bools, effective, sigmoid, weights_of

_STEPS = 100
_CLOSE = 1e-9


class Logistic(Struct, frozen=True):
    """A fitted line: z = bias + x @ weights, p = sigmoid(z)."""

    weights: Floats  # shape (d,)
    bias: float

    def z(self, x: NDArray[Any]) -> Floats:
        """The linear score of rows, shape (n,)."""
        return np.asarray(x, dtype=np.float64) @ self.weights + self.bias


def fit_logistic(
    x: NDArray[Any], y: Sequence[bool] | NDArray[Any], *, l2: float | Floats = 1.0,
    weights: Sequence[float] | NDArray[Any] | None = None,
) -> Logistic:  # fmt: skip
    """The maximum of the penalised likelihood: log-loss summed over rows + l2 / 2 * |weights|^2, the bias left free.

    Args:
        x: shape (n, d), standardised by the caller; d may be 0.
        y: shape (n,), verdicts.
        l2: strength of the penalty, above 0, for all columns or for each, shape (d,); scikit-learn's C is 1 / l2.
        weights: shape (n,), above 0; scaled to a mean of 1.
    Returns: the line. With one class only, no line can be drawn: weights 0 and the bias of a rate smoothed by one
        pseudo-count on each side of the effective number of labels; of nothing (n = 0), weights and bias 0.
    Raises: ValueError for shapes that do not fit, values that are not finite, or l2 not above 0.
    Source: iteratively reweighted least squares, McCullagh and Nelder (1989), Generalized Linear Models, 2nd ed.
    """
    rows = np.asarray(x, dtype=np.float64)
    if rows.ndim != 2 or not np.isfinite(rows).all():
        raise ValueError(f"x must be finite with two dimensions, got shape {rows.shape}")
    n, d = rows.shape
    penalty = np.append(np.broadcast_to(np.asarray(l2, dtype=np.float64), d), 0.0)
    if (penalty[:d] <= 0).any():
        raise ValueError(f"l2 {l2} is not above 0")
    accepted = bools(y, like=n)
    weight = weights_of(weights, n)
    if accepted.all() or not accepted.any():  # n = 0 is both
        smoothed = float(np.log1p(effective(weight)))
        return Logistic(np.zeros(d), smoothed if accepted.all() else -smoothed)
    verdicts = accepted.astype(np.float64)
    right = float(weight @ verdicts)
    wide = np.hstack([rows, np.ones((n, 1))])
    line = np.append(np.zeros(d), np.log(right / (n - right)))
    line = newton(wide, verdicts, weight, penalty, line)
    return Logistic(line[:d], float(line[d]))


def newton(x: Floats, targets: Floats, weight: Floats, penalty: Floats, start: Floats) -> Floats:
    """The minimum of a penalised log-loss with targets in [0, 1]; steps are halved until the loss falls."""
    line, loss = start, penalised_loss(x, targets, weight, penalty, start)
    for _ in range(_STEPS):
        p = sigmoid(x @ line)
        slope = x.T @ (weight * (p - targets)) + penalty * line
        bend = (x * (weight * np.maximum(p * (1 - p), 1e-12))[:, None]).T @ x + np.diag(penalty + 1e-10)
        step = np.linalg.solve(bend, slope)
        size, after = 1.0, np.inf
        while size > _CLOSE:
            after = penalised_loss(x, targets, weight, penalty, line - size * step)
            if after <= loss:
                break
            size /= 2
        if after > loss or loss - after < _CLOSE * (1 + abs(loss)):
            return line - size * step if after <= loss else line
        line, loss = line - size * step, after
    return line


def penalised_loss(x: Floats, targets: Floats, weight: Floats, penalty: Floats, line: Floats) -> float:
    """What `newton` makes least: log-loss summed over rows + penalty / 2 * line^2."""
    z = x @ line
    return float(weight @ (np.logaddexp(0, z) - targets * z) + 0.5 * penalty @ (line * line))
