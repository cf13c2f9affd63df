"""Numbers as they are written, in digits or in English words, brought to one way of writing."""

from __future__ import annotations

import re

_SMALL = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
CARDINALS = {word: value for value, word in enumerate(_SMALL.split())} | {
    word: 10 * value for value, word in enumerate(_TENS.split(), start=2)
}
MULTIPLES = {
    "hundred": 100, "thousand": 1000, "million": 10**6, "billion": 10**9, "trillion": 10**12, "bn": 10**9, "mn": 10**6,
}  # fmt: skip
ORDINALS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "sixth": "6", "seventh": "7", "eighth": "8",
    "ninth": "9", "tenth": "10", "once": "1", "twice": "2", "thrice": "3", "half": "0.5", "dozen": "12", "½": "0.5",
    "¼": "0.25", "¾": "0.75",
}  # fmt: skip
_ENGLISH = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")  # 1,000.5
_CONTINENTAL = re.compile(r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:\.\d{3}){2,}|\d+,(?:\d{1,2}|\d{4,})")  # 1.000,5 and 1,5
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_FRACTION = re.compile(r"(\d{1,3})/(\d{1,3})")
_ORDINAL = re.compile(r"(?:st|nd|rd|th)$", re.IGNORECASE)
_LONGEST = 30  # digits of a number that is taken for a value; longer ones are names


def number_of(token: str) -> str | None:
    """The canonical digits of a number in digits or in one word: "1,000.0", "1.000,0" and "thousand" are "1000".

    None when the token is none. "1.000" is read the English way, as 1. What is no plain number ("8:30", "1.2.3") stays.
    """
    if not token[0].isdigit():
        return _in_words(token.lower())
    token = _ORDINAL.sub("", token)
    digits = token if token.isascii() else "".join(str(int(c)) if c.isdecimal() else c for c in token)
    if _ENGLISH.fullmatch(digits):
        digits = digits.replace(",", "")
    elif _CONTINENTAL.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", ".")
    if not _PLAIN.fullmatch(digits):
        return digits
    whole, _, rest = digits.partition(".")
    rest = rest.rstrip("0")
    return (whole.lstrip("0") or "0") + (f".{rest}" if rest else "")


def value_of(number: str) -> float | None:
    """The value of canonical digits or of a fraction ("1/2"); None for what has none ("8:30", a very long number)."""
    if len(number) > _LONGEST:
        return None
    if _PLAIN.fullmatch(number):
        return float(number)
    fraction = _FRACTION.fullmatch(number)
    return int(fraction[1]) / int(fraction[2]) if fraction and int(fraction[2]) else None


def joined(first: str, word: str) -> str | None:
    """A number and the word after it as one: "3.5" and "million", "twenty" (20) and "five"; None when they are two numbers."""
    value = value_of(first)
    if value is None:
        return None
    lower = word.lower()
    if lower in MULTIPLES:
        return digits_of(value * MULTIPLES[lower])
    if lower not in CARDINALS or value != int(value):
        return None
    small = CARDINALS[lower]
    over = 100 if value >= 100 else 10
    fits = 0 < small < over and value % over == 0 and (value >= 100 or (value >= 20 and small < 10))
    return digits_of(value + small) if fits else None


def digits_of(value: float) -> str:
    """A value in canonical digits."""
    return str(int(value)) if value == int(value) else f"{value:.12g}"


def _in_words(lower: str) -> str | None:
    if lower in CARDINALS:
        return str(CARDINALS[lower])
    if lower in ORDINALS:
        return ORDINALS[lower]
    if lower in MULTIPLES and len(lower) > 2:
        return str(MULTIPLES[lower])
    tens, dash, rest = lower.partition("-")
    if dash and tens in CARDINALS and rest in CARDINALS and CARDINALS[tens] >= 20 and 0 < CARDINALS[rest] < 10:
        return str(CARDINALS[tens] + CARDINALS[rest])
    return None
