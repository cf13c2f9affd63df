"""Labels and the journal to what can be learned from: judged drafts with the evidence they were judged by.

A label names one draft of one request; the journal holds what the checks saw of it, and of the drafts below it that were
climbed over. So a label teaches about its own rung. What the rungs above would have said is nowhere, and what a draft below
was worth nobody said: it counts as evidence of where the ladder would stop, never as a verdict.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from surefoot.learning.examples import Example, Walk, held_out
from surefoot.learning.ladder import LadderReport, learn_ladder
from surefoot.learning.standing import unit
from surefoot.learning.threshold import Cut
from surefoot.policy import Feature, LearnedFeature, Promise, apply_map
from surefoot.records import Checked, Draft, Evidence, JournalEntry, Label, Signal, Weighed
from surefoot.stats.binomial import binomial_p, labels_needed
from surefoot.stats.sequential import CERTIFIED, OPEN, certify

Signals = Mapping[str, float | None]

_SOURCES = {"audit": 2, "round": 2, "case": 1}  # how far one is to be believed; clients' reports come last
_STEPS, _START = 40, 60  # thresholds tested at most; deliveries at the strictest of them, as in `learning.threshold`
_EVERYWHERE, _NOWHERE = 2.0, -1.0  # above and below every p
_SNAPSHOT = re.compile(r"-(?:\d{4}-\d{2}-\d{2}|\d{8}|\d{4}|latest)$")  # of a name


class Judged(Struct, frozen=True, kw_only=True):
    """A label beside the evidence on its draft."""

    label: Label
    example: Example  # of the labelled draft; its id is the request's
    tried: tuple[tuple[str, Signals], ...] = ()  # (rung, signals) of the drafts that were climbed over before it
    p: float | None = None  # as it was weighed then; None: uncalibrated
    low: float | None = None
    shadow_of: str = ""  # the request whose shadow call gave the draft; "" where the request itself asked for it

    @property
    def asked(self) -> str:
        """The request whose question it is."""
        return self.shadow_of or self.label.request_id


class Gathered(Struct, frozen=True, kw_only=True):
    """What can be learned from, and how many labels had to be left out for which reason."""

    judged: tuple[Judged, ...] = ()
    left_out: Mapping[str, int] = {}

    def examples(self, rung: str) -> list[Example]:
        """The judged drafts of one rung."""
        return [each.example for each in self.judged if each.label.rung == rung]

    @property
    def on_the_way(self) -> tuple[Judged, ...]:
        """Without shadow calls' drafts: what reached its rung, which is what maps are about."""
        return tuple(each for each in self.judged if not each.shadow_of)

    def sources(self) -> dict[str, int]:
        """How many labels came from where."""
        return dict(sorted(Counter(each.label.source for each in self.judged).items()))


def gather_labels(
    labels: Iterable[Label], entries: Mapping[str, JournalEntry], models: Mapping[str, tuple[str, ...]]
) -> Gathered:
    """Labels joined with the journal, one for each group and rung: the latest of the best source.

    Blind labels (audits and rounds) go before those of people who saw how the case stood, these before what clients report;
    of two alike, the one with a known propensity.
    Args:
        labels: of one feature.
        entries: by request id, the journal's entries as far as they are there.
        models: by rung name, which models it means today: a draft of another model says nothing about this one.
    """
    best: dict[tuple[str, str, bool], Judged] = {}
    left: Counter[str] = Counter()
    for label in labels:
        found = _judged(label, entries.get(label.request_id), models)
        if isinstance(found, str):
            left[found] += 1
            continue
        key = (found.example.group, label.rung, bool(found.shadow_of))
        before = best.get(key)
        if before is not None:
            left["repeats of a question"] += 1
        if before is None or _worth(found.label) > _worth(before.label):
            best[key] = found
    judged = sorted(best.values(), key=lambda each: (each.label.at_ns, each.label.id))
    return Gathered(judged=tuple(judged), left_out=dict(left))


