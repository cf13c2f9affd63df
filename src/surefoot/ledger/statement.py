"""A statement: what each group spent, earned and was left with, and their sum, which closes since it is made of the groups.

Beside the cash stands a memo: what the stated baseline would have cost. It is never added to anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import astuple

from surefoot.records.units import CostSum, RequestSum

# What a statement can be grouped by, and the dimension it is in the roll-ups.
GROUPINGS: Mapping[str, str] = {
    "feature": "feature", "customer": "tenant", "outcome": "outcome", "key": "key_id", "prompt": "prompt", "model": "model",
    "rung": "rung", "provider": "provider", "kind": "kind", "day": "day",
}  # fmt: skip
TOKENS = frozenset({"input", "cached_input", "cache_write", "output", "embedding"})  # kinds whose quantity is tokens
HUMAN = "human"  # the kind whose quantity is seconds
_NOBODY = {"prompt": "no instructions", "rung": "nobody", "provider": "nobody", "model": "nobody", "kind": "requests"}


class Line(Struct, frozen=True, kw_only=True):
    """One group, or the total. All of it 0 for a group of nothing."""

    group: str = ""
    requests: int = 0  # that this group answered, where it is grouped by rung, provider or model
    tokens: int = 0
    human_seconds: int = 0
    nanodollars: int = 0  # spent
    estimated_nanodollars: int = 0  # part of it that no vendor metered
    human_nanodollars: int = 0  # part of it that people's time cost
    earnings: int = 0  # lines of revenue
    revenue_nanodollars: int = 0
    baseline_requests: int = 0  # memo: of the requests those whose baseline is known
    baseline_nanodollars: int = 0  # memo: what the baseline would have cost them
    compared_nanodollars: int = 0  # memo: what they did cost

    @property
    def margin_nanodollars(self) -> int:
        """What was earned less what was spent."""
        return self.revenue_nanodollars - self.nanodollars

    @property
    def saving_nanodollars(self) -> int | None:
        """Memo: the baseline less what was spent, over the requests whose baseline is known; None when it is of none."""
        return self.baseline_nanodollars - self.compared_nanodollars if self.baseline_requests else None


class Statement(Struct, frozen=True, kw_only=True):
    """Groups, dearest first (days in their order), and their sum."""

    by: str
    lines: tuple[Line, ...]
    total: Line


def statement(by: str, costs: Iterable[CostSum], requests: Iterable[RequestSum]) -> Statement:
    """The statement of sums by one dimension. Sums of several parts may name a group several times."""
    found: list[Line] = []
    for spent in costs:
        human = spent.kind == HUMAN
        found.append(
            Line(
                group=spent.group[0], tokens=spent.quantity if spent.kind in TOKENS else 0,
                human_seconds=spent.quantity if human else 0, nanodollars=spent.nanodollars,
                estimated_nanodollars=spent.estimated_nanodollars, human_nanodollars=spent.nanodollars if human else 0,
            )
        )  # fmt: skip
    for asked in requests:
        found.append(
            Line(
                group=asked.group[0], requests=asked.requests, earnings=asked.earnings,
                revenue_nanodollars=asked.revenue_nanodollars, baseline_requests=asked.baseline_requests,
                baseline_nanodollars=asked.baseline_nanodollars, compared_nanodollars=asked.compared_nanodollars,
            )
        )  # fmt: skip
    return closed(by, found)


def closed(by: str, parts: Iterable[Line]) -> Statement:
    """The statement of lines, those of one group added up."""
    groups: dict[str, Line] = {}
    for part in parts:
        old = groups.get(part.group)
        groups[part.group] = part if old is None else added(part.group, (old, part))
    lines = sorted(groups.values(), key=lambda line: (0 if by == "day" else -line.nanodollars, line.group))
    return Statement(by=by, lines=tuple(lines), total=added("total", lines))


def added(group: str, lines: Sequence[Line]) -> Line:
    """The sum of lines, field by field."""
    names = Line.__struct_fields__
    rows = [astuple(line)[1:] for line in lines] or [(0,) * (len(names) - 1)]
    sums = [sum(column) for column in zip(*rows, strict=True)]
    return Line(group=group, **dict(zip(names[1:], sums, strict=True)))


def shown(by: str, group: str) -> str:
    """A group's name for people."""
    return group or _NOBODY.get(by, "none")
