"""What if another policy had served: each question answered from the journal, or said to have no answer in it. Pure.

A request is *exact* where the replayed page reads nothing but what the journal holds. Where a lot with a known propensity
decided against what the candidate needs it is *estimated* from those that the lot favoured (`stats.offpolicy`). Where no lot
could have shown it the share is *not identifiable*: then there is no number, only the ends between which it must lie.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.evals.columns import Columns, Row
from surefoot.evals.paths import BLIND, MISSED
from surefoot.stats import Estimate, Mean, clopper_pearson
from surefoot.stats.arrays import Floats
from surefoot.stats.offpolicy import Worth, by_group, cross_fitted, ratio

EXACT, ESTIMATED, UNIDENTIFIED, NO_DATA = "exact", "estimated", "not identifiable", "not enough data"
AUTOMATION, ERROR, MODELS = "automation", "delivered error", "model cost"
MINUTES, COST, WAITING = "human minutes", "cost", "provider seconds"

SHOWN = 200  # changed requests that are listed
_LABELS, _BOTH = 40, 10  # labels, and of either kind, below which predictions are not trusted with a coefficient
_HUNDRED, _MINUTE, _HOUR = 100, 60, 3600


class Answer(Struct, frozen=True, kw_only=True):
    """One question under one policy."""

    state: str  # EXACT | ESTIMATED | UNIDENTIFIED | NO_DATA
    estimate: float | None  # None unless exact or estimated
    low: float | None  # of 95 %; where it is not identifiable, of what it can be at all; None: no such end
    high: float | None
    n: int  # requests, or labels, that say something
    effective_n: float  # (sum of weights)² / sum of their squares


class Question(Struct, frozen=True, kw_only=True):
    """One question, for the policy that serves and for the candidate."""

    name: str
    unit: str
    now: Answer
    then: Answer
    change: Mean | None  # candidate less present, on the same requests; None where either is not known
    fix: str = ""  # what would make it known
    assumes: str = ""  # what is taken for granted


class Changed(Struct, frozen=True, kw_only=True):
    """A request whose end is another one."""

    request_id: str
    at_ns: int
    now: str  # "deliver small", "escalate nurse", ...
    then: str
    p: float | None  # of the draft that the candidate delivers; None: unknown, or none is delivered
    wrong: bool | None  # whether a person judged that draft wrong; None: nobody did
    nanodollars: int | None  # candidate less present, models only


class Terms(Struct, frozen=True, kw_only=True):
    """What a person costs under each policy."""

    handling: Mean  # seconds of a case, as measured; n = 0: nobody knows
    now_hourly: int  # nano-dollars
    then_hourly: int
    now_seconds: float | None = None  # instead of what was measured
    then_seconds: float | None = None


class WhatIf(Struct, frozen=True, kw_only=True):
    """The answers on one feature's requests."""

    feature: str
    requests: int
    seen: Estimate  # share of the requests that the journal holds to the end
    estimated: Estimate  # share that a lot kept from being seen: those like it speak for it
    unidentified: Estimate  # share that no lot could have shown
    missing: dict[str, int]  # of these: what the journal does not hold, most frequent first
    questions: tuple[Question, ...]
    changes: int  # requests whose end is known on both sides, and another one
    changed: tuple[Changed, ...]  # the first of them, worst first
    left_out: int = 0  # requests that were refused or have no answer to judge

    def question(self, name: str) -> Question:
        """The question of a name. Raises KeyError."""
        for each in self.questions:
            if each.name == name:
                return each
        raise KeyError(name)


def what_if(rows: Sequence[Row], terms: Terms, *, feature: str, left_out: int = 0) -> WhatIf:
    """Every question, answered from rows; "not enough data" without any.

    Args:
        rows: each request under the policy that serves and under the candidate.
        terms: what a person costs.
        feature: whose requests.
        left_out: requests that had no answer to judge.
    """
    now, then = Columns.of([row.now for row in rows], rows), Columns.of([row.then for row in rows], rows)
    n, states = len(rows), Counter(row.then.path.state for row in rows)
    missing = Counter(row.then.path.missing for row in rows if row.then.path.state == BLIND)
    blind, missed = states[BLIND], states[MISSED]
    changes = [_changed(row) for row in rows if row.changes]
    return WhatIf(
        feature=feature, requests=n, left_out=left_out, seen=clopper_pearson(n - blind - missed, n),
        estimated=clopper_pearson(missed, n), unidentified=clopper_pearson(blind, n), missing=dict(missing.most_common()),
        questions=_questions(now, then, terms, next(iter(dict(missing.most_common())), "")),
        changes=len(changes), changed=tuple(sorted(changes, key=_badness, reverse=True)[:SHOWN]),
    )  # fmt: skip


