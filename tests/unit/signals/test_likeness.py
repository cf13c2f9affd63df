"""Two answers are alike by what they mean: final answer, JSON value, wording."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.signals.likeness import likeness


@pytest.mark.parametrize(
    ("one", "other", "score"),
    [
        ("So we get\n#### 12", "The answer is 12.0", 1.0),
        ("#### 12", "#### 13", 0.0),
        ('{"a": 1, "b": [2]}', '```json\n{"b": [2], "a": 1}\n```', 1.0),
        ('{"a": 1}', '{"a": 2}', 0.0),
        ("[1, 2]", "[1, 2]", 1.0),
        ("", "x", None),
        (" ", " ", None),
    ],
)
def test_values_are_the_same_or_they_are_not(one: str, other: str, score: float | None) -> None:
    assert likeness(one, other) == score


LONG = "Repeat prescriptions take two working days and can be ordered by app, by phone or at the front desk."


def test_prose_is_compared_by_its_words() -> None:
    near = likeness(LONG, LONG.replace("two working days", "2 working days"))
    far = likeness(
        LONG, "The eye van comes to our building in March and in October, please book your place early enough online."
    )
    assert near is not None and far is not None and 1 > near > 0.7 > 0.3 > far


def test_text_without_a_word_cannot_be_compared() -> None:
    assert likeness("?! ... --- " * 13, "*** " * 13) is None


@given(st.text(max_size=200), st.text(max_size=200))
def test_likeness_is_symmetric_and_bounded(one: str, other: str) -> None:
    score = likeness(one, other)
    assert score == likeness(other, one)
    assert score is None or 0 <= score <= 1
