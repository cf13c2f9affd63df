"""Whether objectives say what is so, on simulated worlds with a known truth: `python -m benchmarks.objectives`.

**Coverage.** Worlds of one look each, by what is measured; the 95 % interval that the page shows either holds the truth or not:

- `weighted audits`: two kinds of answers, of which the worse one is audited more, and an audit share that was changed halfway;
- `judged audits`: the same with a judge of every answer, of a quality drawn for each world (PPI++);
- `ratio over days`: cost per request; days differ in volume and price, and requests within a day are alike;
- `p95 latency`: slow days are slow for everybody.

**False "met".** Worlds whose true rate lies just beyond the target, watched daily for as long as a window lasts once the first
one is full, and over 90 days. `ours` is the state of the product. Beside it what is usually done: "met" when the estimate is
within the target, and when the plain interval is. The same for a ratio over days.

**Power** is what that costs: in worlds that are well within the target, how many labels until "met", against the exact test
that may be looked at once only.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from benchmarks.machine import machine
from surefoot.evals.objectives import MET, MISSED, Assessment, Day, Labelled, of_days, of_labels, of_latency
from surefoot.records.objective import Objective, latency_bucket
from surefoot.stats import clopper_pearson
from surefoot.stats.binomial import binomial_p
from surefoot.stats.ppi import Moments
from surefoot.stats.rolling import rolled

SEED, WORLDS = 20_261, 1000
DAY_NS, WINDOW, WATCHED = 86_400 * 10**9, 28, 90  # days
BEYOND = 1.02  # of the target: what a world at its edge truly is

Rng = np.random.Generator


def error_objective(target: float = 0.05) -> Objective:
    """At most this share of what is delivered is wrong, over 28 days."""
    return Objective(name="error", feature="triage", measure="delivered_error", target=target, at_most=True)


def cost_objective(target: float) -> Objective:
    """At most this much a request, over 28 days."""
    return Objective(name="cost", feature="triage", measure="cost_per_resolution", target=target, at_most=True)


def audits(rng: Rng, days: int, each_day: int, rates: tuple[float, float], *, judge: float | None = None):  # type: ignore[no-untyped-def]
    """(labels, scores of every delivery) of days of deliveries: a third are hard, and audited three times as much.

    Args:
        rates: P(wrong) of easy and hard ones.
        judge: how far its score tells wrong from right, from 0 on; None: there is none.
    """
    n = days * each_day
    hard = rng.random(n) < 1 / 3
    wrong = rng.random(n) < np.where(hard, rates[1], rates[0])
    share = np.where(hard, 0.15, 0.05) * np.where(np.arange(n) < n // 2, 1.0, 2.0)
    scores = np.round(np.clip(rng.normal(0.3 + (judge or 0.0) * wrong, 0.15, n), 0, 1), 2)
    drawn = np.flatnonzero(rng.random(n) < share)
    at = ((np.arange(n) + 0.5) / each_day * DAY_NS).astype(np.int64)
    labels = [
        Labelled(
            at_ns=int(at[i]), wrong=bool(wrong[i]), propensity=float(share[i]),
            doubt=None if judge is None else float(scores[i]),
        )
        for i in drawn
    ]  # fmt: skip
    return labels, scores


def rate_of(rates: tuple[float, float]) -> float:
    """The true rate over all deliveries."""
    return rates[0] * 2 / 3 + rates[1] / 3


def weighted(rng: Rng) -> bool:
    """Whether the interval of weighted audits holds the truth."""
    rates = (rng.uniform(0.01, 0.08), rng.uniform(0.08, 0.3))
    labels, _ = audits(rng, WINDOW, int(rng.integers(60, 300)), rates)
    return _holds(of_labels(error_objective(), labels, WINDOW * DAY_NS), rate_of(rates))


def judged(rng: Rng) -> bool:
    """Whether the interval of audits beside a judge holds the truth."""
    rates = (rng.uniform(0.02, 0.1), rng.uniform(0.1, 0.3))
    labels, scores = audits(rng, WINDOW, int(rng.integers(60, 300)), rates, judge=rng.uniform(0.0, 0.4))
    return _holds(of_labels(error_objective(), labels, WINDOW * DAY_NS, doubts=Moments.of(scores)), rate_of(rates))


def costs(rng: Rng, days: int, mean: float, *, spread: float) -> list[Day]:
    """Days whose cost per request is `mean` on average over requests: volumes of a week, prices of a day."""
    volume = rng.poisson(
        200 * np.array([1.2, 1.1, 1.0, 1.0, 0.9, 0.4, 0.3])[np.arange(days) % 7] * rng.lognormal(0, 0.2, days)
    )
    price = mean * rng.lognormal(-(spread**2) / 2, spread, days)
    spent = [float(rng.gamma(2.0, 0.5, n).sum()) * p for n, p in zip(volume, price, strict=True)]
    return [Day(day=day, top=top, bottom=float(n)) for day, (top, n) in enumerate(zip(spent, volume, strict=True))]


def daily(rng: Rng) -> bool:
    """Whether the interval of a ratio over days holds the truth."""
    days = costs(rng, WINDOW, 1.0, spread=rng.uniform(0.05, 0.5))
    return _holds(of_days(cost_objective(1.0), days, WINDOW * DAY_NS, requests=sum(int(d.bottom) for d in days)), 1.0)


def slow(rng: Rng) -> bool:
    """Whether the interval of the 95th percentile holds the truth, to the bucket."""
    spread, between = rng.uniform(0.3, 0.9), rng.uniform(0.0, 0.3)
    days = {}
    for day in range(WINDOW):
        seconds = rng.lognormal(rng.normal(0, between), spread, rng.poisson(200))
        buckets, counts = np.unique([latency_bucket(int(each * 1e6)) for each in seconds], return_counts=True)
        days[day] = dict(zip(buckets.tolist(), counts.tolist(), strict=True))
    objective = Objective(name="p95", feature="triage", measure="p95_latency", target=3.0, at_most=True)
    found = of_latency(objective, days, WINDOW * DAY_NS)
    truth = math.exp(1.6448536 * math.sqrt(spread**2 + between**2))
    assert found.low is not None
    assert found.high is not None
    return found.low / 2 ** (1 / 8) <= truth <= found.high


KINDS: dict[str, Callable[[Rng], bool]] = {
    "weighted audits": weighted, "judged audits": judged, "ratio over days": daily, "p95 latency": slow,
}  # fmt: skip


def coverage_rows(worlds: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """One row a kind: how often the interval holds the truth."""
    for place, (kind, holds) in enumerate(KINDS.items()):
        inside = sum(holds(np.random.default_rng([seed, place, world])) for world in range(worlds))
        found = clopper_pearson(inside, worlds)
        row = {"part": "coverage", "kind": kind, "covered": found.estimate, "interval": [found.low, found.high]}
        yield {**row, "worlds": worlds}


class Told:
    """What one world was called on the days it was looked at, by each method; a look is true where it was called met."""

    def __init__(self) -> None:
        self.looks: dict[str, list[bool]] = {"ours": [], "interval": [], "estimate": []}
        self.missed: list[bool] = []

    def add(self, found: Assessment, target: float) -> None:
        """One look."""
        self.looks["ours"].append(found.state == MET)
        self.looks["interval"].append(found.high is not None and found.high <= target)
        self.looks["estimate"].append(found.value is not None and found.value <= target)
        self.missed.append(found.state == MISSED)


def watched_labels(rng: Rng, truth: float, target: float, days: int) -> Told:
    """A world of audits, looked at at the end of every day."""
    each_day, told = int(rng.integers(40, 400)), Told()
    labels, _ = audits(rng, days, each_day, (truth * 0.6, truth * 1.8))
    objective = error_objective(target)
    for day in range(1, days + 1):
        told.add(of_labels(objective, labels, day * DAY_NS), target)
    return told


def watched_days(rng: Rng, truth: float, target: float, days: int) -> Told:
    """A world of costs, looked at every day."""
    counted, told, objective = costs(rng, days, truth, spread=rng.uniform(0.05, 0.5)), Told(), cost_objective(target)
    for day in range(1, days + 1):
        told.add(of_days(objective, counted, day * DAY_NS, requests=0), target)
    return told


def met_rows(worlds: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """False "met" at the target's edge: over the looks of one window, and over 90 days from the first."""
    for place, (kind, watch, target) in enumerate((("labels", watched_labels, 0.05), ("days", watched_days, 1.0))):
        told = [
            watch(np.random.default_rng([seed, 10 + place, world]), BEYOND * target, target, WATCHED)
            for world in range(worlds)
        ]
        for method in ("ours", "interval", "estimate"):
            row: dict[str, Any] = {"part": "false met", "kind": kind, "method": method, "worlds": worlds}
            for name, first in (("window", WATCHED - WINDOW), ("all", 0)):
                wrong = clopper_pearson(sum(any(each.looks[method][first:]) for each in told), worlds)
                row |= {name: wrong.estimate, f"{name}_interval": [wrong.low, wrong.high]}
            yield row
        kept = [
            watch(np.random.default_rng([seed, 20 + place, w]), 0.98 * target, target, WATCHED) for w in range(worlds)
        ]
        wrong = clopper_pearson(sum(any(each.missed) for each in kept), worlds)
        yield {
            "part": "false missed", "kind": kind, "method": "ours", "worlds": worlds, "all": wrong.estimate,
            "all_interval": [wrong.low, wrong.high],
        }  # fmt: skip


