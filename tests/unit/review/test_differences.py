"""Each kind of difference is found, and what says the same in other words is none."""

import pytest

from surefoot.review.differences import Asked, Facts, differences, facts
from surefoot.wire.attachments import Attachment


def kinds(one: str, other: str) -> list[str]:
    return [each.kind for each in differences(facts(Asked(id="a", text=one)), facts(Asked(id="b", text=other)))]


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("May I take 200 mg a day?", "May I take 400 mg a day?", "number"),
        ("I waited 2 weeks for it", "I waited for it", "number"),
        ("The trip on 3 March 2024 was cancelled", "The trip on 4 March 2024 was cancelled", "date"),
        ("Is the shop open at 8 am?", "Is the shop open at 9 am?", "date"),
        ("Do you deliver to Vienna?", "Do you deliver to Berlin?", "name"),
        ("I can take milk with it", "I cannot take milk with it", "negation"),
        ("Do I take it before meals?", "Do I take it after meals?", "opposite"),
        ("My mail is ann@example.org", "My mail is bob@example.org", "personal"),
        ("What is this rash?", "What is this rash? See the attached photo", "attachment"),
        ("Version 1.2.3 crashes", "Version 1.2.4 crashes", "number"),
    ],
)
def test_what_an_answer_may_hang_on_is_named(one: str, other: str, kind: str) -> None:
    assert kind in kinds(one, other) and kind in kinds(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("May I take 1 g a day?", "may I take 1000 milligrams a day"),
        ("I waited two weeks", "I waited 14 days"),
        ("Open on 3 March 2024?", "Open on March 3rd, 2024?"),
        ("How do I get a refund?", "how can i get refunds"),
        ("It does not work", "It doesn't work"),
        ("", ""),
    ],
)
def test_other_words_for_the_same_are_no_difference(one: str, other: str) -> None:
    assert kinds(one, other) == []


def test_a_difference_says_both_sides() -> None:
    (found,) = differences(facts(Asked(id="a", text="Take 200 mg")), facts(Asked(id="b", text="Take 400 mg or 500 mg")))
    assert str(found) == "number: 200 mg / 400 mg, 500 mg"


def test_personal_data_is_named_by_kind_only() -> None:
    (found,) = differences(
        facts(Asked(id="a", text="reach me at ann@example.org")),
        facts(Asked(id="b", text="reach me at bob@example.org")),
    )
    assert (found.here, found.there) == ("email", "email")


def attached(*kinds_and_digests: str) -> Facts:
    named = [Attachment(*each.split()) for each in kinds_and_digests]
    return facts(Asked(id="a", text="What is it?", attachments=tuple(named)))


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        (("image a",), (), "attachment: 1 image / -"),
        (("image a",), ("image b",), "attachment: 1 image / 1 image"),
        (("image a",), ("image a", "image a"), "attachment: 1 image / 2 images"),
        (("image a",), ("document a", "image a"), "attachment: 1 image / 1 document, 1 image"),
    ],
)
def test_attachments_are_compared_by_kind_number_and_what_they_are(one: tuple, other: tuple, told: str) -> None:
    assert [str(each) for each in differences(attached(*one), attached(*other))] == [told]
    assert differences(attached(*one), attached(*reversed(one))) == ()


def test_what_was_said_before_may_change_what_is_meant() -> None:
    here, there = (facts(Asked(id=x, text="Yes, please.", before=x)) for x in ("", "b"))
    assert [str(each) for each in differences(here, there)] == ["conversation: - / earlier messages"]
    assert differences(there, there) == ()


def test_a_text_all_in_capitals_has_no_names() -> None:
    assert kinds("WHERE IS MY CARD PLEASE", "where is my card please") == []


def test_many_differences_of_a_kind_are_cut_short() -> None:
    (found,) = differences(
        facts(Asked(id="a", text="hello")), facts(Asked(id="b", text="1 and 2 and 3 and 4 and 5 and 6"))
    )
    assert found.there.endswith("and 2 more")
