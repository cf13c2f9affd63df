"""Exact binomial tests of a promise about wrong answers, and how many labels they would need."""

from __future__ import annotations

import math

_MOST = 1_000_000  # labels: beyond this nobody waits


def binomial_p(wrong: int, n: int, limit: float) -> float:
    """P(Binomial(n, limit) <= wrong): the p-value of "more than `limit` is wrong"; 1 when n = 0.

    Raises: ValueError when wrong is not in [0, n] or limit not in (0, 1).
    Source: summed from the largest term downwards, each term from its neighbour.
    """
    if not 0 <= wrong <= n:
        raise ValueError(f"{wrong} wrong of {n}")
    if not 0 < limit < 1:
        raise ValueError(f"limit {limit} is not between 0 and 1")
    if wrong == n:
        return 1.0
    top = min(wrong, int((n + 1) * limit))  # the largest term at or below `wrong`
    log_top = (
        math.lgamma(n + 1) - math.lgamma(top + 1) - math.lgamma(n - top + 1)
        + top * math.log(limit) + (n - top) * math.log1p(-limit)
    )  # fmt: skip
    total, term = 1.0, 1.0
    for k in range(top, 0, -1):
        term *= k * (1 - limit) / ((n - k + 1) * limit)
        total += term
        if term < 1e-18 * total:
            break
    term = 1.0
    for k in range(top, wrong):
        term *= (n - k) * limit / ((k + 1) * (1 - limit))
        total += term
        if term < 1e-18 * total:
            break
    return min(1.0, math.exp(log_top + math.log(total)))


def labels_needed(wrong: int, n: int, *, accuracy: float, assurance: float) -> int | None:
    """How many more labels until the exact test passes, if the share of wrong ones stays what it is.

    Returns: 0 when it passes already; None, that is unknown, when the share seen is not below the limit (or would need more
        than a million). With no wrong one seen, n = 0 included, the number of right ones in a row that is still needed:
        19 in all for 85 % at 95 %.
    Raises: ValueError as `binomial_p`, and when assurance is not in (0, 1).
    """
    limit, doubt = 1 - accuracy, 1 - assurance
    if not 0 < doubt < 1:
        raise ValueError(f"assurance {assurance} is not between 0 and 1")
    if binomial_p(wrong, n, limit) <= doubt:
        return 0
    rate = wrong / n if n else 0.0
    if rate >= limit:
        return None

    def passes(total: int) -> bool:
        return binomial_p(math.ceil(rate * total), total, limit) <= doubt

    high = max(n, 1)
    while not passes(high):
        high *= 2
        if high > _MOST:
            return None
    low = max(high // 2, n)
    while low < high:  # within a doubling it passes more or less from some point on
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle + 1, high)
    return max(1, high - n)