def _questions(now: Columns, then: Columns, terms: Terms, missing: str) -> tuple[Question, ...]:
    fix = _fix(missing)
    measured = terms.handling
    seconds = [measured if each is None else _fixed(each) for each in (terms.now_seconds, terms.then_seconds)]
    hourly = (terms.now_hourly, terms.then_hourly)
    handled = f"a new case takes as long as those measured (n = {measured.n})" if terms.then_seconds is None else ""
    return (
        _mean_question(AUTOMATION, "of requests", (now, then), ("delivers", "delivers"), fix=fix, rate=True),
        _error_question(now, then, fix),
        _mean_question(MODELS, "nano-dollars a request", (now, then), ("nanodollars", "nanodollars"), fix=fix),
        _human_question(MINUTES, "a hundred requests", (now, then), seconds, (0, 0), fix=fix, assumes=handled),
        _human_question(COST, "nano-dollars a request", (now, then), seconds, hourly, fix=fix, assumes=handled),
        _mean_question(WAITING, "seconds a request", (now, then), ("seconds", "seconds"), fix=fix),
    )  # fmt: skip


def _fix(missing: str) -> str:
    if not missing:
        return ""
    return (
        f"the journal lacks the {missing}: begin a share of the requests there by lot ([features.NAME.route] explore)"
    )


def _fixed(seconds: float) -> Mean:
    return Mean(value=seconds, low=seconds, high=seconds, n=1)


# --- means -----------------------------------------------------------------------------------------------------------


def _mean_question(
    name: str, unit: str, sides: tuple[Columns, Columns], fields: tuple[str, str], *, fix: str, rate: bool = False
) -> Question:
    values = [side.value(field) for side, field in zip(sides, fields, strict=True)]
    found = [_mean(side, *value, rate=rate) for side, value in zip(sides, values, strict=True)]
    known = all(each.state in (EXACT, ESTIMATED) for each in found)
    change = _difference(sides, [value[0] for value in values]) if known else None
    return Question(
        name=name, unit=unit, now=found[0], then=found[1], change=change, fix=fix if found[1].estimate is None else ""
    )


def _mean(side: Columns, least: Floats, most: Floats | None, *, rate: bool = False) -> Answer:
    """The mean over all requests, or its ends where a part is not identifiable; `most` None: there is no upper end."""
    if not len(side.rows):
        return _nothing(rate=rate)
    low = _estimated(side, least, rate=rate)
    if not side.blind.any():
        return _answer(low, EXACT if side.certain else ESTIMATED)
    high = _estimated(side, most, rate=rate) if most is not None else None
    return Answer(
        state=UNIDENTIFIED, estimate=None, low=low.low if low.low is None else max(0.0, low.low),
        high=high.high if high is not None else None, n=low.n, effective_n=low.effective_n,
    )  # fmt: skip


def _estimated(side: Columns, values: Floats, *, rate: bool = False) -> Worth:
    return ratio(
        side.rows.weight * values, np.ones(len(side.rows)), side.rows, controls=_controls(side, values), rate=rate
    )


def _controls(side: Columns, values: Floats) -> Floats | None:
    """What chance put into the weights, alone and times a prediction; None where no lot decided anything."""
    return None if side.certain else side.rows.controls(cross_fitted(values, side.rows, side.strata))


def _difference(sides: tuple[Columns, Columns], values: Sequence[Floats]) -> Mean | None:
    now, then = sides
    if not len(now.rows):
        return None
    tops = then.rows.weight * values[1] - now.rows.weight * values[0]
    parts = [each for side, value in zip(sides, values, strict=True) if (each := _controls(side, value)) is not None]
    found = ratio(
        tops, np.ones(len(now.rows)), then.rows, controls=np.column_stack(parts) if parts else None,
    )  # fmt: skip
    return _as_mean(found)


