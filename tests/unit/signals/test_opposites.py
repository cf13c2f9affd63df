"""Words that turn a statement round, and words that leave it as it is."""

import pytest

from surefoot.signals.opposites import OPPOSITES, opposites
from surefoot.signals.synonyms import SENSES
from surefoot.signals.text import key


@pytest.mark.parametrize(
    ("one", "other"),
    [("increase", "decreased"), ("open", "closed"), ("most", "least"), ("limited", "unlimited"), ("legal", "illegal")],
)
def test_opposites_are_opposite_both_ways(one: str, other: str) -> None:
    assert key(other) in opposites(key(one))
    assert key(one) in opposites(key(other))


@pytest.mark.parametrize("word", ["open", "under", "inside", "interest", "药"])
def test_no_word_is_its_own_opposite(word: str) -> None:
    assert key(word) not in opposites(key(word))


def test_the_table_is_symmetric() -> None:
    assert all(word in OPPOSITES[other] for word, others in OPPOSITES.items() for other in others)


def test_words_of_one_line_share_a_sense() -> None:
    assert SENSES[key("reduce")] & SENSES[key("decreasing")]
    assert not SENSES[key("doctor")] & SENSES[key("lawyer")]


def test_few_opposites_pass_for_the_same() -> None:
    alike = {
        (word, other)
        for word, others in OPPOSITES.items()
        for other in others
        if SENSES.get(word, frozenset()) & SENSES.get(other, frozenset())
    }
    assert alike == set()
