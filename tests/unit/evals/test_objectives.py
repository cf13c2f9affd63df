"""How objectives stand: by labels, by days, by latency, among subgroups, and when the budget burns."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from surefoot.evals.objectives import (
    AT_RISK,
    MET,
    MISSED,
    UNKNOWN,
    Assessment,
    Day,
    Labelled,
    among,
    of_days,
    of_labels,
    of_latency,
)
from surefoot.records.objective import Objective, latency_bucket, latency_seconds
from surefoot.stats.ppi import Moments

DAY = 86_400 * 10**9
NOW = 400 * DAY
ERROR = Objective(name="error", feature="triage", measure="delivered_error", target=0.05, at_most=True)
COST = Objective(name="cost", feature="triage", measure="cost_per_resolution", target=0.10, at_most=True)
AUTOMATED = Objective(name="automated", feature="triage", measure="automation_rate", target=0.8, at_most=False)
P95 = Objective(name="p95", feature="triage", measure="p95_latency", target=2.0, at_most=True)


def labels(n: int, wrong: int, *, customer: str = "", days: float = 27, at_ns: int = NOW) -> list[Labelled]:
    """Labels spread over days, the wrong ones evenly among them."""
    rng = np.random.default_rng(n)
    chosen = set(rng.choice(n, wrong, replace=False).tolist()) if wrong else set()
    return [
        Labelled(at_ns=int(at_ns - (k + 0.5) * days * DAY / n), wrong=k in chosen, propensity=0.05, customer=customer)
        for k in range(n)
    ]


def days(count: int, values: float, *, noise: float = 0.1, first: int = 400) -> list[Day]:
    """Whole days up to yesterday."""
    rng = np.random.default_rng(count)
    return [
        Day(day=first - 1 - k, top=100 * values * (1 + noise * float(rng.normal())), bottom=100.0) for k in range(count)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("n", "wrong", "state"), [(0, 0, UNKNOWN), (60, 1, UNKNOWN), (60, 5, AT_RISK), (900, 9, MET), (600, 70, MISSED)]
)
def test_labels_say_how_it_stands(n: int, wrong: int, state: str):
    found = of_labels(ERROR, labels(n, wrong), NOW, deliveries=10_000)
    assert found.state == state
    assert (found.value is None) == (n == 0) and found.n == n
    assert (found.needed == 0) == (state in (MET, MISSED))


def test_without_labels_nothing_is_claimed_and_the_fewest_that_could_tell_are_named():
    found = of_labels(ERROR, [], NOW)
    assert (found.value, found.low, found.high, found.p_now, found.p_due) == (None, None, None, None, None)
    assert found.needed and found.needed > 59  # more than one look needs
    assert found.budget is not None and found.budget.spent is None and found.budget.spent_high is None


def test_what_lies_outside_the_window_does_not_count():
    old = [replace(each, at_ns=each.at_ns - 29 * DAY) for each in labels(500, 100)]
    assert of_labels(ERROR, [*old, *labels(900, 9)], NOW).state == MET
    assert of_labels(ERROR, old, NOW).n == 0


def test_a_judge_narrows_the_interval_but_not_the_state():
    rng = np.random.default_rng(1)
    plain = labels(400, 40)
    judged = [replace(each, doubt=float(np.clip(0.2 + 0.6 * each.wrong + rng.normal(0, 0.1), 0, 1))) for each in plain]
    every = Moments.of(np.clip(0.2 + 0.6 * (rng.random(20_000) < 0.1) + rng.normal(0, 0.1, 20_000), 0, 1))
    alone, helped = of_labels(ERROR, plain, NOW), of_labels(ERROR, judged, NOW, doubts=every)
    assert helped.method == "PPI++" and alone.method == "inverse propensity"
    assert _width(helped) < 0.8 * _width(alone) and helped.met_p == alone.met_p


def test_a_score_that_only_some_labels_have_corrects_nothing():
    some = [replace(each, doubt=0.5 if k % 2 else None) for k, each in enumerate(labels(400, 40))]
    assert of_labels(ERROR, some, NOW, doubts=Moments(n=9000, mean=0.2, variance=0.1)).method == "inverse propensity"


def test_the_outlook_follows_the_trend():
    getting_worse = [replace(each, wrong=each.wrong and each.at_ns > NOW - 8 * DAY) for each in labels(900, 120)]
    found = of_labels(ERROR, getting_worse, NOW)
    assert found.p_now is not None and found.p_due is not None
    assert found.p_due < found.p_now


def test_a_date_that_is_farther_away_is_less_certain():
    soon, late = (replace(ERROR, due_ns=NOW + ahead * DAY) for ahead in (7, 365))
    near, far = (of_labels(each, labels(400, 8), NOW).p_due for each in (soon, late))
    assert near is not None and far is not None
    assert abs(far - 0.5) < 0.1 < near - far


def test_a_budget_that_burns_puts_a_met_objective_at_risk():
    calm = labels(6000, 30)
    fire = [Labelled(at_ns=NOW - k * 10**9, wrong=k > 0, propensity=0.05) for k in range(90)]
    found = of_labels(ERROR, [*calm, *fire], NOW)
    assert found.firing and found.state == AT_RISK and found.met_p <= 0.05
    assert [each.firing for each in found.burns if each.long_seconds == 3600] == [True]
    assert not of_labels(ERROR, calm, NOW).firing


def test_one_wrong_answer_among_few_raises_no_alarm():
    recent = [Labelled(at_ns=NOW - 10**9, wrong=True, propensity=0.05)]
    assert not of_labels(ERROR, [*labels(300, 3), *recent], NOW).firing


def test_a_burn_that_cannot_be_is_not_shown():
    found = of_labels(replace(ERROR, target=0.15), labels(100, 5), NOW)
    assert [each.alarm_at for each in found.burns] == [6.0, 1.0]


@pytest.mark.parametrize(
    ("count", "value", "state"),
    [(5, 0.01, UNKNOWN), (28, 0.05, MET), (28, 0.2, MISSED), (28, 0.0995, UNKNOWN), (28, 0.101, AT_RISK)],
)
def test_days_say_how_a_ratio_stands(count: int, value: float, state: str):
    found = of_days(COST, days(count, value), NOW, requests=100 * count)
    assert found.state == state
    assert found.what == "requests" and found.needs == "days"
    if count < 7:
        assert found.needed == 2


def test_today_is_not_over_and_does_not_count():
    today = Day(day=400, top=1e6, bottom=1.0)
    assert of_days(COST, [*days(28, 0.05), today], NOW + DAY // 2, requests=1).state == MET


def test_a_least_target_is_met_from_above():
    assert of_days(AUTOMATED, days(28, 0.95, noise=0.02), NOW, requests=1).state == MET
    worse = of_days(AUTOMATED, days(28, 0.6, noise=0.02), NOW, requests=1000)
    assert worse.state == MISSED and worse.budget is not None and worse.budget.spent == pytest.approx(2.0, rel=0.05)
    assert worse.budget.size == pytest.approx(200)


def test_days_that_are_all_alike_are_no_certainty():
    automated = of_days(AUTOMATED, [Day(day=399 - k, top=50, bottom=50) for k in range(28)], NOW, requests=1400)
    free = of_days(COST, [Day(day=399 - k, top=0, bottom=50) for k in range(28)], NOW, requests=1400)
    assert automated.state == free.state == MET
    assert automated.value == automated.high == 1.0 and automated.low is not None and 0.8 < automated.low < 0.9
    assert (free.value, free.low, free.high) == (0.0, None, None)


def test_a_percentile_has_an_interval_and_is_tested_as_a_share():
    rng = np.random.default_rng(4)

    def histograms(median: float) -> dict[int, dict[int, int]]:
        drawn = rng.lognormal(np.log(median), 0.5, (28, 300))
        return {
            399 - k: {int(b): int(c) for b, c in zip(*np.unique([latency_bucket(int(s * 1e6)) for s in day], return_counts=True), strict=True)}
            for k, day in enumerate(drawn)
        }  # fmt: skip

    quick, slow = of_latency(P95, histograms(0.5), NOW), of_latency(P95, histograms(1.5), NOW)
    assert (quick.state, slow.state) == (MET, MISSED)
    assert slow.low is not None and slow.value is not None and slow.high is not None
    assert slow.low <= slow.value <= slow.high and slow.n == 28 * 300
    assert slow.value == pytest.approx(1.5 * np.exp(1.645 * 0.5), rel=0.12)


def test_a_slow_hour_burns_the_latency_budget():
    bucket = latency_bucket(9_000_000)
    hours = {NOW // (3600 * 10**9) - k: {bucket: 50, latency_bucket(100_000): 50} for k in range(80)}
    found = of_latency(P95, {}, NOW, hours=hours)
    assert found.firing and found.value is None


def test_a_target_inside_a_bucket_counts_the_bucket_as_slower():
    edge = latency_seconds(latency_bucket(2_000_000))
    at = {day: {latency_bucket(2_000_000): 100} for day in range(372, 400)}
    assert of_latency(replace(P95, target=edge), at, NOW).state == MET
    assert of_latency(replace(P95, target=edge * 0.99), at, NOW).state != MET


def test_among_many_subgroups_one_needs_more_to_be_told():
    alone = of_labels(ERROR, labels(620, 10, customer="a"), NOW, grouped=("customer", "a"))
    assert alone.state == MET
    others = [
        of_labels(ERROR, labels(40, 2, customer=str(k)), NOW, among=40, grouped=("customer", str(k))) for k in range(39)
    ]
    told = among([alone, *others])
    assert told[0].state != MET and told[0].met_p > alone.met_p
    assert told[0].group == "a"


def _width(found: Assessment) -> float:
    assert found.low is not None and found.high is not None
    return found.high - found.low
