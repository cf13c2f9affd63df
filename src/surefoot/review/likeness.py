"""An index of texts that finds the like ones among tens of thousands in milliseconds; no model, nothing to download."""

from __future__ import annotations

import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.signals.grams import grams

_SLICE, _SLICE_OF_TEXTS = 20_000, 500  # pieces and texts that are weighed in one go
_SIZE, _INT, _REAL = 4, struct.Struct("i").pack, struct.Struct("f").pack  # bytes of a number, and how it is packed
_MOVED = 0.2  # share by which the number of texts may change before the pieces are weighed anew


class Hit(Struct, frozen=True):
    """A text that is like another."""

    id: str
    score: float  # cosine in [0, 1]; not a probability


class Index:
    """Texts by id, asked for the like ones. A piece weighs the more the fewer texts have it (TF-IDF, cosine).

    Weights follow the texts with a delay: they are taken anew when the number of texts has changed by a fifth. Of a text that
    is removed nothing stays: neither a piece that only it had nor where its other pieces stood. One thread at a time.
    """

    def __init__(self, texts: Iterable[tuple[str, str]] = ()) -> None:
        self._place: dict[str, int] = {}  # id -> place
        self._ids: list[str] = []  # by place; "" where there is no text
        # Numbers are packed into bytes: a million arrays would be looked through by every garbage collection.
        self._pieces: list[bytes] = []  # by place: the numbers of its pieces (int32)
        self._own: list[bytes] = []  # by place: how often each of its pieces is there (float32)
        self._free: list[int] = []  # places without a text
        self._number: dict[str, int] = {}  # piece -> its number
        self._named: list[str] = []  # by number: the piece; "" where no text has it any more
        self._where: list[bytearray] = []  # by number: places that have it, ascending (int32)
        self._often: list[bytearray] = []  # by number: how often, as `grams` says (float32)
        self._unused: list[int] = []  # numbers without a piece
        self._idf: NDArray[np.float64] = np.zeros(0)  # by number
        self._scale: NDArray[np.float64] = np.zeros(0)  # by place: 1 / length of its vector; 0 without a text
        self._unscaled: set[int] = set()  # places that came since lengths were taken
        self._weighed = 0  # texts when the weights were taken
        self._settled = 0  # how often weights or lengths were brought up to date
        for each, text in texts:
            self.add(each, text)

    def __len__(self) -> int:
        return len(self._place)

    def __contains__(self, each: str) -> bool:
        return each in self._place

    def add(self, each: str, text: str) -> None:
        """Take a text in; one of the same id goes. A text without a word is kept and is like nothing."""
        self.remove(each)
        newest = not self._free  # and then its place is the last one of every piece
        place = self._new_place()
        self._place[each], self._ids[place] = place, each
        self._unscaled.add(place)
        mine, own = array("i"), array("f")
        for piece, often in grams(text).items():
            number = self._number.get(piece)
            if number is None:
                number = self._number[piece] = self._new_number(piece)
            where, frequent = self._where[number], self._often[number]
            start = len(where) if newest else _SIZE * _rank(where, place)
            where[start:start] = _INT(place)
            frequent[start:start] = _REAL(often)
            mine.append(number)
            own.append(often)
        self._pieces[place], self._own[place] = mine.tobytes(), own.tobytes()

    def remove(self, each: str) -> bool:
        """Whether there was such a text; it is found no more."""
        place = self._place.pop(each, None)
        if place is None:
            return False
        self._ids[place] = ""
        for number in memoryview(self._pieces[place]).cast("i"):
            start = _SIZE * _rank(self._where[number], place)
            del self._where[number][start : start + _SIZE], self._often[number][start : start + _SIZE]
            if not self._where[number]:
                del self._number[self._named[number]]
                self._named[number] = ""
                self._unused.append(number)
        self._pieces[place] = self._own[place] = b""
        self._free.append(place)
        if place < self._scale.size:
            self._scale[place] = 0.0
        return True

    def _new_place(self) -> int:
        if self._free:
            return self._free.pop()
        self._ids.append("")
        self._pieces.append(b"")
        self._own.append(b"")
        return len(self._ids) - 1

    def _new_number(self, piece: str) -> int:
        if self._unused:
            number = self._unused.pop()
            self._named[number] = piece
            if number < self._idf.size:
                self._idf[number] = _weight(1, self._weighed)
            return number
        self._named.append(piece)
        self._where.append(bytearray())
        self._often.append(bytearray())
        return len(self._named) - 1

    def search(self, text: str, *, limit: int = 50, least: float = 0.0) -> Sequence[Hit]:
        """The texts most like this one with a score above `least`, best first.

        An id that is in the index finds itself too when its text is asked for. () for a text without a known piece.
        """
        scores = self.scores(text)
        found = np.flatnonzero(scores > max(least, 0.0))
        if found.size > limit:
            found = found[np.argpartition(-scores[found], limit - 1)[:limit]]
        found = found[np.lexsort((found, -scores[found]))]
        return tuple(Hit(self._ids[place], min(1.0, float(scores[place]))) for place in found)

    def scores(self, text: str) -> NDArray[np.float64]:
        """The likeness of every place; 0 where there is no text. See `ids`."""
        for _ in self.settling():
            pass
        numbers, often, own = [], [], 0.0
        unseen = np.log(1 + len(self)) + 1
        for piece, times in grams(text).items():
            number = self._number.get(piece)
            weight = unseen if number is None else float(self._idf[number])
            own += (times * weight) ** 2
            if number is not None:
                numbers.append(number)
                often.append(times * weight * weight)
        if not numbers:
            return np.zeros(len(self._ids))
        places = np.frombuffer(b"".join([self._where[number] for number in numbers]), dtype=np.int32)
        theirs = np.frombuffer(b"".join([self._often[number] for number in numbers]), dtype=np.float32)
        mine = np.repeat(often, [len(self._where[number]) // _SIZE for number in numbers])
        dots = np.bincount(places, weights=theirs * mine, minlength=len(self._ids))
        return np.asarray(dots * self._scale / np.sqrt(own), dtype=np.float64)

    @property
    def ids(self) -> Sequence[str]:
        """By place, the ids; "" where there is no text."""
        return self._ids

    def settling(self) -> Iterator[None]:
        """Bring weights and lengths up to date, a few milliseconds at a time; in between texts may come and go.

        A search does it all at once where nobody did before.
        """
        if abs(len(self) - self._weighed) > _MOVED * self._weighed:
            yield from self._weigh()
        if self._idf.size < len(self._named):  # pieces that no text had before
            more = self._weights(self._idf.size, len(self._named), self._weighed)
            self._idf = np.concatenate([self._idf, more])
        if self._unscaled:
            places, scale = sorted(self._unscaled), np.zeros(len(self._ids))
            scale[: self._scale.size] = self._scale
            scale[places] = self._scales(places, self._idf)
            self._scale, self._unscaled = scale, set()
            self._settled += 1

    def _weigh(self) -> Iterator[None]:
        """Weights and lengths anew, as many texts as there are now."""
        weighed, found, settled = len(self), [np.zeros(0)], self._settled
        for start in range(0, len(self._named), _SLICE):
            found.append(self._weights(start, start + _SLICE, weighed))
            yield
        idf, scale = np.concatenate(found), np.zeros(len(self._ids))
        came, self._unscaled = self._unscaled, set()
        try:
            for start in range(0, scale.size, _SLICE_OF_TEXTS):
                places = range(start, min(scale.size, start + _SLICE_OF_TEXTS))
                scale[start : places.stop] = self._scales(places, idf)
                yield
        except GeneratorExit:  # nobody goes on: they still have no length
            self._unscaled |= came
            raise
        if self._settled != settled:  # somebody was faster, and knows of later texts
            self._unscaled |= came
            return
        self._weighed, self._idf, self._scale = weighed, idf, scale
        self._settled += 1

    def _scales(self, places: Sequence[int], idf: NDArray[np.float64]) -> NDArray[np.float64]:
        """1 / length of the vectors at some places; 0 where there is no text. A piece that came after `idf` is left out."""
        counts = [len(self._pieces[place]) // _SIZE for place in places]
        if not any(counts):
            return np.zeros(len(counts))
        pieces = np.frombuffer(b"".join(self._pieces[place] for place in places), dtype=np.int32)
        often = np.frombuffer(b"".join(self._own[place] for place in places), dtype=np.float32)
        weights = np.where(pieces < idf.size, idf[np.minimum(pieces, idf.size - 1)], 0.0)
        owners = np.repeat(np.arange(len(counts)), counts)
        lengths = np.sqrt(np.bincount(owners, weights=(often * weights) ** 2, minlength=len(counts)))
        return np.divide(1, lengths, out=np.zeros_like(lengths), where=lengths > 0)

    def _weights(self, start: int, end: int, texts: int) -> NDArray[np.float64]:
        """The weights of the pieces with these numbers, among so many texts."""
        return _weight(np.fromiter(map(len, self._where[start:end]), dtype=np.float64) / _SIZE, texts)


def _rank(places: bytearray, place: int) -> int:
    """How many of the places come before one."""
    with memoryview(places) as raw, raw.cast("i") as numbers:
        return bisect_left(numbers, place)


def _weight(having: NDArray[np.float64] | int, texts: int) -> NDArray[np.float64]:
    """What a piece weighs that so many of the texts have."""
    return np.asarray(np.maximum(np.log((1 + texts) / (1 + having)) + 1, 1e-9), dtype=np.float64)
