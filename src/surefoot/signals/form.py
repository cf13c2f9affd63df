"""The outward form of a question: how long it is, what it is made of, what choice of answers it offers. No word of a subject.

Form says nearly as much of who can answer as the subject does, and the same of subjects that nobody has asked about yet.
"""

from __future__ import annotations

import re
from math import log1p

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]

_WHOLE = (
    "log_words", "log_lines", "log_first_line_words", "word_length", "digits", "operators", "capitals", "not_ascii",
    "question_mark", "blank", "negation", "statements", "code", "which_of",
)  # fmt: skip
_STEM = (  # what is asked, without the choice of answers
    "log_stem_words", "log_stem_digits", "names", "year", "quoted", "unfinished", "what", "which", "how", "somebody",
    "quantity", "distinct_words", "log_sentences", "symbols", "equation", "enumerated",
)  # fmt: skip
_OPTIONS = (  # the choice of answers: lines that begin with a letter or a number and a mark
    "options", "log_option_length", "log_longest_option", "option_spread", "options_with_digits", "options_of_numbers",
    "options_of_stem", "options_distinct", "options_capital", "options_of_one_word", "option_word_length", "of_the_above",
)  # fmt: skip
FORM = (*_WHOLE, *_STEM, *_OPTIONS)

_WORD = re.compile(r"\w+")
_OPERATORS = re.compile(r"[=+*/^\\()<>|]")
_DIGIT = re.compile(r"\d")
_CAPITALS = re.compile(r"\b[A-Z]{2,}")
_NAME = re.compile(r"\b[A-Z][a-z]+")
_NEGATION = frozenset(("not", "except", "false", "incorrect", "never", "least", "without"))
_CODE = re.compile(r"```|\bdef \w+\(|\breturn\b|[{};]\s*$|=>|\bimport \w", re.MULTILINE)
_YEAR = re.compile(r"\b(?:1\d|20)\d\d\b")
_SYMBOLS = re.compile(r"[αβγπθλΩ√∫∑≤≥^]|\\frac|_\{")
_EQUATION = re.compile(r"\d\s*[-+*/=^]\s*\d|[a-z]\s*=")
_UNKNOWNS = frozenset("xyzn")
_ENUMERATED = re.compile(r"\bI{1,3}\b")
_SENTENCE = re.compile(r"[.?!]\s")
_OPTION = re.compile(r"\s*\(?(?:[A-Za-z]|\d{1,2}|[ivxIVX]{1,4})[.):]\s+(.*)")
_NUMBER_ALONE = re.compile(r"[^a-zA-Z]*\d[^a-zA-Z]*[a-zA-Z/%°]{0,8}\.?")
_UNFINISHED = ("is", "are", "of", "to", "the", "by", "that", ":", "from")
_SOMEBODY = frozenset(("he", "she", "his", "her", "man", "woman", "patient", "old", "boy", "girl"))
_QUANTITY = frozenset(("calculate", "find", "compute", "value", "many", "much", "approximately"))
_NO_OPTIONS = (0.0,) * len(_OPTIONS)


def form_of(text: str, words: list[str]) -> Values:
    """Shape (len(FORM),): shares, logarithms of counts, and 0 or 1; an empty text is 0 but for what emptiness is.

    Args:
        text: the question.
        words: its words, in small letters, in order.
    """
    lines = text.strip().split("\n")
    stem, options = _divided(lines) if len(lines) > 1 else (text, [])
    mine = words if not options else _WORD.findall(stem.lower())
    lowered = text.lower()
    found = (*_whole(text, lowered, lines, words), *_stem(stem, mine), *_options(options, mine))
    return np.array(found, dtype=np.float32)


def _divided(lines: list[str]) -> tuple[str, list[str]]:
    """(what is asked, the answers that are offered)."""
    stem, options = [], []
    for line in lines:
        found = _OPTION.fullmatch(line)
        if found is None:
            stem.append(line)
        else:
            options.append(found[1])
    return " ".join(stem), options


def _whole(text: str, lowered: str, lines: list[str], words: list[str]) -> tuple[float, ...]:
    long, many = max(1, len(text)), max(1, len(words))
    return (
        log1p(len(words)), log1p(len(lines)), log1p(len(lines[0].split())), sum(map(len, words)) / many,
        len(_DIGIT.findall(text)) / long, len(_OPERATORS.findall(text)) / long, len(_CAPITALS.findall(text)) / many,
        0.0 if text.isascii() else log1p(sum(letter > "\x7f" for letter in text)), "?" in text, "__" in text,
        not _NEGATION.isdisjoint(words if len(lines) == 1 else _WORD.findall(lines[0].lower())), "Statement 1" in text,
        _CODE.search(text) is not None, "which of the following" in lowered,
    )  # fmt: skip


def _stem(stem: str, words: list[str]) -> tuple[float, ...]:
    known, many = set(words), max(1, len(words))
    first = words[0] if words else ""
    return (
        log1p(len(words)), log1p(len(_DIGIT.findall(stem))), len(_NAME.findall(stem)) / many,
        _YEAR.search(stem) is not None, '"' in stem or "'" in stem or "“" in stem, stem.rstrip().endswith(_UNFINISHED),
        first == "what", first == "which", first == "how", not known.isdisjoint(_SOMEBODY), not known.isdisjoint(_QUANTITY),
        len(known) / many, log1p(len(_SENTENCE.findall(stem))), _SYMBOLS.search(stem) is not None,
        not known.isdisjoint(_UNKNOWNS) or _EQUATION.search(stem) is not None, _ENUMERATED.search(stem) is not None,
    )  # fmt: skip


def _options(options: list[str], stem: list[str]) -> tuple[float, ...]:
    if not options:
        return _NO_OPTIONS
    many, lengths = len(options), [len(each) for each in options]
    mean = sum(lengths) / many
    spread = (sum((each - mean) ** 2 for each in lengths) / many) ** 0.5
    words = [_WORD.findall(each.lower()) for each in options]
    every, asked = [word for each in words for word in each], set(stem)
    count = max(1, len(every))
    joined = " ".join(options).lower()
    return (
        many, log1p(mean), log1p(max(lengths)), spread / (1 + mean),
        sum(_DIGIT.search(each) is not None for each in options) / many,
        sum(_NUMBER_ALONE.fullmatch(each) is not None for each in options) / many,
        sum(word in asked for word in every) / count, len(set(every)) / count,
        sum(each[:1].isupper() for each in options) / many, sum(len(each) == 1 for each in words) / many,
        sum(map(len, every)) / count, "of the above" in joined or "of these" in joined,
    )  # fmt: skip
