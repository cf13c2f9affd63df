"""Runs a gate: the items of a golden set under two policies, group by group in a seeded order, until it is settled or over."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct

from surefoot.errors import BudgetSpent
from surefoot.evals.gate import (
    PILOT,
    Finding,
    Item,
    Rules,
    Verdict,
    apart_so_far,
    conclude,
    look,
    plans,
)
from surefoot.evals.power import Power, sizes_of
from surefoot.providers.rows import Row
from surefoot.trial.price import Cost, cost_before
from surefoot.trial.purse import Purse
from surefoot.trial.sides import Graded, Grader, Named, Side


class Asked(Struct, frozen=True, kw_only=True):
    """What a gate is run with."""

    candidate: Named
    other: Named | None  # None: compared with none
    feature: str
    rules: Rules
    seed: int = 0  # of the order
    limit: int | None = None  # items at most, drawn by the seed
    max_nanodollars: int | None = None
    together: int = 8  # items that are asked at the same time
    grader: str = ""  # a program; "": as a trial grades
    person_right: bool = False  # whether an escalated item counts as answered rightly


class Plan(Struct, frozen=True, kw_only=True):
    """What is known before the run."""

    items: int
    groups: int
    powers: tuple[Power, ...]
    costs: tuple[Cost, ...]  # of the candidate and, where there is one, the other
    max_nanodollars: int | None


class Spent(Struct, frozen=True, kw_only=True):
    """What one side did."""

    name: str
    nanodollars: int
    delivered: int  # answers
    escalated: int
    failed: int  # a provider failed
    ungraded: int  # nobody could tell whether they were right
    simulated: bool = False  # whether an answer was: then no real model gave it
    estimated: bool = False  # whether tokens were


class Run(Struct, frozen=True, kw_only=True):
    """What came of it."""

    plan: Plan
    verdict: Verdict
    sides: tuple[Spent, ...]
    revised: Power | None  # the plan anew after the first items
    stopped: str  # "" when all items were run


async def run_gate(
    rows: Sequence[Row], asked: Asked, *, on_plan: Callable[[Plan], None] = lambda plan: None,
    on_progress: Callable[[int, int], None] = lambda done, of: None, only_plan: bool = False,
) -> Run | None:  # fmt: skip
    """Ask, grade and decide; `on_plan` is called before any item is asked. None when only the plan is wanted.

    Raises: ConfigError for a policy that cannot be served or has no such feature.
    """
    purse, grader = Purse(asked.max_nanodollars), Grader(asked.grader)
    chosen = list(_drawn(rows, asked))
    named = [asked.candidate, *([asked.other] if asked.other is not None else [])]
    sides: list[Side] = []
    try:
        for each in named:
            sides.append(await Side.start(each, asked.feature, purse, grader, person_right=asked.person_right))
        groups = [row.group or row.id for row in chosen]
        plan = Plan(
            items=len(chosen), groups=len(set(groups)), powers=plans(asked.rules, groups),
            costs=tuple(cost_before(side.app, side.rules, chosen, samples=asked.rules.samples) for side in sides),
            max_nanodollars=asked.max_nanodollars,
        )  # fmt: skip
        on_plan(plan)
        if only_plan:
            return None
        runner = _Runner(sides, asked.rules, max(sizes_of(groups), default=1))
        stopped = await runner.run(list(_batches(chosen, asked.together)), lambda done: on_progress(done, len(chosen)))
        verdict = conclude(runner.items, asked.rules, runner.settled, whole=not stopped, stopped=stopped)
        told = tuple(_spent(each, side) for each, side in zip(named, sides, strict=True))
        return Run(plan=plan, verdict=verdict, sides=told, revised=runner.revised, stopped=stopped)
    finally:
        for side in sides:
            await side.close()


class _Runner:
    """Items as they come in, and what the looks at them settled."""

    def __init__(self, sides: Sequence[Side], rules: Rules, largest: int) -> None:
        self._sides, self._rules, self._largest = sides, rules, largest
        self.items: list[Item] = []
        self.settled: dict[str, Finding] = {}
        self.revised: Power | None = None

    async def run(self, batches: Sequence[Sequence[Row]], on_progress: Callable[[int], None]) -> str:
        """Ask batch by batch; why it stopped before the last, "" when it did not."""
        for place, batch in enumerate(batches):
            found = await asyncio.gather(*(self._item(row) for row in batch), return_exceptions=True)
            for each in found:
                if isinstance(each, BaseException) and not isinstance(each, BudgetSpent):
                    raise each
            self.items += [each for each in found if isinstance(each, Item)]
            on_progress(len(self.items))
            if any(isinstance(each, BudgetSpent) for each in found):
                return "the cap is reached"
            if self.revised is None and len(self.items) >= PILOT:
                self.revised = apart_so_far(self.items, self._rules)
            if place + 1 < len(batches) and (said := look(self.items, self._rules, self._largest, self.settled)):
                return f"settled early: {said}"
        return ""

    async def _item(self, row: Row) -> Item:
        """An item's samples of every side; a side that has one missing is missing."""
        scores = []
        for side in self._sides:
            graded: list[Graded] = [await side.ask(row) for _ in range(self._rules.samples)]
            known = tuple(each.score for each in graded if each.score is not None)
            scores.append(known if len(known) == len(graded) else ())
        other = scores[1] if len(scores) > 1 else ()
        return Item(id=row.id, group=row.group or row.id, candidate=scores[0], other=other)


def _drawn(rows: Sequence[Row], asked: Asked) -> Iterator[Row]:
    """The rows in the order of the run: whole groups, shuffled by the seed, as many as are wanted."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.group or row.id, []).append(row)
    names = sorted(groups)
    random.Random(asked.seed).shuffle(names)  # noqa: S311  # an order, no secret
    left = len(rows) if asked.limit is None else asked.limit
    for name in names:
        if len(groups[name]) > left:
            continue
        left -= len(groups[name])
        yield from groups[name]


def _batches(rows: Sequence[Row], together: int) -> Iterator[list[Row]]:
    """Whole groups, so many items at a time at least: a look never sees a part of a group."""
    batch: list[Row] = []
    for place, row in enumerate(rows):
        batch.append(row)
        ends = place + 1 == len(rows) or (rows[place + 1].group or rows[place + 1].id) != (row.group or row.id)
        if ends and (len(batch) >= together or place + 1 == len(rows)):
            yield batch
            batch = []


def _spent(named: Named, side: Side) -> Spent:
    return Spent(
        name=named.told, nanodollars=side.nanodollars, delivered=side.ended.get("delivered", 0),
        escalated=side.ended.get("escalated", 0), failed=side.ended.get("failed", 0),
        ungraded=side.ended.get("ungraded", 0), simulated=side.simulated, estimated=side.estimated,
    )  # fmt: skip
