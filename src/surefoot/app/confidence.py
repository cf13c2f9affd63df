"""How good the confidence is that serves: maps against labels, coverage, promises, the error of what is delivered."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from surefoot.app.harm import Harm, harm_of
from surefoot.app.incidents import Acknowledged, acknowledgements
from surefoot.app.learn import Served, gathered, promise_now
from surefoot.app.rounds import question_of
from surefoot.learning.drift import KIND as DRIFT
from surefoot.learning.fit import LEAST
from surefoot.learning.gathered import Judged
from surefoot.learning.measure import Measures, applied, measure
from surefoot.learning.standing import unit
from surefoot.policy import Feature, Promise, decide, weigh
from surefoot.records import Checked, Deliver, Draft, Escalate, Incident, JournalEntry, Label, Rung
from surefoot.stats import Estimate, clopper_pearson
from surefoot.stats.metrics import rate
from surefoot.stats.ppi import ppi_rate
from surefoot.stats.sequential import Certified
from surefoot.store import Store
from surefoot.store.histograms import delivery_of

_UNDECIDED = 0.5  # what a judge that said no number counts as
_JUDGED = 0.5  # share of deliveries that must carry its score


class RungTrust(Struct, frozen=True, kw_only=True):
    """One rung's map beside what labels say of it."""

    rung: str
    map: str  # kind of the fitted curve | "configured" | "cache" (the p a hit entered with) | "uncalibrated"
    bar: float  # A: for the lower end of p
    threshold: float | None  # B: for p; None: none was learned
    bar_counts: bool  # whether A counts where B is set
    coverage: Estimate  # of the drafts that reached the rung: how many the present rules deliver
    labels: int  # people's and clients', one a question
    right: Estimate  # of all labelled drafts, whether a map judges them or not
    labels_needed: int  # until a map can be fitted; 0 where there are enough
    older: int  # of the labels: from before the map was fitted, so that it may have seen them
    measures: Measures | None  # by labels the map has not seen, where those are enough, else by all; None without any


class ErrorRate(Struct, frozen=True, kw_only=True):
    """The share of wrong answers among deliveries, from blind labels, weighted by their propensity."""

    wrong: Estimate
    method: str  # "PPI++" | "inverse propensity"
    deliveries: int  # of the time, those held back for want of a certificate included
    withheld: int
    judged: int = 0  # deliveries that the judge scored
    judge_alone: float | None = None
    effective_n: float | None = None  # labels that would tell as much without the judge


class FeatureTrust(Struct, frozen=True, kw_only=True):
    """Everything about one feature."""

    feature: str
    mode: str
    requests: int
    error: ErrorRate
    promise: Promise | None
    standing: Certified | None  # of the promise, in the present edition
    audit: float
    rungs: tuple[RungTrust, ...]
    incidents: tuple[Incident, ...]
    acknowledged: dict[str, tuple[Acknowledged, ...]] = {}  # by incident: who has seen to it, oldest first
    compression: Harm | None = None  # None where it is not configured


async def trust(store: Store, now: Served, feature: str, *, since_ns: int) -> FeatureTrust:
    """How good one feature's confidence was since a moment. Raises StoreError."""
    rules = now.policy.features[feature]
    labels = await gathered(store, now, feature, since_ns=since_ns)
    entries = [
        entry
        async for entry in store.journal.entries(feature=feature, since_ns=since_ns)
        if entry.surface == "chat" and entry.action != "refuse"
    ]
    fitted_ns = now.revision.at_ns if now.revision is not None else 0
    raised = await store.incidents.all(feature=feature)
    told = await acknowledgements(store) if raised else {}
    return FeatureTrust(
        feature=feature, mode=rules.mode, requests=len(entries), promise=rules.promise, audit=rules.audit,
        error=error_rate(entries, await store.labels.all(feature=feature, since_ns=since_ns)),
        standing=await promise_now(store, now, feature),
        rungs=tuple(_rung(rules, rung, labels.judged, entries, fitted_ns) for rung in rules.ladder),
        compression=await harm_of(store, now.policy, feature, since_ns=since_ns),
        incidents=tuple(each for each in raised if each.at_ns >= since_ns and each.kind == DRIFT),
        acknowledged={each.id: tuple(told[each.id]) for each in raised if each.id in told},
    )  # fmt: skip


