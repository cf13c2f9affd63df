"""One sentence of an answer against passages: what is there, what stands together, and what is wrong."""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from itertools import pairwise

from msgspec import Struct

from surefoot.signals.opposites import opposites
from surefoot.signals.passages import NEAR, Index, Place, clause, scope
from surefoot.signals.quantities import quantities
from surefoot.signals.synonyms import SENSES
from surefoot.signals.text import Sentence, Word, key

SUPPORTED = 0.55  # score from which on a sentence counts as supported; for people, not a probability
_QUOTED = re.compile(r"[\"“”]([^\"“”\n]{4,300})[\"“”]")
_FAR = 30  # words that may stand between two words of an answer for them to be compared as neighbours
_MOST_PLACES = 200  # sentences of one word that are compared
_HALF = 0.5  # of a denied clause
_MOST_QUOTES = 300  # of one answer: each is looked for in all passages
_FOUND = 0.5  # share of a sentence that the nearest one must hold before their polarity can differ
_LATIN = "\u036f"  # the last letter of Latin script and its accents
_FOREIGN = (
    0.8  # what is left of a score where words of another script are new: their opposites and negations are unknown
)
_NONE: frozenset[int] = frozenset()
# What a score is multiplied by for each kind of thing that is wrong, and of several the last is named: a wrong number says more
# to a person than the unseen word beside it. Set by hand.
_FACTORS = {
    "elsewhere": 0.5, "negation": 0.5, "opposite": 0.5, "name": 0.6, "quote": 0.5, "unit": 0.5, "date": 0.45, "number": 0.45,
}  # fmt: skip


FRAMING = frozenset(
    map(
        key,
        """
        passage passages context document documents text source sources article excerpt information provided given based
        according mentioned stated described listed answer question query response following above below summary sure here
        """.split(),
    )
)  # words that speak of the passages or the answer: no claims, unless the passages use them


class Support(Struct, frozen=True):
    """One sentence of the answer, and what the passages say to it."""

    start: int  # characters of the answer
    end: int
    score: float  # [0, 1]
    supported: bool
    passage: int | None  # the nearest passage; None when no word of the sentence is in any
    passage_start: int
    passage_end: int
    # The kind of what is wrong, "" when supported. "number": not there; "unit": the number is there, of another unit or rate;
    # "date": another date or time; "name": not there; "quote": not there word by word; "opposite": a word stands where its
    # opposite is; "negation": said and denied; "elsewhere": the number is there, not near what is said of it; "words": too
    # few of them are there.
    why: str


class Facts(Struct, frozen=True):
    """What was seen of one sentence. Counts are of words or quantities, shares are in [0, 1]."""

    support: Support
    pairs: float  # share of neighbouring words that are neighbours in the passages
    close: float  # share of content words that stand as near to a neighbour in the passages as here
    unseen: int  # content words that are nowhere
    odd: int  # those of them for which the passages have no other word either
    strangers: int  # unseen words with a capital
    swapped: int  # neighbours that the passages have the other way round only
    flipped: int  # words that are denied here and never there, or the other way round
    opposed: int  # words whose opposite is in the passages, while they are not
    wrong: frozenset[str]  # the kinds of `Support.why`


class _Seen(Struct):
    """What the content words of a sentence add up to."""

    total: float = 0.0
    words: float = 0.0  # weight of words that are in the passages
    together: float = 0.0  # the same within the nearest sentence and its neighbours
    unseen: int = 0
    odd: int = 0
    strangers: int = 0
    flipped: int = 0
    opposed: int = 0
    wrong: set[str] = set()


