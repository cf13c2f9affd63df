"""A small classifier of texts: hashed words and word pairs, a line, and a map. Fitted once, applied without numpy."""

from __future__ import annotations

import re
from itertools import pairwise
from zlib import crc32

from msgspec import Struct

from surefoot.policy.curve import sigmoid
from surefoot.signals.text import stem

DIMS = 4096
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_MOST = 5000  # words


class TextClassifier(Struct, frozen=True, kw_only=True):
    """p = sigmoid(bias + sum of weights of the words and pairs that are there). `labels` says what it was fitted on."""

    bias: float
    weights: dict[int, float]
    threshold: float  # p from which on it matches
    labels: int
    dims: int = DIMS

    def p(self, text: str) -> float:
        """The fitted probability; of an empty text, that of the bias alone."""
        return sigmoid(self.bias + sum(self.weights.get(place, 0.0) for place in hashed(text, self.dims)))

    def match(self, text: str) -> bool:
        """Whether p reaches the threshold."""
        return self.p(text) >= self.threshold


def hashed(text: str, dims: int = DIMS) -> frozenset[int]:
    """The places of a text's stems and pairs of stems, the same in every process."""
    stems = [stem(word) for word in _WORD.findall(text)[:_MOST]]
    grams = [*stems, *(f"{first} {second}" for first, second in pairwise(stems))]
    return frozenset(crc32(gram.encode()) % dims for gram in grams)
