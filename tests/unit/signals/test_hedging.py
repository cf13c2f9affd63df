"""Refusals and hedges, in English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from surefoot.signals.hedging import _HEDGE, _REFUSAL, hedging, refusal


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.", "I cannot answer this.", "As an AI, I have no opinion.",
        "The passages do not mention a price.", "Unable to determine the answer.", "No information is given.",
        "The fee is not mentioned in the document.", "I don’t have access to your record.",
    ],
)  # fmt: skip
def test_an_answer_that_begins_by_refusing_scores_0(text: str) -> None:
    assert refusal(text) == 0.0


def test_a_refusal_later_on_scores_a_half() -> None:
    assert refusal("The clinic opens at 8. " * 15 + "I cannot answer the rest.") == 0.5


@pytest.mark.parametrize(
    "text", ["It costs 12 dollars.", "You can't park here.", "We are sorry to hear that! It is desk 2."]
)
def test_an_answer_scores_1(text: str) -> None:
    assert refusal(text) == 1.0


@pytest.mark.parametrize("text", ["", "  \n"])
def test_no_text_says_nothing(text: str) -> None:
    assert refusal(text) is None and hedging(text) is None


def test_more_hedges_are_less_sure_and_the_score_stays_in_its_range() -> None:
    plain = "The clinic opens at eight on every weekday and closes at six."
    scores = [hedging(plain), hedging(f"Perhaps {plain}"), hedging(f"I think maybe {plain}"), hedging("maybe " * 99)]
    assert scores[0] == 1.0 and scores == sorted(scores, reverse=True) and scores[-1] == 0.0  # type: ignore[type-var]


def test_one_hedge_in_a_long_answer_hardly_counts() -> None:
    assert (hedging("It usually takes two days. " + "Bring your card to desk 2. " * 30) or 0) > 0.9


PIECES = (
    "I'm sorry", "I am unable", "I’m afraid", "I cannot help", "I can’t find", "I could not determine", "I won't answer", "I will not give",
    "As an AI", "I do not have access", "I don’t have enough", "unable to answer", "not able to provide", "impossible to determine",
    "cannot be determined", "the passages do not contain", "the document doesn't say", "sources provided don’t mention",
    "no relevant information about", "not mentioned in the", "not stated in the", "might", "MAY", "maybe", "perhaps", "possibly", "probably",
    "likely", "seems", "appear", "could be", "I think", "I believe", "I guess", "not entirely sure", "not quite clear", "not certain",
    "it depends", "roughly", "approximately", "generally", "typically", "usually", "as far as I know", "to my knowledge",
    "if I recall", "consult your", "unclear", "uncertain", "desk 2", "the clinic", "on Monday.",
)  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6))
def test_the_quick_look_beforehand_changes_nothing(pieces: list[str]) -> None:
    text = " ".join(pieces)
    found = _REFUSAL.search(text)
    assert refusal(text) == (1.0 if found is None else 0.0 if found.start() < 200 else 0.5)
    assert (hedging(text) == 1.0) == (_HEDGE.search(text) is None)
