"""Phrases find what is meant, however it is written; patterns find what is written."""

import pytest

from surefoot.errors import ConfigError
from surefoot.signals.phrases import LOOKED_AT, compile_phrases

RED = compile_phrases(["chest pain", "can't breathe", "suicid*", "overdose", "bleeding"], [r"\bover ?dos"])


@pytest.mark.parametrize(
    "text",
    [
        "I have chest pain", "CHEST-PAIN!", "chest   pain", "chest\npain", "chest_pain", "chestpain", "ch\u200best pain",
        "che\u00adst pain", "\uff43\uff48\uff45\uff53\uff54 \uff50\uff41\uff49\uff4e", "chèst páin", "my chest, a dull pain",
        "chest pains", "no chest pain",
    ],
)  # fmt: skip
def test_a_phrase_is_found_however_it_is_spaced_cased_or_dressed(text: str) -> None:
    assert RED.match(text)


@pytest.mark.parametrize("text", ["chets pain", "chst pain", "cheast pain", "overdsoe", "overdoze", "he is bleding"])
def test_a_long_word_may_hold_one_slip_of_the_pen(text: str) -> None:
    assert RED.match(text)


@pytest.mark.parametrize("text", ["can't breathe", "cant breathe", "can’t breathe", "I can't really breathe"])
def test_apostrophes_do_not_matter(text: str) -> None:
    assert RED.match(text)


@pytest.mark.parametrize("text", ["bleeds", "it bled and is bleeding", "suicide", "suicidal thoughts"])
def test_endings_do_not_matter(text: str) -> None:
    assert RED.match(text)


@pytest.mark.parametrize(
    "text",
    ["", "pain in my chest", "chess pain", "the chest is one two three four pain", "I can breathe", "feeding", "a cap"],
)
def test_other_words_another_order_and_wide_gaps_are_not_found(text: str) -> None:
    assert not RED.match(text)


def test_short_words_must_be_right() -> None:
    assert not compile_phrases(["pain"], []).match("pan")


def test_a_phrase_is_found_by_its_last_start_not_its_first() -> None:
    assert compile_phrases(["left arm numb"], []).match("left left the arm and arm went numb")


def test_a_word_counts_once_in_a_phrase() -> None:
    assert not compile_phrases(["very very sick"], []).match("very sick")


def test_patterns_see_the_text_without_apostrophes_and_unseen_characters() -> None:
    assert compile_phrases([], ["cant cope"]).match("I can't\u200b cope")


def test_the_middle_of_a_huge_text_is_not_looked_at_and_its_ends_are() -> None:
    filler = "word " * (2 * LOOKED_AT // 5)
    assert RED.match(filler + filler + "chest pain") and RED.match("chest pain " + filler + filler)
    assert not RED.match(filler + "chest pain " + filler)


@pytest.mark.parametrize("text", ["chest " * 33_000, "chest" * 40_000, "." * 200_000, "chest" + " a" * 100_000])
def test_a_text_made_to_stall_is_read_like_any_other(text: str) -> None:
    assert not RED.match(text)


@pytest.mark.parametrize(
    ("phrases", "patterns", "words"),
    [
        (["..."], [], "no word"),
        ([], ["("], "not a regular"),
        ([], ["(a+)+b"], "repeats"),
        ([], [r"(\w+ ?)*x"], "repeats"),
    ],
)
def test_what_cannot_be_matched_is_refused(phrases: list[str], patterns: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        compile_phrases(phrases, patterns)


def test_nothing_matches_nothing() -> None:
    assert not compile_phrases([], []).match("anything")
