"""The month's bill: exact about what was, honest about what will be."""

from datetime import UTC, datetime

import numpy as np
import pytest

from surefoot.ledger.bill import DAY_NS, HOUR_NS, TOTAL, Limit, Month, bill, month_of, outlook, risk
from surefoot.records import Spent

NOW = int(datetime(2026, 11, 20, 12, tzinfo=UTC).timestamp()) * 10**9
TODAY = NOW // DAY_NS * DAY_NS
USD = 10**9


def rows(
    days: int, step_ns: int, *, feature: str = "f", kind: str = "input", noise: float = 0.05, scale: float = 1.0
) -> list[Spent]:
    """A dollar an hour, more or less, for so many days that are over and this morning."""
    rng, found = np.random.default_rng(3), {}
    for hour in range(-24 * days, 12):
        at = TODAY + hour * HOUR_NS
        found[at // step_ns] = found.get(at // step_ns, 0) + round(scale * USD * np.exp(noise * rng.standard_normal()))
    return [
        Spent(at_ns=at * step_ns, requests=1, quantity=1, nanodollars=money, feature=feature, kind=kind, key_id="k")
        for at, money in found.items()
    ]  # fmt: skip


def history(days: int, **more: object) -> tuple[list[Spent], list[Spent]]:
    return rows(days, DAY_NS, **more), rows(min(days, 28), HOUR_NS, **more)


@pytest.fixture
def month() -> Month:
    return month_of(2026, 11, NOW)


def test_a_month_knows_its_days(month: Month) -> None:
    assert (month.name, month.days_left, month.over) == ("2026-11", 11, False)
    assert month_of(2026, 10, NOW).over and month_of(2026, 10, NOW).days_left == 0
    with pytest.raises(ValueError, match="has not begun"):
        month_of(2026, 12, NOW)
    december = month_of(2025, 12, NOW)
    assert december.end_ns - december.start_ns == 31 * DAY_NS


def test_what_was_spent_is_exact_and_what_comes_has_an_interval(month: Month) -> None:
    days, hours = history(60)
    found = outlook("f", days, hours, month)
    assert found.so_far == sum(row.nanodollars for row in days if row.at_ns >= month.start_ns)
    assert found.median is not None and found.interval80 is not None and found.interval95 is not None
    assert (
        found.so_far
        < found.interval95[0]
        < found.interval80[0]
        < found.median
        < found.interval80[1]
        < found.interval95[1]
    )
    assert found.median == pytest.approx(30 * 24 * USD, rel=0.02)
    assert len(found.weekdays) == 7 and found.tested95.n > 0


def test_too_few_days_give_no_number(month: Month) -> None:
    found = outlook("f", *history(9), month)
    assert (found.median, found.interval80, found.interval95, found.more_days) == (None, None, None, 12)
    assert found.so_far > 0


def test_a_month_that_is_over_is_what_it_was(month: Month) -> None:
    october = month_of(2026, 10, NOW)
    found = outlook("f", *history(60), october)
    assert found.median == found.so_far and found.interval95 == (found.so_far, found.so_far)


def test_people_are_on_no_vendors_bill(month: Month) -> None:
    days, hours = history(60)
    person = rows(60, DAY_NS, kind="human")
    found = bill([*days, *person], hours, month, change=None)
    assert found == bill(days, hours, month, change=None)


def test_the_total_is_a_series_of_its_own_and_no_sum_of_ends(month: Month) -> None:
    (a, ah), (b, bh) = history(60), history(60, feature="g", scale=0.5)
    found = bill([*a, *b], [*ah, *bh], month, change=None)
    assert [line.feature for line in found.features] == ["f", "g"] and found.total.feature == TOTAL
    assert found.total.so_far == sum(line.so_far for line in found.features)
    assert found.total.median == pytest.approx(sum(line.median or 0 for line in found.features), rel=0.02)


def test_a_feature_that_began_late_is_in_the_total(month: Month) -> None:
    (a, ah), (b, bh) = history(60), history(3, feature="new")
    found = bill([*a, *b], [*ah, *bh], month, change=None)
    new = next(line for line in found.features if line.feature == "new")
    assert new.median is None and found.total.median is not None
    assert found.total.so_far == sum(line.so_far for line in found.features)


@pytest.mark.parametrize(("usd", "low", "high"), [(100, 1, 1), (722, 0.05, 0.95), (2000, 0, 0.001)])
def test_a_budget_has_a_probability_to_be_spent(month: Month, usd: int, low: float, high: float) -> None:
    found = risk(Limit(key_id="k", feature="f", nanodollars=usd * USD), *history(60), month)
    assert found.probability is not None and low <= found.probability <= high


def test_a_budgets_probability_is_unknown_with_too_few_days_unless_it_is_spent_already(month: Month) -> None:
    days, hours = history(9)
    assert risk(Limit(key_id="k", feature="f", nanodollars=900 * USD), days, hours, month).probability is None
    assert risk(Limit(key_id="k", feature="f", nanodollars=USD), days, hours, month).probability == 1


def test_only_the_keys_own_spend_counts_against_its_budget(month: Month) -> None:
    days, hours = history(60)
    limits = [Limit(key_id="k", feature="f", nanodollars=USD), Limit(key_id="other", feature="f", nanodollars=USD)]
    found = bill(days, hours, month, change=None, limits=limits)
    assert [(each.limit.key_id, each.so_far > 0) for each in found.risks] == [("k", True), ("other", False)]


def test_a_bill_of_nothing_is_empty(month: Month) -> None:
    found = bill([], [], month, change=None)
    assert found.features == () and found.total.median is None and found.total.so_far == 0
