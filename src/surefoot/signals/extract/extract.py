"""Extractive compression: the units of passages that a question needs, as places, within a share of the text.

Chosen by likelihood for their length, titles with what stands below them; what says the same again is left out. Units that are
protected come first: those near the question with a negation or condition, code or a table. The result is deterministic.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.signals.extract.relevance import Features, Floats, features_of
from surefoot.signals.extract.units import Unit, has_condition, units
from surefoot.signals.extract.words import Wanted

GAP = "…"  # where something was left out
LONGEST = 400_000  # characters of all passages; longer ones are not compressed
_NEAR = 0.5  # share of the question's weight from which on a unit with a condition is protected
_LEAST_P = 0.002  # a unit that is less likely is protected by nothing
_SAME = 0.8  # share of words in common (Jaccard) from which on two units say the same


class Span(Struct, frozen=True, gc=False):
    """A part of a passage that is kept, in characters of the passage."""

    passage: int
    start: int
    end: int


class Compressed(Struct, frozen=True, kw_only=True):
    """What is kept, in order, and what the grounding test looks at."""

    passages: tuple[str, ...]  # in full
    spans: tuple[Span, ...]
    kept_p: float  # [0, 1]: likelihood that what the question needs is among what is kept
    covered: float  # [0, 1]: share of the question's weight that the passages hold and that is still there
    lost_protected: int  # units
    lost_kind: bool  # whether the kind of thing that is asked for is in the passages and no longer there
    lost_names: bool  # whether a name or number of the question is in the passages and no longer there

    @property
    def texts(self) -> tuple[str, ...]:
        """The passages with a "…" for whatever was left out; a passage that is left out altogether is only that."""
        return tuple(
            _text(text, [span for span in self.spans if span.passage == n]) for n, text in enumerate(self.passages)
        )

    @property
    def share(self) -> float:
        """Characters of `texts` over those of the passages; 1 when there were none."""
        whole = sum(map(len, self.passages))
        return sum(map(len, self.texts)) / whole if whole else 1.0


class Read(Struct, frozen=True):
    """Passages read against a question: compressing them to several shares reads them once."""

    passages: tuple[str, ...]
    units: tuple[Unit, ...]
    features: Features
    p: Floats
    protected: frozenset[int]  # places in `features`
    wanted: Wanted


def read_passages(question: str, passages: Sequence[str]) -> Read | None:
    """Passages read against a question; None when nothing can be told: no words, no text, or too much of it."""
    given = tuple(passages)
    if not 0 < sum(map(len, given)) <= LONGEST:
        return None
    wanted, cut = Wanted(question), units(given)
    features = features_of(wanted, given, cut)
    if features is None:
        return None
    p = features.p
    return Read(given, cut, features, p, _protected(given, cut, features, p), wanted)


def compress(read: Read, target: float) -> Compressed:
    """The passages within a share of their characters.

    Args:
        target: (0, 1]; at 1 everything but repetitions is kept.
    """
    kept, repeated = _chosen(read, target)
    features = read.features
    there = features.held.max(axis=0) > 0
    left = features.held[kept].max(axis=0) > 0 if kept else np.zeros_like(there)
    weights = features.weights
    names = np.array([root in read.wanted.names for root in read.wanted.roots])
    fits = features.fits
    return Compressed(
        passages=read.passages,
        spans=_spans(read, kept),
        kept_p=float(min(1.0, read.p[[*kept, *repeated]].sum())),
        covered=float((weights * left).sum() / max((weights * there).sum(), 1e-9)),
        lost_protected=len(read.protected.difference(kept)),
        lost_kind=bool(fits.any() and not fits[kept].any()),
        lost_names=bool((there & names & ~left).any()),
    )


def _protected(passages: Sequence[str], cut: Sequence[Unit], features: Features, p: Floats) -> frozenset[int]:
    covers = features.covers
    found = set()
    for place in np.flatnonzero((covers >= _NEAR) & (p >= _LEAST_P)):
        unit = cut[features.places[place]]
        if unit.kind != "text" or has_condition(passages[unit.passage][unit.start : unit.end]):
            found.add(int(place))
    return frozenset(found)


def _chosen(read: Read, target: float) -> tuple[list[int], list[int]]:
    """(places in `features` that are kept, in order; places that are left out because they say what is kept)."""
    features, whole = read.features, sum(map(len, read.passages))
    if target >= 1:
        every = range(len(features.places))
        repeated = [place for place in every if _repeats(read, place, range(place))]
        return sorted(set(every).difference(repeated)), repeated
    groups = _groups(read)
    room = target * whole - len(read.passages)  # a sign for each passage that may be left out
    titles = {unit.passage: unit.end - unit.start + 1 for unit in read.units if unit.kind == "title"}
    kept: list[int] = []
    repeated = []
    seen: set[int] = set()

    def worth(group: list[int]) -> tuple[bool, float, int]:
        size = sum(_size(read, place) for place in group)
        return read.protected.isdisjoint(group), -float(read.p[group].sum()) / size**0.5, group[0]

    for group in sorted(groups, key=worth):
        passage = read.units[features.places[group[0]]].passage
        size = sum(_size(read, place) for place in group) + (0 if passage in seen else titles.get(passage, 0))
        if size > room:
            continue
        if again := [place for place in group if _repeats(read, place, kept)]:
            repeated += again
            continue
        room -= size
        seen.add(passage)
        kept += group
    return sorted(kept), repeated


def _groups(read: Read) -> list[list[int]]:
    """Units with those that are bound to them: kept or left out together."""
    found: list[list[int]] = []
    for place, number in enumerate(read.features.places):
        if read.units[number].bound and found:
            found[-1].append(place)
        else:
            found.append([place])
    return found


def _size(read: Read, place: int) -> int:
    unit = read.units[read.features.places[place]]
    return unit.end - unit.start + 3  # with " … " or white space


def _repeats(read: Read, place: int, kept: Sequence[int]) -> bool:
    """Whether a unit says what is kept already: the same words, and the same numbers and negations among them."""
    if place in read.protected:
        return False
    mine = read.features.words[place]
    text = _said(read, place)
    for other in kept:
        theirs = read.features.words[other]
        if len(mine) > len(theirs) / _SAME or len(theirs) > len(mine) / _SAME:
            continue
        common = len(mine & theirs)
        if common < _SAME * (len(mine) + len(theirs) - common):
            continue
        apart = mine ^ theirs
        if mine and not any(word[0].isdigit() or has_condition(word) for word in apart):
            return _said(read, other) == text or not any(word[0].isupper() for word in apart)
    return False


def _said(read: Read, place: int) -> str:
    unit = read.units[read.features.places[place]]
    return read.passages[unit.passage][unit.start : unit.end]


def _spans(read: Read, kept: Sequence[int]) -> tuple[Span, ...]:
    """The kept units and the titles above them, neighbours joined."""
    places = {read.features.places[place] for place in kept}
    passages = {read.units[place].passage for place in places}
    found: list[Span] = []
    last = -2
    for place, unit in enumerate(read.units):
        if place not in places and not (unit.kind == "title" and unit.passage in passages):
            continue
        if last == place - 1 and found and found[-1].passage == unit.passage:
            found[-1] = Span(unit.passage, found[-1].start, unit.end)
        else:
            found.append(Span(unit.passage, unit.start, unit.end))
        last = place
    return tuple(found)


def _text(passage: str, spans: Sequence[Span]) -> str:
    if not spans:
        return GAP if passage.strip() else passage
    parts: list[str] = []
    at = 0
    for span in spans:
        left_out = passage[at : span.start]
        if left_out.strip():
            parts.append(f" {GAP} " if parts else f"{GAP} ")
        elif parts:
            parts.append(left_out)
        parts.append(passage[span.start : span.end])
        at = span.end
    if passage[at:].strip():
        parts.append(f" {GAP}")
    return "".join(parts)