class Look:
    """Looks at one sentence of an answer after the other; what two words are to each other is found out once."""

    def __init__(self, answer: str, held: Index) -> None:
        self._answer, self._held = answer, held
        self._quotes = 0
        self._unquoted = _QUOTED.search(answer) is None
        self._close: dict[tuple[str, str, int], bool] = {}

    def __call__(self, sentence: Sentence) -> Facts | None:
        """What the passages say to a sentence; None when no word of it says anything."""
        content = [word for word in sentence.words if word.content]
        held, stems = self._held, [word.stem for word in sentence.words]
        if not FRAMING.isdisjoint(stems):
            content = [word for word in content if word.stem not in FRAMING or word.stem in held.postings]
        if not content:
            return None
        near = held.near(_nearest(content, sentence, held))
        seen = _Seen()
        self._words(sentence, content, near, seen)
        seen.wrong.update(self._quoted(sentence))
        pairs = [pair in held.pairs for pair in pairwise(stems)]
        close = self._closeness(sentence.words)
        words, together = seen.words / seen.total, seen.together / seen.total
        if near and together > _FOUND and _denies(self._answer, sentence, near[0]):
            seen.wrong.add("negation")
        said = [word.stem for word in content]
        return Facts(
            support=_support(sentence, near, 0.45 * words + 0.35 * together + 0.2 * (words if close is None else close), seen),
            pairs=sum(pairs) / len(pairs) if pairs else words,
            close=words if close is None else close,
            unseen=seen.unseen,
            odd=seen.odd,
            strangers=seen.strangers,
            swapped=sum(pair not in held.follows and pair[::-1] in held.follows for pair in pairwise(said)),
            flipped=seen.flipped,
            opposed=seen.opposed,
            wrong=frozenset(seen.wrong),
        )  # fmt: skip

    def _words(self, sentence: Sentence, content: Sequence[Word], near: Sequence[Place], seen: _Seen) -> None:
        held, off = self._held, scope(sentence.words)
        sure = self._sure(sentence, near, seen)
        first = sentence.words[0]
        for word in content:
            stem, weight = word.stem, held.weight(word.stem)
            seen.total += weight
            here = word.start in sure or _holds(near, stem)
            if here or stem in held.postings:
                seen.words += weight
                seen.together += weight if here else 0.0
                denied, affirmed = stem in held.denied, stem in held.affirmed
                if not word.negation and (affirmed and not denied if stem in off else denied and not affirmed):
                    seen.flipped += 1
            else:
                seen.unseen += 1
                seen.odd += not SENSES.get(stem, _NONE) & held.senses
                seen.strangers += word.capital
                if word.capital and word is not first:
                    seen.wrong.add("name")
            if _turned(stem, near if not here else near[:1]):
                seen.opposed += 1
                seen.wrong.add("opposite")

    def _sure(self, sentence: Sentence, near: Sequence[Place], seen: _Seen) -> Set[int]:
        """Where the words of quantities and dates start that are there, whatever way they are written."""
        held = self._held
        sure = {moment.start for moment in sentence.moments if held.calendar.has(moment)}
        if len(sure) < len({moment.start for moment in sentence.moments}):
            seen.wrong.add("date")
        if not sentence.numeric:
            return sure
        measured: set[int] = set()
        for each in quantities(self._answer, sentence.words):
            kind = held.amounts.judge(each)
            words = sentence.words[each.first : each.last + 1]
            measured.add(words[0].start)
            if kind == "number" and words[0].stem in held.postings:
                kind = ""  # as a part of something else
            if kind == "unit" and words[0].stem in held.postings and not _holds(near, words[0].stem):
                kind = "number"  # its likeness with something else is chance
            if kind:
                seen.wrong.add(kind)
            elif each.measures:
                sure.update(word.start for word in words)
        for word in sentence.words:
            if word.number and word.content and word.start not in measured and word.stem not in held.postings:
                seen.wrong.add("number")
            converted = word.start in sure and word.stem not in held.postings
            if word.number and word.content and not converted and not _holds(near, word.stem):
                seen.wrong.add("elsewhere")
        return sure

    def _closeness(self, words: Sequence[Word]) -> float | None:
        """The share of known words with a neighbour as near in the passages; None of fewer than two."""
        positions = self._held.positions
        known = [(place, word.stem) for place, word in enumerate(words) if word.content and word.stem in positions]
        if len(known) < 2:
            return None
        near = [
            self._together(one, other, max(NEAR, min(after - before, _FAR)))
            for (before, one), (after, other) in pairwise(known)
        ]
        found = sum(before or after for before, after in pairwise((False, *near, False)))
        return found / len(known)

    def _together(self, one: str, other: str, within: int) -> bool:
        asked = one, other, within
        found = self._close.get(asked)
        if found is None:
            found = self._close[asked] = self._held.together(one, other, within=within)
        return found

    def _quoted(self, sentence: Sentence) -> Sequence[str]:
        """("quote",) when a quotation is not there; after so many that nobody quotes them, none is."""
        if self._unquoted:
            return ()
        quoted = _QUOTED.findall(self._answer, sentence.start, sentence.end)
        self._quotes += len(quoted)
        if quoted and self._quotes > _MOST_QUOTES:
            return ("quote",)
        texts = (" ".join(each.casefold().split()).strip(" .,;:!?") for each in quoted)
        return () if all(text in self._held.plain for text in texts) else ("quote",)


