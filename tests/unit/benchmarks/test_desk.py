"""The benchmark's own counting: a stream whose outcome is known, and a small desk that is killed."""

from benchmarks.desk import load
from benchmarks.deskstream import Question, Same, stream
from surefoot.review.differences import Asked


def questions(*asked: tuple[str, str]) -> list[Question]:
    return [Question(Asked(id=str(n), text=text), intent) for n, (text, intent) in enumerate(asked)]


REFUND = "How do I get a refund?"


def test_repeats_are_resolved_by_the_first_answer() -> None:
    found = stream(questions(*[(REFUND, "refund")] * 5), "blind", Same(), queue=2)
    assert (found.answers, found.along, found.again, found.wrong) == (1, 1, 3, 0) and found.cases_per_answer == 5.0


def test_blind_confirmation_counts_what_was_wrong_and_a_reader_makes_no_mistake() -> None:
    asked = questions((REFUND, "refund"), (REFUND, "other"), (REFUND, "refund"))
    blind, read = (stream(asked, confirm, Same(), queue=3) for confirm in ("blind", "read"))
    assert (blind.answers, blind.wrong, blind.wrong_share.n) == (1, 1, 2)
    assert read.wrong == 0 and read.answers == 2


def test_what_differs_is_not_confirmed_when_members_are_checked() -> None:
    said = "May I take {} mg of ibuprofen with my dinner tonight?"
    asked = questions(*((said.format(dose), "yes" if dose < 500 else "no") for dose in (200, 200, 200, 200, 900)))
    assert stream(asked, "checked", queue=5).wrong == 0 < stream(asked, "blind", queue=5).wrong


def test_everybody_is_answered_once() -> None:
    asked = questions(*((f"{REFUND} {n % 7}", f"i{n % 7}") for n in range(40)))
    found = stream(asked, "checked", queue=10)
    assert found.answers + found.along + found.again == found.questions == 40


def test_a_killed_desk_loses_and_doubles_nothing() -> None:
    found = load(cases=60, operators=5, answers=40, pause=0.05, kills=1, lease=1.0, poll=0.2)
    assert found["double_deliveries"] == 0 and found["lost_answers"] == 0
    assert found["kills"] == 2 and found["acknowledged"] >= 40 and found["claims"] >= 40