def error_rate(entries: Sequence[JournalEntry], labels: Sequence[Label]) -> ErrorRate:
    """The error of deliveries; the judge's scores make it narrower where there is a judge.

    What counts is what the policy itself delivers, or only holds back for want of a certificate: in observe more goes out. A
    judge that said no number on an answer counts as undecided there, which costs precision and never truth.
    """
    delivered = {entry.request_id: found for entry in entries if (found := delivery_of(entry)) is not None}
    told: dict[str, Label] = {}
    for label in labels:
        place = delivered.get(label.request_id)
        if place is not None and place[0] == label.rung and unit(label) is not None:
            told.setdefault(label.request_id, label)
    shares = [label.propensity or 1.0 for label in told.values()]
    wrong = [not label.accepted for label in told.values()]
    groups = [label.group or label.request_id for label in told.values()]
    scores = {name: evidence.score("judge") for name, (_, evidence, _) in delivered.items()}
    known = sum(score is not None for score in scores.values())
    withheld = sum(held for _, _, held in delivered.values())
    plain = rate(wrong, weights=[1 / share for share in shares], groups=groups)
    if not known or known < _JUDGED * len(scores) or not told:
        return ErrorRate(
            wrong=plain, method="inverse propensity", deliveries=len(delivered), withheld=withheld
        )  # fmt: skip
    doubts = {name: 1 - (_UNDECIDED if score is None else score) for name, score in scores.items()}
    corrected = ppi_rate(
        np.array(wrong, dtype=np.float64), [doubts[name] for name in told], list(doubts.values()), propensities=shares
    )
    estimate = Estimate(estimate=corrected.estimate, low=corrected.low, high=corrected.high, n=corrected.n)
    counts = corrected.tuning > 0
    return ErrorRate(
        wrong=estimate if counts else plain, method="PPI++" if counts else "inverse propensity",
        deliveries=len(delivered), withheld=withheld, judged=known, judge_alone=corrected.judge_alone,
        effective_n=corrected.effective_n if counts else None,
    )  # fmt: skip


def _rung(
    rules: Feature, rung: Rung, judged: Sequence[Judged], entries: Sequence[JournalEntry], fitted_ns: int
) -> RungTrust:
    chosen = rules.maps.get(rung.name)
    mine = [each for each in judged if each.label.rung == rung.name]
    fitted = chosen is not None and chosen.kind == "fitted"
    newer = [each for each in mine if not fitted or each.label.at_ns > fitted_ns]
    used = newer if len(newer) >= LEAST else mine
    examples = [each.example for each in used]
    low, p = applied(chosen, examples)
    if chosen is None and rung.kind == "cache":
        low = np.array([np.nan if each.low is None else each.low for each in used], dtype=np.float64)
        p = np.array([np.nan if each.p is None else each.p for each in used], dtype=np.float64)
    kind = "cache" if rung.kind == "cache" else "uncalibrated"
    if chosen is not None:
        kind = chosen.curve.kind if fitted and chosen.curve is not None else "configured"
    return RungTrust(
        rung=rung.name,
        map=kind,
        bar=rules.confidence,
        threshold=rules.thresholds.get(rung.name),
        bar_counts=rules.per_answer or rung.name not in rules.thresholds,
        coverage=_coverage(rules, rung, entries),
        labels=len(mine),
        right=rate(
            [each.example.accepted for each in mine],
            weights=[each.example.weight for each in mine],
            groups=[each.example.group for each in mine],
        ),
        labels_needed=0 if rung.kind == "cache" else max(0, LEAST - len(mine)),
        older=len(mine) - len(newer),
        measures=measure(low, p, examples, bar=rules.confidence) if used else None,
    )


def _coverage(rules: Feature, rung: Rung, entries: Sequence[JournalEntry]) -> Estimate:
    """Of the drafts that reached the rung under whichever rules: how many the present ones deliver."""
    reached = delivered = 0
    for entry in entries:
        steps = {step.stage: step.value for step in entry.steps if step.rung == rung.name}
        draft, checked, asked = steps.get("call"), steps.get("check"), question_of(entry)
        if not isinstance(draft, Draft) or not isinstance(checked, Checked) or asked is None:
            continue
        reached += 1
        confidence = weigh(rules, rung, draft, checked.evidence)
        verdict = decide(rules, asked, rung, draft, checked.evidence, confidence, 0)
        delivered += isinstance(verdict, Deliver) or (isinstance(verdict, Escalate) and verdict.withheld)
    return clopper_pearson(delivered, reached)
