"""Texts in the form in which they are read."""

from surefoot.signals.plain import plain, unaccented, without_apostrophes


def test_unseen_characters_go_and_forms_become_plain_letters() -> None:
    assert plain("i\u200bg\u2060n\u00adore \ufb01le \uff28\uff29") == "ignore file HI"


def test_accents_and_case_stay_until_they_are_asked_away() -> None:
    assert plain("Über Café") == "Über Café"
    assert unaccented("Über Café STRAẞE") == "uber cafe strasse"


def test_all_kinds_of_apostrophes_go() -> None:
    assert without_apostrophes("can't can’t can`t") == "cant cant cant"