def _as_mean(found: Worth) -> Mean:
    return Mean(value=found.estimate, low=found.low, high=found.high, n=found.n)


# --- people ----------------------------------------------------------------------------------------------------------


def _human_question(
    name: str, unit: str, sides: tuple[Columns, Columns], seconds: Sequence[Mean], hourly: tuple[int, int], *, fix: str,
    assumes: str,
) -> Question:  # fmt: skip
    """Minutes of people (hourly 0), or all money: models, and people at their rate."""
    found, values = [], []
    for side, handling, rate in zip(sides, seconds, hourly, strict=True):
        price = rate / _HOUR if rate else _HUNDRED / _MINUTE  # of one second
        least, most = side.value("nanodollars") if rate else (side.zeros(), side.zeros())
        people, possible = side.value("needs_person")
        if handling.value is None and (people.any() or side.blind.any()):
            found.append(_nothing())
            continue
        each = (handling.value or 0.0) * price
        values.append(least + people * each)
        top = None if most is None or possible is None else most + possible * each
        found.append(_widened(_mean(side, values[-1], top), side, handling, price))
    known = len(values) == len(sides) and all(each.state in (EXACT, ESTIMATED) for each in found)
    change = _difference(sides, values) if known else None
    if any(each.state == NO_DATA for each in found):
        fix = "nobody's handling time was measured: say one with --person-minutes"
    return Question(
        name=name, unit=unit, now=found[0], then=found[1], change=change, fix=fix if found[1].estimate is None else "",
        assumes=assumes,
    )  # fmt: skip


def _widened(answer: Answer, side: Columns, handling: Mean, price: float) -> Answer:
    """The interval with what is not known of the handling time in it: independent errors add up as squares."""
    people, possible = side.value("needs_person")
    if answer.low is None or not (people.any() or side.blind.any()):
        return answer
    if handling.low is None or handling.high is None or handling.value is None:
        return Answer(
            state=answer.state, estimate=answer.estimate, low=0.0, high=None, n=answer.n, effective_n=answer.effective_n
        )
    middle = answer.estimate
    share, most = float((side.rows.weight * people).mean()), side.zeros() if possible is None else possible
    wider = (handling.value - handling.low) * price, (handling.high - handling.value) * price
    below, above = wider[0] * share, wider[1] * float((side.rows.weight * most).mean())
    if middle is None:
        low, high = answer.low - below, None if answer.high is None else answer.high + above
    else:
        low = middle - math.hypot(middle - answer.low, below)
        high = None if answer.high is None else middle + math.hypot(answer.high - middle, above)
    return Answer(
        state=answer.state, estimate=middle, low=max(0.0, low), high=high, n=answer.n, effective_n=answer.effective_n
    )  # fmt: skip


# --- the error of what is delivered --------------------------------------------------------------------------------------


class _Judged(Struct, frozen=True):
    """The judged part of the deliveries as a ratio."""

    top: Floats
    below: Floats
    controls: Floats | None
    weight: Floats
    part: float  # of all deliveries that there are or may be: those that could be judged


def _error_question(now: Columns, then: Columns, fix: str) -> Question:
    parts = [_judged(side) for side in (now, then)]
    found = [_error(side, part) for side, part in zip((now, then), parts, strict=True)]
    known = all(each.state in (EXACT, ESTIMATED) for each in found)
    change = _error_change(now, then, parts) if known else None
    if then.blind.any():
        pass
    elif found[1].state == NO_DATA:
        fix = (
            "no delivered draft like these was judged blind: set `audit` and judge what it draws with `surefoot label`"
        )
    elif found[1].state == UNIDENTIFIED:
        fix = "no lot chose some of these drafts to be judged: serve the candidate in observe with `audit` above 0"
    return Question(
        name=ERROR, unit="of deliveries", now=found[0], then=found[1], change=change,
        fix=fix if found[1].estimate is None else "", assumes="what was drawn and not judged yet is like what was",
    )  # fmt: skip


