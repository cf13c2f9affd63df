"""What a question looks like, in numbers: hashed n-grams and its outward form. Serving and fitting both come here.

Places are computed by fixed integer arithmetic, so that every process and machine agrees; nothing is downloaded. Only the
question's words count, never the system prompt, which is the same for every question of a feature.
"""

from __future__ import annotations

import re
from zlib import crc32

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.signals.form import Values, form_of

WORD_PLACES = 1 << 16  # of words and pairs of words
LETTER_PLACES = 1 << 15  # of runs of letters
PLACES = WORD_PLACES + LETTER_PLACES
LONGEST = 4000  # characters that are read: of a longer question its first and its last half of that
RUN = 4  # length of a run of letters, in UTF-8 bytes

_WORD = re.compile(r"\w+")
_PAIR, _RUN, _MIX = np.uint32(0x9E3779B1), np.uint32(0x01000193), np.uint32(0x85EBCA6B)

Words = NDArray[np.int32]


class Features(Struct, frozen=True):
    """One question as numbers."""

    places: Words  # ascending, each once, in [0, PLACES): runs of letters come after words
    values: Values  # 1 + log of how often each is there
    form: Values  # shape (len(FORM),)


def features(text: str) -> Features:
    """The features of a question; an empty text has no places and a form of zeros but for what emptiness is."""
    text = shortened(text)
    words = _WORD.findall(text.lower())
    hashes = np.array([crc32(word.encode("utf-8", "replace")) for word in words], dtype=np.uint32)
    pairs = hashes[:-1] * _PAIR + hashes[1:]
    letters = np.frombuffer(f" {' '.join(words)} ".encode("utf-8", "replace"), dtype=np.uint8).astype(np.uint32)
    grams = _mixed(np.concatenate([hashes, pairs, _runs(letters)]))
    many = hashes.size + pairs.size
    grams[:many] &= np.uint32(WORD_PLACES - 1)
    grams[many:] &= np.uint32(LETTER_PLACES - 1)
    grams[many:] += np.uint32(WORD_PLACES)
    places, counts = _counted(grams)
    return Features(places, 1 + np.log(counts), form_of(text, words))


def shortened(text: str) -> str:
    """What is read of a question: all of it, or its first and its last `LONGEST` / 2 characters."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} {text[-LONGEST // 2 :]}"


def _mixed(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Hashes whose low bits depend on all bits; the finaliser of MurmurHash3, shortened."""
    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed *= _MIX
    mixed ^= mixed >> np.uint32(13)
    return mixed


def _runs(letters: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """A hash of every run of `RUN` letters; none where there are fewer letters."""
    rolled = letters
    for size in range(2, RUN + 1):
        rolled = rolled[:-1] * _RUN + letters[size - 1 :]
    return rolled


def _counted(grams: NDArray[np.uint32]) -> tuple[Words, Values]:
    """(the places, ascending, each once; how often each is there)."""
    ordered = grams.astype(np.int32)
    ordered.sort()
    fresh = np.ones(ordered.size + 1, dtype=np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:-1])
    starts = np.flatnonzero(fresh)
    return ordered[starts[:-1]], (starts[1:] - starts[:-1]).astype(np.float32)
