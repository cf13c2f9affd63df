"""How good a rung's probabilities are, as a value: what `learn` and `confidence` show. Unknown is NaN or None, never 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.learning.examples import Example
from surefoot.policy import Map, apply_map
from surefoot.records import Evidence, Signal
from surefoot.stats.arrays import Floats
from surefoot.stats.intervals import Estimate, clopper_pearson
from surefoot.stats.metrics import Bin, aurc, auroc, brier, ece, ece_perfect, reliability


class Measures(Struct, frozen=True, kw_only=True):
    """Probabilities beside verdicts. Drafts that no map could judge are in `n` of nothing but `unjudged`."""

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
    known = ~np.isnan(p)
    sure, verdicts = p[known], accepted[known]
    over = low[known] >= bar
    return Measures(
        n=int(known.sum()),
        unjudged=int((~known).sum()),
        right=clopper_pearson(int(verdicts.sum()), int(known.sum())),
        auroc=auroc(sure, verdicts),
        aurc=aurc(sure, verdicts),
        ece=ece(sure, verdicts),
        ece_perfect_p95=ece_perfect(sure),
        brier=brier(sure, verdicts),
        coverage=clopper_pearson(int(over.sum()), len(examples)),
        right_at_bar=clopper_pearson(int(verdicts[over].sum()), int(over.sum())),
        bins=reliability(sure, verdicts),
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