def _judged(side: Columns) -> _Judged:
    """Labels weighed by the start's and by the audit's propensity, and what the calibrated p says of all deliveries.

    Source: `stats.offpolicy`; the p of each draft stands where PPI has its judge.
    """
    path = side.rows.weight
    could = side.delivers * (side.chance > 0)
    label = np.where(side.labelled, 1 / np.where(side.chance > 0, side.chance, 1.0), 0.0) * could
    weight = path * label
    wrong = weight * side.wrong
    every = float((path * (side.delivers + side.blind)).sum())
    part = float((path * could).sum()) / every if every else 0.0
    labels, bad = int((weight > 0).sum()), int((wrong > 0).sum())
    if labels < _LABELS or min(bad, labels - bad) < _BOTH:
        return _Judged(wrong, weight, None, weight, part)
    doubt = np.where(np.isnan(side.p), bad / labels, 1 - side.p)
    surplus = path * could * (label - 1)
    columns = [surplus, surplus * doubt]
    if not side.certain:
        columns += list(side.rows.controls(cross_fitted(could * doubt, side.rows, side.strata)).T)
    return _Judged(wrong, path * could, np.column_stack(columns), weight, part)


def _error(side: Columns, part: _Judged) -> Answer:
    found = ratio(part.top, part.below, side.rows, controls=part.controls, rate=True, carries=part.weight)
    if part.part >= 1 or not (side.delivers.any() or side.blind.any()):
        return _answer(found, ESTIMATED) if found.estimate is not None else _nothing(rate=True)
    low, high = (found.low or 0.0) * part.part, 1 - part.part * (1 - (1.0 if found.high is None else found.high))
    return Answer(state=UNIDENTIFIED, estimate=None, low=low, high=high, n=found.n, effective_n=found.effective_n)


def _error_change(now: Columns, then: Columns, parts: Sequence[_Judged]) -> Mean | None:
    """The difference of two ratios on the same requests, by their influences."""
    influence, middle, controls = np.zeros(len(now.rows)), 0.0, []
    for side, part, sign in ((now, parts[0], -1.0), (then, parts[1], 1.0)):
        found = ratio(part.top, part.below, side.rows, controls=part.controls, rate=True, carries=part.weight)
        if found.estimate is None:
            return None
        whole = float(part.below.mean())
        influence += sign * (part.top - found.estimate * part.below) / whole
        middle += sign * found.estimate
        controls += [] if part.controls is None else [part.controls]
    both = parts[0].weight + parts[1].weight
    found = ratio(
        influence,
        np.ones(len(now.rows)),
        then.rows,
        controls=np.column_stack(controls) if controls else None,
        carries=both,
    )
    if found.low is None or found.high is None or found.estimate is None or not by_group(influence, then.rows).any():
        return Mean(value=middle, low=middle, high=middle, n=found.n)
    return Mean(
        value=middle, low=middle + found.low - found.estimate, high=middle + found.high - found.estimate, n=found.n
    )


# --- the rest ----------------------------------------------------------------------------------------------------------


def _answer(found: Worth, state: str) -> Answer:
    return Answer(
        state=state, estimate=found.estimate, low=found.low, high=found.high, n=found.n, effective_n=found.effective_n
    )


def _nothing(*, rate: bool = False) -> Answer:
    ends = (0.0, 1.0) if rate else (None, None)
    return Answer(state=NO_DATA, estimate=None, low=ends[0], high=ends[1], n=0, effective_n=0.0)


def _changed(row: Row) -> Changed:
    now, then = row.now, row.then
    delivers = then.path.delivers
    return Changed(
        request_id=row.request_id, at_ns=row.at_ns, now=now.path.end, then=then.path.end,
        p=then.path.p if delivers else None, wrong=then.wrong if delivers else None,
        nanodollars=then.nanodollars - now.nanodollars,
    )  # fmt: skip


def _badness(each: Changed) -> tuple[float, int, int]:
    """How bad a change is: a wrong answer that goes out, then the least sure ones, then new cases, then money."""
    risk = 0.0
    if each.then.startswith("deliver"):
        risk = 2.0 if each.wrong else 0.0 if each.wrong is False else 1 - (0.0 if each.p is None else each.p)
    elif each.then.startswith("fail"):
        risk = 1.0
    return risk, int(each.then.startswith("escalate")), each.nanodollars or 0
