"""The near cache's memory: which questions were asked in a context, and the answer that the nearest of them propose."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from itertools import islice

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.learning.nearmap import compete, nearness
from surefoot.policy import NearRules, near_p
from surefoot.records import NearItem, Nearness, Request
from surefoot.review.guards import Witness, pack, read_witness, unpack, veto_near, witness
from surefoot.signals.embedding import DIMENSIONS, Lexical, packed, unpacked
from surefoot.signals.nearest import Vectors
from surefoot.stages.context import Asked, asked_of

LIMIT = 100_000  # questions that are held; the oldest make room
_NEIGHBOURS, _WITNESSES = 50, 5
_FEW = 32  # questions of a context that are compared as they are, without an index
_OPEN = 10_000  # requests under way
_WORTH_A_LOOK = 0.5  # p below which no guard is asked

Embed = Callable[[str], NDArray[np.float32]]


class Open(Struct, frozen=True):
    """A question under way."""

    asked: Asked
    vector: bytes  # int8, one byte a number

    def near(self) -> bytes:
        """What is kept beside its answer."""
        return pack(self.vector, witness(self.asked.words))


class _Held(Struct, frozen=True):
    """A cached question."""

    context: str
    answer: str
    by_person: bool
    vector: bytes
    witness: bytes


class _Context:
    """The questions of one context. While they are few their bytes are compared; then an index is made."""

    __slots__ = ("_few", "_many")

    def __init__(self) -> None:
        self._few: dict[str, bytes] = {}
        self._many: Vectors | None = None

    def __len__(self) -> int:
        return len(self._few) if self._many is None else len(self._many)

    def add(self, name: str, vector: bytes) -> None:
        if self._many is None:
            self._few[name] = vector
            if len(self._few) > _FEW:
                self._many = Vectors(DIMENSIONS)
                for each, held in self._few.items():
                    self._many.add(each, unpacked(held))
                self._few = {}
        else:
            self._many.add(name, unpacked(vector))

    def remove(self, name: str) -> None:
        self._few.pop(name, None)
        if self._many is not None:
            self._many.remove(name)

    def search(self, vector: NDArray[np.float32]) -> list[tuple[str, float]]:
        """(name, cosine) of the nearest, nearest first, those above 0."""
        if self._many is not None:
            return [(found.id, found.cosine) for found in self._many.search(vector, limit=_NEIGHBOURS)]
        rows = np.frombuffer(b"".join(self._few.values()), dtype=np.int8).reshape(-1, DIMENSIONS).astype(np.float32)
        lengths = np.sqrt((rows * rows).sum(axis=1))
        cosines = np.vecdot(rows, vector) / np.maximum(lengths, 1e-9)  # no threads, as in `signals.nearest`
        names = list(self._few)
        order = np.argsort(-cosines, kind="stable")
        return [(names[place], min(1.0, float(cosines[place]))) for place in order if cosines[place] > 0]


class Nearby:
    """Every cached question of a process with a vector. One thread at a time."""

    def __init__(self, embed: Embed | None = None, *, limit: int = LIMIT) -> None:
        self._embed, self._limit = embed or Lexical(), limit
        self._held: dict[str, _Held] = {}  # by fingerprint, oldest first
        self._contexts: dict[str, _Context] = {}
        self._open: OrderedDict[str, Open] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def add(self, item: NearItem) -> None:
        """Take a cached question in; an earlier one of the same fingerprint goes."""
        self.remove(item.fingerprint)
        vector, told = unpack(item.near)
        if len(vector) != DIMENSIONS:  # of another embedder
            return
        self._held[item.fingerprint] = _Held(item.context, item.answer, item.by_person, vector, told)
        self._contexts.setdefault(item.context, _Context()).add(item.fingerprint, vector)
        if len(self._held) > self._limit:
            self.remove(next(iter(self._held)))

    def remove(self, fingerprint: str) -> None:
        """Forget a question."""
        held = self._held.pop(fingerprint, None)
        if held is None:
            return
        context = self._contexts[held.context]
        context.remove(fingerprint)
        if not len(context):
            del self._contexts[held.context]

    def keep_only(self, living: Collection[str]) -> None:
        """Forget every question whose entry is gone."""
        for fingerprint in [each for each in self._held if each not in living]:
            self.remove(fingerprint)

    def look(
        self, request: Request, fingerprint: str, edition: str, rules: NearRules, record: Callable[[str], float]
    ) -> Nearness | None:
        """The cached answer to the nearest question in the request's context; None where there is none.

        The question is remembered until `take`.
        """
        found = self._read(request, edition)
        if found is None:
            return None
        asked, vector = found
        self._open[request.id] = Open(asked, packed(vector))
        if len(self._open) > _OPEN:
            self._open.popitem(last=False)
        context = self._contexts.get(asked.context)
        if context is None:
            return None
        neighbours = ((name, cosine) for name, cosine in context.search(vector) if name != fingerprint)
        near = compete([(name, self._held[name].answer, cosine) for name, cosine in neighbours])
        if near is None:
            return None
        own = record(near.answer)
        p = near_p(rules, nearness(near, own))
        vetoed = ""
        if p is not None and p >= _WORTH_A_LOOK:
            vetoed = veto_near(witness(asked.words), list(self._witnesses(near.items)))
        given = next((name for name in near.items if self._held[name].by_person), near.item)
        return nearness(near, own, vetoed, item=given)

    def open(self, request: Request, edition: str) -> Open | None:
        """A question as it would be kept; None where `look` would not look for it."""
        found = self._read(request, edition)
        return None if found is None else Open(found[0], packed(found[1]))

    def take(self, request_id: str) -> Open | None:
        """The question of a request, as `look` saw it, once; None where it was not looked for."""
        return self._open.pop(request_id, None)

    def _read(self, request: Request, edition: str) -> tuple[Asked, NDArray[np.float32]] | None:
        """A question with its vector; None where near answers make no sense, or of words without a letter."""
        asked = asked_of(request, edition)
        vector = self._embed(asked.words) if asked is not None else None
        return None if asked is None or vector is None or not vector.any() else (asked, vector)

    def _witnesses(self, items: Iterable[str]) -> Iterable[Witness]:
        return (read_witness(self._held[name].witness) for name in islice(items, _WITNESSES))