def power_rows(worlds: int, *, seed: int) -> Iterator[dict[str, Any]]:
    """Labels until "met", median and 90 %, when all fit into the window; beside the exact test with one look."""
    for target, truth in ((0.05, 0.02), (0.05, 0.03), (0.15, 0.10)):
        needed = []
        for world in range(worlds):
            wrong = np.random.default_rng([seed, 30, world]).random(6000) < truth
            needed.append(_first(wrong, target))
        exact = next(n for n in range(20, 6000, 5) if binomial_p(math.floor(truth * n), n, target) <= 0.05)
        yield {
            "part": "power", "target": target, "truth": truth, "median": float(np.median(needed)),
            "p90": float(np.quantile(needed, 0.9)), "one_look_median": exact, "worlds": worlds,
        }  # fmt: skip


def _first(wrong: np.ndarray[Any, np.dtype[np.bool_]], target: float) -> float:
    for n in range(20, wrong.size, 20):
        errors = int(wrong[:n].sum())
        if rolled([True, False], [1.0, 1.0], counts=[errors, n - errors], limit=target, doubt=0.05).kept_p <= 0.05:
            return n
    return math.inf


def _holds(found: Assessment, truth: float) -> bool:
    assert found.low is not None
    assert found.high is not None
    return found.low <= truth <= found.high


