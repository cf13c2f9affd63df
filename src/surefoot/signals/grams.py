"""What a text is made of, in pieces small enough that two ways of asking one thing share many: stems, pairs, letters."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from itertools import pairwise

from surefoot.signals.plain import unaccented
from surefoot.signals.text import stem

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LONGEST = 4000  # characters of a text that are read: a longer question has said by then what it is about
_LETTERS = (3, 4)  # of the pieces of a word
_NEAR = 5  # words within which two stand together


def grams(text: str) -> Mapping[str, float]:
    """The pieces of a text with 1 + log of how often each is there; {} for a text without a word.

    A piece is a stem ("w:refund"), two stems in a row, two near each other in whatever order ("p:card lost"), or three or four
    letters of a word, its ends marked ("c:^ref"), so that a slip of the pen costs a few pieces and not the word. Small
    letters without accents; order beyond two words is lost.
    """
    words = _WORD.findall(unaccented(text[:_LONGEST]))
    stems = [stem(word) for word in words]
    counts = Counter(f"w:{each}" for each in stems)
    counts.update(f"w:{one} {other}" for one, other in pairwise(stems))
    for place, one in enumerate(stems):
        near = set(stems[place + 1 : place + 1 + _NEAR]) - {one}
        counts.update(f"p:{min(one, other)} {max(one, other)}" for other in near)
    for word in words:
        marked = f"^{word}$"
        for size in _LETTERS:
            counts.update(f"c:{marked[at : at + size]}" for at in range(max(1, len(marked) - size + 1)))
    return {piece: 1 + math.log(count) for piece, count in counts.items()}
