"""Learns a whole ladder: one map per rung from what reached that rung, then the thresholds that the aim asks for.

With a person at the end and no promise, rule (A) needs maps only. A promise (B) takes one threshold for all rungs, chosen by
Learn-then-Test on groups that no map has seen; where the person's price is known, one for each rung, the cheapest that keep
it. Without a person nothing can be escalated: the thresholds are the cheapest whose accuracy is not below the top rung's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from surefoot.learning.cheapest import cheapest, cheapest_with_person
from surefoot.learning.examples import Example, Walk, held_out
from surefoot.learning.fit import fit_map
from surefoot.learning.measure import Measures, applied, measure
from surefoot.learning.threshold import Cut, certify_threshold
from surefoot.policy import Feature, LearnedFeature, LearnedRung, Map
from surefoot.stats.arrays import Floats


class RungReport(Struct, frozen=True, kw_only=True):
    """What was learned of one rung."""

    rung: str
    labels: int  # that reached it and fitted the map
    map: str  # kind of its curve; "not enough data" without one
    before: Measures  # by the map that serves now
    after: Measures  # cross-fitted: no group is judged by labels of its own


class LadderReport(Struct, frozen=True, kw_only=True):
    """What was learned of a feature."""

    feature: str
    labels: int
    groups: int
    rungs: tuple[RungReport, ...]
    cut: Cut | None = None  # of the promise, where there is one


def learn_ladder(
    walks: Sequence[Walk],
    feature: Feature,
    models: Mapping[str, tuple[str, ...]],
    *,
    person: bool = True,
    person_nanodollars: float | None = None,
    seed: int = 0,
) -> tuple[LearnedFeature, LadderReport]:
    """Maps and thresholds of a feature from labelled walks.

    Args:
        walks: labelled questions, with a draft for every rung of `feature.ladder` but the cache, in its order.
        feature: as configured now; its own maps are the "before".
        models: by rung name, what the labels are about.
        person: whether a person stands at the end.
        person_nanodollars: what one answer of his costs; counts where the feature has a promise. None: nobody knows.
    """
    rungs = [rung.name for rung in feature.ladder if rung.kind != "cache"]
    fitting, held = _split(walks) if feature.promise else (list(walks), [])
    reports, learned = [], {}
    reaching = list(range(len(fitting)))
    cross = [np.full(len(fitting), np.nan) for _ in rungs]
    for place, name in enumerate(rungs):
        rows = [row for row in reaching if fitting[row].drafts[place] is not None]
        examples = [example for row in rows if (example := fitting[row].drafts[place]) is not None]
        fit = fit_map(examples, seed=seed)
        before = measure(*applied(feature.maps.get(name), examples), examples, bar=feature.confidence)
        after = measure(fit.low, fit.p, examples, bar=feature.confidence)
        kind = fit.map.curve.kind if fit.map and fit.map.curve else "not enough data"
        reports.append(RungReport(rung=name, labels=len(examples), map=kind, before=before, after=after))
        if fit.map is None:
            continue
        learned[name] = LearnedRung(map=fit.map, models=models.get(name, ()))
        cross[place] = _scored(fitting, place, fit.map)
        cross[place][rows] = fit.p
        delivered = {row for row, low in zip(rows, fit.low, strict=True) if low >= feature.confidence}
        reaching = [row for row in reaching if row not in delivered]
    thresholds, cut = _thresholds(feature, rungs, (fitting, cross), held, learned, person, person_nanodollars)
    groups = len({walk.group for walk in walks})
    found = LearnedFeature(rungs=learned, thresholds=thresholds, labels=len(walks))
    return found, LadderReport(feature=feature.name, labels=len(walks), groups=groups, rungs=tuple(reports), cut=cut)


def _thresholds(
    feature: Feature, rungs: Sequence[str], fitted: tuple[Sequence[Walk], Sequence[Floats]], held: Sequence[Walk],
    learned: Mapping[str, LearnedRung], person: bool, person_nanodollars: float | None,
) -> tuple[dict[str, float], Cut | None]:  # fmt: skip
    if feature.promise is not None:
        bar = feature.confidence if feature.per_answer else None  # what is tested is what is served
        scores = [
            _scored(held, place, learned[name].map if name in learned else None, bar=bar)
            for place, name in enumerate(rungs)
        ]
        if person_nanodollars is not None:
            choice, cut = cheapest_with_person(
                fitted, (held, scores), feature.promise, person_nanodollars=person_nanodollars
            )
            return dict(zip(rungs, choice, strict=True)) if cut.state == "certified" else {}, cut
        cut = certify_threshold(held, scores, feature.promise, start_at=feature.confidence, pilot=fitted)
        return (dict.fromkeys(learned, cut.threshold) if cut.threshold is not None else {}), cut
    if person:
        return {}, None
    return dict(zip(rungs, cheapest(*fitted), strict=True)), None


def _scored(walks: Sequence[Walk], place: int, chosen: Map | None, *, bar: float | None = None) -> Floats:
    """p of every walk's draft on a rung; NaN where there is none, nothing judges it or its lower end is below the bar."""
    p = np.full(len(walks), np.nan)
    rows = [row for row, walk in enumerate(walks) if walk.drafts[place] is not None]
    examples: list[Example] = [example for row in rows if (example := walks[row].drafts[place]) is not None]
    low, judged = applied(chosen, examples)
    p[rows] = judged if bar is None else np.where(low >= bar, judged, np.nan)
    return p


def _split(walks: Sequence[Walk]) -> tuple[list[Walk], list[Walk]]:
    """(for maps, for the certificate) by group: a group's side depends on its name and the number of groups alone."""
    sides: tuple[list[Walk], list[Walk]] = ([], [])
    groups = len({walk.group for walk in walks})
    for walk in walks:
        sides[held_out(walk.group, groups)].append(walk)
    return sides
