"""What a gate found, in words: for a terminal of 80 columns and as Markdown for a pull request."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from msgspec import Struct

from surefoot.evals.gate import AGAINST, OPEN, PILOT, Finding
from surefoot.evals.power import POWER, Power
from surefoot.stats import Estimate
from surefoot.trial.gate import Plan, Run, Spent

_WIDTH = 80
_NANO = 1e9
_LISTED = 10  # items that changed
_UNKNOWN = "unknown"


class Told(Struct, frozen=True, kw_only=True):
    """A run with what it was about."""

    file: str
    version: str  # digest of its items
    feature: str
    candidate: str
    other: str  # "" when it was compared with none
    samples: int
    seed: int
    run: Run
    notes: tuple[str, ...] = ()


def before(plan: Plan, told: Sequence[str], samples: int, notes: Sequence[str] = ()) -> Iterator[str]:
    """The plan, before anything is asked."""
    for note in notes:
        yield from _wrapped(note)
    groups = "" if plan.groups == plan.items else f" in {_number(plan.groups)} groups"
    times = "" if samples == 1 else f", each asked {samples} times"
    yield from _wrapped(f"{_number(plan.items)} items{groups}{times}")
    for power in plan.powers:
        yield from _wrapped(_power(power, plan))
    for name, cost in zip(told, plan.costs, strict=True):
        yield from _wrapped(
            f"cost of {name}: {_usd(cost.least)} when first rungs are enough, {_usd(cost.whole)} when every rung is asked, "
            f"at most {_usd(cost.worst)} (tokens estimated)"
        )
        if cost.unpriced:
            yield from _wrapped(f"no price known: {', '.join(cost.unpriced)}", "  ")
    if plan.max_nanodollars is not None:
        yield from _wrapped(f"cap {_usd(plan.max_nanodollars)}: no call is made that might exceed it")


def after(told: Told) -> Iterator[str]:
    """The verdict and what it rests on."""
    run, verdict = told.run, told.run.verdict
    yield from _wrapped(f"{verdict.state.upper()}: {verdict.reason}")
    yield ""
    for finding in verdict.findings:
        yield from _finding(finding)
    yield f"right         {told.candidate[:30]:<30} {_rate(verdict.candidate)}"
    if verdict.other is not None:
        yield f"              {told.other[:30]:<30} {_rate(verdict.other)}"
    for side in run.sides:
        yield from _wrapped(f"{side.name}: {_did(side)}", "              ", first="did           ")
    if verdict.missing:
        yield from _wrapped(f"without score {verdict.missing} of {verdict.tried} items, which count for neither")
    if verdict.sampling is not None:
        yield from _wrapped(
            f"repeats       {verdict.sampling:.0%} of a difference's variance comes from asking {told.samples} times only"
        )
    if run.revised is not None:
        yield from _wrapped(f"after {PILOT} items the two differed so that {_needed(run.revised)}")
    if run.stopped:
        yield from _wrapped(f"ended after {_number(verdict.tried)} of {_number(run.plan.items)} items: {run.stopped}")
    for name, ids in (("worse", verdict.worse), ("better", verdict.better)):
        if ids:
            more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
            yield from _wrapped(f"{', '.join(ids[:_LISTED])}{more}", "              ", first=f"{name:<14}")


def markdown(told: Told) -> str:
    """The same for a pull request."""
    run, verdict = told.run, told.run.verdict
    against = f" against `{told.other}`" if told.other else ""
    lines = [
        f"### Gate: {verdict.state}", "",
        f"`{told.candidate}`{against}, feature `{told.feature}`, on `{told.file}` (`{told.version}`): {verdict.reason}.",
        "", "| question | estimate | interval | bound | items | groups | missing items |", "|---|--:|--:|--:|--:|--:|--:|",
        *(_row(each) for each in verdict.findings), "",
        "| policy | right | delivered | escalated | failed | cost |", "|---|--:|--:|--:|--:|--:|",
        *(
            _side(side, rate)
            for side, rate in zip(run.sides, (verdict.candidate, verdict.other), strict=False)
            if rate is not None
        ),
        "", f"Planned: {'; '.join(_needed(power) for power in run.plan.powers)}. Seed {told.seed}.",
    ]  # fmt: skip
    if run.stopped:
        lines.append(f"Ended after {verdict.tried} of {run.plan.items} items: {run.stopped}.")
    if verdict.missing:
        lines.append(f"{verdict.missing} items have no score and count for neither.")
    lines += [f"{note}." for note in told.notes]
    for name, ids in (("Worse", verdict.worse), ("Better", verdict.better)):
        if ids:
            more = f" and {len(ids) - _LISTED} more" if len(ids) > _LISTED else ""
            lines += ["", f"{name}: {', '.join(f'`{each}`' for each in ids[:_LISTED])}{more}"]
    return "\n".join(lines) + "\n"


def _power(power: Power, plan: Plan) -> str:
    grouped = power.needed_grouped if plan.groups != plan.items else None
    return f"{_needed(power, grouped)}; with the {_number(power.items)} here the power is {power.power:.0%}"


def _needed(power: Power, grouped: int | None = None) -> str:
    notes = []
    if power.needed_alone is not None and power.needed_alone != power.needed:
        notes.append(f"{_number(power.needed_alone)} by the usual formula")
    if grouped is not None:
        notes.append(f"up to {_number(grouped)} if each group goes alike")
    many = "more than a million" if power.needed is None else _number(power.needed)
    aside = f" ({'; '.join(notes)})" if notes else ""
    return f"to see {_points(power.effect)} with {POWER:.0%} power takes {many} items{aside}"


def _finding(each: Finding) -> Iterator[str]:
    sign = "+" if each.kind == AGAINST else ""
    name = "difference" if each.kind == AGAINST else "right, bound"
    at = "at any look" if each.early else "one look at the end"
    if each.estimate is None:
        yield f"{name:<14}not enough data (n = 0)"
        return
    grouped = "" if each.groups == each.n else f" in {each.groups} groups"
    yield from _wrapped(
        f"{each.estimate:{sign}.1%} [{each.low:{sign}.1%}, {each.high:{sign}.1%}], n = {each.n}{grouped}, {at}; "
        f"bound {each.bound:{sign}.1%}", "              ", first=f"{name:<14}",
    )  # fmt: skip
    if each.kind == AGAINST:
        yield f"{'apart':<14}{each.apart:.1%} of the items"
    if each.state == OPEN:
        more = _UNKNOWN if each.more_items is None else f"about {_number(each.more_items)}"
        yield f"{'more items':<14}{more}, for {POWER:.0%} power"


def _row(each: Finding) -> str:
    sign = "+" if each.kind == AGAINST else ""
    name = "worse than the other by more than the margin?" if each.kind == AGAINST else "right often enough?"
    if each.estimate is None:
        return f"| {name} | {OPEN} | | {each.bound:{sign}.1%} | 0 | 0 | {_UNKNOWN} |"
    more = _UNKNOWN if each.more_items is None else _number(each.more_items)
    return (
        f"| {name} | {each.estimate:{sign}.1%} | [{each.low:{sign}.1%}, {each.high:{sign}.1%}] | {each.bound:{sign}.1%} "
        f"| {each.n} | {each.groups} | {more} |"
    )


def _side(side: Spent, rate: Estimate) -> str:
    counts = f"{side.delivered} | {side.escalated} | {side.failed}"
    return f"| `{side.name}` | {_rate(rate)} | {counts} | {_cost(side)} |"


def _did(side: Spent) -> str:
    parts = [f"{side.delivered} delivered", f"{side.escalated} escalated"]
    parts += [f"{side.failed} failed"] if side.failed else []
    parts += [f"{side.ungraded} that nobody could grade"] if side.ungraded else []
    return f"{', '.join(parts)}, {_cost(side)}"


def _cost(side: Spent) -> str:
    """What it cost, and what of it is not real."""
    notes = [*(["simulated"] if side.simulated else []), *(["tokens estimated"] if side.estimated else [])]
    return _usd(side.nanodollars) + (f" ({', '.join(notes)})" if notes else "")


def _rate(rate: Estimate) -> str:
    if rate.estimate is None:
        return f"{OPEN} (n = 0)"
    return f"{rate.estimate:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _points(effect: float) -> str:
    return f"{100 * effect:g} point{'' if effect == 0.01 else 's'}"


def _usd(nanodollars: int) -> str:
    return f"${nanodollars / _NANO:.4f}"


def _number(value: int) -> str:
    return f"{value:,}"


def _wrapped(text: str, indent: str = "  ", *, first: str = "") -> Iterator[str]:
    yield from textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=indent)
