"""Variation: how often the answers to one request differ in meaning, where, and how many must be asked to pin one down.

No model compares them. Two answers mean the same when they state the same final answer or value, or else when neither number,
date, name nor polarity speaks against it and what one of them says is in the other. Paraphrases in other words count as
different, and small changes of sense may count as the same: it is a count of heuristically told meanings, and says so
wherever it is shown.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from msgspec import Struct

from surefoot.review.differences import NONE, Asked, Difference, differences, facts
from surefoot.signals.final_answer import agree, final_answer
from surefoot.signals.grounding import ground
from surefoot.signals.likeness import likeness
from surefoot.signals.values import unfenced
from surefoot.stats import Estimate, clopper_pearson
from surefoot.stats.binomial import binomial_p

SAME_WORDS = 0.6  # Dice's coefficient of words and pairs from which on two texts without a difference are the same
SAID_THERE = 0.5  # mean support of one's sentences by the other from which on they are
PINNED = 0.95  # probability that a majority shall have
_MOST_ASKED = 99  # answers for a majority
_SHORT_WORDS = 3  # an answer so short is its own final answer
_EITHER_SIDE = ("number", "date", "name")  # of these only what stands on both sides is a contradiction
_STATED = re.compile(
    r"""["'](?:final[_ ]?)?answer["']\s*:|^####|\\boxed|\banswer(?:\*\*)?[ \t]*(?:is|:|=)""",
    re.IGNORECASE | re.MULTILINE,
)
_SHOWN = 160  # characters of a sentence
_ASSURANCE = 0.95


class Said(Struct, frozen=True, kw_only=True):
    """One answer."""

    text: str
    nanodollars: int = 0


class Meaning(Struct, frozen=True, kw_only=True):
    """Answers that mean the same."""

    text: str  # the first of them
    count: int
    apart: tuple[str, ...] = ()  # where it differs from the most frequent one; () for that one itself


class Majority(Struct, frozen=True, kw_only=True):
    """How many answers a majority takes to be the most frequent meaning with 95 %."""

    asked: int | None  # odd; None: no majority of at most 99 does, or it is not known
    nanodollars: int | None  # of so many answers


class Spread(Struct, frozen=True, kw_only=True):
    """The answers to one request at one temperature."""

    temperature: float | None  # None: as the request says
    n: int  # answers
    failed: int  # calls without an answer
    meanings: tuple[Meaning, ...]  # most frequent first
    modal: Estimate  # share of the most frequent one; its interval allows for having been chosen
    differ: Estimate  # P(two answers differ in meaning); the interval is of n // 2 independent pairs
    unseen: Estimate  # share of answers whose meaning was not seen yet
    at_least: float | None  # meanings there are at least, on average; None when n = 0
    pinned: Majority  # at the share that was seen
    pinned_low: Majority  # at the low end of its interval
    nanodollars: int


def means_same(one: str, other: str) -> bool | None:
    """Whether two answers mean the same, as far as words tell; None when either is empty."""
    if not one.strip() or not other.strip():
        return None
    same = agree(one, other)
    if same == 1.0:
        return True
    if same == 0.0 and all(_states(text) for text in (one, other)):
        return False
    if same is None and (_withheld(one, other) or _withheld(other, one)):
        return False
    if all(unfenced(text.strip())[:1] in ("{", "[") for text in (one, other)):
        return likeness(one, other) == 1.0
    if contradictions(one, other):
        return False
    if _dice(one, other) >= SAME_WORDS:
        return True
    return max(_support(one, other), _support(other, one)) >= SAID_THERE


def contradictions(one: str, other: str) -> tuple[Difference, ...]:
    """What speaks against their being the same: another number, date or name, an opposite, a negation on one side only."""
    found = differences(*(facts(Asked(id=name, text=text)) for name, text in (("one", one), ("other", other))))
    return tuple(
        each
        for each in found
        if (each.kind in _EITHER_SIDE and NONE not in (each.here, each.there)) or each.kind in ("negation", "opposite")
    )  # fmt: skip


