"""A number is bound to its unit: 10 mg is not 10 ml, but 0.5 g is 500 mg."""

import pytest

from surefoot.signals.quantities import Amounts, Quantity, quantities
from surefoot.signals.text import sentences
from surefoot.signals.units import measures_of, unit_of


def read(text: str) -> list[Quantity]:
    return [found for sentence in sentences(text) for found in quantities(text, sentence.words)]


def judged(text: str, said: str) -> list[str]:
    held = Amounts(read(text))
    return [held.judge(each) for each in read(said)]


@pytest.mark.parametrize("word", ["mg", "Milligram", "milligrams", "MG"])
def test_a_unit_has_one_name(word: str) -> None:
    assert unit_of(word) == "mg"


def test_a_word_may_be_two_units_or_none() -> None:
    assert {kind for kind, _ in measures_of("pounds")} == {"mass", "gbp"}
    assert measures_of("cats") == () and unit_of("cats") is None


@pytest.mark.parametrize(
    ("text", "kind", "per"),
    [
        ("10 mg", "mass", ""), ("10mg daily", "mass", "day"), ("10 mg per kg a day", "mass", "kg day"),
        ("80 km/h", "length", "hour"), ("$5", "usd", ""), ("5 dollars", "usd", ""), ("20%", "percent", ""),
        ("20 per cent", "percent", ""), ("two working days", "working-day", ""), ("one week", "time", ""),
        ("twice a year", "time", "year"), ("a 30-day supply", "time", ""),
    ],
)  # fmt: skip
def test_a_number_takes_its_unit_and_rate(text: str, kind: str, per: str) -> None:
    (found,) = read(text)
    assert [found.measures[0][0], found.per] == [kind, per]


def test_both_ends_of_a_range_have_its_unit() -> None:
    assert [each.measures for each in read("5 to 10 mg")] == [measures_of("mg")] * 2
    assert [each.measures for each in read("take 2, 10 mg each")] == [(), measures_of("mg")]


@pytest.mark.parametrize("text", ["one of them", "form TR-7", "version 1.2.3", "no number"])
def test_what_counts_nothing_is_no_quantity(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("500 mg", "0.5 g"), ("90 minutes", "1.5 hours"), ("two weeks", "14 days"), ("a year of 12 months", "1 year"),
        ("$3.5 million", "3,500,000 dollars"), ("10 pounds", "£10"), ("10 mg", "10"), ("10 in a table", "10 mg"),
        ("10 mg per day", "10 mg"), ("10 mg", "10 mg daily"), ("3 times a day", "three times daily"),
    ],
)  # fmt: skip
def test_a_quantity_is_there_converted_or_with_less_said(text: str, said: str) -> None:
    assert judged(text, said) == [""]


@pytest.mark.parametrize(
    ("text", "said", "wrong"),
    [
        ("10 mg", "10 ml", "unit"), ("10 mg", "10 g", "unit"), ("2 working days", "2 days", "unit"),
        ("10 mg per day", "10 mg per week", "unit"), ("0.5 g per day", "500 mg per week", "unit"),
        ("10 mg", "11 mg", "number"), ("$5", "5 euros", "unit"), ("20%", "25%", "number"), ("3 dogs", "4", "number"),
    ],
)  # fmt: skip
def test_another_number_unit_or_rate_is_not(text: str, said: str, wrong: str) -> None:
    assert judged(text, said) == [wrong]
