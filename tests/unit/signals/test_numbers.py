"""Numbers have one way of writing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.signals.numbers import digits_of, joined, number_of, value_of


@pytest.mark.parametrize(
    ("token", "number"),
    [
        ("1,000", "1000"), ("1,000.50", "1000.5"), ("1.000,5", "1000.5"), ("1.000.000", "1000000"), ("1,5", "1.5"),
        ("1.000", "1"), ("007", "7"), ("0", "0"), ("0.50", "0.5"), ("8:30", "8:30"), ("1.2.3", "1.2.3"), ("twelve", "12"),
        ("Twenty-five", "25"), ("thousand", "1000"), ("second", "2"), ("½", "0.5"), ("٣", "3"), ("word", None),
        ("well-known", None), ("twenty-fifty", None),
    ],
)  # fmt: skip
def test_a_number_is_read_however_it_is_written(token: str, number: str | None) -> None:
    assert number_of(token) == number


@pytest.mark.parametrize(
    ("first", "word", "number"),
    [
        ("3.5", "million", "3500000"), ("2", "hundred", "200"), ("20", "five", "25"), ("200", "fifty", "250"),
        ("20", "twenty", None), ("2", "five", None), ("10", "five", None), ("1.2.3", "million", None), ("2", "cats", None),
    ],
)  # fmt: skip
def test_neighbours_are_one_number_where_english_says_so(first: str, word: str, number: str | None) -> None:
    assert joined(first, word) == number


@pytest.mark.parametrize(("number", "value"), [("1/2", 0.5), ("1/0", None), ("8:30", None), ("9" * 40, None)])
def test_not_every_number_has_a_value(number: str, value: float | None) -> None:
    assert value_of(number) == value


@given(st.integers(0, 10**12))
def test_thousands_separators_do_not_matter(value: int) -> None:
    assert number_of(f"{value:,}") == number_of(str(value)) == digits_of(value)
