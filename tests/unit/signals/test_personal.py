"""Personal data is told by its check digits and its surroundings; placeholders for it can be undone."""

import pytest

from surefoot.signals.personal import find_personal, iban, luhn, mask, nhs, placeholders, unmask


def kinds(text: str) -> list[tuple[str, str]]:
    return [(each.kind, text[each.start : each.end]) for each in find_personal(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("card 4111 1111 1111 1111.", "card", "4111 1111 1111 1111"),
        ("378282246310005", "card", "378282246310005"),
        ("pay to DE89 3704 0044 0532 0130 00 today", "iban", "DE89 3704 0044 0532 0130 00"),
        ("GB82WEST12345698765432", "iban", "GB82WEST12345698765432"),
        ("write to ann.o+x@mail.example.org, please", "email", "ann.o+x@mail.example.org"),
        ("born on 3 March 1987", "birth", "3 March 1987"),
        ("DOB: 03/04/1955", "birth", "03/04/1955"),
        ("geboren am 12.11.1990", "birth", "12.11.1990"),
        ("MRN 00123456", "record", "00123456"),
        ("patient no. AB-123456", "record", "AB-123456"),
        ("policy: X1234567", "record", "X1234567"),
        ("ssn 123-45-6789", "ssn", "123-45-6789"),
        ("943 476 5919", "nhs", "943 476 5919"),
        ("from 192.168.10.7", "ip", "192.168.10.7"),
        ("call +44 20 7946 0958", "phone", "+44 20 7946 0958"),
        ("(555) 010-9999 after six", "phone", "(555) 010-9999"),
    ],
)
def test_each_kind_is_found_with_its_place(text: str, kind: str, value: str) -> None:
    assert kinds(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112", "0000 0000 0000 0000", "DE89370400440532013001", "a@b", "3 March 1987", "on 03/04/1955",
        "1000 members", "posts per member = 3000", "the case 2019", "999.1.1.1", "12:30",
        "12, 15 and 18", "version 1.2.3", "I paid 120 dollars for 14 days", "",
    ],
)  # fmt: skip
def test_what_fails_its_check_or_has_no_label_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_check_digits() -> None:
    assert luhn("79927398713") and not luhn("79927398710")
    assert iban("NO9386011117947") and not iban("NO9386011117948") and not iban("XX00")
    assert nhs("9434765919") and not nhs("9434765918")


@pytest.mark.parametrize(("text", "kind"), [("000-12-3456", "ssn"), ("987-65-4321", "ssn"), ("943 476 5918", "nhs")])
def test_numbers_that_nobody_was_given_are_not_found(text: str, kind: str) -> None:
    assert find_personal(text, (kind,)) == ()


def test_only_the_kinds_asked_for_are_found() -> None:
    assert [each.kind for each in find_personal("a@b.org, MRN 123456", ("email",))] == ["email"]


def test_the_same_value_has_the_same_placeholder_across_texts() -> None:
    first, known = mask("a@b.org and c@d.org", {})
    second, known = mask("again c@d.org, then e@f.org", known)
    assert first == "[EMAIL_1] and [EMAIL_2]" and second == "again [EMAIL_2], then [EMAIL_3]"


def test_a_placeholder_that_the_text_holds_itself_is_not_used() -> None:
    masked, known = mask("[email 1] is what I call a@b.org", {})
    assert masked == "[email 1] is what I call [EMAIL_2]"
    assert unmask(masked, known) == "[email 1] is what I call a@b.org"


def test_a_placeholder_that_is_taken_elsewhere_is_not_used() -> None:
    assert mask("a@b.org", {}, taken=placeholders("I wrote [EMAIL_1]"))[0] == "[EMAIL_2]"


@pytest.mark.parametrize(
    "said", ["[EMAIL_1]", "[email_1]", "[EMAIL 1]", "[Email-1]", "EMAIL_1", r"\[EMAIL\_1\]", r"[EMAIL\_1]"]
)
def test_a_placeholder_that_the_model_mangled_is_put_back(said: str) -> None:
    assert unmask(f"Write to {said} soon", {"[EMAIL_1]": "a@b.org"}) == "Write to a@b.org soon"


def test_other_numbers_and_names_are_not_put_back() -> None:
    text = "[EMAIL_10] EMAIL_12 MY_EMAIL_1 [OTHER_1]"
    assert unmask(text, {"[EMAIL_1]": "a@b.org"}) == text


def test_a_thousand_values_are_masked_and_put_back() -> None:
    text = " ".join(f"p{n}@mail.org" for n in range(3000))
    masked, known = mask(text, {})
    assert len(known) == 3000 and "@" not in masked and unmask(masked, known) == text


@pytest.mark.parametrize(
    "piece", ["case-", "12 ", "1" * 30 + " ", "12/34 ", "born ", "a.", "1.1.1.", "ab12 ", "1:", "("]
)
def test_a_text_made_to_stall_is_read_like_any_other(piece: str) -> None:
    masked, known = mask(piece * (100_000 // len(piece)), {})
    assert unmask(masked, known) == piece * (100_000 // len(piece))
