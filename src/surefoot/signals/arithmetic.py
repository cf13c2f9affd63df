"""Equations in an answer, recomputed. Exact fractions; what is not plain arithmetic is left alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from msgspec import Struct

_DIGITS = 15  # of a number; longer ones are not arithmetic by hand
_PLAIN = r"[-+]?(?:\d{1,3}(?:,\d{3}){1,4}|\d{1,18})(?:\.\d{1,18})?"
_NUMBER = rf"{_PLAIN}%?"
_MONEY = r"[$€£]?[ ]?"
_UNIT = r"(?:[ ]?[a-zA-Z]{1,14}){0,3}"
_SIDE = re.compile(
    rf"{_MONEY}\(*{_MONEY}{_NUMBER}\)*(?:{_UNIT}[ ]*[-+*/]{{1,2}}[ ]*{_MONEY}\(*{_MONEY}{_NUMBER}\)*){{0,12}}"
)
_PERCENT_OF = re.compile(
    rf"(?<![\d.,])({_PLAIN})%\s{{1,9}}of\s{{1,9}}{_MONEY}({_NUMBER})\s{{1,9}}(?:is|=|equals)\s{{1,9}}{_MONEY}({_NUMBER})"
    rf"(?![\d.,]*\d|{_UNIT}\s{{0,9}}[-+*/(])"
)
_SIGNS = str.maketrans({"×": "*", "·": "*", "÷": "/", "−": "-", "–": "-", "⋅": "*"})
_LATEX = (
    (r"\times", "*"),
    (r"\cdot", "*"),
    (r"\div", "/"),
    (r"\$", "$"),
    (r"\%", "%"),
    (r"\left", ""),
    (r"\right", ""),
)
_FRACTION = re.compile(r"\\d?frac\{([^{}]{1,40})\}\{([^{}]{1,40})\}")
_TIMES = re.compile(r"(?<=\d)[ ]*x[ ]*(?=[$€£]?[ ]?\d)")
_UNKNOWN = re.compile(r"[\d)][ ]?[a-zA-Z]\b|\b[b-zB-Z]\b[ ]*[-+*/^(]|[-+*/^)][ ]*\b[b-zB-Z]\b")  # 2x, y +, - S
_TOKEN = re.compile(r"\d+(?:\.\d+)?%?|[-+*/()]")
_LOOKED_AT = 20_000  # characters


class Arithmetic(Struct, frozen=True):
    """What recomputing came to. `score` is the share of equations that hold; None when the answer has none."""

    score: float | None
    equations: int = 0
    wrong: int = 0


def arithmetic(text: str) -> Arithmetic:
    """The equations of an answer ("12 * 3 = 36", "15% of 80 is 12", chains "a = b = c"), recomputed.

    A result may be rounded to the digits it is written with. Equations with letters, powers or unknowns are not counted.
    """
    if "=" not in text and "%" not in text:  # without one of them there is no equation: most answers end here
        return Arithmetic(None)
    plain = _plain(text[:_LOOKED_AT])
    held = [_holds(left, right) for left, right in _equations(plain)]
    known = [each for each in held if each is not None]
    known += [
        _near(_value(share) * _value(base) / 100, result)
        for share, base, result in _PERCENT_OF.findall(plain)
        if max(len(share), len(base), len(result)) <= _DIGITS
    ]
    if not known:
        return Arithmetic(None)
    return Arithmetic(sum(known) / len(known), len(known), len(known) - sum(known))


def _plain(text: str) -> str:
    for old, new in _LATEX:
        text = text.replace(old, new)
    return _TIMES.sub(" * ", _FRACTION.sub(r"(\1)/(\2)", text).translate(_SIGNS))


def _equations(text: str) -> Iterator[tuple[str, str]]:
    """(left, right) of every "=" between two sides that are arithmetic; the left one must hold an operation."""
    for line in text.split("\n"):
        sides = re.split(r"(?<![<>!=:])=(?!=)", line)
        for before, after in pairwise(sides):
            if _UNKNOWN.search(before[-200:]) or _UNKNOWN.search(after[:40]):
                continue
            left, right = _last_side(before), _first_side(after)
            if left and right and _operates(left):  # else it is a name: "price of 5 apples = 5 * $2"
                yield left, right


def _last_side(text: str) -> str | None:
    sides = list(_SIDE.finditer(text[-200:]))
    if not sides:
        return None
    found = sides[-1]
    rest = text[-200:][found.end() :]
    before = text[-200:][: found.start()].rstrip()
    if re.search(r"[-+*/^(]$", before) or (before and before[-1].isalnum() and not before[-1].isalpha()):
        return None  # the side goes on to the left in a way that is not read here
    return found[0] if re.fullmatch(r"(?:[ ]?[a-zA-Z.]{1,14}){0,3}[ )*$]*", rest) else None


def _first_side(text: str) -> str | None:
    found = re.match(rf"[ *(]*({_SIDE.pattern})", text)
    if found is None:
        return None
    rest = text[found.end() : found.end() + 12]
    return None if re.match(r"\s*[*/^+]|\s*-\s*\d|\d|\s*[a-z]?\s*\^|\.\d|:\d", rest) else found[1]


def _operates(side: str) -> bool:
    return bool(re.search(r"\d[^\d]*[-+*/][^\d]*\d", side))


def _holds(left: str, right: str) -> bool | None:
    first, second = _evaluate(left), _evaluate(right)
    if first is None or second is None:
        return None
    if not _operates(right):
        return _near(first, re.sub(r"[^\d.,%+-]", "", right))
    return first == second or _near(first, f"{float(second):.2f}")


def _near(value: Fraction, written: str) -> bool:
    """Whether a value is what is written, as far as the digits written go; both percent and share are understood."""
    wanted = _value(written.strip("%"))
    places = len(written.strip("%").partition(".")[2])
    slack = Fraction(1, 2) / 10**places + Fraction(1, 10**9)
    forms = (value, value * 100) if written.endswith("%") else (value,)
    return any(abs(form - wanted) <= (slack if form.denominator != 1 or places else 0) for form in forms)


def _value(written: str) -> Fraction:
    return Fraction(Decimal(written.replace(",", "").strip("%").strip(".+") or "0"))


def _evaluate(side: str) -> Fraction | None:
    """The value of a side by precedence; None when it is not plain arithmetic or a division by zero."""
    bare = re.sub(r"[$€£,]|[a-zA-Z]+", "", side)
    tokens = _TOKEN.findall(bare)
    if any(len(token) > _DIGITS for token in tokens) or "".join(tokens) != re.sub(r"\s", "", bare):
        return None
    try:
        value, rest = _sum(tokens)
    except (IndexError, ValueError, ArithmeticError):  # not arithmetic after all, or a division by zero
        return None
    return value if not rest else None


def _sum(tokens: list[str]) -> tuple[Fraction, list[str]]:
    value, rest = _product(tokens)
    while rest and rest[0] in "+-":
        sign, (term, rest) = rest[0], _product(rest[1:])
        value = value + term if sign == "+" else value - term
    return value, rest


def _product(tokens: list[str]) -> tuple[Fraction, list[str]]:
    value, rest = _atom(tokens)
    while rest and rest[0] in "*/":
        sign, (factor, rest) = rest[0], _atom(rest[1:])
        value = value * factor if sign == "*" else value / factor
    return value, rest


def _atom(tokens: list[str]) -> tuple[Fraction, list[str]]:
    head, rest = tokens[0], tokens[1:]
    if head in "+-":
        value, rest = _atom(rest)
        return (-value if head == "-" else value), rest
    if head == "(":
        value, rest = _sum(rest)
        if rest[0] != ")":
            raise ValueError("no closing bracket")
        return value, rest[1:]
    value = _value(head)
    return (value / 100 if head.endswith("%") else value), rest
