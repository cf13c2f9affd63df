"""Drift of a rung: an e-detector over its labels, fresh for every edition, prompt and model, and what changed when it rings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import msgspec
from msgspec import Struct

from surefoot.learning.standing import CERTIFYING
from surefoot.records import Checked, Draft, Incident, JournalEntry, Label, Read
from surefoot.stats.intervals import clopper_pearson
from surefoot.stats.sequential import Detector

_SHIFTED = 0.15  # least change of a mean score, or of a share, that is told


class Watched(Struct, frozen=True, kw_only=True):
    """One label with what its request looked like."""

    label: Label
    model: str = ""
    prompt: str = ""
    input_tokens: int = 0
    tenant: str = ""
    signals: Mapping[str, float] = {}


def watched(label: Label, entry: JournalEntry | None) -> Watched:
    """A label beside its journal entry, as far as that is there."""
    model, prompt, tokens = "", "", 0
    signals: dict[str, float] = {}
    for step in entry.steps if entry is not None else ():
        match step.value:
            case Read():
                prompt, tokens = step.value.question.prompt, step.value.question.input_tokens
            case Draft() if step.rung == label.rung:
                model = step.value.model
            case Checked() if step.rung == label.rung:
                signals = {s.name: s.score for s in step.value.evidence.signals if s.score is not None}
            case _:
                pass
    return Watched(
        label=label, model=model, prompt=prompt, input_tokens=tokens, tenant=label.tenant, signals=signals
    )  # fmt: skip


def incidents(seen: Sequence[Watched], *, limit: float) -> tuple[Incident, ...]:
    """Every alarm in the labels of one feature, oldest first.

    Args:
        seen: labels with what is known of their requests, in the order they came; only blind ones with a propensity count.
        limit: the share of wrong answers that is promised or, without a promise, that the bar allows.
    """
    detectors: dict[tuple[str, str, str, str], Detector] = {}
    least: dict[tuple[str, str, str, str], float] = {}
    found = []
    counted = [each for each in seen if each.label.source in CERTIFYING and each.label.propensity]
    for each in counted:
        label = each.label
        key = (label.rung, label.edition, each.model, each.prompt)
        share = label.propensity or 1.0
        least[key] = min(share, least.get(key, share))
        detector = detectors.get(key, Detector(limit=limit)).seen(not label.accepted, least[key] / share)
        if detector.alarm:
            found.append(_incident(each, detector, [other for other in counted if other.label.rung == label.rung]))
            detector = Detector(limit=limit)
        detectors[key] = detector
    return tuple(found)


def _incident(at: Watched, detector: Detector, seen: Sequence[Watched]) -> Incident:
    """The alarm with the labels before and after the most likely beginning of the change."""
    until = [each for each in seen if each.label.at_ns <= at.label.at_ns]
    begin = _change(until[-detector.n :], detector.limit) + max(0, len(until) - detector.n)
    before, after = until[:begin], until[begin:]
    detail = {
        "limit": detector.limit,
        "labels_since_start": detector.n,
        "before": _wrong(before),
        "after": _wrong(after),
        "changed": [
            *_shares("model", before, after, lambda each: each.model),
            *_shares("prompt", before, after, lambda each: each.prompt),
            *_shares("tenant", before, after, lambda each: each.tenant),
            *_shares("edition", before, after, lambda each: each.label.edition),
            *_means(before, after),
        ],
    }
    return Incident(
        id=f"inc_{at.label.id}", at_ns=at.label.at_ns, feature=at.label.feature, rung=at.label.rung, kind="drift",
        detail=msgspec.json.encode(detail).decode(),
    )  # fmt: skip


def _change(seen: Sequence[Watched], limit: float) -> int:
    """Where the wrong answers began to be too many: the start of the largest excess over the limit (Page's cusum)."""
    excess, best, start, began = 0.0, 0.0, 0, 0
    for place, each in enumerate(seen):
        excess += float(not each.label.accepted) - limit
        if excess <= 0:
            excess, start = 0.0, place + 1
        elif excess >= best:
            best, began = excess, start
    return began


def _wrong(seen: Sequence[Watched]) -> dict[str, object]:
    rate = clopper_pearson(sum(not each.label.accepted for each in seen), len(seen))
    return {"wrong": rate.estimate, "low": rate.low, "high": rate.high, "n": rate.n}


def _shares(
    name: str, before: Sequence[Watched], after: Sequence[Watched], of: Callable[[Watched], str]
) -> list[dict[str, object]]:
    """Values whose share of the labels moved."""
    if not before or not after:
        return []
    old, new = Counter(map(of, before)), Counter(map(of, after))
    moved = []
    for value in sorted({*old, *new}):
        was, now = old[value] / len(before), new[value] / len(after)
        if value and abs(now - was) >= _SHIFTED:
            moved.append({"what": name, "value": value, "share_before": round(was, 3), "share_after": round(now, 3)})
    return moved


def _means(before: Sequence[Watched], after: Sequence[Watched]) -> list[dict[str, object]]:
    """Signals whose mean moved."""
    moved = []
    for name in sorted({name for each in (*before, *after) for name in each.signals}):
        was = [each.signals[name] for each in before if name in each.signals]
        now = [each.signals[name] for each in after if name in each.signals]
        if was and now and abs(sum(now) / len(now) - sum(was) / len(was)) >= _SHIFTED:
            moved.append(
                {"what": "signal", "value": name, "mean_before": sum(was) / len(was), "mean_after": sum(now) / len(now)}
            )
    return moved