def summary(rows: Sequence[dict[str, Any]], worlds: int) -> dict[str, Any]:
    """The line that is printed last: the mean coverage of weighted audits and PPI, the worst false "met" within a window."""
    audited = [row["covered"] for row in rows if row["part"] == "coverage" and row["kind"].endswith("audits")]
    false_met = max(row["window"] for row in rows if row["part"] == "false met" and row["method"] == "ours")
    return {"coverage_95": round(sum(audited) / len(audited), 4), "false_met": false_met, "worlds": worlds}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=WORLDS)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--json", action="store_true", help="print only JSON: a line for each row, the summary last")
    given = parser.parse_args()
    rows = [
        *coverage_rows(given.worlds, seed=given.seed), *met_rows(max(1, given.worlds * 2 // 5), seed=given.seed),
        *power_rows(max(1, given.worlds // 5), seed=given.seed),
    ]  # fmt: skip
    if given.json:
        for row in rows:
            print(json.dumps(row))
    else:
        print(f"objectives on simulated worlds; seed {given.seed}; {machine()}")
        for row in rows:
            print(_line(row))
    print(json.dumps(summary(rows, given.worlds)))


def _line(row: dict[str, Any]) -> str:
    if row["part"] == "power":
        return (
            f"power: target {row['target']:.0%}, truth {row['truth']:.0%}: met after {row['median']:.0f} labels (median; "
            f"90 %: {row['p90']:.0f}); the exact test with one look needs {row['one_look_median']}; n = {row['worlds']}"
        )
    if row["part"] == "coverage":
        low, high = row["interval"]
        return f"coverage of 95 %, {row['kind']}: {row['covered']:.1%} [{low:.1%}, {high:.1%}], n = {row['worlds']}"
    low, high = row["all_interval"]
    within = f"{row['window']:.1%} within a window, " if "window" in row else ""
    said = f"{row['part']}, {row['kind']}, {row['method']}: {within}{row['all']:.1%} [{low:.1%}, {high:.1%}]"
    return f"{said} over 90 days, n = {row['worlds']}"


if __name__ == "__main__":
    main()
