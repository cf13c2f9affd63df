"""What a question looks like, in numbers: hashed n-grams and its outward form. Serving and fitting both come here.

Places are computed by fixed integer arithmetic, so that every process and machine agrees; nothing is downloaded. Only the
question's words count, never the system prompt, which is the same for every question of a feature.
"""

from __future__ import annotations

import re
from math import log1p
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

WORD_PLACES = 1 << 16  # of words and pairs of words
LETTER_PLACES = 1 << 15  # of runs of letters
PLACES = WORD_PLACES + LETTER_PLACES
LONGEST = 4000  # characters that are read: of a longer question its first and its last half of that
LETTERS = (3, 4, 5)  # length of the runs, in UTF-8 bytes

FORM = (
    "log_words", "log_lines", "log_first_line_words", "word_length", "digits", "operators", "capitals", "not_ascii",
    "question_mark", "blank", "negation", "statements", "code", "which_of",
)  # fmt: skip

_WORD = re.compile(r"\w+")
_OPERATORS = re.compile(r"[=+*/^\\()<>|]")
_DIGIT = re.compile(r"\d")
_CAPITALS = re.compile(r"\b[A-Z]{2,}")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_NEGATION = re.compile(r"\b(?:not|except|false|incorrect|never|least|without)\b", re.IGNORECASE)
_CODE = re.compile(r"```|\bdef \w+\(|\breturn\b|[{};]\s*$|=>|\bimport \w", re.MULTILINE)
_PAIR, _RUN, _MIX = np.uint32(0x9E3779B1), np.uint32(0x01000193), np.uint32(0x85EBCA6B)

Words = NDArray[np.int32]
Values = NDArray[np.float32]


class Features(Struct, frozen=True):
    """One question as numbers."""

    places: Words  # ascending, each once, in [0, PLACES): runs of letters come after words
    values: Values  # 1 + log of how often each is there
    form: Values  # shape (len(FORM),)


def features(text: str) -> Features:
    """The features of a question; an empty text has no places and a form of zeros but for what emptiness is."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST // 2]} {text[-LONGEST // 2 :]}"
    words = _WORD.findall(text)
    lowered = [word.lower() for word in words]
    hashes = np.array([crc32(word.encode("utf-8", "replace")) for word in lowered], dtype=np.uint32)
    pairs = hashes[:-1] * _PAIR + hashes[1:]
    letters = np.frombuffer(f" {' '.join(lowered)} ".encode("utf-8", "replace"), dtype=np.uint8).astype(np.uint32)
    grams = _mixed(np.concatenate([hashes, pairs, *_runs(letters)]))
    many = hashes.size + pairs.size
    grams[:many] &= np.uint32(WORD_PLACES - 1)
    grams[many:] &= np.uint32(LETTER_PLACES - 1)
    grams[many:] += np.uint32(WORD_PLACES)
    places, counts = _counted(grams)
    return Features(places, 1 + np.log(counts), _form(text, words))


def _mixed(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hashes whose low bits depend on all bits; the finaliser of MurmurHash3, shortened."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed *= _MIX
    mixed ^= mixed >> np.uint32(13)
    return mixed


def _runs(letters: NDArray[np.uint32]) -> list[NDArray[np.uint32]]:
    """A hash of every run of each length in `LETTERS`; none where there are fewer letters."""
    found, rolled = [], letters
    for size in range(2, LETTERS[-1] + 1):
        rolled = rolled[:-1] * _RUN + letters[size - 1 :]
        if size in LETTERS:
            found.append(rolled + np.uint32(size * int(_RUN) ** size % 2**32))
    return found


def _counted(grams: NDArray[np.uint32]) -> tuple[Words, Values]:
    """(the places, ascending, each once; how often each is there)."""
    ordered = np.sort(grams).astype(np.int32)
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    return ordered[starts], np.diff(starts, append=ordered.size).astype(np.float32)


def _form(text: str, words: list[str]) -> Values:
    lines = text.strip().split("\n")
    long, many = max(1, len(text)), max(1, len(words))
    return np.array(
        [
            log1p(len(words)), log1p(len(lines)), log1p(len(lines[0].split())), sum(map(len, words)) / many,
            len(_DIGIT.findall(text)) / long, len(_OPERATORS.findall(text)) / long, len(_CAPITALS.findall(text)) / many,
            log1p(len(_NOT_ASCII.findall(text))), "?" in text, "__" in text, _NEGATION.search(lines[0]) is not None,
            "Statement 1" in text, _CODE.search(text) is not None, "which of the following" in text.lower(),
        ],
        dtype=np.float32,
    )  # fmt: skip
