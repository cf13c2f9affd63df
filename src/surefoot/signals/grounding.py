"""Support of an answer by passages, sentence by sentence, without a model: what is said must be there, and stand together.

Words are compared by stem, weighted by how rare they are in the passages. For every sentence of the answer the nearest passage
sentence is found; numbers, names, quotations, negations and opposites are looked at one by one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

from msgspec import Struct

from surefoot.signals.opposites import OPPOSITES
from surefoot.signals.text import Sentence, Word, sentences

_LONGEST = 200_000  # characters of passages that are looked at, and of an answer
_SUPPORTED = 0.55  # score from which on a sentence counts as supported; for people, not a probability
_QUOTED = re.compile(r"[\"“”]([^\"“”\n]{4,300})[\"“”]")
_NEAR = 6  # words within which two words of a sentence must stand together in a passage


class Support(Struct, frozen=True):
    """One sentence of the answer, and what the passages say to it."""

    start: int  # characters of the answer
    end: int
    score: float  # [0, 1]
    supported: bool
    passage: int | None  # the nearest passage; None when no word of the sentence is in any
    passage_start: int
    passage_end: int
    why: str  # kind of what is missing: "number" | "name" | "quote" | "opposite" | "negation" | "words" | ""


class Grounding(Struct, frozen=True):
    """An answer against its passages."""

    sentences: tuple[Support, ...]
    signals: tuple[
        tuple[str, float | None], ...
    ]  # [0, 1], higher is better supported; None: there is nothing to compare


class _Place(Struct, frozen=True):
    """One sentence of a passage."""

    passage: int
    start: int
    end: int
    stems: frozenset[str]
    negated: bool


class _Index(Struct, frozen=True):
    """Passages, ready to be looked up."""

    places: tuple[_Place, ...]
    postings: dict[str, list[int]]  # stem -> numbers of the sentences that hold it
    positions: dict[str, list[int]]  # stem -> places in the text of all passages, in words
    weights: dict[str, float]  # stem -> how much it says
    pairs: frozenset[tuple[str, str]]
    triples: frozenset[tuple[str, str, str]]
    longest: float  # weight of a word that is nowhere
    plain: str  # all passages in small letters, for quotations

    def weight(self, stem: str) -> float:
        return self.weights.get(stem, self.longest)


class _Facts(Struct, frozen=True):
    """What was seen of one sentence, each in [0, 1] or None."""

    support: Support
    words: float  # weighted share of content words that are in the passages
    together: float  # the same within the nearest sentence and its neighbour
    pairs: float | None
    triples: float | None
    close: float | None  # content words that stand as near to their neighbours in the passages as here
    unseen: int  # content words that are nowhere
    stray: int  # known content words that are nowhere near any neighbour of theirs
    numbers: float | None
    names: float | None
    opposed: bool
    negation: bool  # polarity differs from the nearest sentence
    quotes: float | None


def ground(answer: str, passages: Sequence[str], question: str = "") -> Grounding | None:
    """How far the passages support an answer; None without passages or without a word in the answer (not checkable)."""
    index = _index(tuple(passages))
    said = sentences(answer[:_LONGEST])
    if not index.places or not said:
        return None
    asked = frozenset(word.stem for each in sentences(question[:_LONGEST]) for word in each.words if word.content)
    facts = [_look(answer, sentence, index) for sentence in said if any(word.content for word in sentence.words)]
    if not facts:
        return None
    return Grounding(tuple(each.support for each in facts), _signals(facts, said, asked, index))


@lru_cache(128)
def _index(passages: tuple[str, ...]) -> _Index:
    places: list[_Place] = []
    postings: dict[str, list[int]] = {}
    positions: dict[str, list[int]] = {}
    pairs: set[tuple[str, str]] = set()
    triples: set[tuple[str, str, str]] = set()
    at, room = 0, _LONGEST
    for number, passage in enumerate(passages):
        looked, room = passage[: max(room, 0)], room - len(passage)
        for sentence in sentences(looked):
            stems = [word.stem for word in sentence.words]
            for stem in set(stems):
                postings.setdefault(stem, []).append(len(places))
            for offset, stem in enumerate(stems):
                positions.setdefault(stem, []).append(at + offset)
            pairs.update(pairwise(stems))
            triples.update(zip(stems, stems[1:], stems[2:], strict=False))
            negated = any(word.negation for word in sentence.words)
            places.append(_Place(number, sentence.start, sentence.end, frozenset(stems), negated))
            at += len(stems) + 1
        at += 10 * _NEAR  # the end of one passage is not near the beginning of the next
    n = len(places)
    weights = {stem: math.log((n + 1) / (len(held) + 0.5)) + 0.2 for stem, held in postings.items()}
    longest = math.log((n + 1) / 0.5) + 0.2
    plain = " ".join("\n".join(passages)[:_LONGEST].casefold().split())
    return _Index(tuple(places), postings, positions, weights, frozenset(pairs), frozenset(triples), longest, plain)


def _look(answer: str, sentence: Sentence, index: _Index) -> _Facts:
    content = [word for word in sentence.words if word.content]
    stems = [word.stem for word in sentence.words]
    known = [word.stem in index.postings for word in content]
    total = sum(index.weight(word.stem) for word in content)
    words = sum(index.weight(word.stem) for word, there in zip(content, known, strict=True) if there) / total
    nearest, together = _nearest(content, index)
    place = index.places[nearest] if nearest is not None else None
    near = _near_stems(nearest, index)
    names = (
        [word for word in content[1:] if word.capital]
        if content[0] is sentence.words[0]
        else [w for w in content if w.capital]
    )
    close, stray = _closeness(content, index)
    numbers = _share([word.stem in index.postings for word in content if word.number])
    named = _share([word.stem in index.postings for word in names])
    opposed = any(OPPOSITES.get(word.stem, frozenset()) & near and word.stem not in near for word in content)
    negation = place is not None and together > 0.5 and place.negated != any(word.negation for word in sentence.words)
    quotes = _quotes(answer[sentence.start : sentence.end], index)
    pairs = _share([pair in index.pairs for pair in pairwise(stems)])
    triples = _share([three in index.triples for three in zip(stems, stems[1:], stems[2:], strict=False)])
    why, score = _score(words, together, close, (numbers, named, quotes), opposed=opposed, negation=negation)
    support = Support(
        sentence.start, sentence.end, score, score >= _SUPPORTED, place.passage if place else None,
        place.start if place else 0, place.end if place else 0, why if score < _SUPPORTED else "",
    )  # fmt: skip
    return _Facts(
        support,
        words,
        together,
        pairs,
        triples,
        close,
        known.count(False),
        stray,
        numbers,
        named,
        opposed,
        negation,
        quotes,
    )


def _nearest(content: Sequence[Word], index: _Index) -> tuple[int | None, float]:
    """(the passage sentence that shares most with a sentence, weighted share that it and its neighbours hold)."""
    gains: dict[int, float] = {}
    distinct = {word.stem for word in content}
    for stem in distinct:
        weight = index.weight(stem)
        for place in index.postings.get(stem, ())[:200]:
            gains[place] = gains.get(place, 0.0) + weight
    if not gains:
        return None, 0.0
    best = max(gains, key=lambda place: (gains[place], -place))
    near = _near_stems(best, index)
    total = sum(index.weight(stem) for stem in distinct)
    return best, sum(index.weight(stem) for stem in distinct if stem in near) / total


def _near_stems(place: int | None, index: _Index) -> frozenset[str]:
    if place is None:
        return frozenset()
    mine = index.places[place]
    around = [index.places[n] for n in (place - 1, place + 1) if 0 <= n < len(index.places)]
    return mine.stems.union(*(other.stems for other in around if other.passage == mine.passage))


def _closeness(content: Sequence[Word], index: _Index) -> tuple[float | None, int]:
    """(share of known words with a neighbour as near in the passages, number of those without any)."""
    stems = [word.stem for word in content if word.stem in index.positions]
    if len(stems) < 2:
        return None, 0
    held = [_together(first, second, index) for first, second in pairwise(stems)]
    found = [any(held[max(0, place - 1) : place + 1]) for place in range(len(stems))]
    return sum(found) / len(found), found.count(False)


def _together(first: str, second: str, index: _Index) -> bool:
    """Whether two words stand within a few words of each other anywhere: a merge of two ordered lists."""
    one, other = index.positions[first], index.positions[second]
    i = j = 0
    while i < len(one) and j < len(other):
        distance = one[i] - other[j]
        if abs(distance) <= _NEAR and (distance or first == second):
            return True
        if distance < 0:
            i += 1
        else:
            j += 1
    return False


def _quotes(text: str, index: _Index) -> float | None:
    found = [" ".join(each.casefold().split()).strip(" .,;:!?") for each in _QUOTED.findall(text)]
    return _share([each in index.plain for each in found])


def _share(held: Sequence[bool]) -> float | None:
    return sum(held) / len(held) if held else None


def _score(
    words: float, together: float, close: float | None, shares: tuple[float | None, float | None, float | None], *,
    opposed: bool, negation: bool,
) -> tuple[str, float]:  # fmt: skip
    """(the worst thing, the score): the words that are there and stand together, lowered by each thing that is wrong."""
    score = 0.45 * words + 0.35 * together + 0.2 * (words if close is None else close)
    why = "words"
    for kind, bad, factor in (
        ("negation", negation, 0.75),
        ("opposite", opposed, 0.6),
        ("name", shares[1] is not None and shares[1] < 1, 0.6),
        ("quote", shares[2] is not None and shares[2] < 1, 0.5),
        ("number", shares[0] is not None and shares[0] < 1, 0.45),
    ):
        if bad:
            why, score = kind, score * factor
    return why, score


def _signals(
    facts: Sequence[_Facts], said: Sequence[Sentence], asked: frozenset[str], index: _Index
) -> tuple[tuple[str, float | None], ...]:
    scores = [each.support.score for each in facts]
    lengths = [sum(word.content for word in each.words) for each in said]
    words = [word for each in said for word in each.words if word.content]
    fresh = [word for word in words if word.stem not in asked]
    return (
        ("grounded", min(scores)),
        ("grounded.mean", _mean(scores)),
        ("grounded.supported", _mean([float(each.support.supported) for each in facts])),
        ("grounded.words", _mean([each.words for each in facts])),
        ("grounded.words_min", min(each.words for each in facts)),
        ("grounded.together", _mean([each.together for each in facts])),
        ("grounded.together_min", min(each.together for each in facts)),
        ("grounded.pairs", _mean([each.pairs for each in facts])),
        ("grounded.pairs_min", _least([each.pairs for each in facts])),
        ("grounded.triples", _mean([each.triples for each in facts])),
        ("grounded.triples_min", _least([each.triples for each in facts])),
        ("grounded.close", _mean([each.close for each in facts])),
        ("grounded.close_min", _least([each.close for each in facts])),
        ("grounded.unseen", 1 / (1 + sum(each.unseen for each in facts))),
        ("grounded.unseen_most", 1 / (1 + max(each.unseen for each in facts))),
        ("grounded.stray", 1 / (1 + sum(each.stray for each in facts))),
        ("grounded.numbers", _mean([each.numbers for each in facts])),
        ("grounded.names", _mean([each.names for each in facts])),
        ("grounded.opposites", 1 / (1 + sum(each.opposed for each in facts))),
        ("grounded.negation", 1 / (1 + sum(each.negation for each in facts))),
        ("grounded.quotes", _mean([each.quotes for each in facts])),
        ("grounded.brevity", 1 / (1 + len(words) / 50)),
        ("grounded.sentences", 1 / (1 + len(facts) / 4)),
        ("grounded.density", min(1.0, max(lengths) / 40)),
        ("grounded.fresh", _mean([float(word.stem in index.postings) for word in fresh])),
        ("grounded.asked", _mean([float(stem in index.postings) for stem in asked])),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _least(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return min(known) if known else None
