"""Quantities of a text: numbers bound to their units, and whether passages hold one, converted or not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

from msgspec import Struct

from surefoot.signals.numbers import value_of
from surefoot.signals.text import Word
from surefoot.signals.units import PER, RATES, Measure, measures_of, unit_of

_BEFORE_UNIT = frozenset({"working", "business", "full", "consecutive", "calendar", "more", "further", "whole"})
_WORKING = frozenset({"working", "business"})
_JOINING = frozenset({"-", "–", "to", "or", "and"})  # between the two numbers of a range
_COUNTS = frozenset({"once", "twice", "thrice"})
_COUNTED = frozenset({"1", "2", "3"})  # what they are read as


class Quantity(Struct, frozen=True, gc=False):
    """A number with what it counts or measures."""

    value: float
    measures: tuple[Measure, ...]  # () without a unit; two for a unit of two meanings ("pounds")
    per: str  # "day", "kg" ...; "" when nothing is said
    first: int  # places of its words in their sentence
    last: int


def quantities(text: str, words: Sequence[Word]) -> tuple[Quantity, ...]:
    """The quantities among the words of a sentence; `text` is what the words' places count in.

    "5 to 10 mg" are two quantities of mg. A number without a value of its own ("1.2.3") and parts of dates are left out.
    """
    found: list[Quantity] = []
    for place, word in enumerate(words):
        if not word.number and (word.stem not in _COUNTED or text[word.start : word.end].lower() not in _COUNTS):
            continue
        if word.start > 1 and text[word.start - 1] == "-" and text[word.start - 2].isalpha():
            continue  # "TR-7" is a name
        value = value_of(word.stem)
        if value is None:
            continue
        unit, last = ("time", place) if not word.number else _unit(text, words, place)
        if not unit and not word.content:
            continue  # "one" as a pronoun
        per, last = _per(text, words, last)
        if per:
            further, last = _per(text, words, last)
            per = f"{per} {further}".strip()
        found.append(Quantity(value, measures_of(unit), per, place, last))
    for place in range(len(found) - 2, -1, -1):
        here, after = found[place], found[place + 1]
        if not here.measures and after.measures and _is_range(text, words, here, after):
            found[place] = Quantity(here.value, after.measures, after.per, here.first, here.last)
    return tuple(found)


def _unit(text: str, words: Sequence[Word], place: int) -> tuple[str, int]:
    """(the unit of a number as it is written, place of its last word)."""
    if place and words[place - 1].end == words[place].start:
        sign = text[words[place - 1].start : words[place - 1].end]
        if sign in "$€£":
            return sign, place
    after = place + 1
    working = False
    while after < len(words) and after < place + 3 and _touch(text, words, after):
        said = text[words[after].start : words[after].end].lower()
        if said in _BEFORE_UNIT:
            working, after = working or said in _WORKING, after + 1
            continue
        if unit_of(said) is None:
            break
        return ("working-day" if working and unit_of(said) == "day" else said), after
    return "", place


def _per(text: str, words: Sequence[Word], last: int) -> tuple[str, int]:
    """(what a quantity is per, place of its last word): "10 mg per kg", "80 km/h", "2 tablets twice daily"."""
    after = last + 1
    if after >= len(words):
        return "", last
    between = text[words[last].end : words[after].start]
    said = text[words[after].start : words[after].end].lower()
    if between == "/":
        unit = unit_of(said)
        return (unit, after) if unit else ("", last)
    if said in RATES and not between.strip():
        return RATES[said], after
    if said in PER and after + 1 < len(words) and not between.strip() and _touch(text, words, after + 1):
        unit = unit_of(text[words[after + 1].start : words[after + 1].end])
        return (unit, after + 1) if unit else ("", last)
    return "", last


def _touch(text: str, words: Sequence[Word], place: int) -> bool:
    """Whether nothing but space or a dash stands before a word."""
    between = text[words[place - 1].end : words[place].start]
    return len(between) <= 2 and not between.strip(" \t\u00a0\u202f-°")


def _is_range(text: str, words: Sequence[Word], here: Quantity, after: Quantity) -> bool:
    between = text[words[here.last].end : words[after.first].start]
    return len(between) <= 5 and between.strip(" $€£") in _JOINING


class Amounts:
    """The quantities of passages, asked for by what they measure."""

    def __init__(self, held: Iterable[Quantity]) -> None:
        self._plain: dict[str, set[str]] = {}  # number -> kinds of what it measures there, "" for none
        self._based: dict[tuple[str, str], set[str]] = {}  # (kind, number of base units) -> what it is per there
        for each in held:
            self._plain.setdefault(_key(each.value), set()).update(kind for kind, _ in each.measures or (("", 1.0),))
            for kind, factor in each.measures:
                self._based.setdefault((kind, _key(each.value * factor)), set()).add(each.per)

    def judge(self, said: Quantity) -> str:
        """What is wrong with a quantity: "" when it is there, converted or not.

        "unit" when its number is there, but only of another unit or per something else; "number" when it is not there. A
        number without a unit stands for any quantity, and what is per nothing for any rate: on either side.
        """
        plain: Set[str] = self._plain.get(_key(said.value), frozenset())
        if not said.measures:
            return "" if plain else "number"
        rates = [self._based.get((kind, _key(said.value * factor))) for kind, factor in said.measures]
        if any(rate is not None and (not said.per or said.per in rate or "" in rate) for rate in rates):
            return ""
        if "" in plain:
            return ""
        return "unit" if plain or any(rate is not None for rate in rates) else "number"


def _key(value: float) -> str:
    """One text for values that are equal but for rounding."""
    return f"{value:.9g}"
