"""Words, numbers and sentences of a text with their places: what grounding compares. Every function is linear in the text."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

_TOKEN = re.compile(r"\d+(?:[.,:/]\d+)*|[^\W\d_]+(?:['’\-][^\W\d_]+)*")
_ENDS = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|\n+(?:[ \t]*(?:[-*•‣–]|\d{1,2}[.)])[ \t]+)?|[;:](?=\s*\n)")
_ABBREVIATED = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|inc|ltd|co|jr|sr|approx|fig|u\.s|a\.m|p\.m)|\b[A-Z])\.$",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)$")

STOP = frozenset(
    """
    a about after again all also am an and any are as at be because been before being both but by can could did do
    does doing down during each few for from further had has have having he her here hers him his how i if in into
    is it its itself just let like make many may me might more most much must my no nor not of off on once one
    only or other our out over own same she should so some such than that the their them then there these they
    this those through to too under until up upon us very was we were what when where which while who whom why
    will with within would yes you your s t ve ll re d m
    """.split()
)
NEGATIONS = frozenset(
    """
    no not never none neither nor without cannot can't don't doesn't didn't won't isn't aren't wasn't weren't
    hasn't haven't hadn't shouldn't wouldn't couldn't nobody nothing unable lack lacks lacking fail fails failed
    deny denies denied
    """.split()
)
_SMALL = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen
"""
_NUMBER_WORDS = {word: str(value) for value, word in enumerate(_SMALL.split())} | {
    word: str(10 * value) for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
} | {
    "hundred": "100", "thousand": "1000", "million": "1000000", "billion": "1000000000", "half": "0.5", "dozen": "12",
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5", "once": "1", "twice": "2",
}  # fmt: skip
_IRREGULAR = dict(
    pair.split()
    for pair in """
    men man; women woman; children child; people person; feet foot; teeth tooth; mice mouse; went go; gone go;
    goes go; said say; says say; made make; took take; taken take; gave give; given give; found find; began begin;
    begun begin; wrote write; written write; held hold; led lead; left leave; kept keep; told tell; bought buy;
    sold sell; won win; lost lose; paid pay; met meet; grew grow; grown grow; known know; knew know; came come;
    became become; saw see; seen see; ran run; fell fall; fallen fall; rose rise; risen rise; built build; sent
    send; spent spend; thought think; brought bring; taught teach; got get; better good; best good; worse bad;
    worst bad; died die; dying die; dies die
    """.split(";")
)


class Word(Struct, frozen=True):
    """One word or number of a text."""

    stem: str  # of a number its canonical digits
    start: int
    end: int
    number: bool
    content: bool  # says something: a number, or no stop word
    capital: bool
    negation: bool = False


class Sentence(Struct, frozen=True):
    """One sentence with its words."""

    start: int
    end: int
    words: tuple[Word, ...]


def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text, list items and lines among them; those without a word are left out."""
    found = []
    start = 0
    for end in [*_breaks(text), len(text)]:
        words = tuple(_word(match) for match in _TOKEN.finditer(text, start, end))
        if words:
            found.append(Sentence(_skip(text, start, end), end, words))
        start = end
    return tuple(found)


@lru_cache(50_000)
def stem(word: str) -> str:
    """A word without its ending, in small letters: enough that "doses", "dosing" and "dosed" meet."""
    lower = word.lower().replace("’", "'").removesuffix("'s").removesuffix("'")
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    for ending, put in (
        ("ies", "y"),
        ("sses", "ss"),
        ("ing", ""),
        ("edly", ""),
        ("ed", ""),
        ("ly", ""),
        ("es", ""),
        ("s", ""),
    ):
        if lower.endswith(ending) and len(lower) - len(ending) >= 3 and not lower.endswith(("ss", "us", "is")):
            lower = lower.removesuffix(ending) + put
            break
    if len(lower) > 4 and lower[-1] == lower[-2] and lower[-1] not in "aeiousl":
        lower = lower[:-1]
    return lower.removesuffix("e") if len(lower) > 3 else lower


def number_of(token: str) -> str | None:
    """The canonical digits of a number ("1,000.0" is "1000"); None when the token is none."""
    lower = token.lower()
    if lower in _NUMBER_WORDS:
        return _NUMBER_WORDS[lower]
    if not lower[0].isdigit():
        return None
    plain = lower.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", lower) else lower
    if "." in plain and plain.count(".") == 1 and plain.replace(".", "").isdigit():
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0" if plain.isdigit() else plain


def _word(match: re.Match[str]) -> Word:
    token = match[0]
    start, end = match.span()
    lower = token.lower()
    number = number_of(token)
    if number is not None and not (lower in STOP and not token[0].isdigit()):
        return Word(number, start, end, True, True, False)
    return Word(
        stem(token), start, end, False, lower not in STOP and len(lower) > 1, token[0].isupper(),
        lower.replace("’", "'") in NEGATIONS or lower.endswith(("n't", "n’t")),
    )  # fmt: skip


def _breaks(text: str) -> list[int]:
    found = []
    for match in _ENDS.finditer(text):
        if match[0].startswith(".") and _ABBREVIATED.search(text[max(0, match.start() - 12) : match.start() + 1]):
            continue
        found.append(match.end())
    return found


def _skip(text: str, start: int, end: int) -> int:
    """Where a sentence begins: white space before it is not part of it."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip())
