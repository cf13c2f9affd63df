"""No likeness overrules a number, a negation or an opposite."""

import pytest

from surefoot.review.differences import Asked, Facts, facts
from surefoot.review.guards import veto


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