def walks_of(judged: Sequence[Judged], rungs: Sequence[str]) -> tuple[Walk, ...]:
    """One walk a request, with a draft only where it was judged."""
    requests: dict[str, dict[str, Example]] = {}
    for each in judged:
        requests.setdefault(each.label.request_id, {})[each.label.rung] = each.example
    return tuple(
        Walk(
            id=name, group=next(iter(found.values())).group, drafts=tuple(found.get(rung) for rung in rungs),
            weight=next(iter(found.values())).weight,
        )
        for name, found in requests.items()
    )  # fmt: skip


def learn_judged(
    judged: Sequence[Judged], feature: Feature, models: Mapping[str, tuple[str, ...]], *, seed: int = 0
) -> tuple[LearnedFeature, LadderReport]:
    """What labels of live traffic teach about a feature: maps from all of them, a promise's threshold from blind ones.

    Args:
        judged: labels with their evidence, one for each group and rung.
        feature: as it serves now; its maps are the "before".
        models: by rung name, what the labels are about.
    """
    groups = len({each.example.group for each in judged})
    held = [each for each in judged if feature.promise is not None and held_out(each.example.group, groups)]
    fitting = [each for each in judged if feature.promise is None or not held_out(each.example.group, groups)]
    rungs = [rung.name for rung in feature.ladder if rung.kind != "cache"]
    found, report = learn_ladder(walks_of(fitting, rungs), replace(feature, promise=None), models, seed=seed)
    report = replace(report, labels=len(judged), groups=groups)
    if feature.promise is None:
        return replace(found, labels=len(judged)), report
    maps = feature.maps | {name: learnt.map for name, learnt in found.rungs.items()}
    cut = cut_judged(held, replace(feature, maps=maps))
    thresholds = dict.fromkeys(found.rungs, cut.threshold) if cut.threshold is not None else {}
    return replace(found, thresholds=thresholds, labels=len(judged)), replace(report, cut=cut)


def cut_judged(held: Sequence[Judged], feature: Feature) -> Cut:
    """The loosest threshold whose deliveries keep the feature's promise, by Learn-then-Test on labels of live traffic.

    Only blind labels with a known propensity count, the first of each group. At a threshold a label counts when its draft is
    the first of its walk to reach it: where a draft below reaches it, that one would be delivered, and nobody judged it. The
    test is the exact binomial one where all labels weigh the same, else a bet that weighs them. Thresholds are fixed by the
    scores alone and tested from strict to loose until one fails.
    Raises: ValueError when the feature has no promise.
    """
    promise = feature.promise
    if promise is None:
        raise ValueError(f"feature {feature.name} has no promise")
    found = _tested([], promise, None)
    every = (_Reach.of(each, feature) for each in _first_blind(held))
    reach = [each for each in every if each.own > 0]
    for threshold in _strict_to_loose([each.own for each in reach], found.labels_needed or 1):
        cut = _tested([each for each in reach if each.below < threshold <= each.own], promise, threshold)
        if cut.state == CERTIFIED or found.n == 0:
            found = cut
        if cut.state != CERTIFIED:
            break
    return found


class _Reach(Struct, frozen=True):
    """One certifying label: how far its draft reaches, and the best of those below."""

    own: float
    below: float
    wrong: bool
    weight: float

    @classmethod
    def of(cls, each: Judged, feature: Feature) -> _Reach:
        counted = unit(each.label)
        assert counted is not None  # only blind labels come here
        own = _p(feature, each.label.rung, each.example.signals)
        if each.label.rung not in feature.maps and each.label.rung == "cache" and each.p is not None:
            own = each.p  # a hit is worth what it entered with
        below = max((_p(feature, rung, signals) for rung, signals in each.tried), default=_NOWHERE)
        return cls(own, below, counted.wrong, counted.weight)


def _first_blind(held: Sequence[Judged]) -> list[Judged]:
    first: dict[str, Judged] = {}
    for each in sorted(held, key=lambda each: (each.label.at_ns, each.label.id)):
        if unit(each.label) is not None:
            first.setdefault(each.example.group, each)
    return list(first.values())


