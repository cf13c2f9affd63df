"""How a feature's promise stands: read live from the labels of its present edition, never latched.

One unit is one group: the first label of a question counts and its repeats do not, so that a unit never changes once it was
looked at and every look is valid. What is promised is about distinct questions. Drift of known questions is the detectors'
business (`learning.drift`); their alarm ends a certificate until the labels after it certify by themselves as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from surefoot.policy import Promise
from surefoot.records import Label
from surefoot.stats.sequential import BROKEN, CERTIFIED, OPEN, Certified, certify

CERTIFYING = ("audit", "round")  # sources whose labels were drawn blind, with a known propensity


class Unit(Struct, frozen=True, order=True):
    """The first label of one group."""

    at_ns: int
    id: str
    wrong: bool
    weight: float = 1.0  # in (0, 1], as in `certify`


def unit(label: Label) -> Unit | None:
    """What a label is worth to a certificate; None when it does not certify.

    Its weight is the least propensity that any answer had when its lot was drawn, over its own. Withheld drafts, rounds and
    audits each draw the answers of their time alike, so that it is 1, however small the share and however it is changed
    later. A lot that prefers some answers would have to bring its floor along.
    """
    if label.source not in CERTIFYING or not label.propensity:
        return None
    return Unit(label.at_ns, label.id, not label.accepted)


class Tally:
    """The units of one edition, counted label by label, in whatever order they are read."""

    def __init__(self, edition: str, *, after_ns: int = -1) -> None:
        self._edition, self._after_ns = edition, after_ns
        self._first: dict[str, Unit] = {}
        self._counts: Counter[tuple[bool, float]] = Counter()

    def add(self, label: Label) -> None:
        """Count a label; one that is no news (another edition, a repeat, not blind) changes nothing."""
        if label.edition != self._edition or label.at_ns <= self._after_ns:
            return
        found, before = unit(label), self._first.get(label.group)
        if found is None or (before is not None and before <= found):
            return
        if before is not None:  # a replica wrote an earlier label late
            self._counts[before.wrong, before.weight] -= 1
        self._first[label.group] = found
        self._counts[found.wrong, found.weight] += 1

    def certified(self, promise: Promise) -> Certified:
        """The certificate as of now; its cost does not grow with the number of labels."""
        rows = sorted(self._counts)
        return certify(
            [wrong for wrong, _ in rows], [weight for _, weight in rows],
            counts=[self._counts[row] for row in rows], accuracy=promise.accuracy, assurance=promise.assurance,
        )  # fmt: skip


def standing(labels: Iterable[Label], promise: Promise, *, edition: str, alarm_ns: int | None = None) -> Certified:
    """The certificate of one edition of a feature.

    Args:
        labels: of the feature, in any order.
        promise: what is tested.
        edition: only labels of it count.
        alarm_ns: when drift was last found in this edition; labels up to then certify nothing by themselves.
    """
    whole = Tally(edition)
    since = Tally(edition, after_ns=alarm_ns) if alarm_ns is not None else None
    for label in labels:
        whole.add(label)
        if since is not None:
            since.add(label)
    return both(whole.certified(promise), since.certified(promise) if since is not None else None)


def both(whole: Certified, since: Certified | None) -> Certified:
    """The certificate of all labels and of those since an alarm: certified when both are, so that the assurance stays.

    What it says of accuracy is about the labels since the alarm: the earlier ones are about what there was before.
    """
    if since is None:
        return whole
    certified = whole.state == since.state == CERTIFIED
    broken = BROKEN in (whole.state, since.state)
    needed = (whole.labels_needed, since.labels_needed)
    return replace(
        since,
        state=CERTIFIED if certified else BROKEN if broken else OPEN,
        at_least=min(whole.at_least, since.at_least),
        labels_needed=None if needed[0] is None or needed[1] is None else max(needed[0], needed[1]),
        log_wealth=min(whole.log_wealth, since.log_wealth),
    )
