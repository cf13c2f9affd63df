"""Budget windows are computed from the clock read at the door; a call falls under every place that it belongs to."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.policy import WINDOWS, Budgets, scarcity, window
from surefoot.records import Budget, Caller

NOW = 1_767_312_000_000_000_000  # 2026-01-02T00:00:00Z
KEY = Caller(key_id="k", tenant="acme")


def ns(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("kind", "at", "label", "ends"),
    [
        ("hour", ns(2026, 2, 28, 23, 59), "2026-02-28T23", ns(2026, 3, 1)),
        ("day", ns(2026, 2, 28, 23, 59), "2026-02-28", ns(2026, 3, 1)),
        ("week", ns(2026, 12, 31, 12), "2026-W53", ns(2027, 1, 4)),
        ("week", ns(2027, 1, 4), "2027-W01", ns(2027, 1, 11)),
        ("month", ns(2026, 12, 31, 12), "2026-12", ns(2027, 1, 1)),
        ("month", ns(2024, 2, 29), "2024-02", ns(2024, 3, 1)),
        ("total", ns(2026, 1, 1), "total", None),
    ],
)
def test_a_window_has_a_label_and_an_end(kind: str, at: int, label: str, ends: int | None) -> None:
    assert window(kind, at) == (label, ends)


@given(st.sampled_from([kind for kind in WINDOWS if kind != "total"]), st.integers(0, 4_000_000_000))
def test_windows_follow_each_other_without_a_gap(kind: str, second: int) -> None:
    label, ends = window(kind, second * 1_000_000_000)
    assert ends is not None and ends > second * 1_000_000_000
    assert window(kind, ends - 1) == (label, ends)
    assert window(kind, ends)[0] != label


def bars(budgets: Budgets, caller: Caller = KEY, feature: str = "f") -> dict[str, int]:
    return {limit.scope: limit.limit_nanodollars for limit in budgets.limits(caller, feature, NOW)}


def test_a_call_falls_under_its_key_feature_tenant_and_the_organisation() -> None:
    budgets = Budgets(
        organisation=(Budget(nanodollars=1), Budget(nanodollars=2, per="key"), Budget(nanodollars=3, per="feature")),
        tenants={
            "acme": (Budget(nanodollars=4), Budget(nanodollars=5, per="feature")),
            "other": (Budget(nanodollars=0),),
        },
        features={"f": (Budget(nanodollars=6, per="key"), Budget(nanodollars=7)), "g": (Budget(nanodollars=0),)},
    )
    caller = Caller(
        key_id="k", tenant="acme", budget_nanodollars=8, budgets=(Budget(nanodollars=9, window="day"),)
    )  # fmt: skip
    assert bars(budgets, caller) == {
        "key:k/feature:f/own": 8, "key:k/feature:f": 6, "tenant:acme": 4, "tenant:acme/feature:f": 5, "organisation": 1,
        "key:k": 2, "feature:f": 3,  # the smaller bar stands below, both count
    }  # fmt: skip
    assert [limit.limit_nanodollars for limit in budgets.limits(caller, "f", NOW)] == [8, 9, 6, 7, 4, 5, 1, 2, 3]


def test_without_a_budget_nothing_limits() -> None:
    assert Budgets().limits(KEY, "f", NOW) == ()


def test_a_tenants_name_cannot_be_taken_for_another_pot() -> None:
    budgets = Budgets(tenants={name: (Budget(nanodollars=1),) for name in ("a", "a/feature:f")})
    (pot,) = bars(budgets, Caller(key_id="k", tenant="a/feature:f"))
    assert pot == "tenant:a%2Ffeature:f"


def test_what_counts_people_is_another_pot_and_only_that_is_told_their_minutes() -> None:
    budgets = Budgets(
        organisation=(Budget(nanodollars=1), Budget(nanodollars=2, people=True)),
        human={"f": (Budget(nanodollars=3, window="week"),)},
    )
    assert bars(budgets) == {"organisation": 1, "people+organisation": 2}
    found = budgets.human_limits(KEY, "f", NOW)
    assert [(limit.scope, limit.soft) for limit in found] == [("people+organisation", True), ("people:f", True)]
    assert [limit.scope for limit in budgets.human_limits(KEY, "g", NOW)] == ["people+organisation"]


@pytest.mark.parametrize("kind", WINDOWS)
@given(st.integers(0, 3_000), st.integers(0, 3_000), st.integers(0, 60 * 86_400))
def test_a_dollar_counts_more_the_emptier_a_budget_and_never_less_than_one(
    kind: str, used: int, more: int, second: int
) -> None:
    at_ns = NOW + second * 1_000_000_000
    limits = Budgets(organisation=(Budget(nanodollars=1_000, window=kind),)).limits(KEY, "f", at_ns)
    pot = (limits[0].scope, limits[0].window)
    low, high = sorted((used, more))
    before, after = (scarcity(limits, {pot: gone}, at_ns) for gone in (low, high))
    assert before is not None and after is not None and 1 <= before <= after <= 100


def test_a_budget_that_lasts_until_its_window_ends_weighs_nothing_and_one_that_runs_ahead_does() -> None:
    noon = NOW + 12 * 3_600_000_000_000
    limits = Budgets(organisation=(Budget(nanodollars=1_000, window="day"),)).limits(KEY, "f", noon)
    pot = (limits[0].scope, limits[0].window)
    assert scarcity(limits, {pot: 500}, noon) == 1.0
    assert scarcity(limits, {pot: 900}, noon) == pytest.approx(5.0)  # half a day left on a tenth of the money
    assert scarcity(limits, {pot: 1_200}, noon) == pytest.approx(50.0)
    assert scarcity(limits, {}, noon) is None and scarcity((), {}, noon) is None
