"""The nearest of many vectors: all of them while they are few, then a look at one bit a number and a second at the best.

To `EXACT` vectors every cosine is taken. Above it the signs of the numbers are compared (Hamming distance), and cosines are
taken of the `_SECOND_LOOK` nearest by sign: what is found there has its exact cosine, what is far by sign may be missed. A
neighbour that is missed costs a hit; that it makes a wrong one is what the bound is for.

`vecdot` and not `@`: a matrix product wakes BLAS's threads, which wait for each other for milliseconds where cores are busy.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

EXACT = 2_000
_SECOND_LOOK = 256
_SMALLEST = 64  # rows that are made room for at first


class Neighbour(Struct, frozen=True):
    """A vector that is near."""

    id: str
    cosine: float  # in [-1, 1]


class Vectors:
    """Vectors of length 1 by id. Removing frees the row for the next. One thread at a time."""

    def __init__(self, dimensions: int) -> None:
        if dimensions % 64:
            raise ValueError(f"{dimensions} dimensions are not a multiple of 64")
        self._rows: NDArray[np.float32] = np.zeros((_SMALLEST, dimensions), dtype=np.float32)
        self._signs: NDArray[np.uint64] = np.zeros((dimensions // 64, _SMALLEST), dtype=np.uint64)  # 64 numbers a row
        self._make_room()
        self._ids: list[str] = []  # by row; "" where there is none
        self._row: dict[str, int] = {}
        self._free: list[int] = []

    def __len__(self) -> int:
        return len(self._row)

    def __contains__(self, each: str) -> bool:
        return each in self._row

    def add(self, each: str, vector: NDArray[np.float32]) -> None:
        """Take a vector of length 1 in; one of the same id goes. Raises ValueError for one of another shape."""
        if vector.shape != (self._rows.shape[1],):
            raise ValueError(f"a vector of shape {vector.shape} among those of {self._rows.shape[1]} dimensions")
        self.remove(each)
        if self._free:
            row = self._free.pop()
            self._ids[row] = each
        else:
            row = len(self._ids)
            self._ids.append(each)
            if row == len(self._rows):
                self._rows = np.concatenate([self._rows, np.zeros_like(self._rows)])
                self._signs = np.concatenate([self._signs, np.zeros_like(self._signs)], axis=1)
                self._make_room()
        self._row[each] = row
        self._rows[row] = vector
        self._signs[:, row] = _signs(vector)

    def remove(self, each: str) -> bool:
        """Whether there was such a vector; nothing of it stays."""
        row = self._row.pop(each, None)
        if row is None:
            return False
        self._ids[row] = ""
        self._rows[row] = 0.0
        self._signs[:, row] = 0
        self._free.append(row)
        return True

    def search(self, vector: NDArray[np.float32], *, limit: int = 50) -> Sequence[Neighbour]:
        """The nearest with a cosine above 0, nearest first, at most `limit`; () of nothing."""
        held = len(self._ids)
        if held > EXACT:
            unlike = self._unlike(vector, held)
            rows = np.argpartition(unlike, _SECOND_LOOK)[:_SECOND_LOOK]
            # "clip" changes nothing, all rows are there; any other mode would not write where it is told to.
            cosines = np.vecdot(self._rows.take(rows, axis=0, out=self._looked_at, mode="clip"), vector)
        else:
            cosines = np.vecdot(self._rows[:held], vector)
            rows = np.arange(held)
        if cosines.size > limit:
            best = np.argpartition(-cosines, limit)[:limit]
            rows, cosines = rows[best], cosines[best]
        order = np.lexsort((rows, -cosines))
        found = zip(rows[order].tolist(), cosines[order].tolist(), strict=True)
        return tuple(
            Neighbour(self._ids[row], min(1.0, cosine)) for row, cosine in found if cosine > 0 and self._ids[row]
        )

    def _make_room(self) -> None:
        """For what a search works out: memory that is asked for anew each time costs more than the arithmetic."""
        self._differ = np.empty(self._signs.shape[1], dtype=np.uint64)
        self._bits = np.empty(self._signs.shape[1], dtype=np.uint8)
        self._sum = np.empty(self._signs.shape[1], dtype=np.uint16)
        self._looked_at = np.empty((_SECOND_LOOK, self._rows.shape[1]), dtype=np.float32)

    def _unlike(self, vector: NDArray[np.float32], held: int) -> NDArray[np.uint16]:
        """By row, in how many signs it differs; overwritten by the next search."""
        differ, bits, total = self._differ[:held], self._bits[:held], self._sum[:held]
        total.fill(0)
        for signs, mine in zip(self._signs, _signs(vector), strict=True):
            np.bitwise_xor(signs[:held], mine, out=differ)
            np.bitwise_count(differ, out=bits)
            np.add(total, bits, out=total)
        return total


def _signs(vector: NDArray[np.float32]) -> NDArray[np.uint64]:
    return np.packbits(vector > 0).view(np.uint64)
