"""Personal data in a text, found by validators of our own, and masks for it that can be undone.

Found are: payment cards (Luhn and the issuers' lengths), IBANs (mod 97 and the countries' lengths), e-mail addresses, phone
numbers, dates of birth, record numbers beside their label, US social security and UK NHS numbers, and IP addresses. Names and
addresses of streets are not found: that takes a language model, and a pattern that pretends to would be believed.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

KINDS = ("card", "iban", "email", "birth", "record", "ssn", "nhs", "ip", "phone")

_IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20, "ES": 24,
    "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24,
    "TR": 26,
}  # fmt: skip
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATE = (
    rf"(?:\d{{1,2}}[./-]\d{{1,2}}[./-](?:\d{{4}}|\d{{2}})|\d{{4}}-\d{{2}}-\d{{2}}"
    rf"|\d{{1,2}}(?:st|nd|rd|th)?\.? {_MONTH},? \d{{4}}"
    rf"|{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}})"
)
_BORN = r"(?:\b(?:born|dob|d\.o\.b\.?|date of birth|birth ?date|birthday|geboren|geburtsdatum|née?|nacid[oa])\b)"
_NUMBERED = r"[ ]?(?:(?:id|no|number|nr)\b\.?|#)"
_LABEL = (
    rf"\b(?:(?:mrn|nhs|medical record)(?:{_NUMBERED})?"  # these say it alone, the others only as "member no", "chart:"
    rf"|(?:record|patient|chart|case|policy|insurance|member|account|reference|claim|file)(?:{_NUMBERED}|(?=[ ]?[:#])))"
    r"(?:[ ]?:| is)?[ ]{0,2}[#:]?[ ]?"
)


class Personal(Struct, frozen=True):
    """One piece of personal data: its kind and where it stands."""

    kind: str  # one of KINDS
    start: int
    end: int


def luhn(digits: str) -> bool:
    """Whether the check digit of a card number is right. Source: ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def iban(text: str) -> bool:
    """Whether a text without spaces is an IBAN of a known country and length. Source: ISO 13616, mod 97-10 of ISO 7064."""
    if len(text) != _IBAN_LENGTHS.get(text[:2].upper(), 0):
        return False
    turned = text[4:] + text[:4]
    return int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def nhs(digits: str) -> bool:
    """Whether ten digits are an NHS number: the eleventh complement of the weighted sum is the last digit."""
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return len(digits) == 10 and check != 10 and check % 11 == int(digits[9])


def find_personal(text: str, kinds: tuple[str, ...] = KINDS) -> tuple[Personal, ...]:
    """What personal data is in a text, in order and without overlaps; the kind that stands first in KINDS wins a tie."""
    found: list[Personal] = []
    for kind in KINDS:
        if kind in kinds:
            found += [Personal(kind, start, end) for start, end in _spans(kind, text)]
    found.sort(key=lambda each: (each.start, KINDS.index(each.kind)))
    kept: list[Personal] = []
    for each in found:
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return tuple(kept)


def mask(
    text: str, known: Mapping[str, str], kinds: tuple[str, ...] = KINDS, *, taken: frozenset[str] = frozenset()
) -> tuple[str, dict[str, str]]:
    """(the text with a placeholder such as [EMAIL_1] for each value, placeholder -> value with those of `known`).

    The same value has the same placeholder, in this text and in those that `known` came from. Placeholders that stand in
    the text itself are never used, nor those that are `taken` (see `placeholders`).
    """
    found = find_personal(text, kinds)
    mapping = dict(known)
    if not found:
        return text, mapping
    names = {value: name for name, value in known.items()}
    used = {*taken, *placeholders(text), *map(_key, known)}
    counts = {kind: itertools.count(1) for kind in KINDS}
    parts, at = [], 0
    for each in found:
        value = text[each.start : each.end]
        if value not in names:
            fresh = (f"{each.kind.upper()}_{number}" for number in counts[each.kind])
            names[value] = f"[{next(name for name in fresh if name not in used)}]"
            mapping[names[value]] = value
        parts += [text[at : each.start], names[value]]
        at = each.end
    return "".join((*parts, text[at:])), mapping


