"""Words, numbers, dates and sentences of a text with their places: what grounding compares. Everything is linear in the text.

Numbers ("1,000", "a thousand"), percentages, units ("milligrams", "mg") and dates come in one way of writing. Scripts without
spaces between words (Chinese, Japanese, Thai and others) are read as overlapping pairs of characters.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from msgspec import Struct

from surefoot.signals.dates import Moment, moments
from surefoot.signals.numbers import CARDINALS, joined, number_of
from surefoot.signals.units import unit_of

_UNSPACED = (
    r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_UNSPACED_FROM = "\u0e00"
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]")
_MARKED = rf"(?:[^\W\d_{_UNSPACED}]|(?<=\w)[\u0300-\u036f\u064b-\u065f\u0900-\u0903\u093a-\u094f])+"
_TOKEN = re.compile(r"\d+(?:(?:st|nd|rd|th)\b|(?:[.,:/]\d+)*)|per cent\b|[^\W\d_]+(?:['’\-][^\W\d_]+)*|[%$€£]")
_TOKEN_ANY = re.compile(
    rf"\d+(?:(?:st|nd|rd|th)\b|(?:[.,:/]\d+)*)|per cent\b|{_MARKED}(?:['’\-]{_MARKED})*|[{_UNSPACED}]+|[%$€£]"
)
_ENDS = re.compile(
    r"(?<![.!?…])[.!?…]++[\"'”’)\]*_]*+(?=\s)|\n+(?:[ \t]*(?:[-*•‣–]|\d{1,2}[.)])[ \t]+)?|[;:](?=\s*\n)|[。！？؟۔।]+"
)
_SIGN = re.compile(r"[.!?…\n;:。！？؟۔।]")  # looking for one character first is several times faster
_MARKER = re.compile(r"\s*(?:[-*•‣–]|\d{1,2}[.)])[ \t]+")
_DATED = re.compile(r"\d|\b(?:noon|midday|midnight)\b", re.IGNORECASE)
_ABBREVIATED = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|st|no|vs|etc|e\.g|i\.e|inc|ltd|co|jr|sr|approx|fig|u\.s|a\.m|p\.m)|\b[A-Z])\.$",
    re.IGNORECASE,
)
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


class Word(Struct, frozen=True, gc=False):
    """One word or number of a text."""

    stem: str  # of a number its canonical digits, of a unit its one name
    start: int
    end: int
    number: bool  # and no part of a date
    content: bool  # says something: a number, or no stop word
    capital: bool
    negation: bool = False


class Sentence(Struct, frozen=True):
    """One sentence with its words and the dates and times among them."""

    start: int
    end: int
    words: tuple[Word, ...]
    moments: tuple[Moment, ...] = ()
    numeric: bool = False  # whether there is anything like a number among the words
    negated: bool = False


def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text, list items and lines among them; those without a word are left out."""
    every = moments(text) if _DATED.search(text) else ()
    found = []
    marker = _MARKER.match(text)
    start = marker.end() if marker else 0
    token = _TOKEN if text.isascii() else _TOKEN_ANY
    at = 0
    for end, after in [*breaks(text), (len(text), len(text))]:
        if at < len(every) and every[at].start < end < every[at].end:
            continue  # "5 p.m. today" is one sentence
        here = at
        while at < len(every) and every[at].end <= end:
            at += 1
        words = _words(text, start, end, every[here:at], token)
        if words:
            numeric, negated = any(word.stem[0].isdecimal() for word in words), any(word.negation for word in words)
            found.append(Sentence(_skip(text, start, end), end, words, every[here:at], numeric, negated))
        start = max(start, after)
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


@lru_cache(50_000)
def key(word: str) -> str:
    """What words are compared by: the canonical digits of a number, the one name of a unit, or the stem."""
    return _read(word)[0]


@lru_cache(50_000)
def _read(token: str) -> tuple[str, bool, bool, bool]:
    """(key, whether it is a number, whether it says something, whether it negates) of a token."""
    lower = token.lower().replace("’", "'")
    number = number_of(token)
    if number is not None:
        counts = token[0].isdigit() or lower.split("-")[0] in CARDINALS
        return number, counts, lower not in STOP, False
    unit = unit_of(token) if len(token) > 2 or not token.isalpha() else None
    content = lower not in STOP and (len(lower) > 1 or not lower.isascii() or not lower.isalpha())
    said = unit or stem(unicodedata.normalize("NFKC", token) if not token.isascii() else token)
    return said, False, content, lower in NEGATIONS or lower.endswith("n't")


def _words(
    text: str, start: int, end: int, dated: tuple[Moment, ...], token: re.Pattern[str]
) -> tuple[Word, ...]:  # fmt: skip
    found: list[Word] = []
    for moment in dated:
        _tokens(text, start, moment.start, token, found)
        for word in moment.words:
            found.append(Word(key(word), moment.start, moment.end, False, True, False))
        start = moment.end
    _tokens(text, start, end, token, found)
    return tuple(found)


def _tokens(text: str, start: int, end: int, token: re.Pattern[str], found: list[Word]) -> None:
    """Puts the words of a piece of text behind those that were found; a number in several words becomes one."""
    before = ""  # the number just before, as its canonical digits
    for match in token.finditer(text, start, end):
        raw = match[0]
        here, there = match.span()
        if raw[0] >= _UNSPACED_FROM and _IS_UNSPACED.match(raw):
            _pairs_of_characters(text, here, there, found)
            before = ""
            continue
        stemmed, number, content, negation = _read(raw)
        if before and here - found[-1].end <= 1 and raw[0].isalpha() and text[found[-1].end : here] in ("", " ", "-"):
            whole = joined(before, raw)
            if whole is not None:
                found[-1] = Word(whole, found[-1].start, there, True, True, False)
                before = whole
                continue
        before = stemmed if number else ""
        found.append(Word(stemmed, here, there, number, content, raw[0].isupper(), negation))


def _pairs_of_characters(text: str, here: int, there: int, found: list[Word]) -> None:
    for place in range(here, max(there - 1, here + 1)):
        end = min(place + 2, there)
        found.append(Word(text[place:end], place, end, False, True, False))


def breaks(text: str) -> list[tuple[int, int]]:
    """(where a sentence ends, where the next may begin): the signs of a list stand between the two."""
    found = []
    at = 0
    for sign in _SIGN.finditer(text):
        match = _ENDS.match(text, sign.start()) if sign.start() >= at else None
        if match is None:
            continue
        at = match.end()
        if sign[0] == "." and _ABBREVIATED.search(text[max(0, match.start() - 12) : match.start() + 1]):
            continue
        found.append((match.start() if sign[0] == "\n" else at, at))
    return found


def _skip(text: str, start: int, end: int) -> int:
    """Where a sentence begins: white space before it is not part of it."""
    while start < end and text[start].isspace():
        start += 1
    return start
