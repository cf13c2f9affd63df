"""Texts come apart into sentences and words, whatever they are written in."""

import pytest

from surefoot.signals.text import key, sentences, stem


def parts(text: str) -> list[str]:
    return [text[each.start : each.end].strip() for each in sentences(text)]


def stems(text: str) -> list[str]:
    return [word.stem for each in sentences(text) for word in each.words]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("Dr. Smith, e.g. at 5 p.m. today, is in. He left.", ["Dr. Smith, e.g. at 5 p.m. today, is in.", "He left."]),
        ("1. First this\n2. Then that\n- and so on", ["First this", "Then that", "and so on"]),
        ("It costs 3.50 dollars. Really.", ["It costs 3.50 dollars.", "Really."]),
        ("药每天吃。不要多吃！", ["药每天吃。", "不要多吃！"]),
        ("هل هذا؟ نعم", ["هل هذا؟", "نعم"]),
        ("...\n\n!!! ?", []),
    ],
)
def test_sentences_end_where_people_end_them(text: str, found: list[str]) -> None:
    assert parts(text) == found


def test_numbers_of_a_list_are_no_words() -> None:
    assert stems("1. cats\n2. dogs") == ["cat", "dog"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("twenty-five per cent", "25%"), ("5 milligrams", "5 mg"), ("3 March 2024", "2024-03-03"), ("8 am", "8:00"),
        ("one million", "1,000,000"), ("Caf\u00e9", "Cafe\u0301"), ("the 3rd", "the 3"), ("visiting", "visits"),
    ],
)  # fmt: skip
def test_two_ways_of_writing_are_the_same_words(one: str, other: str) -> None:
    assert stems(one) == stems(other)


def test_scripts_without_spaces_are_pairs_of_characters() -> None:
    assert stems("感冒药10毫克") == ["感冒", "冒药", "10", "毫克"]
    assert stems("药") == ["药"]


def test_places_are_those_of_the_text() -> None:
    text = "Take  10 mg on 3 March 2024, twenty five times."
    words = sentences(text)[0].words
    assert [text[word.start : word.end] for word in words if word.number] == ["10", "twenty five"]
    assert {text[word.start : word.end] for word in words if word.stem in ("march", "2024")} == {"3 March 2024"}


@pytest.mark.parametrize(
    ("word", "stemmed"), [("children", "child"), ("stopped", "stop"), ("passes", "pass"), ("bus", "bus")]
)
def test_a_stem_has_no_ending(word: str, stemmed: str) -> None:
    assert stem(word) == stemmed


def test_a_key_of_a_unit_is_its_name() -> None:
    assert key("milligrams") == key("mg") == "mg"
    assert key("seven") == key("7") == "7"


def test_negations_and_numbers_are_told() -> None:
    first, second = sentences("They don't pay. They pay 5.")
    assert (first.negated, first.numeric) == (True, False)
    assert (second.negated, second.numeric) == (False, True)


@pytest.mark.parametrize(
    "text", ["." * 50_000, '."' * 20_000, "\n- " * 20_000, "a'" * 20_000, "1," * 20_000, "药" * 50_000, "; " * 20_000]
)
def test_no_text_is_too_strange(text: str) -> None:
    assert all(0 <= each.start < each.end <= len(text) for each in sentences(text))
