"""How likely each unit holds what a question needs: a linear score of counted features, made a distribution over all units.

P(unit) = exp(w . f(unit)) / sum over units: a conditional logit (McFadden 1974). The weights are those that
`python -m benchmarks.compression FILE --fit` finds on the development half of a labelled file, where a unit is right when it
holds an accepted answer. No word of that file is in them; what they are worth elsewhere is what the grounding test and the
bound on harm are for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from surefoot.signals.extract.units import Unit
from surefoot.signals.extract.words import NAME, Wanted, read
from surefoot.signals.text import STOP

Floats = NDArray[np.float64]
WEIGHTS = {
    "around": 2.775,  # share of the question's weight in the unit, less of it from the title or a neighbour
    "cue": 1.154,  # a word that texts use where questions ask so
    "passage": 1.332,  # BM25 of the passage, as a share of the best
    "passage_held": 1.517,  # share of the question's weight that the passage holds
    "passage_held_best": 1.048,  # the same, as a share of the best
    "title_held": 1.665,  # share of the question's weight in the title
    "title_precision": 1.86,  # share of the title's words that the question has
    "first": 0.301,  # of its passage
    "passage_first": 0.835,
    "length": 0.299,  # natural logarithm of characters
    "names": 0.463,  # up to five names that are not in the question
    "number_fits": 0.51, "number_missing": -1.324, "date_fits": 1.215, "date_missing": -0.797,
    "person_fits": 0.619, "person_missing": -0.677,  # the kind that the question asks for
}  # fmt: skip
NAMES = tuple(WEIGHTS)
_K1, _B = 1.2, 0.5  # BM25; Robertson and Zaragoza (2009); b lower than usual: passages are alike in length
_TITLE_COUNT = 2.0  # a word of the title counts as if the text held it twice more
_TITLE, _BESIDE = 0.6, 0.4  # of a word's weight, where only the title or a neighbour has it
_LEAST = 0.1  # weight of a word that every unit holds


class Features(NamedTuple):
    """Units that are no titles, against a question."""

    places: tuple[int, ...]  # of the units among all
    matrix: Floats  # shape (n, len(NAMES))
    held: Floats  # shape (n, words of the question): 1 where the unit or its title has the word
    weights: Floats  # shape (words of the question,), > 0
    fits: NDArray[np.bool_]  # shape (n,): whether the unit has the kind of thing that is asked for
    words: tuple[frozenset[str], ...]  # of each unit

    @property
    def covers(self) -> Floats:
        """Shape (n,): share of the question's weight in the unit or its title, [0, 1]."""
        return np.asarray(self.held @ self.weights / self.weights.sum(), dtype=np.float64)

    @property
    def p(self) -> Floats:
        """Shape (n,), sums to 1: that the unit is the one."""
        score = self.matrix @ np.array(tuple(WEIGHTS.values()))
        share = np.exp(score - score.max())
        return np.asarray(share / share.sum(), dtype=np.float64)


def features_of(wanted: Wanted, passages: Sequence[str], units: Sequence[Unit]) -> Features | None:
    """The features of the units; None when the question has no word or no unit is more than a title."""
    places = tuple(place for place, unit in enumerate(units) if unit.kind != "title")
    if not places or not wanted.roots:
        return None
    bodies = [units[place] for place in places]
    counts, kinds, lengths, words = _count(wanted, passages, bodies)
    titles, precision = _titles(wanted, passages, units)
    numbers = np.array([unit.passage for unit in bodies])
    present = (counts > 0).astype(float)
    n, frequency = len(bodies), present.sum(axis=0)
    weights = np.log1p((n - frequency + 0.5) / (frequency + 0.5)) * np.array(wanted.worth) + _LEAST
    title = titles[numbers]
    nearby = np.maximum.reduce([present, _TITLE * title, _BESIDE * _neighbours(present, numbers)])
    score, held = _of_passages(numbers, counts, titles, lengths, weights)
    first = np.concatenate(([1.0], (numbers[1:] != numbers[:-1]).astype(float)))
    names, figures, dates, cues = kinds.T
    asked = wanted.kind
    numeric = figures + dates
    columns = {
        "around": nearby @ weights / weights.sum(), "cue": np.minimum(cues, 1), "passage": score[numbers],
        "passage_held": held[numbers], "passage_held_best": held[numbers] / max(held.max(), 1e-9),
        "title_held": title @ weights / weights.sum(), "title_precision": precision[numbers], "first": first,
        "passage_first": score[numbers] * first, "length": np.log([float(unit.end - unit.start) for unit in bodies]),
        "names": np.minimum(names, 5) / 5, "number_fits": (asked == "number") * np.minimum(numeric, 2) / 2,
        "number_missing": (asked == "number") * (numeric == 0), "date_fits": (asked == "date") * np.minimum(dates, 2) / 2,
        "date_missing": (asked == "date") * (dates == 0), "person_fits": (asked == "person") * np.minimum(names, 3) / 3,
        "person_missing": (asked == "person") * (names == 0),
    }  # fmt: skip
    matrix = np.stack([columns[name] for name in NAMES], axis=1).astype(np.float64)
    fits = {"number": numeric, "date": dates, "person": names, "place": names}.get(asked, np.ones(n)) > 0
    return Features(places, matrix, np.maximum(present, title), weights, fits, words)


