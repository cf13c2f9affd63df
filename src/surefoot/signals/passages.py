"""Passages made ready for grounding: their sentences, words and neighbourhoods, and their quantities and dates.

The order of passages and repetitions among them change nothing: they are taken once, in an order of their own.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from surefoot.signals.dates import Calendar, Moment
from surefoot.signals.quantities import Amounts, Quantity, quantities
from surefoot.signals.synonyms import SENSES
from surefoot.signals.text import Sentence, Word, sentences

LONGEST = 200_000  # characters that are looked at: of all passages together, and of an answer
NEAR = 6  # words within which two words count as standing together
_CLAUSE = frozenset(",;:()")  # signs between the clauses of a sentence
_SCOPE = 4  # words that a negation reaches
_MOST_PLACES = 500  # of one word that are compared
_SHORT = 20_000  # characters of a set of passages
_KEPT, _KEPT_LONG = 128, 4  # sets of passages
_APART = [""] * (10 * NEAR)  # the end of one passage is not near the beginning of the next


class Place(Struct, frozen=True, gc=False):
    """One sentence of a passage."""

    passage: int
    start: int
    end: int
    stems: frozenset[str]
    denied: frozenset[str]  # content words shortly after a negation
    clause: frozenset[str]  # content words of the clauses with a negation
    negated: bool


class Index(Struct, frozen=True):
    """Passages, ready to be looked up."""

    places: tuple[Place, ...]
    postings: dict[str, list[int]]  # key of a word -> sentences that hold it
    positions: dict[str, list[int]]  # key of a word -> where it stands in all passages, in words
    weights: dict[str, float]  # key of a word -> how much it says
    pairs: frozenset[tuple[str, str]]  # of neighbours
    follows: frozenset[tuple[str, str]]  # neighbours, stop words left out
    denied: frozenset[str]  # words shortly after a negation
    affirmed: frozenset[str]  # words elsewhere
    senses: frozenset[int]
    heaviest: float  # weight of a word that is nowhere
    plain: str  # all passages in small letters, for quotations
    amounts: Amounts
    calendar: Calendar

    def weight(self, key: str) -> float:
        """How much a word says: the rarer it is in the passages, the more."""
        return self.weights.get(key, self.heaviest)

    def near(self, place: int | None) -> tuple[Place, ...]:
        """A sentence and its neighbours in the same passage; () of none."""
        if place is None:
            return ()
        mine = self.places[place]
        around = (self.places[n] for n in (place - 1, place + 1) if 0 <= n < len(self.places))
        return (mine, *(other for other in around if other.passage == mine.passage))

    def together(self, one: str, other: str, *, within: int) -> bool:
        """Whether two words stand within a few words of each other anywhere: a merge of two ordered lists."""
        first, second = self.positions.get(one, ()), self.positions.get(other, ())
        i = j = 0
        while i < len(first) and j < len(second):
            distance = first[i] - second[j]
            if 0 < abs(distance) <= within:
                return True
            if distance < 0:
                i += 1
            else:
                j += 1
        return False


def index(passages: tuple[str, ...]) -> Index:
    """The index of passages, remembered: many short sets, few long ones.

    Of more than 200,000 characters each passage is cut to an equal share.
    """
    return _short(passages) if sum(map(len, passages)) <= _SHORT else _long(passages)


def _made(passages: tuple[str, ...]) -> Index:
    places: list[Place] = []
    postings: defaultdict[str, list[int]] = defaultdict(list)
    every: list[str] = []  # the words of all passages in order, "" where none may be a neighbour
    content: list[str] = []
    affirmed: list[frozenset[str]] = []
    held: list[Quantity] = []
    moments: list[Moment] = []
    looked = _looked(passages)
    for number, text in looked:
        for sentence in sentences(text):
            stems = [word.stem for word in sentence.words]
            distinct, off = frozenset(stems), scope(sentence.words)
            for stem in distinct:
                postings[stem].append(len(places))
            every += stems
            every.append("")
            content += [word.stem for word in sentence.words if word.content]
            content.append("")
            if sentence.numeric:
                held += quantities(text, sentence.words)
            moments += sentence.moments
            affirmed.append(distinct - off if off else distinct)
            places.append(
                Place(number, sentence.start, sentence.end, distinct, off, clause(text, sentence), sentence.negated)
            )
        every += _APART
    positions: defaultdict[str, list[int]] = defaultdict(list)
    for at, stem in enumerate(every):
        positions[stem].append(at)
    positions.pop("", None)
    n = len(places)
    weights = {count: _weight(n, count) for count in set(map(len, postings.values()))}
    return Index(
        tuple(places), dict(postings), {stem: where[:_MOST_PLACES] for stem, where in positions.items()},
        {stem: weights[len(where)] for stem, where in postings.items()}, frozenset(pairwise(every)),
        frozenset(pairwise(content)), frozenset().union(*(place.denied for place in places)), frozenset().union(*affirmed),
        frozenset().union(*(SENSES[stem] for stem in postings if stem in SENSES)), _weight(n, 0),
        " ".join("\n".join(text for _, text in looked).casefold().split()), Amounts(held),
        Calendar(moments, frozenset(int(stem) for stem in postings if len(stem) == 4 and stem.isdecimal())),
    )  # fmt: skip


def _weight(places: int, held: int) -> float:
    """How much a word says that so many of the sentences hold."""
    return math.log((places + 1) / (held + 0.5)) + 0.2


_short = lru_cache(_KEPT)(_made)
_long = lru_cache(_KEPT_LONG)(_made)


def forget() -> None:
    """Forgets the passages that are remembered: what an answer over new ones costs is measured so."""
    _short.cache_clear()
    _long.cache_clear()


def scope(words: Sequence[Word]) -> frozenset[str]:
    """The content words shortly after a negation."""
    negations = [place for place, word in enumerate(words) if word.negation]
    return frozenset(
        word.stem
        for place in negations
        for word in words[place + 1 : place + 1 + _SCOPE]
        if word.content and not word.negation
    )


def clause(text: str, sentence: Sentence) -> frozenset[str]:
    """The content words of those parts of a sentence, between commas, that have a negation."""
    if not sentence.negated:
        return frozenset()
    found: set[str] = set()
    part: list[Word] = []
    for word in sentence.words:
        if part and not _CLAUSE.isdisjoint(text[part[-1].end : word.start]):
            found.update(_denied(part))
            part = []
        part.append(word)
    return frozenset(found.union(_denied(part)))


def _denied(part: Sequence[Word]) -> set[str]:
    if not any(word.negation for word in part):
        return set()
    return {word.stem for word in part if word.content and not word.negation}


def _looked(passages: Sequence[str]) -> list[tuple[int, str]]:
    """(number, text) of every passage once, in alphabetical order, cut where all together are too long."""
    first: dict[str, int] = {}
    for number, text in enumerate(passages):
        first.setdefault(text, number)
    room = LONGEST
    share: dict[str, int] = {}
    for rank, text in enumerate(sorted(first, key=lambda each: (len(each), each))):
        share[text] = min(len(text), room // (len(first) - rank))
        room -= share[text]
    return [(first[text], text[: share[text]]) for text in sorted(first)]
