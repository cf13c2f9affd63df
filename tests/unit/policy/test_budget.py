"""Budget windows are computed from the clock read at the door."""

from datetime import UTC, datetime

import pytest

from surefoot.policy import Feature, limits, parse_ladder, window
from surefoot.records import Caller


def ns(*date: int) -> int:
    return int(datetime(*date, tzinfo=UTC).timestamp()) * 1_000_000_000  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("kind", "at", "label", "ends"),
    [
        ("day", ns(2026, 2, 28, 23, 59), "2026-02-28", ns(2026, 3, 1)),
        ("month", ns(2026, 12, 31, 12), "2026-12", ns(2027, 1, 1)),
        ("month", ns(2024, 2, 29), "2024-02", ns(2024, 3, 1)),
        ("total", ns(2026, 1, 1), "total", None),
    ],
)
def test_a_window_has_a_label_and_an_end(kind: str, at: int, label: str, ends: int | None) -> None:
    assert window(kind, at) == (label, ends)


def test_a_call_must_fit_the_budget_of_its_feature_and_of_its_key() -> None:
    feature = Feature(name="f", ladder=parse_ladder(["m"]), budget_nanodollars=5, budget_window="day")
    caller = Caller(key_id="k", tenant="t", budget_nanodollars=7, budget_window="total")
    found = limits(caller, feature, ns(2026, 1, 2))
    assert [(limit.scope, limit.window, limit.limit_nanodollars) for limit in found] == [
        ("key:k/feature:f", "2026-01-02", 5),
        ("key:k/feature:f/own", "total", 7),
    ]


def test_without_a_budget_nothing_limits() -> None:
    assert limits(Caller(key_id="k", tenant="t"), Feature(name="f", ladder=parse_ladder(["m"])), 0) == ()