def _holds(near: Sequence[Place], stem: str) -> bool:
    for place in near:  # noqa: SIM110 - twice as fast as any()
        if stem in place.stems:
            return True
    return False


def _turned(stem: str, near: Sequence[Place]) -> bool:
    """Whether the opposite of a word is in a sentence without the word."""
    turned = opposites(stem)
    for place in near:  # noqa: SIM110 - twice as fast as any()
        if not turned.isdisjoint(place.stems) and stem not in place.stems:
            return True
    return False


def _nearest(content: Sequence[Word], sentence: Sentence, held: Index) -> int | None:
    """The passage sentence that shares most with a sentence; of equal ones that of the same polarity, then the shortest."""
    negated = sentence.negated
    gains: dict[int, float] = {}
    for stem in {word.stem: None for word in content}:
        weight = held.weight(stem)
        for place in held.postings.get(stem, ())[:_MOST_PLACES]:
            gains[place] = gains.get(place, 0.0) + weight
    if not gains:
        return None
    most = max(gains.values()) - 1e-9
    best = [place for place, gain in gains.items() if gain >= most]
    if len(best) == 1:
        return best[0]
    off: frozenset[str] = (
        scope(sentence.words) if negated else frozenset()
    )  # of two that deny, that which denies the same
    words = {word.stem for word in content}

    def far(at: int) -> tuple[bool, int, int, int]:
        place = held.places[at]
        return place.negated != negated, len((off ^ place.denied) & words), len(place.stems), at

    return min(best, key=far)


def _denies(answer: str, sentence: Sentence, place: Place) -> bool:
    """Whether one of two sentences denies what the other says.

    Either a word that both have is denied shortly before it in one of them only, or one of them alone has a clause with a
    negation, and the other has at least half of that clause's words.
    """
    if not sentence.negated and not place.negated:
        return False
    off = scope(sentence.words)
    if any((word.stem in off) != (word.stem in place.denied) for word in sentence.words if word.stem in place.stems):
        return True
    if sentence.negated and place.negated:
        return False
    denied = clause(answer, sentence) or place.clause
    held = place.stems if sentence.negated else {word.stem for word in sentence.words}
    return len(denied & held) >= max(1, _HALF * len(denied))


def _support(sentence: Sentence, near: Sequence[Place], score: float, seen: _Seen) -> Support:
    why = "words"
    for kind, factor in _FACTORS.items():
        if kind in seen.wrong and not (kind == "elsewhere" and seen.wrong & {"number", "unit"}):
            why, score = kind, score * factor
    if seen.unseen and any(word.stem[0] > _LATIN for word in sentence.words):
        score *= _FOREIGN
    place = near[0] if near else None
    return Support(
        sentence.start, sentence.end, score, score >= SUPPORTED, place.passage if place else None,
        place.start if place else 0, place.end if place else 0, why if score < SUPPORTED else "",
    )  # fmt: skip
