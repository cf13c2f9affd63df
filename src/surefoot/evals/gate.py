"""The CI gate: pass, fail or not enough data, from the scores of the same items under two policies.

Two questions, together or alone: is the candidate worse than the other policy by more than a margin, and is it right often
enough. Each has a bound; the gate passes when all intervals lie above theirs, fails when one lies below, and otherwise says
how many items are missing. The doubt (1 - assurance) is split: a tenth is spent on bets that may be looked at after every
group, so that a run may stop early, the rest on one interval at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec import Struct

from surefoot.evals.power import EARLY, POWER, Power, final_assurance, paired_variance, plan, sizes_of
from surefoot.stats import Estimate
from surefoot.stats.betting import Bounded, certain_ends, wealth_above, wealth_below
from surefoot.stats.paired import (
    Grouped,
    as_estimate,
    difference_of,
    items_needed,
    rate_of,
    sampling_share,
)

PASS, FAIL, OPEN = "pass", "fail", "not enough data"
EXIT = {PASS: 0, FAIL: 1, OPEN: 2}
PILOT = 50  # items after which the plan is made anew from what they were like
AGAINST, FLOOR = "against", "at least"


class Rules(Struct, frozen=True, kw_only=True):
    """What is asked of a candidate."""

    margin: float | None = 0.03  # that it may be worse than the other policy; None: it is compared with none
    at_least: float | None = None  # share of items it must get right; None: not asked
    assurance: float = 0.95  # of each verdict; half of the doubt is on either side
    effect: float = 0.03  # distance from the bound that shall be seen
    discordance: float = 0.1  # share of items on which the two are taken to differ before the run
    early: float = EARLY  # share of the doubt for stopping early; 0: one look at the end
    most_missing: float = 0.05  # share of items without a score, above which nothing is said
    samples: int = 1  # how often each item is asked


class Item(Struct, frozen=True, kw_only=True):
    """One item's scores: by sample 1 for right and 0 for wrong. One side empty, it is missing."""

    id: str
    group: str
    candidate: tuple[float, ...] = ()
    other: tuple[float, ...] = ()


class Finding(Struct, frozen=True, kw_only=True):
    """Where one question stands."""

    kind: str  # AGAINST | FLOOR
    bound: float  # what must lie below the interval: minus the margin, or the floor
    state: str  # PASS | FAIL | OPEN
    estimate: float | None
    low: float
    high: float
    n: int
    groups: int
    early: bool  # whether it was settled before the end; the interval then holds at every look
    design_effect: float | None
    apart: float  # share of items on which the two differ; of a floor 0
    more_items: int | None  # until it is settled with 80 % power; 0: it is; None: unknown
    power: Power


class Verdict(Struct, frozen=True, kw_only=True):
    """What the gate says."""

    state: str
    reason: str
    findings: tuple[Finding, ...]
    tried: int  # items
    missing: int  # of them without a score
    candidate: Estimate  # share right, of items with a score
    other: Estimate | None  # None: compared with none
    sampling: float | None  # share of a difference's variance that more samples would remove; None: one sample
    worse: tuple[str, ...] = ()  # ids that the other got right (more often), largest difference first
    better: tuple[str, ...] = ()


def plans(rules: Rules, groups: Sequence[str]) -> tuple[Power, ...]:
    """The power of each question for items of these groups, before any is run. Raises ValueError for rules out of range."""
    sizes = sizes_of(groups)
    return tuple(
        plan(rules.effect, _declared(rules, kind), sizes, assurance=rules.assurance, early=rules.early)
        for kind in _kinds(rules)
    )


def look(items: Sequence[Item], rules: Rules, largest: int, settled: dict[str, Finding]) -> str | None:
    """PASS or FAIL when the bets have settled it, else None; what they settle goes into `settled` and stays.

    Args:
        items: of whole groups, in an order that does not depend on scores.
        largest: items of the largest group that may come.
        settled: by kind, what an earlier look settled.
    """
    have = _scored(items, rules)
    if rules.early <= 0 or not have or len(have) < (1 - rules.most_missing) * len(items):
        return None
    for kind in _kinds(rules):
        if kind not in settled:
            finding = _early(have, rules, kind, largest)
            if finding is not None:
                settled[kind] = finding
    if any(each.state == FAIL for each in settled.values()):
        return FAIL
    return PASS if len(settled) == len(_kinds(rules)) else None


