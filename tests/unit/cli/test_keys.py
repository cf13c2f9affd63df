"""Keys on the command line: what they may beyond asking."""

import json
from pathlib import Path

import pytest
from cli_support import CONFIG, surefoot
from typer.testing import Result

pytestmark = pytest.mark.usefixtures("config")


def key(*command: str) -> Result:
    return surefoot("key", *command, columns=120)


def test_a_key_may_report_outcomes_only_when_it_is_told_so() -> None:
    key("create", "--tenant", "acme")
    key("create", "--tenant", "acme", "--scope", "outcomes", "--scope", "outcomes")
    assert [listed["scopes"] for listed in json.loads(key("list", "--json").output)] == [[], ["outcomes"]]


def test_the_list_says_what_each_key_may() -> None:
    key("create", "--tenant", "acme", "--scope", "outcomes")
    assert "ask, outcomes" in key("list").output


def test_a_key_may_have_budgets_over_all_features() -> None:
    key("create", "--tenant", "acme", "--budget", "20/month", "--budget", "2/day", "--budget-usd", "1")
    (listed,) = json.loads(key("list", "--json").output)
    assert [(budget["nanodollars"], budget["window"]) for budget in listed["budgets"]] == [
        (20 * 10**9, "month"), (2 * 10**9, "day"),
    ]  # fmt: skip
    assert "1.000000 a month, each feature" in key("list").output


@pytest.mark.parametrize("budget", ["20", "x/day", "-1/day", "1/year", "nan/day"])
def test_a_budget_that_is_none_makes_no_key(budget: str) -> None:
    said = key("create", "--tenant", "acme", "--budget", budget)
    assert said.exit_code == 2 and "USD/WINDOW" in said.output
    assert json.loads(key("list", "--json").output) == []


def test_the_list_of_budgets_shows_what_each_keys_calls_must_fit_in() -> None:
    key("create", "--tenant", "acme", "--budget", "20/month")
    Path("surefoot.toml").write_text(CONFIG + "budget = { usd = 0 }\n[budget]\nusd = 5\nwindow = 'total'\n")
    rows = json.loads(surefoot("budgets", "--json").output)
    pots = [row["budget"] for row in rows]
    assert pots[0].endswith("/feature:f") and rows[0]["share"] is None  # of nothing, everything is used
    assert pots[1].startswith("key:") and pots[2] == "organisation"
    assert (rows[2]["limit_nanodollars"], rows[2]["spent_nanodollars"], rows[2]["resets_at"]) == (5 * 10**9, 0, None)
    shown = surefoot("budgets", columns=160).output
    assert "organisation" in shown and "total" in shown


@pytest.mark.parametrize("scope", ["admin", "", "Outcomes"])
def test_an_unknown_scope_makes_no_key(scope: str) -> None:
    said = key("create", "--tenant", "acme", "--scope", scope)
    assert said.exit_code == 2 and said.output.startswith("surefoot: ") and "outcomes" in said.output
    assert json.loads(key("list", "--json").output) == []