def unmask(text: str, mapping: Mapping[str, str], escape: Callable[[str], str] = str) -> str:
    """The text with every placeholder replaced by its value; `escape` makes a value fit where it is put (a JSON string).

    Models do not always repeat a placeholder as it was: another case, a space or hyphen for the line, capitals without
    brackets, and Markdown's or JSON's backslashes are put up with. `unmask(*mask(text, {}))` is the text, whatever it is.
    """
    if not mapping:
        return text
    values = {_key(name): value for name, value in mapping.items()}

    def value_of(found: re.Match[str]) -> str:
        value = values.get(_key(found[0]))
        return found[0] if value is None else escape(value)

    return _PLACEHOLDER.sub(value_of, text)


def placeholders(text: str) -> frozenset[str]:
    """Everything in a text that `unmask` would take for a placeholder, in one form: "EMAIL_1"."""
    return frozenset(map(_key, _PLACEHOLDER.findall(text)))


_NAMES = "|".join(kind.upper() for kind in KINDS)
_PLACEHOLDER = re.compile(
    rf"\[(?i:{_NAMES})(?:\\{{0,8}}_|[ -])\d{{1,9}}\]"
    rf"|(?<!\\)\\{{1,8}}\[(?i:{_NAMES})(?:\\{{0,8}}_|[ -])\d{{1,9}}\\{{1,8}}\]"
    rf"|(?:(?<!\w)|(?<=\\n)|(?<=\\t))(?:{_NAMES})_\d{{1,9}}(?!\w)"
)
_DRESS = re.compile(r"[\\\[\]]")


def _key(name: str) -> str:
    return _DRESS.sub("", name).replace(" ", "_").replace("-", "_").upper()


def _spans(kind: str, text: str) -> Iterator[tuple[int, int]]:
    for found in _PATTERNS[kind].finditer(text):
        group = 1 if found.re.groups else 0
        value = found[group]
        if value and _VALID.get(kind, _always)(value):
            yield found.span(group)


def _always(value: str) -> bool:
    return True


def _card(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    return 13 <= len(digits) <= 19 and digits[0] in "3456" and len(set(digits)) > 1 and luhn(digits)


def _ssn(value: str) -> bool:
    area, group, serial = value.split("-")
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def _phone(value: str) -> bool:
    digits = re.sub(r"\D", "", value)
    dressed = value.startswith(("+", "(", "0")) or len(re.findall(r"[ ./-]", value)) >= 2
    return dressed and (7 if value.startswith("(") else 9) <= len(digits) <= 15 and len(set(digits)) > 2


def _address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


_PATTERNS = {
    "card": re.compile(r"(?<![\w.-])\d(?:[ -]?\d){12,18}(?![\w-])"),
    "iban": re.compile(r"(?<!\w)[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?(?!\w)"),
    "email": re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,24}(?!\w)"),
    "phone": re.compile(
        r"(?<![\w.,/-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{1,5}\)[ .-]?)?\d{2,5}(?:[ ./-]?\d{2,5}){1,5}(?![\w-]|[.,]\d)"
    ),
    "birth": re.compile(rf"{_BORN}[^\d\n]{{0,20}}?({_DATE})", re.IGNORECASE),
    "record": re.compile(rf"{_LABEL}([A-Z]{{0,4}}-?\d[A-Z0-9-]{{3,19}})(?![\w-])", re.IGNORECASE),
    "ssn": re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])"),
    "nhs": re.compile(r"(?<![\w-])\d{3}[ -]\d{3}[ -]\d{4}(?![\w-])"),
    "ip": re.compile(r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|(?:[0-9A-Fa-f]{0,4}:){3,7}[0-9A-Fa-f]{1,4})(?![\w.:])"),
}
_VALID: dict[str, Callable[[str], bool]] = {
    "card": _card,
    "iban": lambda value: iban(value.replace(" ", "")),
    "phone": _phone,
    "ssn": _ssn,
    "nhs": lambda value: nhs(re.sub(r"\D", "", value)),
    "ip": _address,
}
