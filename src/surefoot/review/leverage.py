"""What one answer is worth: cases resolved per human minute, by earlier answers, and the time that saves.

A case counts as answered along with another when a person confirmed for it an answer that was written for that other case,
waiting beside it or answered before it came, word for word or edited. Where that happened stands in the answer's meaning, in
one way of writing. A question that the cache answers with what a person once said never becomes a case; it is counted beside.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from surefoot.review.agreement import Work
from surefoot.stats import Estimate, clopper_pearson
from surefoot.stats.arrays import Floats

_LEAST = 5  # answers written before a time per case is spoken of
_RESAMPLES = 1000
_ALONG = re.compile(r"\bas (before )?for ([^\s,]+)(, edited)?(, in bulk)?")
_SHARED = 0.5  # share of words from which on a text is an earlier answer, edited


class Along(Struct, frozen=True, kw_only=True):
    """For which other case an answer was written."""

    case_id: str = ""  # "" for a case that was answered for itself
    before: bool = False  # whether that one was answered before this one came
    edited: bool = False  # whether it was not given word for word
    bulk: bool = False  # whether nobody looked at this member: it teaches nothing


class Span(Struct, frozen=True, kw_only=True):
    """A figure with its 95 % interval; all None when it is not known."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0  # answers it rests on


class Leverage(Struct, frozen=True, kw_only=True):
    """What people did, and what their answers did."""

    resolved: int  # cases
    written: int  # of them answered for themselves
    along: int  # answered along with another that waited at the same time
    again: int  # newcomers that an earlier answer resolved
    edited: Estimate  # of along and again: not word for word
    cached: (
        int  # questions that the cache answered with a person's general answer; they are no cases and not in `resolved`
    )
    deflected: Estimate  # again and cached, as a share of what was resolved and cached
    minutes: float | None  # of people, as far as known
    per_answer: Span  # cases resolved by each answer written
    per_minute: Span  # cases resolved in a human minute
    saved_minutes: (
        Span  # what the others and the cached would have taken, each as a case by itself, less what they took
    )


def along_with(case_id: str, *, before: bool = False, edited: bool = False, bulk: bool = False) -> str:
    """How an answer's meaning says that it was written for another case; what each says stands at `Along`."""
    return f"as {'before ' if before else ''}for {case_id}{', edited' if edited else ''}{', in bulk' if bulk else ''}"


def read_along(meaning: str) -> Along:
    """What a meaning says of another case; an empty one for a case of its own."""
    found = _ALONG.search(meaning)
    if found is None:
        return Along()
    before, case_id, edited, bulk = found.groups()
    return Along(case_id=case_id, before=before is not None, edited=edited is not None, bulk=bulk is not None)


def is_edit(text: str, earlier: str) -> bool:
    """Whether a text is an earlier one that was edited: at least half of both texts' words are shared, however often each."""
    mine, theirs = (Counter(said.casefold().split()) for said in (text, earlier))
    both = mine.total() + theirs.total()
    return both > 0 and 2 * (mine & theirs).total() >= _SHARED * both


def leverage(work: Sequence[Work], *, cached: Mapping[str, int] | None = None, seed: int = 0) -> Leverage:
    """The report over answers in any order; questions back resolve nothing and cost their time.

    Intervals are percentiles of a bootstrap over written answers, each with all that it resolved (1,000 resamples). Times
    are spoken of from five written answers on, and only when every answer's time is known.

    Args:
        work: what people answered.
        cached: by the case that was answered, how many questions the cache answered with that answer.
        seed: of the resamples.
    """
    cached = cached or {}
    done = [each for each in work if each.verb != "ask"]
    again = sum(each.again for each in done)
    along = sum(bool(each.along_with) for each in done) - again
    edited = sum(bool(each.along_with) and each.edited for each in done)
    known = [each.seconds for each in work if each.seconds is not None]
    hits = sum(cached.values())
    rows = _rows(work, cached)
    drawn = np.random.default_rng(seed).integers(0, max(len(rows), 1), size=(_RESAMPLES, len(rows)))
    written = len(done) - along - again
    timed = written >= _LEAST and len(known) == len(work)
    sums = rows.sum(axis=0)[None]
    # One resample after the other: all at once is gigabytes for a busy desk.
    resampled = np.stack([rows[each].sum(axis=0) for each in drawn])
    return Leverage(
        resolved=len(done), written=written, along=along, again=again, edited=clopper_pearson(edited, along + again),
        cached=hits, deflected=clopper_pearson(again + hits, len(done) + hits),
        minutes=sum(known) / 60 if known else None,
        per_answer=_span(_per_answer(sums), _per_answer(resampled), written),
        per_minute=_span(_per_minute(sums), _per_minute(resampled), written) if timed else Span(n=written),
        saved_minutes=_span(_saved(sums), _saved(resampled), written) if timed else Span(n=written),
    )  # fmt: skip


def _rows(work: Sequence[Work], cached: Mapping[str, int]) -> Floats:
    """A row for each written answer: (its own cases, minutes for them, other cases, minutes for those, cached questions)."""
    rows: dict[str, list[float]] = {}
    for each in work:
        row = rows.setdefault(each.along_with or each.case_id, [0.0] * 5)
        place = 2 if each.along_with else 0
        row[place] += each.verb != "ask"
        row[place + 1] += (each.seconds or 0.0) / 60
    for case_id, hits in cached.items():
        rows.setdefault(case_id, [0.0] * 5)[4] += hits
    return np.array(list(rows.values()), dtype=np.float64).reshape(-1, 5)


def _per_answer(sums: Floats) -> Floats:
    own, _, others, _, _ = sums.T
    return _divided(own + others, own)


def _per_minute(sums: Floats) -> Floats:
    own, own_minutes, others, other_minutes, _ = sums.T
    return _divided(own + others, own_minutes + other_minutes)


def _saved(sums: Floats) -> Floats:
    own, own_minutes, others, other_minutes, cached = sums.T
    return np.asarray((others + cached) * _divided(own_minutes, own) - other_minutes, dtype=np.float64)


def _divided(one: Floats, other: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(other > 0, one / other, np.nan), dtype=np.float64)


def _span(value: Floats, resampled: Floats, n: int) -> Span:
    finite = resampled[np.isfinite(resampled)]
    if not np.isfinite(value[0]) or not finite.size:
        return Span(n=n)
    low, high = np.quantile(finite, [0.025, 0.975])
    return Span(value=float(value[0]), low=float(low), high=float(high), n=n)
