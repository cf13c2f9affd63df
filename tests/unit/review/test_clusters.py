"""One answer is offered to like cases, contested ones and differing ones say so, and nothing else is offered."""

from surefoot.review.clusters import UNSURE, Answers, Waiting
from surefoot.review.differences import Asked

REFUND = [
    "How do I get a refund?", "How do I get a refund please?", "How can I get a refund?", "how do i get refunds",
    "I want to get a refund, how?",
]  # fmt: skip
OPENING = ["When do you open on Saturday?", "when do you open saturday", "What time do you open on Saturday?"]


def asked(text: str, name: str = "") -> Asked:
    return Asked(id=name or text, text=text)


def taught() -> Answers:
    answers = Answers()
    for text in REFUND[:3]:
        answers.learn(asked(text), "within 30 days")
    for text in OPENING[:2]:
        answers.learn(asked(text), "at nine")
    return answers


def test_like_cases_come_sorted_without_the_case_itself() -> None:
    found = list(Waiting(map(asked, [*OPENING, *REFUND])).like(asked(REFUND[0])))
    assert {member.case_id for member in found} == set(REFUND[1:])
    assert [member.score for member in found] == sorted((member.score for member in found), reverse=True)
    assert all(member.clear for member in found)


def test_a_member_says_what_differs() -> None:
    waiting = Waiting([asked("May I take 400 mg of it daily?")])
    (found,) = waiting.like(asked("May I take 200 mg of it daily?"))
    assert not found.clear and str(found.differences[0]) == "number: 200 mg / 400 mg"


def test_nothing_is_like_alone() -> None:
    assert not list(Waiting().like(asked("How do I get a refund?")))
    assert not list(Waiting([asked("How do I get a refund?")]).like(asked("How do I get a refund?")))


def test_a_case_that_leaves_while_others_are_named_is_named_no_more() -> None:
    waiting = Waiting(map(asked, REFUND))
    found = waiting.like(asked(REFUND[0]))
    gone = next(found).case_id
    for text in REFUND[1:]:
        waiting.remove(text)
    assert gone in REFUND and not list(found)


def test_each_answer_is_named_once_by_its_most_like_case() -> None:
    found = taught().near(asked("How can I get a refund please?"))
    assert [(each.answer, each.case_id) for each in found] == [("within 30 days", "How can I get a refund?")]
    assert not taught().near(asked("My dog ate the invoice"))


def test_a_case_that_left_is_offered_no_more() -> None:
    waiting = Waiting(map(asked, REFUND))
    assert waiting.remove(REFUND[1]) and not waiting.remove(REFUND[1])
    assert REFUND[1] not in {member.case_id for member in waiting.like(asked(REFUND[0]))} and len(waiting) == 4


def test_a_newcomer_is_offered_the_answer_that_its_like_got() -> None:
    fit = taught().fit(asked("How can I get a refund please?"))
    assert fit is not None and fit.answer == "within 30 days" and fit.clear


def test_a_newcomer_that_is_like_nothing_is_offered_nothing() -> None:
    assert taught().fit(asked("My dog ate the invoice")) is None and Answers().fit(asked("refund?")) is None


def test_what_two_answers_fit_as_well_is_offered_neither() -> None:
    answers = Answers()
    for n in range(3):
        answers.learn(asked("How do I get my money back?", f"a{n}"), "one")
        answers.learn(asked("How do I get my money back?", f"b{n}"), "other")
    assert answers.fit(asked("How do I get my money back?")) is None


def test_a_fit_with_another_number_is_not_clear() -> None:
    answers = Answers()
    for n in range(3):
        answers.learn(asked("May I take 200 mg of it daily?", f"a{n}"), "yes")
    fit = answers.fit(asked("May I take 900 mg of it daily?"))
    assert fit is not None and [each.kind for each in fit.differences] == ["number"]


def test_one_of_the_like_cases_without_a_difference_is_enough() -> None:
    answers = Answers()
    for n, dose in enumerate((200, 400, 900)):
        answers.learn(asked(f"May I take {dose} mg of it daily?", f"a{n}"), "yes")
    fit = answers.fit(asked("May I take 900 mg of it daily, please?"))
    assert fit is not None and fit.clear and fit.case_id == "a2"


def test_a_forgotten_case_speaks_for_nothing() -> None:
    answers = Answers()
    answers.learn(asked(REFUND[0]), "within 30 days")
    assert len(answers) == 1 and answers.forget(REFUND[0]) and not answers.forget(REFUND[0])
    assert answers.fit(asked(REFUND[0])) is None and len(answers) == 0


def test_an_answer_is_offered_to_those_waiting_that_no_other_answer_fits() -> None:
    answers, waiting = taught(), Waiting(map(asked, [*REFUND[1:], *OPENING]))
    members = list(waiting.offered(asked(REFUND[0]), answers))
    assert members and {member.case_id for member in members} <= set(REFUND)


def test_an_answer_that_is_not_general_is_offered_to_nobody() -> None:
    assert not list(Waiting(map(asked, REFUND)).offered(asked(REFUND[0]), Answers()))


def test_what_is_only_like_comes_after_what_is_offered_and_is_not_clear() -> None:
    answers, waiting = Answers(), Waiting(map(asked, REFUND[1:]))
    answers.learn(asked(REFUND[0]), "within 30 days")
    found = list(waiting.proposed(asked(REFUND[0]), answers))
    offered = list(waiting.offered(asked(REFUND[0]), answers))
    assert found[: len(offered)] == offered and len({each.case_id for each in found}) == len(found) > len(offered) > 0
    assert all(UNSURE in {each.kind for each in member.differences} for member in found[len(offered) :])


def test_what_differs_is_told_as_seen_from_the_case_that_is_answered() -> None:
    answers, waiting = Answers(), Waiting([asked("May I take 900 mg of it daily?", "other")])
    for name, dose in (("a", 200), ("b", 300), ("c", 400)):
        answers.learn(asked(f"May I take {dose} mg of it daily?", name), "yes")
    for name, dose in (("a", 200), ("c", 400)):
        (member,) = waiting.offered(asked(f"May I take {dose} mg of it daily?", name), answers)
        assert [str(each) for each in member.differences] == [f"number: {dose} mg / 900 mg"]