def spread(answers: Sequence[Said], *, temperature: float | None = None, failed: int = 0) -> Spread:
    """What the answers at one temperature come to; empty ones count as one meaning of their own.

    Source: unseen share by Good (1953), Biometrika 40, with Esty's (1983) variance, Annals of Statistics 11; number of meanings
        by Chao's (1984) lower bound, bias-corrected; the modal share by Clopper and Pearson, Bonferroni over what was seen.
    """
    groups = _grouped([each.text for each in answers])
    n, counts = len(answers), [len(group) for group in groups]
    modal = clopper_pearson(counts[0], n, assurance=1 - (1 - _ASSURANCE) / len(counts)) if n else clopper_pearson(0, 0)
    paid = sum(each.nanodollars for each in answers)
    first = groups[0][0] if groups else ""
    meanings = tuple(
        Meaning(text=group[0], count=len(group), apart=() if place == 0 else _apart(first, group[0]))
        for place, group in enumerate(groups)
    )  # fmt: skip
    each = paid / n if n else None
    return Spread(
        temperature=temperature, n=n, failed=failed, meanings=meanings, modal=modal, differ=_differ(answers, counts),
        unseen=_unseen(counts, n), at_least=_chao(counts) if n else None, pinned=majority(modal.estimate, each),
        pinned_low=majority(modal.low if n else None, each), nanodollars=paid,
    )  # fmt: skip


def majority(share: float | None, nanodollars: float | None) -> Majority:
    """The least odd number of answers of which more than half mean the most frequent thing, with PINNED probability.

    Args:
        share: of that meaning; None: unknown.
        nanodollars: of one answer.
    """
    if share is None or share <= 0.5:
        return Majority(asked=None, nanodollars=None)
    for asked in range(1, _MOST_ASKED + 1, 2):
        lost = 0.0 if share >= 1 else binomial_p(asked // 2, asked, share)
        if 1 - lost >= PINNED:
            return Majority(asked=asked, nanodollars=None if nanodollars is None else round(nanodollars * asked))
    return Majority(asked=None, nanodollars=None)


def _grouped(texts: Sequence[str]) -> list[list[str]]:
    """Texts by meaning, most frequent first: each joins the first group whose first text means the same."""
    groups: list[list[str]] = []
    for text in texts:
        for group in groups:
            if text == group[0] or (not text.strip() and not group[0].strip()) or means_same(group[0], text):
                group.append(text)
                break
        else:
            groups.append([text])
    return sorted(groups, key=len, reverse=True)


def _differ(answers: Sequence[Said], counts: Sequence[int]) -> Estimate:
    n = len(answers)
    if n < 2:
        return clopper_pearson(0, 0)
    estimate = 1 - sum(count * (count - 1) for count in counts) / (n * (n - 1))
    pairs = n // 2
    interval = clopper_pearson(round(estimate * pairs), pairs)
    return Estimate(estimate=estimate, low=min(interval.low, estimate), high=max(interval.high, estimate), n=pairs)


def _unseen(counts: Sequence[int], n: int) -> Estimate:
    if n == 0:
        return clopper_pearson(0, 0)
    once, twice = counts.count(1), counts.count(2)
    share = once / n
    half = 1.959963984540054 * math.sqrt(once * (1 - share) + 2 * twice) / n
    most = 1 - (1 - _ASSURANCE) ** (1 / n)  # of one meaning that n answers did not show
    return Estimate(estimate=share, low=max(0.0, share - half), high=min(1.0, max(share + half, most)), n=n)


def _chao(counts: Sequence[int]) -> float:
    once, twice = counts.count(1), counts.count(2)
    n = sum(counts)
    return len(counts) + (n - 1) / n * once * (once - 1) / (2 * (twice + 1))


def _states(text: str) -> bool:
    return _STATED.search(text) is not None or len(text.split()) <= _SHORT_WORDS


def _withheld(stating: str, other: str) -> bool:
    """Whether one text states a final answer and the other neither states one nor contains it."""
    if _STATED.search(stating) is None or final_answer(other) is not None:
        return False
    value = final_answer(stating)
    return value is not None and value.casefold() not in other.casefold().replace(",", "")


def _dice(one: str, other: str) -> float:
    """Likeness of the wording alone: two short texts are no final answers here."""
    found = likeness(f"{one}\n.", f"{other}\n.")
    return 0.0 if found is None else found


def _support(said: str, by: str) -> float:
    found = ground(said, [by])
    return 0.0 if found is None else dict(found.signals)["grounded.mean"]


def _apart(modal: str, text: str) -> tuple[str, ...]:
    """Where a text differs from the most frequent one: contradictions first, else what of it the other does not say."""
    if not text.strip():
        return ("it says nothing",)
    found = [str(each) for each in contradictions(modal, text)]
    grounding = ground(text, [modal]) if modal.strip() else None
    for each in grounding.sentences if grounding is not None else ():
        if not each.supported and len(found) < 3:
            found.append(f'says: "{" ".join(text[each.start : each.end].split())[:_SHOWN]}"')
    return tuple(found) or (f'says: "{" ".join(text.split())[:_SHOWN]}"',)