def _strict_to_loose(scores: Sequence[float], least: int) -> list[float]:
    """Thresholds by even shares of the scores. The strictest leaves half of them and enough to certify with none wrong; where
    there are many, sixty."""
    if not scores:
        return []
    ordered = np.sort(scores)[::-1]
    first = min(_START, ordered.size, max(least, ordered.size // 2)) - 1
    places = np.unique(np.linspace(first, ordered.size - 1, _STEPS).astype(int))
    return sorted({min(1.0, float(ordered[place])) for place in places}, reverse=True)


def _tested(reach: Sequence[_Reach], promise: Promise, threshold: float | None) -> Cut:
    n, wrong = len(reach), sum(each.wrong for each in reach)
    weights = [each.weight for each in reach]
    accuracy: float | None
    if len(set(weights)) <= 1:
        passed = n > 0 and binomial_p(wrong, n, 1 - promise.accuracy) <= 1 - promise.assurance
        needed = labels_needed(wrong, n, accuracy=promise.accuracy, assurance=promise.assurance)
        accuracy = 1 - wrong / n if n else None
    else:
        bet = certify(
            [each.wrong for each in reach], weights, accuracy=promise.accuracy, assurance=promise.assurance
        )  # fmt: skip
        passed, needed, accuracy = bet.state == CERTIFIED, bet.labels_needed, bet.accuracy
    return Cut(
        threshold=threshold if passed else None, state=CERTIFIED if passed else OPEN, accuracy=accuracy, n=n, wrong=wrong,
        labels_needed=0 if passed else needed,
    )  # fmt: skip


def _p(feature: Feature, rung: str, signals: Signals) -> float:
    """p of a draft. Where no map can judge it, it is above or below every threshold, as the feature says of such drafts."""
    chosen = feature.maps.get(rung)
    evidence = Evidence(signals=tuple(Signal(name=name, score=score) for name, score in signals.items()))
    p = apply_map(chosen, evidence).p if chosen is not None else None
    if p is not None:
        return p
    return _EVERYWHERE if feature.uncalibrated == "deliver" else _NOWHERE


def _judged(label: Label, entry: JournalEntry | None, models: Mapping[str, tuple[str, ...]]) -> Judged | str:
    """The label with its evidence, or why it teaches nothing."""
    if entry is None:
        return "not in the journal"
    draft: Draft | None = None
    seen: dict[str, Signals] = {}
    p: float | None = None
    low: float | None = None
    for step in entry.steps:
        match step.value:
            case Draft() if step.rung == label.rung:
                draft = step.value
            case Checked() if step.rung is not None and step.value.evidence.signals and label.rung not in seen:
                seen[step.rung] = {signal.name: signal.score for signal in step.value.evidence.signals}
            case Weighed() if step.rung == label.rung:
                p, low = step.value.confidence.p, step.value.confidence.low
            case _:
                pass
    if draft is None or (label.rung not in seen and draft.believed is None):
        return "no checked draft of that rung"
    if not of_today(draft.model, models.get(label.rung, ())):
        return "a draft of another model"
    own = seen.pop(label.rung, {})
    example = Example(
        id=label.request_id, group=label.group or label.request_id, signals=own, accepted=label.accepted,
        weight=_weight(label, entry),
    )  # fmt: skip
    return Judged(label=label, example=example, tried=tuple(seen.items()), p=p, low=low, shadow_of=entry.shadow_of)


def _weight(label: Label, entry: JournalEntry) -> float:
    """How many drafts like it the label stands for; one of unknown propensity stands for itself."""
    share = label.propensity
    if share is None and label.source == "audit" and entry.lot is not None:
        share = entry.lot.propensity  # in observe, where what is audited is not always what the policy delivers
    return 1 / share if share else 1.0


def _worth(label: Label) -> tuple[int, bool, int, str]:
    return _SOURCES.get(label.source, 0), label.propensity is not None, label.at_ns, label.id


def of_today(model: str, models: Sequence[str]) -> bool:
    """Whether a draft's model is what its rung means today; dated snapshots of a name are that name.

    Args:
        model: as the provider calls it.
        models: "provider kind/upstream name" of the rung's models, the draft's first; () means any.
    """
    if not models:
        return True
    said, meant = model.rpartition("/")[2], models[0].rpartition("/")[2]
    return said == meant or _SNAPSHOT.sub("", said) == _SNAPSHOT.sub("", meant)
