"""Cases per answer and minute, deflected ones and saved time; None where nothing is known."""

import pytest

from surefoot.review.agreement import Work
from surefoot.review.leverage import along_with, leverage, read_along


def work(case: str, *, seconds: float | None = 60.0, along: str = "", again: bool = False, verb: str = "edit") -> Work:
    return Work(
        case_id=case, feature="f", role="nurse", by="amy", at_ns=1, verb=verb, had_draft=True, seconds=seconds,
        along_with=along, again=again,
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


@pytest.mark.parametrize("before", [True, False])
def test_the_meaning_says_whose_answer_it_was(before: bool) -> None:
    assert read_along(f"answered, {along_with('case-7', before=before)}") == ("case-7", before)


def test_an_answer_of_its_own_names_no_other_case() -> None:
    assert read_along("edit, general: answered") == ("", False)
