"""The nearest vectors are found: all of them while they are few, nearly all when they are many."""

import numpy as np
import pytest

from surefoot.signals.embedding import unit
from surefoot.signals.nearest import EXACT, Vectors


def filled(count: int, seed: int = 1) -> tuple[Vectors, np.ndarray]:
    rows = np.array([unit(row) for row in np.random.default_rng(seed).normal(size=(count, 64))])
    vectors = Vectors(64)
    for place, row in enumerate(rows):
        vectors.add(str(place), row)
    return vectors, rows


def test_few_are_searched_exactly() -> None:
    vectors, rows = filled(300)
    best = np.argsort(-(rows @ rows[7]))[:5]
    found = vectors.search(rows[7], limit=5)
    assert [each.id for each in found] == [str(place) for place in best] and found[0].cosine == pytest.approx(1)


def test_of_many_the_near_ones_are_found_with_their_exact_cosines() -> None:
    vectors, rows = filled(EXACT + 1000)
    near = unit(rows[5] + 0.05 * rows[6])
    found = vectors.search(near, limit=3)
    assert found[0].id == "5" and found[0].cosine == pytest.approx(float(rows[5] @ near), abs=1e-6)


def test_what_was_removed_is_found_no_more_and_its_row_is_used_again() -> None:
    vectors, rows = filled(100)
    assert vectors.remove("7") and not vectors.remove("7") and "7" not in vectors and len(vectors) == 99
    assert "7" not in {each.id for each in vectors.search(rows[7], limit=99)}
    vectors.add("new", rows[7])
    assert vectors.search(rows[7], limit=1)[0].id == "new" and len(vectors._ids) == 100


def test_an_id_has_one_vector() -> None:
    vectors, rows = filled(3)
    vectors.add("0", rows[1])
    assert len(vectors) == 3 and {each.id for each in vectors.search(rows[1], limit=2)} == {"0", "1"}


def test_nothing_is_near_in_an_empty_place_or_to_an_empty_text() -> None:
    assert Vectors(64).search(unit(np.ones(64))) == ()
    assert filled(10)[0].search(np.zeros(64, dtype=np.float32)) == ()


def test_another_shape_is_refused() -> None:
    with pytest.raises(ValueError, match="among those of 64"):
        Vectors(64).add("a", np.zeros(32, dtype=np.float32))
    with pytest.raises(ValueError, match="multiple of 64"):
        Vectors(100)
