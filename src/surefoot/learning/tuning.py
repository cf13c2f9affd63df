"""What a learned start buys: the frontier of cost, error and people's work, the point that is served, and what labels it needs.

Every question is judged by estimates that did not see its group, and begun by the very rule that serves.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from surefoot.learning.routing import Asked, RouteFit
from surefoot.policy import Feature
from surefoot.policy.route import expected
from surefoot.records import Prospect
from surefoot.signals.router import RouteEstimate
from surefoot.stats import Estimate, clopper_pearson
from surefoot.stats.metrics import group_bootstrap
from surefoot.stats.routing import apgr

_TIMES = (0.0, 1 / 64, 1 / 16, 1 / 4, 1.0, 4.0, 16.0)  # the person's price, in configured ones
_RUNS = 200
_ONE_SIDED = 1.6448536269514722  # of 95 %


class Point(Struct, frozen=True, kw_only=True):
    """What becomes of the labelled questions at one price of the person."""

    times: float  # the configured price; 1 is the point that is served
    nanodollars: float  # a question, of the drafts where the ladder is begun
    wrong: Estimate  # of those drafts, with a 95 % interval
    person: Estimate  # questions that no rung from there on is right about
    above_first: float  # share that begins above the first rung


class Tuning(Struct, frozen=True, kw_only=True):
    """The frontier."""

    questions: int  # with a verdict on every rung
    points: tuple[Point, ...]  # by rising price
    always: dict[str, Point]  # by rung: every question begins there
    apgr: float | None  # cross-fitted; None: the first and the last rung are right equally often
    apgr_low: float | None  # one-sided 95 %, by bootstrap of groups
    labels_needed: int | None  # until that end is expected above random; 0: it is; None: nothing speaks for it


def tune(asked: Sequence[Asked], fit: RouteFit, feature: Feature, costs: Mapping[str, int], *, seed: int = 0) -> Tuning:
    """The frontier of a feature that routes.

    Args:
        asked: the questions that `fit` came from, in order; those without a verdict on every rung are left out.
        fit: its cross-fitted estimates are used, never the fitted ones.
        feature: with rules for the route.
        costs: by rung, mean nano-dollars of a draft.
    Raises: ValueError when the feature does not route, or no question has a verdict on every rung.
    """
    rules, rungs = feature.route, fit.model.rungs
    rows = [row for row, each in enumerate(asked) if all(rung in each.accepted for rung in rungs)]
    if rules is None or not rows:
        raise ValueError("nothing to tune: no rules for the route, or no question with a verdict on every rung")
    right = np.array([[asked[row].accepted[rung] for rung in rungs] for row in rows])
    prices = np.array([costs.get(rung, 0) for rung in rungs])
    prospects = [_prospects(fit.estimates[row], costs) for row in rows]
    points = []
    for times in _TIMES:
        priced = replace(rules, person_seconds=rules.person_seconds * times)
        starts = [int(np.argmin(expected(feature, each, priced))) for each in prospects]
        points.append(_point(times, np.array(starts), right, prices))
    always = {rung: _point(1.0, np.full(len(rows), place), right, prices) for place, rung in enumerate(rungs)}
    gains = np.array([fit.estimates[row][-1].gain for row in rows])
    found, low, needed = _worth(gains, right, [asked[row].group for row in rows], seed)
    return Tuning(
        questions=len(rows), points=tuple(points), always=always, apgr=found, apgr_low=low, labels_needed=needed
    )


def _prospects(estimates: Sequence[RouteEstimate], costs: Mapping[str, int]) -> tuple[Prospect, ...]:
    return tuple(
        Prospect(rung=each.rung, p=each.p, gain=each.gain, nanodollars=costs.get(each.rung, 0)) for each in estimates
    )


def _point(times: float, starts: np.ndarray, right: np.ndarray, prices: np.ndarray) -> Point:
    n = len(starts)
    wrong = int((~right[np.arange(n), starts]).sum())
    nobody = sum(not right[row, start:].any() for row, start in enumerate(starts))
    return Point(
        times=times, nanodollars=float(prices[starts].mean()), wrong=clopper_pearson(wrong, n),
        person=clopper_pearson(int(nobody), n), above_first=float((starts > 0).mean()),
    )  # fmt: skip


def _worth(
    gains: np.ndarray, right: np.ndarray, groups: Sequence[str], seed: int
) -> tuple[float | None, float | None, int | None]:  # fmt: skip
    """(APGR, its lower end, labels until that end is above one half).

    The spread of an APGR falls with the square root of the labels, so that the labels needed are n times the square of
    (1.645 standard errors over its distance from one half). That more labels also make better estimates is left out.
    """
    found = apgr(gains, right[:, 0], right[:, -1])
    if math.isnan(found):
        return None, None, None
    drawn = [
        apgr(gains[rows], right[rows, 0], right[rows, -1]) for rows in group_bootstrap(groups, runs=_RUNS, seed=seed)
    ]
    error = float(np.nanstd(drawn))
    low = found - _ONE_SIDED * error
    if low > 0.5:
        return found, low, 0
    needed = math.ceil(len(gains) * (_ONE_SIDED * error / (found - 0.5)) ** 2) if found > 0.5 else None
    return found, low, None if needed is None else max(1, needed - len(gains))