def conclude(
    items: Sequence[Item], rules: Rules, settled: dict[str, Finding], *, whole: bool, stopped: str = ""
) -> Verdict:
    """The verdict.

    Args:
        items: all that were tried.
        settled: what earlier looks settled.
        whole: whether all planned items were run: only then is there a look at the end.
        stopped: why not, for the reason.
    """
    have = _scored(items, rules)
    found = tuple(settled.get(kind) or _final(have, rules, kind, whole=whole) for kind in _kinds(rules))
    missing = len(items) - len(have)
    state, reason = _said(found, missing, len(items), rules, stopped)
    groups = [item.group for item in have]
    paired = rules.margin is not None
    candidate = as_estimate(rate_of([_mean(item.candidate) for item in have], groups, samples=rules.samples))
    other = (
        as_estimate(rate_of([_mean(item.other) for item in have], groups, samples=rules.samples)) if paired else None
    )
    worse, better = _moved(have) if paired else ((), ())
    return Verdict(
        state=state, reason=reason, findings=found, tried=len(items), missing=missing, candidate=candidate, other=other,
        sampling=_sampling(have, rules), worse=worse, better=better,
    )  # fmt: skip


def apart_so_far(items: Sequence[Item], rules: Rules) -> Power | None:
    """The plan anew, from how often the two differed on the items so far, not from which was better; None without any."""
    have = _scored(items, rules)
    if rules.margin is None or not have:
        return None
    found = _grouped(have, rules, AGAINST, rules.assurance)
    variance = max(paired_variance(0.0, found.apart), 1 / len(have)) * (found.design_effect or 1.0)
    return plan(rules.effect, variance, (1,) * len(have), assurance=rules.assurance, early=rules.early)


def _kinds(rules: Rules) -> tuple[str, ...]:
    return (*((AGAINST,) if rules.margin is not None else ()), *((FLOOR,) if rules.at_least is not None else ()))


def _bound(rules: Rules, kind: str) -> float:
    return -(rules.margin or 0.0) if kind == AGAINST else rules.at_least or 0.0


def _declared(rules: Rules, kind: str) -> float:
    """The variance that one item is taken to have before the run."""
    bound = _bound(rules, kind)
    if kind == AGAINST:
        return paired_variance(bound + rules.effect, rules.discordance)
    hoped = min(bound + rules.effect, 1.0)
    return max(bound * (1 - bound), hoped * (1 - hoped))


def _scored(items: Sequence[Item], rules: Rules) -> list[Item]:
    return [item for item in items if item.candidate and (rules.margin is None or item.other)]


def _mean(scores: Sequence[float]) -> float:
    return math.fsum(scores) / len(scores)


def _value(item: Item, kind: str) -> float:
    return _mean(item.candidate) - (_mean(item.other) if kind == AGAINST else 0.0)


def _grouped(have: Sequence[Item], rules: Rules, kind: str, assurance: float) -> Grouped:
    measure: Callable[..., Grouped] = difference_of if kind == AGAINST else rate_of
    values, groups = [_value(item, kind) for item in have], [item.group for item in have]
    return measure(values, groups, assurance=assurance, samples=rules.samples)


def _early(have: Sequence[Item], rules: Rules, kind: str, largest: int) -> Finding | None:
    sums: dict[str, float] = {}
    sizes: dict[str, int] = {}
    for item in have:
        sums[item.group] = sums.get(item.group, 0.0) + _value(item, kind)
        sizes[item.group] = sizes.get(item.group, 0) + 1
    of, bound = Bounded(least=-1.0 if kind == AGAINST else 0.0, most=1.0, largest=largest), _bound(rules, kind)
    doubt = (1 - rules.assurance) * rules.early
    totals, counts = list(sums.values()), list(sizes.values())
    if wealth_above(totals, counts, bound, of) >= -math.log(doubt / 2):
        state = PASS
    elif wealth_below(totals, counts, bound, of) >= -math.log(doubt / 2):
        state = FAIL
    else:
        return None
    low, high = certain_ends(totals, counts, of, assurance=1 - doubt)
    found = _grouped(have, rules, kind, rules.assurance)
    return Finding(
        kind=kind, bound=bound, state=state, estimate=found.mean, low=low, high=high, n=found.n, groups=found.groups,
        early=True, design_effect=found.design_effect, apart=found.apart, more_items=0,
        power=_power(have, rules, kind),
    )  # fmt: skip


