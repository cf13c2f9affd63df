"""A classifier is applied to hashed stems and pairs, the same in every process."""

import subprocess
import sys

import msgspec
import pytest

from surefoot.signals.classifier import DIMS, TextClassifier, hashed

(PLACE,) = hashed("overdose")
URGENT = TextClassifier(bias=-2.0, weights={PLACE: 4.0}, threshold=0.5, labels=10)


def test_the_words_that_are_there_add_their_weights() -> None:
    assert URGENT.p("an overdose") == pytest.approx(1 / (1 + 2.718281828 ** (-2.0)))
    assert URGENT.match("OVERDOSES!") and not URGENT.match("a bill")


def test_an_empty_text_has_the_probability_of_the_bias() -> None:
    assert URGENT.p("") == pytest.approx(0.1192, abs=1e-4)


def test_a_word_counts_once() -> None:
    assert URGENT.p("overdose overdose") == pytest.approx(URGENT.p("overdose"))


def test_places_lie_within_the_dimensions_and_do_not_depend_on_the_process() -> None:
    text = "my father took a whole pack of pills"
    code = f"from surefoot.signals.classifier import hashed; print(sorted(hashed({text!r})))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.strip() == str(sorted(hashed(text))) and all(0 <= place < DIMS for place in hashed(text))


def test_it_is_kept_as_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(URGENT), type=TextClassifier) == URGENT
