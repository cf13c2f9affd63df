"""Answers are compared as values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.signals.final_answer import agree, final_answer
from surefoot.signals.values import value_of

literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{"a": 1, "b": 2}', "{'b': 2, 'a': 1}"),
        ("{8, 0}", "{0, 8}"),
        ("[true, null]", "[True, None]"),
        ("[1.0]", "[1]"),
        ("(1,)", "( 1, )"),
        ("10 miles per hour", "10"),
        ("$2 per hour", "2"),
        ("6th", "6"),
        ("−1,200.50", "-1200.5"),
        ("(b) the second", "B."),
    ],
)
def test_equal_values_have_one_form(one: str, other: str) -> None:
    assert value_of(one) == value_of(other)


@pytest.mark.parametrize(("one", "other"), [("[1]", "[True]"), ("00019", "19"), ("2 or 3", "2"), ("[1]", "(1,)")])
def test_unlike_values_stay_apart(one: str, other: str) -> None:
    assert not value_of(one).same(value_of(other))


@given(literals)
def test_a_literal_is_compared_by_its_value(value: object) -> None:
    assert value_of(repr(value)).same(value_of(repr(value)))
    if not isinstance(value, str):
        assert agree(f"#### {value!r}".replace("\n", " "), f"Answer: {value!r}".replace("\n", " ")) == 1.0


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("The answer is Paris.", "paris", 1.0),
        ('{"answer": "POSITIVE"}', '{"answer": "Positive"}', 1.0),
        ("""{"answer": "'K KBz'"}""", """{"answer": "'K Kbz'"}""", 0.0),
        ("""{"answer": "'a  b'"}""", """{"answer": "'a b'"}""", 0.0),
        ("""{"answer": "K KBz"}""", """{"answer": "'K KBz'"}""", 1.0),
    ],
)
def test_letters_count_where_they_are_known(one: str, other: str, score: float) -> None:
    assert agree(one, other) == score


@pytest.mark.parametrize("text", ["#### x", "answer: x", '{"answer": "x'])
def test_long_runs_of_spaces_are_no_burden(text: str) -> None:
    assert final_answer(text + (" " * 200_000 + "x") * 3) != ""


def test_a_stray_backslash_warns_nobody() -> None:
    assert final_answer(r"""{"answer": "'a\\d'"}""") == r"a\d"
