"""Laws of grounding: what must not matter does not."""

from hypothesis import example, given
from hypothesis import strategies as st

from surefoot.signals.grounding import Grounding, ground
from surefoot.signals.text import sentences

words = st.sampled_from(
    "the clinic opens closes not no never 10 mg 2.5 ml days per week 3 March 2024 8:00 pm Alder Street nurse doctor "
    "cost costs dollars 20% and or high low, Anna (late) two hundred".split()
)
lines = st.lists(words, min_size=1, max_size=14).map(lambda found: " ".join(found) + ".")
passages = st.lists(st.lists(lines, min_size=1, max_size=4).map(" ".join), min_size=1, max_size=4)
strange = st.text("a1. \n\"'-:;!?药é\u0301م%$/,", max_size=80) | st.text(max_size=40)


def without_numbers(found: Grounding | None) -> object:
    """Everything but which passage is meant."""
    if found is None:
        return None
    return found.signals, [(each.start, each.end, each.score, each.why) for each in found.sentences]


@given(lines, passages, st.randoms())
def test_the_order_of_passages_does_not_matter(answer: str, held: list[str], random: object) -> None:
    shuffled = list(held)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert without_numbers(ground(answer, held)) == without_numbers(ground(answer, shuffled))


@given(lines, passages, st.integers(0, 3))
def test_a_repeated_passage_does_not_matter(answer: str, held: list[str], place: int) -> None:
    again = [*held, held[place % len(held)]]
    assert ground(answer, held) == ground(answer, again)


@given(passages, st.integers(0, 3), st.integers(0, 3))
def test_a_sentence_of_a_passage_is_supported(held: list[str], place: int, which: int) -> None:
    passage = held[place % len(held)]
    each = sentences(passage)[which % len(sentences(passage))]
    found = ground(passage[each.start : each.end], held)
    assert found is None or all(sentence.supported and sentence.score > 0.99 for sentence in found.sentences)


@given(passages)
@example(["clinic not. not clinic."])
def test_whole_passages_are_supported(held: list[str]) -> None:
    found = ground("\n".join(held), held)
    assert found is None or all(sentence.supported for sentence in found.sentences)


@given(passages, st.integers(0, 3))
def test_an_unrelated_passage_takes_no_support_away(held: list[str], place: int) -> None:
    answer = held[place % len(held)]
    unrelated = "Zebras graze quietly beneath yellow umbrellas. Violins hum."
    before, after = ground(answer, held), ground(answer, [*held, unrelated])
    if before is not None and after is not None:
        pairs = zip(before.sentences, after.sentences, strict=True)
        assert all(abs(one.score - other.score) < 0.15 for one, other in pairs)


@given(strange, st.lists(strange, max_size=3))
def test_any_text_has_scores_and_places_within_bounds(answer: str, held: list[str]) -> None:
    found = ground(answer, held)
    if found is None:
        return
    assert all(0 <= score <= 1 for _, score in found.signals)
    for each in found.sentences:
        assert 0 <= each.score <= 1 and 0 <= each.start < each.end <= len(answer)
        assert each.passage is None or 0 <= each.passage_start < each.passage_end <= len(held[each.passage])


@given(lines)
def test_without_passages_nothing_is_supported(answer: str) -> None:
    assert ground(answer, []) is None


@given(lines)
def test_words_that_no_passage_has_are_never_supported(answer: str) -> None:
    found = ground(answer, ["Zebras graze quietly beneath yellow umbrellas."])
    assert found is None or not any(sentence.supported for sentence in found.sentences)
