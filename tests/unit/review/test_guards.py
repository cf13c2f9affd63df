"""No likeness overrules a number, a negation or an opposite."""

import pytest

from surefoot.review.differences import Asked, Facts, facts
from surefoot.review.guards import pack, read_witness, same_answer, unpack, veto, veto_near, witness


def said(text: str) -> Facts:
    return facts(Asked(id="", text=text))


@pytest.mark.parametrize(
    ("known", "asked", "kind"),
    [
        ("How do I enable 2FA?", "How do I disable 2FA?", "opposite"),
        ("Can I take 200 mg of it?", "Can I take 400 mg of it?", "number"),
        ("Is it safe with alcohol?", "Is it not safe with alcohol?", "negation"),
        ("How do I pay in from Berlin?", "How do I pay in from Paris?", "name"),
    ],
)
def test_what_turns_a_question_round_is_a_veto_with_its_reason(known: str, asked: str, kind: str) -> None:
    assert veto(said(asked), [said(known)]).startswith(kind)


def test_one_known_question_without_a_difference_is_enough() -> None:
    asked = said("How do I enable 2FA?")
    assert veto(asked, [said("How do I disable 2FA?"), said("How can I turn 2FA on?")]) == ""


def test_without_a_known_question_there_is_nothing_to_be_like() -> None:
    assert veto(said("How?"), []) == "no known question"


def test_questions_in_two_languages_have_no_common_answer_and_an_unknown_one_forbids_nothing() -> None:
    german = witness("wie kann ich die adresse von mir ändern?")
    assert veto_near(witness("How can I change my address of mine?"), [german]) == "language: de / en"
    assert veto_near(witness("adresse ändern"), [german]) == ""


def test_facts_come_back_as_they_were_packed() -> None:
    seen = witness("Can I take 200 mg on 3 May, Dr Miller?")
    vector, told = unpack(pack(b"abc", seen))
    assert vector == b"abc" and read_witness(told) == seen


PROSE = "You can take the tablets in the morning with a glass of water, and a second one before you go to bed at night."


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Paris", "paris.", True),
        ("The answer is 12", "I think the answer is 12", True),
        ("The answer is 12", "The answer is 13", False),
        (PROSE, PROSE.replace("glass of water", "glass of milk"), True),
        (PROSE, PROSE.replace("can take", "cannot take"), False),
        (PROSE, f"{PROSE} Not more than 400 mg.", False),
        (PROSE, "Ask the desk, which is open from eight to five and closed on Sundays; somebody there knows what to do.", False),
        ("", "", False),
    ],
)
def test_two_answers_are_the_same_where_nothing_that_counts_differs(one: str, other: str, same: bool) -> None:
    assert same_answer(one, other) == same == same_answer(other, one)
