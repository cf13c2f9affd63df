"""An index of texts that finds the like ones among tens of thousands in milliseconds; no model, nothing to download."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.signals.grams import grams

_MOVED = 0.2  # share by which the number of texts may change before the pieces are weighed anew
_SPARSE = 0.5  # share of places without a text from which on the index is laid out anew


class Hit(Struct, frozen=True):
    """A text that is like another."""

    id: str
    score: float  # cosine in [0, 1]; not a probability


class Index:
    """Texts by id, asked for the like ones. A piece weighs the more the fewer texts have it (TF-IDF, cosine).

    Weights follow the texts with a delay: they are taken anew when the number of texts has changed by a fifth. One thread
    at a time.
    """

    def __init__(self, texts: Iterable[tuple[str, str]] = ()) -> None:
        self._place: dict[str, int] = {}  # id -> place
        self._ids: list[str] = []  # by place; "" where a text was removed
        self._pieces: list[array[int]] = []  # by place
        self._own: list[array[float]] = []  # by place: how often each of its pieces is there
        self._number: dict[str, int] = {}  # piece -> its number
        self._where: list[array[int]] = []  # by piece: places that have it
        self._often: list[array[float]] = []  # by piece: how often, as `grams` says
        self._texts: list[int] = []  # by piece: how many living texts have it
        self._idf: NDArray[np.float64] = np.zeros(0)
        self._scale: NDArray[np.float64] = np.zeros(0)  # by place: 1 / length of its vector; 0 without a text
        self._weighed = 0  # texts when the weights were taken
        for each, text in texts:
            self.add(each, text)

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, each: str) -> bool:
        return each in self._place

    def add(self, each: str, text: str) -> None:
        """Take a text in; one of the same id goes. A text without a word is kept and is like nothing."""
        self.remove(each)
        place = len(self._ids)
        self._place[each] = place
        self._ids.append(each)
        mine, own = array("i"), array("f")
        for piece, often in grams(text).items():
            number = self._number.get(piece)
            if number is None:
                number = self._number[piece] = len(self._where)
                self._where.append(array("i"))
                self._often.append(array("f"))
                self._texts.append(0)
            self._where[number].append(place)
            self._often[number].append(often)
            self._texts[number] += 1
            mine.append(number)
            own.append(often)
        self._pieces.append(mine)
        self._own.append(own)

    def remove(self, each: str) -> bool:
        """Whether there was such a text; it is found no more."""
        place = self._place.pop(each, None)
        if place is None:
            return False
        self._ids[place] = ""
        for number in self._pieces[place]:
            self._texts[number] -= 1
        if place < self._scale.size:
            self._scale[place] = 0.0
        return True

    def search(self, text: str, *, limit: int = 50, least: float = 0.0) -> Sequence[Hit]:
        """The texts most like this one with a score above `least`, best first; of equal ones the earlier first.

        An id that is in the index finds itself too when its text is asked for. () for a text without a known piece.
        """
        scores = self.scores(text)
        found = np.flatnonzero(scores > max(least, 0.0))
        if found.size > limit:
            found = found[np.argpartition(-scores[found], limit - 1)[:limit]]
        found = found[np.lexsort((found, -scores[found]))]
        return tuple(Hit(self._ids[place], min(1.0, float(scores[place]))) for place in found)

    def scores(self, text: str) -> NDArray[np.float64]:
        """The likeness of every place, in the order the texts came; 0 where one was removed. See `ids`."""
        self._settle()
        numbers, often, own = [], [], 0.0
        unseen = np.log(1 + len(self)) + 1
        for piece, times in grams(text).items():
            number = self._number.get(piece)
            weight = unseen if number is None else float(self._idf[number])
            own += (times * weight) ** 2
            if number is not None and self._texts[number]:
                numbers.append(number)
                often.append(times * weight * weight)
        if not numbers:
            return np.zeros(len(self._ids))
        places = np.concatenate([np.frombuffer(self._where[number], dtype=np.int32) for number in numbers])
        theirs = np.concatenate([np.frombuffer(self._often[number], dtype=np.float32) for number in numbers])
        mine = np.repeat(often, [len(self._where[number]) for number in numbers])
        dots = np.bincount(places, weights=theirs * mine, minlength=len(self._ids))
        return np.asarray(dots * self._scale / np.sqrt(own), dtype=np.float64)

    @property
    def ids(self) -> Sequence[str]:
        """By place, the ids; "" where one was removed."""
        return self._ids

    def _settle(self) -> None:
        """Bring weights and lengths up to date where texts came or went."""
        if len(self._ids) - len(self) > _SPARSE * len(self._ids) and len(self._ids) > 100:
            self._lay_out()
        moved = abs(len(self) - self._weighed) > _MOVED * self._weighed
        start = 0 if moved else self._scale.size
        if moved:
            self._weighed = len(self)
            self._idf = self._weights(0)
        elif self._idf.size < len(self._texts):  # pieces that no text had before
            self._idf = np.concatenate([self._idf, self._weights(self._idf.size)])
        if start == len(self._ids):
            return
        lengths = self._lengths(start)
        with np.errstate(divide="ignore"):
            added = np.where(lengths > 0, 1 / lengths, 0.0)
        self._scale = added if moved else np.concatenate([self._scale, added])

    def _lengths(self, start: int) -> NDArray[np.float64]:
        """The lengths of the vectors from a place on; 0 where there is no text."""
        counts = [len(pieces) if self._ids[start + at] else 0 for at, pieces in enumerate(self._pieces[start:])]
        owners = np.repeat(np.arange(len(counts)), counts)
        alive = [place for place in range(start, len(self._ids)) if self._ids[place] and self._pieces[place]]
        if not alive:
            return np.zeros(len(counts))
        pieces = np.concatenate([np.frombuffer(self._pieces[place], dtype=np.int32) for place in alive])
        often = np.concatenate([np.frombuffer(self._own[place], dtype=np.float32) for place in alive])
        squares = np.bincount(owners, weights=(often * self._idf[pieces]) ** 2, minlength=len(counts))
        return np.asarray(np.sqrt(squares), dtype=np.float64)

    def _weights(self, start: int) -> NDArray[np.float64]:
        """The weights of the pieces from a number on, as of now."""
        texts = np.array(self._texts[start:], dtype=np.float64)
        return np.asarray(np.maximum(np.log((1 + self._weighed) / (1 + texts)) + 1, 1e-9), dtype=np.float64)

    def _lay_out(self) -> None:
        """Forget the places of texts that were removed, and the pieces that only they had."""
        kept = [place for place, each in enumerate(self._ids) if each]
        living = [number for number, texts in enumerate(self._texts) if texts]
        renumbered = {old: new for new, old in enumerate(living)}
        self._number = {piece: renumbered[old] for piece, old in self._number.items() if old in renumbered}
        self._texts = [self._texts[old] for old in living]
        self._ids = [self._ids[place] for place in kept]
        self._pieces = [array("i", (renumbered[old] for old in self._pieces[place])) for place in kept]
        self._own = [self._own[place] for place in kept]
        self._place = {each: place for place, each in enumerate(self._ids)}
        self._where = [array("i") for _ in living]
        self._often = [array("f") for _ in living]
        for place, (pieces, often) in enumerate(zip(self._pieces, self._own, strict=True)):
            for number, times in zip(pieces, often, strict=True):
                self._where[number].append(place)
                self._often[number].append(times)
        self._scale, self._weighed, self._idf = np.zeros(0), 0, np.zeros(0)