def _final(have: Sequence[Item], rules: Rules, kind: str, *, whole: bool) -> Finding:
    bound = _bound(rules, kind)
    found = _grouped(have, rules, kind, final_assurance(rules.assurance, rules.early))
    state = OPEN
    if whole and found.mean is not None:
        state = PASS if found.low > bound else FAIL if found.high < bound else OPEN
    return Finding(
        kind=kind, bound=bound, state=state, estimate=found.mean, low=found.low, high=found.high, n=found.n,
        groups=found.groups, early=False, design_effect=found.design_effect, apart=found.apart,
        more_items=0 if state != OPEN else _more(found, rules, kind), power=_power(have, rules, kind),
    )  # fmt: skip


def _power(have: Sequence[Item], rules: Rules, kind: str) -> Power:
    sizes = sizes_of([item.group for item in have])
    return plan(rules.effect, _declared(rules, kind), sizes, assurance=rules.assurance, early=rules.early)


def _more(found: Grouped, rules: Rules, kind: str) -> int | None:
    """How many more items: for the effect that was planned; where there are as many already, for the one that was seen.

    Items are taken to be as those so far, with as many more as are declared while there are few.
    """
    bound, n = _bound(rules, kind), found.n
    final = final_assurance(rules.assurance, rules.early)
    declared = _declared(rules, kind)
    if found.mean is None:
        return items_needed(rules.effect, declared, assurance=final, power=POWER)
    seen = paired_variance(found.mean, found.apart) if kind == AGAINST else found.mean * (1 - found.mean)
    weight = n / (n + PILOT)
    variance = (weight * seen + (1 - weight) * declared) * (found.design_effect or 1.0)
    for effect in (rules.effect, abs(found.mean - bound)):
        needed = items_needed(effect, variance, assurance=final, power=POWER)
        if needed is not None and needed > n:
            return needed - n
    return None


def _said(found: Sequence[Finding], missing: int, tried: int, rules: Rules, stopped: str) -> tuple[str, str]:
    if missing > rules.most_missing * tried:
        return OPEN, f"{missing} of {tried} items have no score, more than {rules.most_missing:.0%}"
    failed = [each for each in found if each.state == FAIL]
    if failed:
        return FAIL, "; ".join(map(_why, failed))
    opened = [each for each in found if each.state == OPEN]
    if opened:
        return OPEN, "; ".join([*([stopped] if stopped else []), *map(_why, opened)])
    return PASS, "; ".join(map(_why, found))


def _why(each: Finding) -> str:
    if each.estimate is None:
        return "no item has a score"
    where = {PASS: "lies above", FAIL: "lies below", OPEN: "contains"}[each.state]
    unit = "the bound" if each.kind == AGAINST else "the floor"
    sign = "+" if each.kind == AGAINST else ""
    return f"[{each.low:{sign}.1%}, {each.high:{sign}.1%}] {where} {unit}, {each.bound:{sign}.1%}"


def _sampling(have: Sequence[Item], rules: Rules) -> float | None:
    if rules.samples < 2:
        return None
    others = [item.other if rules.margin is not None else (0.0,) * len(item.candidate) for item in have]
    found = sampling_share([item.candidate for item in have], others)
    if found is None or found[1] <= 0:
        return None
    return min(1.0, found[0] / rules.samples / found[1])


def _moved(have: Sequence[Item]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    changed = sorted((_value(item, AGAINST), item.id) for item in have)
    worse = tuple(name for value, name in changed if value < 0)
    better = tuple(name for value, name in reversed(changed) if value > 0)
    return worse, better
