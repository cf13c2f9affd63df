"""How good a rung's probabilities are, as a value: what `learn` and `confidence` show. Unknown is NaN or None, never 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.learning.examples import Example
from surefoot.policy import Map, apply_map
from surefoot.records import Evidence, Signal
from surefoot.stats.arrays import Floats
from surefoot.stats.intervals import Estimate
from surefoot.stats.metrics import Bin, aurc, auroc, brier, ece, ece_perfect, rate, reliability


class Measures(Struct, frozen=True, kw_only=True):
    """Probabilities beside verdicts, each draft counted for what it stands for; one group is one unit of the intervals.

    Drafts that no map could judge are in `n` of nothing but `unjudged` and `coverage`.
    """

    n: int
    unjudged: int
    right: Estimate  # of all judged drafts
    auroc: float
    aurc: float
    ece: float
    ece_perfect_p95: float  # what a perfect calibrator stays below 95 times in 100, at this n
    brier: float
    coverage: Estimate  # share of drafts whose lower end reaches the bar
    right_at_bar: Estimate  # among those
    bins: tuple[Bin, ...]


def measure(low: Floats, p: Floats, examples: Sequence[Example], *, bar: float) -> Measures:
    """The measures of probabilities, NaN where there is none, against the verdicts of their examples."""
    accepted = np.array([example.accepted for example in examples], dtype=np.bool_)
    weight = np.array([example.weight for example in examples])
    groups = np.array([example.group for example in examples], dtype=np.str_)
    known, over = ~np.isnan(p), low >= bar  # NaN reaches no bar
    sure, verdicts, stands = p[known], accepted[known], weight[known]
    return Measures(
        n=int(known.sum()),
        unjudged=int((~known).sum()),
        right=rate(verdicts, weights=stands, groups=groups[known].tolist()),
        auroc=auroc(sure, verdicts, weights=stands),
        aurc=aurc(sure, verdicts, weights=stands),
        ece=ece(sure, verdicts, weights=stands),
        ece_perfect_p95=ece_perfect(sure, weights=stands),
        brier=brier(sure, verdicts, weights=stands),
        coverage=rate(over, weights=weight, groups=groups.tolist()),
        right_at_bar=rate(accepted[over], weights=weight[over], groups=groups[over].tolist()),
        bins=reliability(sure, verdicts, weights=stands, groups=groups[known].tolist()),
    )


def applied(chosen: Map | None, examples: Sequence[Example]) -> tuple[Floats, Floats]:
    """(low, p) of each example by a map as it would serve them; NaN where it cannot judge."""
    low, p = np.full(len(examples), np.nan), np.full(len(examples), np.nan)
    if chosen is None:
        return low, p
    for place, example in enumerate(examples):
        sure = apply_map(chosen, evidence_of(example))
        if sure.p is not None and sure.low is not None:
            low[place], p[place] = sure.low, sure.p
    return low, p


def evidence_of(example: Example) -> Evidence:
    """The evidence that an example was made from."""
    return Evidence(signals=tuple(Signal(name=name, score=score) for name, score in example.signals.items()))
