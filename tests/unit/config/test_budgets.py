"""Budgets as they are written: places, pots, and what makes no sense."""

import pytest

from surefoot.config.budgets import build_budgets
from surefoot.config.load import load_text, problems
from surefoot.records import Budget

BASE = """
[providers.up]
kind = "openai"
[models.small]
provider = "up"
"""
FEATURE = '[features.f]\nladder = ["small"]\n'


def test_every_place_has_the_pots_that_its_default_says() -> None:
    text = (
        "[budget]\nusd = 100\n" + BASE + FEATURE
        + 'budget = [{ usd = 1, window = "day" }, { usd = 20, per = "all", at_limit = "cheaper", warn_at = [0.5, 1.0] }]\n'
        + 'human_budget = { usd = 300, window = "week" }\n[tenants.acme]\nbudget = { usd = 5.5, people = true }\n'
    )  # fmt: skip
    found = build_budgets(load_text(text, environ={}).settings)
    assert found.organisation == (Budget(nanodollars=100_000_000_000),)
    assert found.tenants == {"acme": (Budget(nanodollars=5_500_000_000, people=True),)}
    assert found.features == {
        "f": (
            Budget(nanodollars=1_000_000_000, window="day", per="key"),
            Budget(nanodollars=20_000_000_000, cheaper=True, warn_at=(0.5, 1.0)),
        )
    }
    assert found.human == {"f": (Budget(nanodollars=300_000_000_000, window="week", people=True),)}


def test_several_budgets_of_the_organisation_may_be_tables() -> None:
    text = '[[budget]]\nusd = 1\n[[budget]]\nusd = 2\nwindow = "day"\nper = "key"\n' + BASE + FEATURE
    found = build_budgets(load_text(text, environ={}).settings).organisation
    assert [(budget.window, budget.per) for budget in found] == [("month", "all"), ("day", "key")]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("{ usd = -1 }", "usd >= 0"),
        ("{ usd = nan }", "usd >= 0"),
        ('{ usd = 1, window = "dy" }', "did you mean 'day'"),
        ('{ usd = 1, per = "feature" }', 'per "key" or "tenant" or "all"'),
        ('{ usd = 1, at_limit = "cheap" }', "did you mean 'cheaper'"),
        ("{ usd = 1, warn_at = [0.8, 0.5] }", "ascending"),
        ("{ usd = 1, warn_at = [1.2] }", "at most 1"),
        ("{ usd = 0, warn_at = [1.0] }", "no shares"),
        ('[{ usd = 1 }, { usd = 2, per = "key" }]', "only the smaller"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(wrong: str, words: str) -> None:
    (error,) = problems(BASE + FEATURE + f"budget = {wrong}\n", environ={})
    assert words in error.message and error.line == 8


def test_a_tenant_has_no_budget_per_tenant() -> None:
    (error,) = problems(BASE + FEATURE + '[tenants.acme]\nbudget = { usd = 1, per = "tenant" }\n', environ={})
    assert 'per "all" or "feature" or "key"' in error.message
