"""Statements close, and the memo is never part of them."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st

from surefoot.ledger.exports import csv_text, jsonl_text, lines_json, rows_of
from surefoot.ledger.statement import Line, Statement, added, closed, shown, statement
from surefoot.records.units import CostSum, RequestSum

amounts = st.integers(-(10**15), 10**15)
costs = st.lists(
    st.builds(
        CostSum,
        st.tuples(st.sampled_from("abc")),
        st.sampled_from(["input", "output", "human", "request", "reservation"]),
        st.integers(0, 9),
        st.integers(0, 10**6),
        amounts,
        amounts,
    ),
    max_size=12,
)
asked = st.lists(
    st.builds(
        RequestSum, st.tuples(st.sampled_from("abcd")), st.integers(0, 9), st.integers(0, 9), amounts, st.integers(0, 9), amounts, amounts
    ),
    max_size=8,
)  # fmt: skip


@given(costs, asked)
def test_the_groups_add_up_to_what_was_summed(spent: list[CostSum], requests: list[RequestSum]) -> None:
    found = statement("feature", spent, requests)
    assert (
        found.total.nanodollars
        == sum(each.nanodollars for each in spent)
        == sum(line.nanodollars for line in found.lines)
    )
    assert found.total.revenue_nanodollars == sum(each.revenue_nanodollars for each in requests)
    assert found.total.margin_nanodollars == sum(line.margin_nanodollars for line in found.lines)
    assert len({line.group for line in found.lines}) == len(found.lines)


@given(costs, asked, st.integers(1, 10**12))
def test_the_memo_moves_no_cash(spent: list[CostSum], requests: list[RequestSum], more: int) -> None:
    with_memo = [*requests, RequestSum(("a",), 0, 0, 0, 1, more, 0)]
    plain, noted = (statement("feature", spent, each).total for each in (requests, with_memo))
    assert (plain.nanodollars, plain.margin_nanodollars) == (noted.nanodollars, noted.margin_nanodollars)


def test_only_tokens_are_tokens_and_only_people_have_minutes() -> None:
    parts = [
        CostSum(("a",), kind, 1, 60, 5, 0)
        for kind in ("input", "cached_input", "output", "request", "reservation", "human")
    ]
    [line] = statement("feature", parts, []).lines
    assert (line.tokens, line.human_seconds, line.human_nanodollars, line.nanodollars) == (180, 60, 5, 30)


def test_nothing_is_a_statement_of_nothing() -> None:
    found = statement("day", [], [])
    assert found.lines == () and found.total == Line(group="total") == added("total", ())
    assert found.total.saving_nanodollars is None


def test_days_stand_in_their_order_and_others_by_cost() -> None:
    lines = [
        Line(group="2026-11-02", nanodollars=9),
        Line(group="2026-11-01", nanodollars=1),
        Line(group="2026-11-03", nanodollars=5),
    ]
    assert [line.group[-1] for line in closed("day", lines).lines] == ["1", "2", "3"]
    assert [line.group[-1] for line in closed("feature", lines).lines] == ["2", "3", "1"]


def test_a_group_without_a_name_is_called_what_it_is() -> None:
    assert [shown(by, "") for by in ("prompt", "rung", "tags")] == ["no instructions", "nobody", "none"]
    assert shown("feature", "triage") == "triage"


def _of(*lines: Line) -> Statement:
    return closed("customer", lines)


def test_a_file_holds_exact_amounts_and_no_formula() -> None:
    found = _of(
        Line(group='=HYPERLINK("x")', requests=1, nanodollars=-1, baseline_requests=1, baseline_nanodollars=10**9)
    )
    [row] = csv.DictReader(io.StringIO(csv_text(rows_of(found))))
    assert row["customer"] == '\'=HYPERLINK("x")' and row["cost_usd"] == "-0.000000001"
    assert (row["memo_baseline_usd"], row["memo_saving_usd"]) == ("1.000000000", "1.000000000")


def test_what_is_not_known_is_empty_and_never_nought() -> None:
    found = _of(Line(group="a", requests=1))
    [row] = csv.DictReader(io.StringIO(csv_text(rows_of(found))))
    assert row["memo_saving_usd"] == "" and json.loads(jsonl_text(rows_of(found)))["memo_saving_usd"] is None
    assert lines_json(found)[0]["memo"] == {
        "baseline_requests": 0, "baseline_nanodollars": None, "compared_nanodollars": None, "saving_nanodollars": None,
    }  # fmt: skip
