"""Features of questions: the same in every process, bounded, and blind to nothing that makes two questions differ."""

import os
import subprocess
import sys

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from surefoot.signals.form import FORM
from surefoot.signals.question import LONGEST, PLACES, WORD_PLACES, features

PROGRAM = "from surefoot.signals.question import features; print(features('How do I get a refund?').places.tolist())"


@given(st.text(max_size=300))
def test_places_are_ascending_in_range_and_values_positive(text: str) -> None:
    found = features(text)
    assert (np.diff(found.places) > 0).all()
    assert found.places.size == 0 or 0 <= found.places[0] <= found.places[-1] < PLACES
    assert (found.values >= 1).all() and found.form.shape == (len(FORM),) and np.isfinite(found.form).all()


def test_hashing_does_not_depend_on_the_process() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert found == {f"{features('How do I get a refund?').places.tolist()}\n"}


def test_case_and_spacing_do_not_matter_to_the_words() -> None:
    one, other = (features(text) for text in ("Where is  my parcel", "where is my PARCEL"))
    assert one.places.tolist() == other.places.tolist()


def test_the_order_of_words_matters() -> None:
    assert features("dog bites man").places.tolist() != features("man bites dog").places.tolist()


def test_a_long_question_is_read_at_its_beginning_and_its_end() -> None:
    words = features("first " + "x " * LONGEST + "last").places
    known = set(words[words < WORD_PLACES].tolist())
    for word in ("first", "last"):
        own = features(word).places
        assert set(own[own < WORD_PLACES].tolist()) <= known
