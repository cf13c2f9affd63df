"""The default embedder: hashed pieces of words, no model, nothing to download, the same vector on every machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from surefoot.records import Request
from surefoot.signals.grams import grams

DIMENSIONS = 512
_SPREAD = 0x9E3779B1  # Knuth's multiplicative hashing: crc32 alone leaves like pieces in like places
_LARGEST = 127  # of an int8


class Embedder(Protocol):
    """From texts to vectors whose cosine says how alike they are."""

    name: str  # vectors of embedders of other names are not to be compared
    semantic: bool  # whether it knows that other words may mean the same; else likeness is one of words

    async def embed(self, texts: Sequence[str], request: Request, /) -> list[NDArray[np.float32] | None]:
        """By text a vector of length 1, or None where there is none to be had: whoever asks does without.

        Args:
            texts: parts of the request, or what is to be compared with them.
            request: whom it is done for, and whose budgets pay.
        """


class Lexical:
    """The hashed n-grams of `grams`, each with a sign, in `DIMENSIONS` numbers."""

    name, semantic = "lexical", False

    async def embed(self, texts: Sequence[str], _: Request, /) -> list[NDArray[np.float32] | None]:
        """One a text; it costs nothing and always works."""
        return [self(text) for text in texts]

    def __call__(self, text: str, /) -> NDArray[np.float32]:
        """Shape (512,), of length 1; zeros for a text without a word.

        Source: feature hashing, Weinberger et al. (2009), ICML: a cosine is off by about 1 / sqrt(512) for collisions.
        """
        found = grams(text)
        hashed = np.fromiter((crc32(piece.encode()) for piece in found), dtype=np.uint64, count=len(found))
        mixed = (hashed * np.uint64(_SPREAD)) >> np.uint64(8)
        signs = np.where(mixed & np.uint64(1), 1.0, -1.0)
        weights = signs * np.fromiter(found.values(), dtype=np.float64, count=len(found))
        places = ((mixed >> np.uint64(1)) % np.uint64(DIMENSIONS)).astype(np.int64)
        return unit(np.asarray(np.bincount(places, weights=weights, minlength=DIMENSIONS), dtype=np.float64))


def unit(vector: NDArray[np.floating]) -> NDArray[np.float32]:
    """The vector at length 1; zeros stay zeros."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length > 0 else vector, dtype=np.float32)


def packed(vector: NDArray[np.float32]) -> bytes:
    """A vector as int8, one byte a number, for the store; its length is lost, which a cosine does not need."""
    largest = float(np.abs(vector).max(initial=0.0))
    scaled = vector * (_LARGEST / largest) if largest > 0 else vector
    return np.rint(scaled).astype(np.int8).tobytes()


def unpacked(stored: bytes) -> NDArray[np.float32]:
    """The vector of length 1 that `packed` was given, each number to within 1/254 of the largest."""
    return unit(np.frombuffer(stored, dtype=np.int8).astype(np.float32))
