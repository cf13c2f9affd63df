"""What the statistics are given: arrays of floats and verdicts, checked once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
EDGE = 1e-6  # keeps logits finite


def floats(values: Sequence[float] | NDArray[Any], *, like: int | None = None) -> Floats:
    """One dimension of finite floats. Raises ValueError for another shape, another length or a value that is not finite."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"expected one dimension, got shape {array.shape}")
    if like is not None and array.size != like:
        raise ValueError(f"expected {like} values, got {array.size}")
    if not np.isfinite(array).all():
        raise ValueError("not every value is finite")
    return array


def bools(values: Sequence[bool] | NDArray[Any], *, like: int | None = None) -> Bools:
    """One dimension of verdicts. Raises ValueError for another shape or another length."""
    array = np.asarray(values, dtype=np.bool_)
    if array.ndim != 1 or (like is not None and array.size != like):
        raise ValueError(f"expected {like if like is not None else 'n'} verdicts, got shape {array.shape}")
    return array


def weights_of(given: Sequence[float] | NDArray[Any] | None, n: int) -> Floats:
    """Weights above 0, scaled to a mean of 1; ones when none are given. Raises ValueError for a weight of 0 or below."""
    if given is None:
        return np.ones(n)
    array = floats(given, like=n)
    if n and array.min() <= 0:
        raise ValueError("a weight must be above 0")
    return array / array.mean() if n else array


def effective(weights: Floats) -> float:
    """How many equally weighted labels tell as much: (sum w)^2 / sum w^2, between 1 and n; 0 when n = 0.

    Source: Kish (1965), Survey Sampling.
    """
    return float(weights.sum() ** 2 / (weights @ weights)) if weights.size else 0.0


def sigmoid(z: Floats) -> Floats:
    """1 / (1 + exp(-z)), without overflow."""
    small = np.exp(-np.abs(z))
    return np.where(z >= 0, 1 / (1 + small), small / (1 + small))


def logit(p: Floats) -> Floats:
    """The inverse of `sigmoid`; p is kept away from 0 and 1 by a millionth."""
    inner = np.clip(p, EDGE, 1 - EDGE)
    return np.log(inner / (1 - inner))


def folds_of(groups: Sequence[str], k: int, *, seed: int = 0) -> NDArray[np.int64]:
    """The fold in [0, k) of every row; a group is never divided. Groups are dealt out in a seeded order, largest first.

    Raises: ValueError when k is below 2.
    """
    if k < 2:
        raise ValueError("there must be at least two folds")
    names, place, counts = np.unique(np.asarray(groups, dtype=np.str_), return_inverse=True, return_counts=True)
    shuffled = np.random.default_rng(seed).permutation(names.size)
    order = shuffled[np.argsort(-counts[shuffled], kind="stable")]
    load = np.zeros(k, dtype=np.int64)
    fold = np.zeros(names.size, dtype=np.int64)
    for group in order:
        lightest = int(np.argmin(load))
        fold[group] = lightest
        load[lightest] += counts[group]
    return np.asarray(fold[place], dtype=np.int64)
