"""How a feature's promise stands: read live from the labels of its present edition, never latched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from surefoot.policy import Promise
from surefoot.records import Label
from surefoot.stats.sequential import Certified, certify

CERTIFYING = ("audit", "round")  # sources whose labels were drawn blind, with a known propensity


class Unit(Struct, frozen=True):
    """The labels of one group: a question and its repeats count once, wrong when any of them was."""

    at_ns: int
    wrong: bool
    propensity: float


def units(labels: Iterable[Label], *, edition: str) -> list[Unit]:
    """The units that may certify: people's blind labels of this edition with a known propensity, in the order they came."""
    groups: dict[str, Unit] = {}
    for label in labels:
        if label.edition != edition or label.source not in CERTIFYING or not label.propensity:
            continue
        before = groups.get(label.group)
        unit = Unit(label.at_ns, not label.accepted, label.propensity)
        if before is not None:
            wrong = before.wrong or unit.wrong
            unit = Unit(before.at_ns, wrong, min(before.propensity, unit.propensity))
        groups[label.group] = unit
    return sorted(groups.values(), key=lambda unit: unit.at_ns)


def standing(labels: Sequence[Label], promise: Promise, *, edition: str) -> Certified:
    """The certificate of one edition of a feature."""
    found = units(labels, edition=edition)
    return certify(
        [unit.wrong for unit in found], [unit.propensity for unit in found],
        accuracy=promise.accuracy, assurance=promise.assurance,
    )  # fmt: skip
