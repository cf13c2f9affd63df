"""Cases per answer and minute, deflected ones and saved time; None where nothing is known."""

import pytest

from surefoot.review.agreement import Work
from surefoot.review.leverage import Along, along_with, is_edit, leverage, read_along


def work(
    case: str, *, seconds: float | None = 60.0, along: str = "", again: bool = False, verb: str = "edit", edited: bool = False
) -> Work:  # fmt: skip
    return Work(
        case_id=case, feature="f", role="nurse", by="amy", at_ns=1, verb=verb, had_draft=True, seconds=seconds,
        along_with=along, again=again, edited=edited,
    )  # fmt: skip


TEN = [work(f"c{n}") for n in range(10)]


def test_one_answer_for_three_cases_is_counted_as_three() -> None:
    found = leverage([*TEN, work("x", along="c1", seconds=5), work("y", along="c1", seconds=5)])
    assert (found.resolved, found.written, found.along, found.again) == (12, 10, 2, 0)
    assert found.per_answer.value == pytest.approx(1.2) and found.minutes == pytest.approx(10 + 10 / 60)
    assert found.per_minute.value == pytest.approx(12 / (10 + 10 / 60))


def test_saved_is_what_the_others_would_have_taken_less_what_they_took() -> None:
    found = leverage([*TEN, work("x", along="c1", seconds=6), work("y", along="c2", again=True, seconds=6)])
    assert found.saved_minutes.value == pytest.approx(2 - 12 / 60)
    assert found.deflected.estimate == pytest.approx(1 / 12) and found.again == 1


def test_intervals_hold_the_figure_and_shrink_with_data() -> None:
    def many(times: int) -> list[Work]:
        return [
            each
            for n in range(10 * times)
            for each in (work(f"c{n}", seconds=30 + n % 60), *([work(f"x{n}", along=f"c{n}")] if n % 3 == 0 else []))
        ]

    few, lots = leverage(many(1)).per_answer, leverage(many(20)).per_answer
    for each in (few, lots):
        assert each.value is not None and each.low is not None and each.high is not None
        assert each.low <= each.value <= each.high
    assert lots.high - lots.low < few.high - few.low  # type: ignore[operator]


def test_without_leverage_an_answer_is_worth_one_case() -> None:
    found = leverage(TEN)
    assert found.per_answer.value == 1.0 and found.saved_minutes.value == 0.0 and found.deflected.high < 0.4


def test_a_time_that_is_not_known_leaves_times_unknown() -> None:
    found = leverage([*TEN, work("x", seconds=None)])
    assert found.per_minute.value is None and found.saved_minutes.value is None and found.per_answer.value == 1.0


def test_few_answers_say_nothing_of_time_and_none_nothing_at_all() -> None:
    assert leverage(TEN[:4]).per_minute.value is None
    nothing = leverage([])
    assert nothing.per_answer.value is None and nothing.minutes is None and nothing.deflected.estimate is None


def test_a_question_back_costs_its_time_and_resolves_nothing() -> None:
    found = leverage([*TEN, work("q", verb="ask", seconds=600)])
    assert found.resolved == 10 and found.per_minute.value == pytest.approx(10 / 20)


def test_what_the_cache_spared_is_deflected_and_saves_a_whole_case_each() -> None:
    found = leverage([*TEN, work("x", along="c1", again=True, seconds=6)], cached={"c1": 2, "req-of-long-ago": 1})
    assert (found.resolved, found.cached, found.deflected.n) == (11, 3, 14)
    assert found.deflected.estimate == pytest.approx(4 / 14)
    assert found.saved_minutes.value == pytest.approx(1 + 3 - 6 / 60) and found.per_answer.value == pytest.approx(1.1)
    alone = leverage([], cached={"c1": 2})
    assert alone.deflected.estimate == 1.0 and alone.saved_minutes.value is None and alone.per_answer.value is None


def test_edits_are_counted_of_those_that_an_answer_was_given_to_again() -> None:
    others = [work(f"x{n}", along="c1", again=n > 1, edited=n % 2 == 0) for n in range(4)]
    found = leverage([*TEN, *others, work("own", edited=True)])
    assert (found.along, found.again, found.edited.estimate, found.edited.n) == (2, 2, 0.5, 4)
    assert leverage(TEN).edited.estimate is None


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("edited", [True, False])
@pytest.mark.parametrize("bulk", [True, False])
def test_the_meaning_says_whose_answer_it_was_and_how_it_was_given(before: bool, edited: bool, bulk: bool) -> None:
    said = f"I answer, {along_with('case-7', before=before, edited=edited, bulk=bulk)}"
    assert read_along(said) == Along(case_id="case-7", before=before, edited=edited, bulk=bulk)


def test_an_answer_of_its_own_names_no_other_case() -> None:
    assert read_along("edit, general: answered") == Along() and read_along("") == Along()


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Within 30 days, by card.", True),
        ("Dear Ann, within 30 days, by card. Yours, Amy", True),
        ("We open at nine.", False),
        ("", False),
    ],
)
def test_what_shares_half_its_words_is_an_edit(text: str, same: bool) -> None:
    assert is_edit(text, "Within 30 days, by card.") == same
