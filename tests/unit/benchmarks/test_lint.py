"""The baseline of the lint benchmark really looks, and counts are what they say."""

from benchmarks.lint import found, line, naive, told
from benchmarks.prompts import BAD, CLEAN
from surefoot.stats import clopper_pearson


def test_a_plain_search_finds_a_time_stamp_and_takes_opening_hours_for_one() -> None:
    assert ("volatile", "system 1") in naive(BAD[0])
    assert naive(CLEAN[0]) and not found(CLEAN[0])


def test_a_rate_is_printed_with_its_interval_and_n() -> None:
    rate = told(clopper_pearson(9, 10))
    assert line("rules", {"recall": rate, "precision": rate}).startswith("rules    recall 90.0% [55.5%, 99.7%] n = 10")
