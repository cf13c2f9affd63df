"""Whether reviewers agree with each other and with the drafts they are shown, and how long they take.

Somebody who accepts nearly every draft that is shown, and clearly fewer of those that are judged blind, follows the machine:
that is automation bias, and a label of his says less than it seems.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from surefoot.records import Label
from surefoot.stats import Estimate, clopper_pearson, quantile
from surefoot.stats.agreement import Agreement, krippendorff

_PEOPLE = frozenset({"audit", "round", "case"})  # sources of labels that a person gave
_BLIND = frozenset({"audit", "round"})  # of those, with draft and score judged for their own sake


class Work(Struct, frozen=True, kw_only=True):
    """One answer that a person gave to a case."""

    case_id: str
    feature: str
    role: str
    by: str
    at_ns: int
    verb: str  # one of `records.case.VERBS`
    had_draft: bool  # whether there was a draft to accept
    general: bool = False
    seconds: float | None = None  # of handling; None: not known
    along_with: str = ""  # the case whose answer was given to this one too; "" for a case answered for itself
    again: bool = False  # whether that answer was given before this case came
    edited: bool = False  # whether it was not given word for word


class Times(Struct, frozen=True, kw_only=True):
    """Handling times in seconds; None of nothing."""

    median: float | None
    p90: float | None
    mean: float | None
    n: int


class Reviewer(Struct, frozen=True, kw_only=True):
    """One person's work."""

    by: str
    answers: int
    accepts: Estimate  # of the drafts that were shown: how many went out as they were
    accepts_blind: Estimate  # of the drafts that were judged blind
    handling: Times

    @property
    def follows(self) -> bool | None:
        """Whether clearly more drafts are accepted when shown than when judged blind; None while nothing is clear.

        Clear is when the intervals do not touch; not clear is no acquittal.
        """
        if not self.accepts.n or not self.accepts_blind.n:
            return None
        return True if self.accepts.low > self.accepts_blind.high else None


def times(seconds: Sequence[float | None]) -> Times:
    """Median, 90th percentile and mean of the times that are known."""
    known = [each for each in seconds if each is not None]
    mean = sum(known) / len(known) if known else None
    return Times(median=quantile(known, 0.5), p90=quantile(known, 0.9), mean=mean, n=len(known))


def between(labels: Sequence[Label], *, seed: int = 0) -> Agreement:
    """Krippendorff's alpha over drafts that two or more people judged; each person's latest verdict counts once.

    Clients' reports do not count, and labels that bear no person neither.
    """
    units: dict[tuple[str, str], dict[str, str]] = {}
    for label in sorted(labels, key=lambda each: (each.at_ns, each.id)):
        if label.source in _PEOPLE and label.by:
            units.setdefault((label.request_id, label.rung), {})[label.by] = label.verdict
    return krippendorff([list(told.values()) for told in units.values()], seed=seed)


def reviewers(work: Sequence[Work], labels: Sequence[Label]) -> Sequence[Reviewer]:
    """Everybody who answered or judged, by name.

    Answers along with another case's say nothing of a draft and are left out of `accepts`; so are questions back.
    """
    names = sorted({each.by for each in work} | {each.by for each in labels if each.by and each.source in _BLIND})
    return tuple(_reviewer(name, work, labels) for name in names)


def _reviewer(name: str, work: Sequence[Work], labels: Sequence[Label]) -> Reviewer:
    mine = [each for each in work if each.by == name]
    shown = [each for each in mine if each.had_draft and not each.along_with and each.verb != "ask"]
    blind: Mapping[str, bool] = {
        each.id: each.accepted for each in labels if each.by == name and each.source in _BLIND
    }  # fmt: skip
    return Reviewer(
        by=name, answers=len(mine),
        accepts=clopper_pearson(sum(each.verb == "accept" for each in shown), len(shown)),
        accepts_blind=clopper_pearson(sum(blind.values()), len(blind)),
        handling=times([each.seconds for each in mine if not each.along_with]),
    )  # fmt: skip
