"""Drift of a rung: an e-detector over its labels, fresh for every edition, prompt and model, and what changed when it rings."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b

import msgspec
from msgspec import Struct

from surefoot.learning.standing import unit
from surefoot.records import Checked, Draft, Incident, JournalEntry, Label, Read
from surefoot.stats.intervals import clopper_pearson
from surefoot.stats.sequential import Detector

KIND = "drift"  # of incidents
_SHIFTED = 0.15  # least change of a mean score, or of a share, that is told
_KEPT = 2000  # labels of a rung that an alarm looks back on

_Key = tuple[str, str, str, str, str]  # feature, rung, edition, model, prompt


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


class Watch:
    """The detectors of one edition of a feature, and the last labels of each rung, to tell what changed.

    A question whose last label was wrong is not bet on again until it was right: a wrong answer counts once, however often
    it is met. All else counts, repeats too, so that known questions that go wrong are found.
    """

    def __init__(self, *, edition: str, limit: float, raised: Sequence[Incident] = ()) -> None:
        """Watch one edition.

        Args:
            edition: labels of others are what was before.
            limit: the share of wrong answers that is promised or, without a promise, that the bar allows; in (0, 1).
            raised: alarms of this feature so far; a detector goes on after its own last one.
        """
        self._edition, self._limit = edition, limit
        self._raised = {incident.id: incident.at_ns for incident in raised}
        self._detectors: dict[_Key, Detector] = {}
        self._wrong: dict[_Key, set[str]] = {}
        self._alarms: dict[_Key, tuple[int, int]] = {}  # how many so far, and when the last one was
        self._seen: dict[str, deque[Watched]] = {}

    def add(self, each: Watched) -> Incident | None:
        """The alarm that a label raises, if it does. Labels come oldest first, give or take what replicas write late."""
        label = each.label
        counted = unit(label)
        if counted is None:
            return None
        seen = self._seen.setdefault(label.rung, deque(maxlen=_KEPT))
        seen.append(each)
        if label.edition != self._edition:
            return None
        key = (label.feature, label.rung, label.edition, each.model, each.prompt)
        alarms, last = self._alarms.get(key) or self._before(key)
        if label.at_ns <= last or not self._news(key, label):
            return None
        detector = self._detectors.get(key, Detector(limit=self._limit)).seen(counted.wrong, counted.weight)
        self._detectors[key] = detector
        if not detector.alarm:
            return None
        del self._detectors[key]
        self._alarms[key] = (alarms + 1, label.at_ns)
        return _incident(each, detector, list(seen), id=_id(key, alarms + 1))

    def _before(self, key: _Key) -> tuple[int, int]:
        """(how many alarms this detector raised before this process, when the last one was)."""
        count = 0
        while _id(key, count + 1) in self._raised:
            count += 1
        found = (count, self._raised.get(_id(key, count), -1))
        self._alarms[key] = found
        return found

    def _news(self, key: _Key, label: Label) -> bool:
        """Whether the label's question was not wrong when it was last met."""
        wrong = self._wrong.setdefault(key, set())
        known = label.group in wrong
        if label.accepted:
            wrong.discard(label.group)
        else:
            wrong.add(label.group)
        return not known


def last_alarm(raised: Iterable[Incident], *, edition: str) -> int | None:
    """When drift was last found in an edition; None when it never was."""
    times = [
        each.at_ns
        for each in raised
        if each.kind == KIND and msgspec.json.decode(each.detail).get("edition") == edition
    ]
    return max(times, default=None)


def _id(key: _Key, number: int) -> str:
    """The same in every replica, which may find the same alarm one label apart: it is told once."""
    return f"inc_{blake2b(msgspec.json.encode(key), digest_size=8).hexdigest()}_{number}"


def _incident(at: Watched, detector: Detector, seen: Sequence[Watched], *, id: str) -> Incident:
    """The alarm with the labels before and after the most likely beginning of the change."""
    own = max(0, len(seen) - detector.n)
    begin = own + _change(seen[own:], detector.limit)
    before, after = seen[:begin], seen[begin:]
    detail = {
        "limit": detector.limit,
        "edition": at.label.edition,
        "model": at.model,
        "prompt": at.prompt,
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
        id=id, at_ns=at.label.at_ns, feature=at.label.feature, rung=at.label.rung, kind=KIND,
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
