"""Passages are indexed once, in an order of their own."""

from surefoot.signals.passages import LONGEST, index, scope
from surefoot.signals.text import sentences


def test_a_repeated_passage_is_one() -> None:
    assert len(index(("Cats sleep.", "Dogs run.", "Cats sleep.")).places) == 2


def test_passages_keep_their_number_in_any_order() -> None:
    found = {(place.passage, place.start) for place in index(("Zebras graze. They run.", "Apes climb.")).places}
    assert found == {(0, 0), (0, 14), (1, 0)}


def test_neighbours_are_of_the_same_passage() -> None:
    held = index(("One is here. Two is here. Three is here.", "Zero."))
    assert [len(held.near(place)) for place in range(4)] == [2, 3, 2, 1]
    assert held.near(None) == ()


def test_words_of_two_passages_do_not_stand_together() -> None:
    held = index(("red car", "stone wall"))
    assert held.together("red", "car", within=1)
    assert not held.together("car", "ston", within=30)
    assert not held.together("car", "bicycle", within=30)


def test_a_word_stands_together_with_another_of_its_kind_only() -> None:
    assert index(("so so",)).together("so", "so", within=1)
    assert not index(("so it was",)).together("so", "so", within=3)


def test_long_passages_are_cut_to_equal_shares_and_short_ones_left_whole() -> None:
    long, other = "word " * LONGEST, "more " * LONGEST
    held = index((long, "A short one.", other))
    ends = {place.passage: place.end for place in held.places}
    assert ends[1] == len("A short one.")
    assert abs(ends[0] - ends[2]) <= 10
    assert sum(ends.values()) <= LONGEST


def test_a_negation_reaches_the_words_after_it() -> None:
    (sentence,) = sentences("Phones are not accepted here, cards are")
    assert "accept" in scope(sentence.words) and "phon" not in scope(sentence.words)
    assert index(("Phones are not accepted.", "Cards are accepted.")).denied == {"accept"}


def test_nothing_has_no_place() -> None:
    assert index(()).places == index(("", "  ", "!?")).places == ()
