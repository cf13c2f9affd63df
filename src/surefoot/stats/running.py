"""An upper bound on a rate that may be looked at after every trial."""

from __future__ import annotations

import math

_STEPS = 60  # of the bisection


def running_upper(hits: int, n: int, *, assurance: float = 0.95) -> float:
    """The upper end of a confidence sequence for a rate: with this assurance it is above the rate at all n at once.

    Args:
        hits: how often it happened, 0 <= hits <= n.
        n: how often it could have.
        assurance: 1 - alpha, in (0, 1).
    Returns: in [0, 1]; 1 when n = 0.
    Raises: ValueError when hits or assurance are out of range.
    Source: Robbins (1970), mixture of likelihoods over a uniform prior, with Ville's inequality.
    """
    if not 0 <= hits <= n:
        raise ValueError(f"{hits} hits in {n} trials")
    if not 0 < assurance < 1:
        raise ValueError(f"assurance {assurance} is not between 0 and 1")
    if n == 0 or hits == n:
        return 1.0
    mixture = math.lgamma(hits + 1) + math.lgamma(n - hits + 1) - math.lgamma(n + 2)
    limit = -math.log(1 - assurance)
    low, high = hits / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if middle >= 1:
            break
        if mixture - hits * math.log(max(middle, 1e-300)) - (n - hits) * math.log1p(-middle) < limit:
            low = middle
        else:
            high = middle
    return high