def _count(
    wanted: Wanted, passages: Sequence[str], bodies: Sequence[Unit]
) -> tuple[Floats, Floats, Floats, tuple[frozenset[str], ...]]:
    """(how often each unit has each word of the question; its names, numbers, dates and cues; its length; its words)."""
    k = len(wanted.roots)
    counts, kinds, lengths = [], [], []
    words: list[frozenset[str]] = []
    for unit in bodies:
        said = read(passages[unit.passage][unit.start : unit.end])
        row, others = [0] * k, [0, 0, 0, 0]
        codes = wanted.codes(said)
        for place, cue in codes:
            if place >= 0:
                row[place] += 1
            elif place <= NAME:
                others[NAME - place] += 1  # names, numbers, dates
            if cue:
                others[3] += 1
        if codes and codes[0][0] == NAME:
            others[0] -= 1  # every sentence begins with a capital
        counts.append(row)
        kinds.append(others)
        lengths.append(max(1, len(said)))
        words.append(frozenset(said))
    return np.array(counts, dtype=float), np.array(kinds, dtype=float), np.array(lengths, dtype=float), tuple(words)


def _titles(wanted: Wanted, passages: Sequence[str], units: Sequence[Unit]) -> tuple[Floats, Floats]:
    """(shape (passages, words): 1 where the title has the word, share of a title's words that the question has)."""
    held, precise = np.zeros((len(passages), len(wanted.roots))), np.zeros(len(passages))
    for unit in units:
        if unit.kind != "title":
            continue
        said = [word for word in read(passages[unit.passage][unit.start : unit.end]) if word.lower() not in STOP]
        codes = [place for place, _ in wanted.codes(said)]
        for place in codes:
            if place >= 0:
                held[unit.passage, place] = 1
        precise[unit.passage] = sum(place >= 0 for place in codes) / max(1, len(codes))
    return held, precise


def _of_passages(
    numbers: NDArray[np.int_], counts: Floats, titles: Floats, lengths: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    """(BM25 as a share of the best, share of the question's weight held), shape (passages,), titles included."""
    n = len(titles)
    whole = _TITLE_COUNT * titles
    np.add.at(whole, numbers, counts)
    long = np.bincount(numbers, weights=lengths, minlength=n)
    mean = long.sum() / max(1, int((long > 0).sum()))
    tf = whole * (_K1 + 1) / (whole + _K1 * (1 - _B + _B * long / mean)[:, None])
    score = tf @ weights
    return score / max(score.max(), 1e-9), (whole > 0) @ weights / weights.sum()


def _neighbours(values: Floats, numbers: NDArray[np.int_]) -> Floats:
    """The greater of the rows before and after in the same passage; 0 where there is none. Shape as `values`."""
    beside = np.zeros_like(values)
    same = (numbers[1:] == numbers[:-1])[:, None]
    beside[1:] = np.where(same, values[:-1], 0)
    beside[:-1] = np.maximum(beside[:-1], np.where(same, values[1:], 0))
    return beside
