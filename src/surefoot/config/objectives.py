"""Objectives as they are written: what is wrong with them, and the values they amount to."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

from surefoot.config.problem import Problem, near
from surefoot.config.schema import FeatureSettings, File, ObjectiveSettings
from surefoot.records.objective import LABELLED, MEASURES, OUTCOME, SUBGROUPS, Objective

REASONS = ("hallucination", "unsupported")  # codes of labels that say an answer was made up
_WINDOW = re.compile(r"([1-9]\d{0,3})([hdw])")
_SECONDS = {"h": 3600, "d": 86_400, "w": 7 * 86_400}
_LONGEST, _DAY = 366 * 86_400, 86_400
_NAME = re.compile(r"[a-z0-9_.:-]{1,64}")


def build_objectives(settings: File) -> dict[str, tuple[Objective, ...]]:
    """By feature, its objectives; features without any are left out."""
    found = {}
    for name, feature in settings.features.items():
        if feature.objectives:
            found[name] = tuple(_objective(name, given) for given in feature.objectives)
    return found


def objective_problems(path: tuple[str, ...], given: FeatureSettings) -> Iterator[Problem]:
    """Everything that is wrong with a feature's objectives."""
    taken: set[str] = set()
    for each in given.objectives:
        at = (*path, "objectives")
        yield from _measure(at, each, given)
        yield from _target(at, each)
        yield from _time(at, each)
        if not 0.5 <= each.assurance < 1:
            yield Problem((*at, "assurance"), f"assurance {each.assurance} is not from 0.5 to below 1")
        for name in each.by:
            if name not in SUBGROUPS:
                yield Problem((*at, "by"), f"there are no subgroups by {name!r}; there are {' and '.join(SUBGROUPS)}")
            elif name == "rung" and each.measure not in LABELLED:
                yield Problem((*at, "by"), f"{each.measure} is not known by rung: only {' and '.join(LABELLED)} are")
        name = each.name or each.measure
        if not _NAME.fullmatch(name):
            yield Problem((*at, "name"), f"the name {name!r} is not 1 to 64 of a-z, 0-9 and . : _ -")
        if name in taken:
            yield Problem((*at, "name"), f"two objectives are called {name!r}: give them names")
        taken.add(name)


def _measure(at: tuple[str, ...], each: ObjectiveSettings, given: FeatureSettings) -> Iterator[Problem]:
    outcomes = given.revenue.outcomes if given.revenue is not None else {}
    if each.measure.startswith(OUTCOME):
        yield from _outcome((*at, "measure"), each.measure.removeprefix(OUTCOME), outcomes)
    elif each.measure not in MEASURES:
        known = (*MEASURES, f"{OUTCOME}NAME")
        hint = near(each.measure, MEASURES) or f"; know {', '.join(known)}"
        yield Problem((*at, "measure"), f"unknown measure {each.measure!r}{hint}")
    if each.outcome and each.measure != "cost_per_resolution":
        yield Problem((*at, "outcome"), f"outcome does nothing for {each.measure}: it says what a resolution is")
    elif each.outcome:
        yield from _outcome((*at, "outcome"), each.outcome, outcomes)
    if each.reasons and each.measure != "hallucination_rate":
        yield Problem(
            (*at, "reasons"), f"reasons do nothing for {each.measure}: they say which labels tell hallucinations"
        )
    if each.measure in LABELLED and not given.audit and given.promise is None:
        message = f"{each.measure} is known from blind labels only: set audit above 0, or a promise"
        yield Problem((*at, "measure"), message)
    if each.measure == "margin" and given.revenue is None:
        yield Problem((*at, "measure"), "margin needs revenue: add [features.NAME.revenue]")


def _outcome(at: tuple[str, ...], name: str, known: Mapping[str, float]) -> Iterator[Problem]:
    if name not in known:
        yield Problem(
            at, f"the feature declares no outcome {name!r}{near(name, known)}; write it into revenue.outcomes"
        )


def _target(at: tuple[str, ...], each: ObjectiveSettings) -> Iterator[Problem]:
    if (each.at_most is None) == (each.at_least is None):
        yield Problem(at, "an objective needs at_most or at_least, one of them")
        return
    way = "at_most" if each.at_most is not None else "at_least"
    unit, wanted = MEASURES.get(each.measure, ("share", ""))
    if wanted and way != wanted:
        yield Problem((*at, way), f"{each.measure} takes {wanted}, not {way}")
    target = each.at_most if each.at_most is not None else each.at_least
    if target is None or not math.isfinite(target):
        yield Problem((*at, way), f"{way} is a number")
    elif each.measure == "margin" and target >= 1:
        yield Problem((*at, way), "a margin is a share of revenue, below 1")
    elif unit == "share" and each.measure != "margin" and not 0 < target < 1:
        yield Problem((*at, way), f"{way} of a share is above 0 and below 1: write 0.05 for 5 %")
    elif unit != "share" and target <= 0:
        yield Problem((*at, way), f"{way} is above 0, in {unit}")


def _time(at: tuple[str, ...], each: ObjectiveSettings) -> Iterator[Problem]:
    seconds = _seconds(each.window)
    if seconds is None or seconds > _LONGEST:
        yield Problem((*at, "window"), f"the window {each.window!r} is not like 12h, 28d or 4w, at most 366 days")
    elif each.measure not in LABELLED and (seconds < 7 * _DAY or seconds % _DAY):
        yield Problem((*at, "window"), f"{each.measure} is counted by whole days: its window is at least 7d")
    if each.due:
        try:
            date.fromisoformat(each.due)
        except ValueError:
            yield Problem((*at, "due"), f"{each.due!r} is no date: write 2026-12-31")


def _objective(feature: str, given: ObjectiveSettings) -> Objective:
    target = given.at_most if given.at_most is not None else given.at_least
    due = datetime.fromisoformat(given.due).replace(tzinfo=UTC) if given.due else None
    return Objective(
        name=given.name or given.measure, feature=feature, measure=given.measure, target=float(target or 0.0),
        at_most=given.at_most is not None, window_seconds=_seconds(given.window) or 0, assurance=given.assurance,
        by=given.by, due_ns=None if due is None else int(due.timestamp()) * 10**9, outcome=given.outcome,
        reasons=given.reasons or (REASONS if given.measure == "hallucination_rate" else ()),
    )  # fmt: skip


def _seconds(window: str) -> int | None:
    found = _WINDOW.fullmatch(window)
    return None if found is None else int(found[1]) * _SECONDS[found[2]]
