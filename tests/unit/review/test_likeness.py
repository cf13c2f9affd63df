"""The index finds like texts, forgets those that go, and agrees with a plain computation."""

import math

import pytest

from surefoot.review.likeness import Hit, Index
from surefoot.signals.grams import grams

TEXTS = {
    "refund": "How do I get a refund for my card payment?",
    "again": "how do i get refunds for card payments",
    "lost": "I lost my card, please block it",
    "open": "When do you open on Saturday?",
}


def by_hand(query: str, text: str, every: list[str]) -> float:
    """TF-IDF cosine without an index."""
    having = [set(grams(each)) for each in every]

    def vector(said: str) -> dict[str, float]:
        weight = {
            piece: math.log((1 + len(every)) / (1 + sum(piece in each for each in having))) + 1 for piece in grams(said)
        }
        return {piece: often * weight[piece] for piece, often in grams(said).items()}

    one, other = vector(query), vector(text)
    dot = sum(value * other.get(piece, 0.0) for piece, value in one.items())
    return dot / math.sqrt(sum(v * v for v in one.values()) * sum(v * v for v in other.values()))


def test_the_score_is_the_cosine_of_the_weighted_pieces() -> None:
    index = Index(TEXTS.items())
    for hit in index.search(TEXTS["refund"]):
        assert hit.score == pytest.approx(by_hand(TEXTS["refund"], TEXTS[hit.id], list(TEXTS.values())), abs=1e-6)


def test_a_text_finds_itself_then_what_is_like_it() -> None:
    found = Index(TEXTS.items()).search(TEXTS["refund"])
    assert [hit.id for hit in found][:2] == ["refund", "again"]
    assert found[0].score == pytest.approx(1.0) and found[1].score > found[2].score


def test_limit_and_least_are_kept() -> None:
    index = Index(TEXTS.items())
    assert len(index.search(TEXTS["refund"], limit=1)) == 1
    assert {hit.id for hit in index.search(TEXTS["refund"], least=0.3)} == {"refund", "again"}


def test_what_was_removed_is_found_no_more() -> None:
    index = Index(TEXTS.items())
    index.search("card")
    assert index.remove("again") and not index.remove("again")
    assert "again" not in {hit.id for hit in index.search(TEXTS["again"])} and len(index) == 3


def test_an_id_that_comes_again_has_its_new_text() -> None:
    index = Index(TEXTS.items())
    index.add("open", "I lost my card")
    assert index.search("When do you open on Saturday?", least=0.2) == ()
    assert "open" in {hit.id for hit in index.search("I lost my card")}


def test_nothing_is_like_an_empty_text_and_nothing_is_in_an_empty_index() -> None:
    index = Index([("none", "?!"), *TEXTS.items()])
    assert index.search("") == () and index.search("zzzz qqqq") == () and Index().search("card") == ()
    assert "none" in index and "none" not in {hit.id for hit in index.search("How do I get a refund?")}


def test_most_texts_may_go_and_the_rest_is_found_as_before() -> None:
    index = Index((f"n{n}", f"question number {n} about thing{n % 7}") for n in range(400))
    index.search("question")
    for n in range(300):
        index.remove(f"n{n}")
    fresh = Index((f"n{n}", f"question number {n} about thing{n % 7}") for n in range(300, 400))
    asked = "question about thing3"
    assert same(index.search(asked, limit=200)) == same(fresh.search(asked, limit=200))


def same(hits: "tuple[Hit, ...] | object") -> dict[str, float]:
    assert isinstance(hits, tuple)
    return {hit.id: round(hit.score, 9) for hit in hits}


def test_texts_that_come_after_a_search_are_found_at_once() -> None:
    index = Index((f"n{n}", f"thing{n}") for n in range(50))
    index.search("thing1")
    index.add("late", "a completely new word: zeppelin")
    assert index.search("zeppelin")[0].id == "late"


def test_nothing_of_a_removed_text_stays_in_memory() -> None:
    index = Index([("gone", "Did Amundsen pay for zeppelins?"), ("kept", "Did anybody pay?")])
    index.search("pay")
    index.remove("gone")
    held = repr(vars(index)).casefold()
    assert "anybody" in held and not any(word in held for word in ("amundsen", "zeppelin", "gone"))


def test_texts_may_come_and_go_while_weights_are_taken() -> None:
    index = Index((f"n{n}", f"question number {n}") for n in range(1500))
    slices = index.settling()
    next(slices)
    index.remove("n3")
    index.add("late", "a zeppelin question")
    index.add("n4", "number four again")
    for place, _ in enumerate(slices):
        index.add(f"more{place}", "yet another airship")
    assert index.search("zeppelin")[0].id == "late" and index.search("four again")[0].id == "n4"
    assert {hit.id for hit in index.search("airship")} >= {"more0", "more1"} and "n3" not in index


def test_weights_that_nobody_finished_taking_are_taken_again() -> None:
    index = Index(TEXTS.items())
    slices = index.settling()
    next(slices)
    next(slices)
    slices.close()
    assert [hit.id for hit in index.search(TEXTS["refund"])][:2] == ["refund", "again"]


def test_a_search_in_the_middle_of_weighing_is_right_and_stays_so() -> None:
    index = Index((f"n{n}", f"question number {n}") for n in range(1500))
    slices = index.settling()
    for _ in range(3):
        next(slices)
    index.add("late", "a zeppelin question")
    assert index.search("zeppelin")[0].id == "late"
    index.add("later", "an airship question")
    assert list(slices) is not None
    assert index.search("zeppelin")[0].id == "late" and index.search("airship")[0].id == "later"
