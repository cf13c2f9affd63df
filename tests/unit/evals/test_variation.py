"""Variation: which answers mean the same as far as words tell, and what follows from how many do."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surefoot.evals.variation import Said, majority, means_same, spread

SAME = [
    ("The answer is 42.", "After adding both, the answer is 42"),
    ('{"answer": "7"}', '```json\n{"answer": 7}\n```'),
    (
        "Opening hours are 9 to 17.",
        "According to our handbook: Opening hours are 9 to 17. Let us know if anything is unclear.",
    ),
    ("Please bring your insurance card to the first visit.", "To your first visit, please bring the insurance card."),
    ("Cancel at least 24 hours before the visit.", "You can cancel a visit up to 24 hours before it. Good question."),
]
OTHER = [
    ("The answer is 42.", "The answer is 41."),
    ("Yes", "No"),
    ("First add 40 and 2.\nThe answer is 42.", "First add 40 and 2, and then look at what that comes to in all of the cases."),
    ('{"answer": "7"}', '{"answer": "8"}'),
    ("Opening hours are 9 to 17.", "Opening hours are 9 to 18."),
    ("Cash is accepted at the desk.", "Cash is not accepted at the desk."),
    ("The visit is on Monday.", "The visit is on Tuesday."),
    ("Take it in the morning with food.", "Take it in the evening with food."),
    ("I am not sure; the handbook does not say.", "Refills take two working days."),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_other_words_is_one_meaning_whichever_comes_first(one: str, other: str) -> None:
    assert means_same(one, other) is True
    assert means_same(other, one) is True


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_number_day_or_polarity_is_another_meaning(one: str, other: str) -> None:
    assert means_same(one, other) is False
    assert means_same(other, one) is False


def test_a_paraphrase_in_words_of_its_own_counts_as_another_meaning_which_is_a_known_limit() -> None:
    one = "The fee is 12 euros and is waived for children."
    assert means_same(one, "Children pay nothing; for everybody else the fee is 12 euros.") is False


def said(**counts: int) -> list[Said]:
    texts = {"six": "Up to 6 weeks.", "seven": "Up to 7 weeks.", "eight": "Up to 8 weeks.", "none": ""}
    return [Said(text=texts[name], nanodollars=100) for name, count in counts.items() for _ in range(count)]


def test_answers_are_counted_by_meaning_with_where_they_differ() -> None:
    found = spread(said(seven=3, six=16, none=1), temperature=0.7, failed=2)
    assert [(each.text, each.count) for each in found.meanings] == [
        ("Up to 6 weeks.", 16),
        ("Up to 7 weeks.", 3),
        ("", 1),
    ]
    assert found.meanings[0].apart == () and any("6 weeks / 7 weeks" in each for each in found.meanings[1].apart)
    assert found.meanings[2].apart == ("it says nothing",)
    assert (found.modal.estimate, found.n, found.failed, found.nanodollars) == (0.8, 20, 2, 2000)
    assert found.modal.low < 0.56  # wider than of a meaning that was named before
    assert found.differ.estimate == pytest.approx(1 - (16 * 15 + 3 * 2) / (20 * 19)) and found.differ.n == 10
    assert found.unseen.estimate == 0.05 and found.at_least == 3.0
    assert found.pinned.asked and found.pinned.nanodollars == found.pinned.asked * 100
    assert (found.pinned_low.asked or 999) > found.pinned.asked


def test_nothing_asked_is_nothing_known_and_all_alike_still_has_an_interval() -> None:
    nothing = spread([])
    assert nothing.modal.estimate is nothing.differ.estimate is nothing.unseen.estimate is nothing.at_least is None
    assert nothing.pinned.asked is None
    one = spread(said(six=1))
    assert one.differ.estimate is None and one.modal.estimate == 1.0 and one.modal.low < 0.03
    alike = spread(said(six=20))
    assert alike.pinned.asked == 1 and alike.unseen.estimate == 0 and 0.1 < alike.unseen.high < 0.16
    assert alike.differ.estimate == 0 and alike.differ.high > 0.25


@given(st.floats(0.51, 0.999))
@settings(max_examples=40, deadline=None)
def test_a_majority_is_the_least_odd_number_that_suffices(share: float) -> None:
    def chance(asked: int) -> float:
        return sum(
            math.comb(asked, k) * share**k * (1 - share) ** (asked - k) for k in range(asked // 2 + 1, asked + 1)
        )

    found = majority(share, 10.0)
    if found.asked is None:
        assert chance(99) < 0.95
        return
    assert found.asked % 2 == 1 and chance(found.asked) >= 0.95 - 1e-9 and found.nanodollars == found.asked * 10
    assert found.asked == 1 or chance(found.asked - 2) < 0.95
    assert majority(0.5, 1.0).asked is None and majority(None, 1.0).asked is None and majority(1.0, 2.0).asked == 1
