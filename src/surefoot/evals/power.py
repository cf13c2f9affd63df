"""What a gate can see before it runs: how many items an effect takes, and how likely it is seen with those that there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from surefoot.stats.paired import items_needed, power_of

DISCORDANCE = 0.1  # share of items on which two policies are taken to differ, until some were run
POWER = 0.8
EARLY = 0.1  # share of the doubt that is spent on looking after every item
_STEP = 1.0  # by which a sum of scores changes


class Power(Struct, frozen=True, kw_only=True):
    """The plan of one question: an effect, what items are taken to be like, and what follows."""

    effect: float  # distance from the bound that shall be seen, above 0
    variance: float  # of one item's value
    needed: int | None  # items, as many as groups; None: more than a million
    needed_alone: int | None  # by the usual formula: one look at the end
    needed_grouped: int | None  # if the items of each group went alike
    items: int  # that there are
    power: float  # with these, if items count as independent
    assurance: float
    early: float


def plan(effect: float, variance: float, sizes: Sequence[int], *, assurance: float, early: float = EARLY) -> Power:
    """The plan for groups of these sizes.

    Args:
        effect: above 0.
        variance: of one item's value, at least 0.
        sizes: items of each group; () when there are none yet.
        assurance: 1 - alpha of the two-sided decision, in (0, 1).
        early: share of alpha that is spent on stopping early, in [0, 1).
    Raises: ValueError for numbers out of range.
    """
    if effect <= 0 or not 0 <= early < 1:
        raise ValueError(f"effect {effect}, early {early}")
    final = final_assurance(assurance, early)
    total = sum(sizes)
    alike = sum(size * size for size in sizes) / total if total else 1.0
    needed = items_needed(effect, variance, assurance=final, power=POWER, step=_STEP)
    return Power(
        effect=effect, variance=variance, needed=needed,
        needed_alone=items_needed(effect, variance, assurance=assurance, power=POWER),
        needed_grouped=items_needed(effect, variance * alike, assurance=final, power=POWER, step=_STEP),
        items=total, power=power_of(total, effect, variance, assurance=final, step=_STEP), assurance=assurance, early=early,
    )  # fmt: skip


def final_assurance(assurance: float, early: float) -> float:
    """The assurance of the one look at the end: the doubt that was not spent on looking before."""
    return 1 - (1 - assurance) * (1 - early)


def paired_variance(difference: float, discordance: float = DISCORDANCE) -> float:
    """Of one item's paired difference in {-1, 0, 1}: the share that differs less the squared mean; at least 0."""
    return max(0.0, max(discordance, abs(difference)) - difference**2)


def sizes_of(groups: Sequence[str]) -> tuple[int, ...]:
    """The number of items in each group, in the order in which groups first come."""
    return tuple(Counter(groups).values())
