"""The default embedder is the same everywhere, and eight bits a number are enough for it."""

from zlib import crc32

import numpy as np
import pytest

from surefoot.signals.embedding import DIMENSIONS, Lexical, packed, unit, unpacked

TEXT = "How do I get the money back for a card payment?"


def test_a_vector_has_length_one_and_nothing_has_none() -> None:
    embed = Lexical()
    assert embed(TEXT).shape == (DIMENSIONS,) and np.linalg.norm(embed(TEXT)) == pytest.approx(1, abs=1e-6)
    assert not embed("?!").any()


def test_like_questions_are_nearer_than_others() -> None:
    embed = Lexical()
    like, other = (
        embed("how can i get my money back for a card payment"),
        embed("Where is the nearest branch open today?"),
    )
    assert embed(TEXT) @ like > 0.6 > 0.3 > embed(TEXT) @ other


def test_the_vector_of_a_text_never_changes() -> None:
    assert Lexical()("enable 2FA").tobytes() == Lexical()("Enable 2FA!").tobytes()
    assert crc32(packed(Lexical()(TEXT))) == 3072419419  # on every machine: stores hold such vectors


def test_eight_bits_keep_every_cosine() -> None:
    embed = Lexical()
    one, other = embed(TEXT), embed("money back, please")
    assert len(packed(one)) == DIMENSIONS
    assert unpacked(packed(one)) @ unpacked(packed(other)) == pytest.approx(float(one @ other), abs=0.01)
    assert not unpacked(packed(unit(np.zeros(DIMENSIONS)))).any()
