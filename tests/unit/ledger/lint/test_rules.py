"""Every planted fault is found, where it was planted, and nothing else; on clean prompts no rule says anything."""

import pytest

from benchmarks.prompts import BAD, CLEAN, Case
from surefoot.ledger.lint.report import lint
from surefoot.ledger.lint.rules import RULES


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.name)
def test_planted_faults_are_found_and_nothing_else(case: Case) -> None:
    report = lint(case.traffic())
    assert {(each.rule, each.where.slot) for each in report.findings} == case.planted
    assert all(
        (each.month is None) == (len(case.bodies) < 2) and each.fix and each.where.byte > 0 for each in report.findings
    )


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.name)
def test_nothing_is_said_of_clean_prompts(case: Case) -> None:
    assert [(each.rule, each.where.slot, each.what) for each in lint(case.traffic()).findings] == []


def test_the_planted_faults_are_many_over_both_dialects_and_all_rules() -> None:
    assert sum(len(case.planted) for case in BAD) >= 25
    assert {rule for case in BAD for rule, _ in case.planted} == set(RULES)
    assert {case.dialect for case in BAD} == {case.dialect for case in CLEAN} == {"openai", "anthropic"}


def test_a_time_stamp_costs_what_the_cache_would_have_saved() -> None:
    case = next(case for case in BAD if case.name == "o-time-first")
    (found,) = lint(case.traffic()).findings
    assert found.requests == 5 and found.n == 6  # the first has none before it
    saved = found.tokens.value or 0
    assert saved % 1 < 1 and found.nanodollars.value == pytest.approx(saved * 1250)  # input less cached, per token
    assert found.month is not None and found.month.low <= found.month.value <= found.month.high
    assert found.where.line == 1 and "2026" not in found.where.excerpt


def test_a_persons_name_in_a_system_text_is_not_shown() -> None:
    case = next(case for case in BAD if case.name == "o-name")
    (found,) = lint(case.traffic()).findings
    assert found.where.excerpt == "The patient's name is ‹varies›"
    assert all("Berger" not in each.title for each in lint(case.traffic()).segments)


def test_segments_sum_to_the_whole() -> None:
    for case in (BAD[8], CLEAN[0]):
        report = lint(case.traffic())
        assert sum(each.tokens.value or 0 for each in report.segments) == pytest.approx(report.input_tokens.value)
        assert sum(each.nanodollars.value or 0 for each in report.segments) == pytest.approx(report.nanodollars.value)
