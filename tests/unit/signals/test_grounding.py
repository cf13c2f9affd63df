"""An answer is supported by what its passages say, sentence by sentence, and told why where it is not."""

import pytest

from surefoot.signals.grounding import ground

HANDBOOK = (
    "Repeat prescriptions take 2 working days. They can be requested online or with the paper slip. Requests by phone are "
    "not accepted, for safety reasons. The usual first supply is 28 days. Controlled medicines are prescribed for at most 30 "
    "days.",
    "The clinic is open from 8:00 to 18:00 on working days. The clinic is closed on Sundays. Staff wear masks from November to "
    'March. "Please knock twice" is written on the door. Since 3 March 2024 Dr. Ann Miller gives 0.5 g of amoxicillin three '
    "times a day.",
)


def why(answer: str, *passages: str) -> str:
    found = ground(answer, passages or HANDBOOK)
    assert found is not None
    (sentence,) = found.sentences
    assert sentence.supported == (not sentence.why)
    return sentence.why


def signals(answer: str, *passages: str) -> dict[str, float]:
    found = ground(answer, passages or HANDBOOK)
    assert found is not None
    return dict(found.signals)


@pytest.mark.parametrize(
    "answer",
    [
        "Repeat prescriptions take two business days.",
        "The clinic opens at 8 am and is open to 6 pm on working days.",
        "Since March 3rd, 2024 Dr. Ann Miller gives 500 mg of amoxicillin three times daily.",
        "Requests by phone are not accepted.",
        "Based on the provided context, staff wear masks from November to March.",
    ],
)
def test_the_same_in_another_way_of_writing_is_supported(answer: str) -> None:
    assert why(answer) == ""


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ("Repeat prescriptions take 7 working days.", "number"),
        ("Repeat prescriptions take 28 days.", "elsewhere"),
        ("Repeat prescriptions take 2 days.", "unit"),
        ("Dr. Ann Miller gives 0.5 ml of amoxicillin three times a day.", "unit"),
        ("Dr. Ann Miller gives 0.5 g of amoxicillin three times a week.", "unit"),
        ("Since 3 March 2023 Dr. Ann Miller gives 0.5 g of amoxicillin.", "date"),
        ("Since 4 March 2024 Dr. Ann Miller gives 0.5 g of amoxicillin.", "date"),
        ("The clinic is open from 8 am to 8 pm on working days.", "date"),
        ("Staff wear masks from November to April.", "name"),
        ("Requests by phone are accepted.", "negation"),
        ("The clinic is open on Sundays.", "opposite"),
        ("Controlled medicines are prescribed for at least 30 days.", "opposite"),
        ('"Please knock loudly" is written on the door.', "quote"),
        ("Drink plenty of water and rest well.", "words"),
    ],
)
def test_an_operator_is_told_what_is_wrong(answer: str, kind: str) -> None:
    assert why(answer) == kind


def test_a_sentence_points_at_its_nearest_place() -> None:
    found = ground("Staff wear masks from May on. Repeat prescriptions take 7 working days.", HANDBOOK)
    assert found is not None
    places = [HANDBOOK[each.passage or 0][each.passage_start : each.passage_end] for each in found.sentences]
    assert places == ["Staff wear masks from November to March.", "Repeat prescriptions take 2 working days."]


@pytest.mark.parametrize(
    ("answer", "passages"),
    [("Yes it is.", ("x",)), ("", ("x",)), ("😀👍", ("x",)), ("Prescriptions.", ()), ("Prescriptions.", ("", "..."))],
)
def test_nothing_to_compare_is_not_checkable(answer: str, passages: tuple[str, ...]) -> None:
    assert ground(answer, passages) is None


def test_courtesy_claims_nothing_unless_a_claim_is_in_it() -> None:
    assert ground("If you have any further questions, please feel free to contact us!", HANDBOOK) is None
    assert why("Thank you, take 500 pills.") == "number"
    assert why("It is free.") == "words"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("grounded.number", "Repeat prescriptions take 7 days."), ("grounded.date", "It began on 4 March 2024."),
        ("grounded.unit", "Repeat prescriptions take 2 days."), ("grounded.names", "Ask Dr. Bob about prescriptions."),
        ("grounded.quote", 'The door says "come in now".'), ("grounded.opposites", "The clinic is open on Sundays."),
        ("grounded.polarity", "Requests by phone are accepted."), ("grounded.order", "Days working count."),
        ("grounded.voice", "I love the clinic."), ("grounded.states", "Is the clinic open?"),
        ("grounded.words", "The clinic sells umbrellas."), ("grounded.senses", "The clinic sells umbrellas."),
    ],
)  # fmt: skip
def test_a_signal_falls_for_its_own_reason(name: str, answer: str) -> None:
    assert signals(answer)[name] < signals(HANDBOOK[0])[name] == 1.0


def test_another_word_for_the_same_is_less_strange() -> None:
    passage = "The company reduced its costs."
    alike, other = (
        signals("The company decreased its costs.", passage),
        signals("The company painted its costs.", passage),
    )
    assert alike["grounded.senses"] > other["grounded.senses"]
    assert alike["grounded.words"] == other["grounded.words"]


@pytest.mark.parametrize(
    ("answer", "passage", "supported"),
    [
        ("感冒药每天服用两次。", "感冒药每天服用两次，饭后服用。", True),
        ("感冒药每天服用三次。", "感冒药每天服用两次，饭后服用。", False),
        ("العيادة مغلقة يوم الأحد", "العيادة مغلقة يوم الأحد", True),
        ("العيادة مفتوحة يوم الأحد", "العيادة مغلقة يوم الأحد", False),
        ("The medicine is taken twice.", "感冒药每天服用两次，饭后服用。", False),
    ],
)
def test_other_scripts_are_supported_word_by_word_or_not_at_all(answer: str, passage: str, supported: bool) -> None:
    found = ground(answer, [passage])
    assert found is not None
    assert found.sentences[0].supported is supported


def test_more_quotations_than_anybody_makes_are_not_looked_for() -> None:
    answer = ". ".join('"knock twice" again' for _ in range(400))
    assert signals(answer)["grounded.quote"] < 1
