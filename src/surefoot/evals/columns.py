"""Requests under two policies as rows, and one policy's side of them as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from surefoot.evals.paths import BLIND, MISSED, SEEN, Path
from surefoot.records import Escalate, JournalEntry, Label
from surefoot.stats.arrays import Bools, Floats
from surefoot.stats.offpolicy import Sampled

_JUDGED_BLIND = ("audit", "round")
_LEVELS = 10  # strata of what was expected of the start


class Side(Struct, frozen=True, kw_only=True):
    """One request under one policy."""

    path: Path
    nanodollars: int = 0  # of the models it asked; of a blind path, of those that the journal holds
    ceiling: int | None = None  # the most that the rest of a blind path can cost; None: there is no limit to it
    chance: float = 0.0  # that the draft it delivers was judged blind; 0: no lot chose it
    drawn: bool = False  # whether that lot was drawn
    wrong: bool | None = None  # the verdict; None: there is none


class Row(Struct, frozen=True, kw_only=True):
    """One request under the policy that serves and under the candidate."""

    request_id: str
    at_ns: int
    group: str  # repeats of a question are one unit
    now: Side
    then: Side
    prior: float = (
        0.0  # what was expected of the start, in [0, 1]: requests of one level are alike before anything is asked
    )

    @property
    def changes(self) -> bool:
        """Whether both ends are known, and differ."""
        now, then = self.now.path, self.then.path
        return now.state == then.state == SEEN and now.end != then.end


def side_of(
    entry: JournalEntry, path: Path, bill: Mapping[str, int], labels: Mapping[tuple[str, str], Label],
    ceiling: int | None = None,
) -> Side:  # fmt: skip
    """A path with its money and its verdict.

    Args:
        bill: by rung, what its models cost in nano-dollars, judges' under "judge.RUNG".
        labels: blind ones, by (request, rung).
        ceiling: of a blind path, the most that the missing rungs can cost.
    """
    nanodollars = sum(bill.get(rung, 0) + bill.get(f"judge.{rung}", 0) for rung in path.asked)
    if not path.delivers:
        return Side(path=path, nanodollars=nanodollars, ceiling=ceiling)
    chance, drawn = chance_of(entry, path.rung)
    label = labels.get((entry.request_id, path.rung))
    if label is not None:
        chance, drawn = label.propensity or chance, True
    wrong = None if label is None or not chance else not label.accepted
    return Side(path=path, nanodollars=nanodollars, ceiling=ceiling, chance=chance, drawn=drawn, wrong=wrong)


def chance_of(entry: JournalEntry, rung: str) -> tuple[float, bool]:
    """(how probable it was that the draft of a rung is judged blind, whether the lot was drawn); (0, False): by no lot."""
    if entry.action == "deliver" and entry.rung == rung and entry.lot is not None:
        return entry.lot.propensity, entry.lot.drawn
    for step in entry.steps:
        if step.rung == rung and isinstance(step.value, Escalate) and step.value.withheld:
            return 1.0, True
    return 0.0, False


def blind_labels(labels: Sequence[Label]) -> dict[tuple[str, str], Label]:
    """The first blind label of each draft, by (request, rung)."""
    found: dict[tuple[str, str], Label] = {}
    for label in labels:
        if label.source in _JUDGED_BLIND:
            found.setdefault((label.request_id, label.rung), label)
    return found


class Columns(Struct, frozen=True, kw_only=True):
    """One side as arrays of shape (n,); what was missed is 0."""

    rows: Sampled  # seen: the path's start was drawn; blind paths are among them
    strata: NDArray[np.int64]
    blind: Floats  # 0 or 1
    delivers: Floats
    needs_person: Floats
    nanodollars: Floats
    ceiling: Floats | None  # further nano-dollars of blind paths; None: one of them has no limit
    seconds: Floats  # that providers took
    p: Floats  # NaN: unknown
    chance: Floats  # of a label, those that were drawn and not judged yet taken out evenly
    labelled: Bools
    wrong: Floats

    @classmethod
    def of(cls, sides: Sequence[Side], rows: Sequence[Row]) -> Columns:
        """The columns of one side of rows."""
        paths = [side.path for side in sides]
        drawn = np.array([path.state != MISSED for path in paths], dtype=np.bool_)
        ceilings = [side.ceiling for side in sides if side.path.state == BLIND]
        further = None if None in ceilings else _array(sides, lambda each: each.ceiling or 0)
        return cls(
            rows=Sampled.of(drawn, [path.propensity for path in paths], [row.group for row in rows]),
            strata=np.array([int(row.prior * _LEVELS) for row in rows], dtype=np.int64),
            blind=_array(sides, lambda each: each.path.state == BLIND),
            delivers=_array(sides, lambda each: each.path.delivers),
            needs_person=_array(sides, lambda each: each.path.needs_person),
            nanodollars=_array(sides, lambda each: 0 if each.path.state == MISSED else each.nanodollars),
            ceiling=further,
            seconds=_array(sides, lambda each: 0 if each.path.state == MISSED else each.path.upstream_us / 1e6),
            p=_array(sides, lambda each: np.nan if each.path.p is None else each.path.p),
            chance=_chances(sides),
            labelled=np.array([side.wrong is not None for side in sides], dtype=np.bool_),
            wrong=_array(sides, lambda each: bool(each.wrong)),
        )  # fmt: skip

    @property
    def certain(self) -> bool:
        """Whether no lot decided what can be seen."""
        return bool((self.rows.weight == 1).all())

    def zeros(self) -> Floats:
        """As many zeros."""
        return np.zeros(len(self.rows))

    def value(self, name: str) -> tuple[Floats, Floats | None]:
        """(the least, the most) that each request can add to a question; the most is None where there is no limit."""
        least: Floats = getattr(self, name)
        if name in ("delivers", "needs_person"):
            return least, least + self.blind
        if name == "nanodollars":
            return least, None if self.ceiling is None else least + self.ceiling
        return least, None if self.blind.any() else least


def _array(sides: Sequence[Side], value: Any) -> Floats:
    return np.array([value(each) for each in sides], dtype=np.float64)


def _chances(sides: Sequence[Side]) -> Floats:
    """Propensities times the share of the drawn that is judged: whoever is late is late by chance."""
    drawn = sum(side.drawn for side in sides)
    judged = sum(side.wrong is not None for side in sides)
    answered = judged / drawn if drawn and judged else 1.0
    return _array(sides, lambda each: each.chance * answered)
