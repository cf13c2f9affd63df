"""Objectives as they are written: what they amount to, and what makes no sense."""

import pytest

from surefoot.config.load import load_text, problems
from surefoot.config.objectives import REASONS, build_objectives
from surefoot.records.objective import Objective

BASE = """
[providers.up]
kind = "openai"
[models.small]
provider = "up"
[features.f]
ladder = ["small"]
audit = 0.05
revenue = { outcomes = { booked = 2.0, resolved = 1.0 } }
"""


def test_an_objective_is_what_was_written_with_the_usual_for_the_rest() -> None:
    text = BASE + (
        'objectives = [{ measure = "delivered_error", at_most = 0.05, by = ["customer"] },\n'
        '  { measure = "outcome:booked", at_least = 0.3, window = "2w", due = "2026-12-31", assurance = 0.9, name = "booked" },\n'
        '  { measure = "hallucination_rate", at_most = 0.02 }]\n'
    )
    first, second, third = build_objectives(load_text(text, environ={}).settings)["f"]
    assert first == Objective(
        name="delivered_error", feature="f", measure="delivered_error", target=0.05, at_most=True, by=("customer",)
    )
    assert (second.name, second.at_most, second.window_seconds, second.doubt) == (
        "booked",
        False,
        14 * 86_400,
        pytest.approx(0.1),
    )
    assert second.due_ns == 1_798_675_200 * 10**9
    assert third.reasons == REASONS and third.labelled and not second.labelled


def test_objectives_may_be_tables_and_other_features_have_none() -> None:
    text = BASE + '[[features.f.objectives]]\nmeasure = "margin"\nat_least = 0.4\n[features.g]\nladder = ["small"]\n'
    found = build_objectives(load_text(text, environ={}).settings)
    assert list(found) == ["f"] and found["f"][0].unit == "share"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ('{ measure = "delivered_eror", at_most = 0.1 }', "did you mean 'delivered_error'"),
        ('{ measure = "delivered_error" }', "at_most or at_least"),
        ('{ measure = "delivered_error", at_most = 0.1, at_least = 0.2 }', "one of them"),
        ('{ measure = "delivered_error", at_least = 0.1 }', "takes at_most"),
        ('{ measure = "delivered_error", at_most = 5 }', "write 0.05 for 5 %"),
        ('{ measure = "margin", at_least = 1.0 }', "below 1"),
        ('{ measure = "p95_latency", at_most = 0 }', "above 0, in seconds"),
        ('{ measure = "p95_latency", at_most = 2.0, window = "12h" }', "at least 7d"),
        ('{ measure = "delivered_error", at_most = 0.1, window = "a month" }', "not like 12h"),
        ('{ measure = "delivered_error", at_most = 0.1, due = "soon" }', "no date"),
        ('{ measure = "delivered_error", at_most = 0.1, assurance = 1.0 }', "assurance"),
        ('{ measure = "delivered_error", at_most = 0.1, by = ["language"] }', "customer and rung"),
        ('{ measure = "automation_rate", at_least = 0.1, by = ["rung"] }', "not known by rung"),
        ('{ measure = "outcome:bookd", at_least = 0.1 }', "did you mean 'booked'"),
        ('{ measure = "automation_rate", at_least = 0.1, outcome = "booked" }', "does nothing"),
        ('{ measure = "delivered_error", at_most = 0.1, reasons = ["tone"] }', "do nothing"),
        ('{ measure = "delivered_error", at_most = 0.1, name = "A b" }', "name"),
        ('{ measure = "margin", at_least = 0.1 }, { measure = "margin", at_least = 0.2 }', "two objectives"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_write(wrong: str, words: str) -> None:
    found = problems(f"{BASE}objectives = [{wrong}]\n", environ={})
    assert any(words in each.message for each in found), found
    assert all(each.line for each in found)


def test_what_labels_know_needs_somebody_who_labels() -> None:
    text = BASE.replace("audit = 0.05\n", "") + 'objectives = [{ measure = "delivered_error", at_most = 0.05 }]\n'
    assert "set audit above 0" in problems(text, environ={})[0].message


def test_a_margin_needs_revenue() -> None:
    text = BASE.replace("revenue = { outcomes = { booked = 2.0, resolved = 1.0 } }\n", "")
    assert (
        "needs revenue"
        in problems(text + 'objectives = [{ measure = "margin", at_least = 0.4 }]\n', environ={})[0].message
    )
