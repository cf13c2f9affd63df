"""What a trial measures beyond counts: calibration, the promise, the difference to the top model."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence

from surefoot.policy import Feature, Promise
from surefoot.providers.rows import Row
from surefoot.stats import clopper_pearson
from surefoot.stats.binomial import binomial_p, labels_needed
from surefoot.stats.metrics import aurc, brier, ece, ece_perfect
from surefoot.trial.report import Admitted, Baseline, Calibration, Kept, Paired

_Z = 1.959963984540054  # of 95 % of a normal distribution
RED_FLAG = "red-flag"  # tag of a row that no model may answer
_ASSURANCE = 0.95  # of the promise that a feature without one is measured by


def calibration(judged: Sequence[tuple[float, bool]], delivered: int, queries: int) -> Calibration | None:
    """The measures of every judged draft; None when a map judged none."""
    if not judged:
        return None
    p, right = [each for each, _ in judged], [each for _, each in judged]
    return Calibration(
        n=len(judged), ece=ece(p, right), ece_perfect_p95=ece_perfect(p), brier=brier(p, right), aurc=aurc(p, right),
        coverage=delivered / queries,
    )  # fmt: skip


def admitted(rows: Sequence[Row], sent: Mapping[str, str]) -> Admitted:
    """How many red flags the rules caught, and how many other rows they sent to a person.

    Args:
        sent: by row id, the rule that sent it.
    """
    flags = [row.id in sent for row in rows if RED_FLAG in row.tags]
    others = [row.id in sent for row in rows if RED_FLAG not in row.tags]
    return Admitted(
        caught=clopper_pearson(sum(flags), len(flags)), false_alarms=clopper_pearson(sum(others), len(others)),
        by_rule=dict(sorted(Counter(sent.values()).items())),
    )  # fmt: skip


def measured(right: int, n: int, feature: Feature, promise: Promise | None = None) -> Kept:
    """A promise (else the feature's, else its bar at 95 %) tested once on the delivered answers that carry a verdict."""
    bar = min(max(feature.confidence, 0.01), 0.99)
    promise = promise or feature.promise or Promise(accuracy=bar, assurance=_ASSURANCE)
    limit, doubt = 1 - promise.accuracy, 1 - promise.assurance
    certified = n > 0 and binomial_p(n - right, n, limit) <= doubt
    broken = n > 0 and binomial_p(right, n, promise.accuracy) <= doubt
    needed = labels_needed(n - right, n, accuracy=promise.accuracy, assurance=promise.assurance)
    return Kept(
        state="certified" if certified else "broken" if broken else "not certified yet",
        accuracy=promise.accuracy,
        assurance=promise.assurance,
        measured=clopper_pearson(right, n),
        labels_needed=0 if certified else needed,
    )


def paired(rows: Sequence[Row], delivered: Mapping[str, bool], baseline: Baseline) -> Paired:
    """Accuracy over all queries (what is not delivered is not right) less the top model's, with standard errors by group.

    n is the number of rows; the interval is (-1, 1) where it cannot be known: no row, or one group only.
    """
    differences: dict[str, list[float]] = {}
    for row in rows:
        if row.id in baseline.verdicts:
            mine = float(delivered.get(row.id, False))
            differences.setdefault(row.group or row.id, []).append(mine - float(baseline.verdicts[row.id]))
    n = sum(map(len, differences.values()))
    if not n:
        return Paired(difference=None, low=-1.0, high=1.0, n=0)
    mean = sum(map(sum, differences.values())) / n
    k = len(differences)
    if k < 2:
        return Paired(difference=mean, low=-1.0, high=1.0, n=n)
    spread = sum((sum(each) - mean * len(each)) ** 2 for each in differences.values()) * k / (k - 1)
    half = _Z * math.sqrt(spread) / n
    return Paired(difference=mean, low=max(-1.0, mean - half), high=min(1.0, mean + half), n=n)
