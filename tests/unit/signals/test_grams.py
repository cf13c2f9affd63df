"""The pieces that two ways of asking one thing share."""

import math

from surefoot.signals.grams import grams


def shared(one: str, other: str) -> float:
    first, second = set(grams(one)), set(grams(other))
    return len(first & second) / len(first | second)


def test_a_stem_a_pair_and_the_letters_of_a_word_are_pieces() -> None:
    pieces = grams("Refund claims")
    assert {"w:refund", "w:claim", "w:refund claim", "p:claim refund", "c:^re", "c:ims$"} <= set(pieces)


def test_what_is_said_twice_counts_more_but_not_twice() -> None:
    assert grams("refund refund")["w:refund"] == 1 + math.log(2)


def test_case_accents_and_endings_do_not_count() -> None:
    assert grams("RÉFUND") == grams("refund")
    assert "w:dos" in grams("doses") and "w:dos" in grams("dosing")


def test_a_slip_of_the_pen_leaves_most_of_a_word() -> None:
    assert shared("when does my prescripton arrive", "when does my prescription arrive") > 0.5


def test_no_words_are_no_pieces() -> None:
    assert grams("") == {} and grams("?! -- 🙂") == {}


def test_only_the_beginning_of_a_very_long_text_is_read() -> None:
    assert "w:needle" not in grams("hay " * 2000 + "needle")
