"""Runs the rows and counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from surefoot.app import App
from surefoot.config.load import Config
from surefoot.errors import UpstreamFailed
from surefoot.policy import Feature, Promise
from surefoot.providers.rows import Row
from surefoot.records import Decision, Draft, Escalate, JournalEntry, Weighed
from surefoot.stats import clopper_pearson, quantile
from surefoot.store.memory import MemoryStore
from surefoot.trial.asking import request_of
from surefoot.trial.baseline import run_baseline
from surefoot.trial.gather import recorded_as
from surefoot.trial.grade import grade
from surefoot.trial.measures import admitted, calibration, measured, paired
from surefoot.trial.report import Baseline, Report, RungCount
from surefoot.wire.dialects import DIALECTS

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Tally:
    """Counts while the rows run."""

    reached: dict[str, int] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, int] = field(default_factory=dict)
    unavailable: dict[str, int] = field(default_factory=dict)
    judging: dict[str, bool] = field(default_factory=dict)  # by rung with a map: whether labels fitted it
    simulated: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)  # models
    right: int = 0
    unlabelled: int = 0
    escalated: int = 0
    failed: int = 0
    nanodollars: int = 0
    admitted: dict[str, str] = field(default_factory=dict)  # by row: the admit rule that sent it
    verdicts: dict[str, bool] = field(default_factory=dict)  # by row, of what was delivered
    judged: list[tuple[float, bool]] = field(default_factory=list)  # (p, right) of every draft that a map judged
    textless: bool = False
    estimated: bool = False
    own_us: list[float] = field(default_factory=list)


async def trial(
    rows: Sequence[Row], config: Config, feature: str, *, file: str, on_progress: Progress = lambda done, of: None,
    learned_from: str = "", person_usd: float | None = None, promise: Promise | None = None,
) -> Report:  # fmt: skip
    """Run rows through a feature's ladder and report. Nothing is kept: the store is in memory.

    Args:
        learned_from: which file the policy was learned from; "" when it was not.
        person_usd: what an answer of the person costs; None leaves persons out of the cost.
        promise: what the delivered answers are measured by; None: the feature's own, else its bar at 95 %.
    Raises: NotFound for an unknown feature, ConfigError for a configuration that cannot be served.
    """
    settings = replace(config.settings, store=replace(config.settings.store, content=True))  # to judge every draft
    app = await App.start(replace(config, settings=settings), store=MemoryStore())
    try:
        caller = app.caller(None)
        rules = app.policy.features[app.feature_for(caller, "surefoot", feature)]
        tally = _Tally(estimated=_recorded(app, rules))
        for place, row in enumerate(rows):
            await _run(app, rules, row, tally)
            on_progress(place + 1, len(rows))
        baseline = await run_baseline(app.registry, rules, [(row, request_of(app, rules, row)) for row in rows])
        report = _report(tally, rules, rows, baseline, _unpriced(app, rules, tally), file)
        told = _with_person(report, person_usd)
        kept = measured(tally.right, tally.right + sum(tally.wrong.values()), rules, promise)
        return replace(told, learned_from=learned_from, promise=kept)
    finally:
        await app.close()


async def _run(app: App, feature: Feature, row: Row, tally: _Tally) -> None:
    request = request_of(app, feature, row)
    try:
        reply = await app.answer(request)
        decision, tally.nanodollars = reply.decision, tally.nanodollars + reply.nanodollars
        tally.own_us.append(reply.own_us)
    except UpstreamFailed:
        decision = None
        tally.failed += 1
    entry = await app.store.journal.get(request.id)
    for step in entry.steps if entry else ():
        if step.stage == "call" and step.rung is not None:
            _count_call(step.rung, step.value, tally)
    if entry is not None:
        await _count_judged(app, feature, row, entry, tally)
    if decision is not None:
        _count_end(app, row, decision, tally)


async def _count_judged(app: App, feature: Feature, row: Row, entry: JournalEntry, tally: _Tally) -> None:
    """Every draft that a map judged, delivered or not, beside its verdict."""
    content = await app.store.journal.content(entry.request_id)
    bodies = dict(content.answers) if content is not None else {}
    for step in entry.steps:
        value, name = step.value, step.rung or ""
        if not isinstance(value, Weighed) or value.confidence.p is None or name not in bodies:
            continue
        rung = next(rung for rung in feature.ladder if rung.name == name)
        text = DIALECTS[entry.dialect].read(bodies[name]).text
        verdict = grade(row, recorded_as=recorded_as(app, rung), text=text)
        if verdict is not None:
            tally.judged.append((value.confidence.p, verdict))


def _count_call(rung: str, draft: object, tally: _Tally) -> None:
    tally.reached[rung] = tally.reached.get(rung, 0) + 1
    if isinstance(draft, Draft):
        tally.estimated = tally.estimated or draft.usage.estimated
        if draft.simulated:
            tally.simulated.add(rung)
    elif getattr(draft, "kind", "") in ("unavailable", "rejected"):
        tally.unavailable[rung] = tally.unavailable.get(rung, 0) + 1


def _count_end(app: App, row: Row, decision: Decision, tally: _Tally) -> None:
    if decision.action in ("escalate", "default"):  # it needed a person, whether there was money for one or not
        tally.escalated += 1
        if isinstance(decision.verdict, Escalate) and decision.verdict.rule:
            tally.admitted[row.id] = decision.verdict.rule
    if decision.action != "deliver" or decision.rung is None or decision.attempt is None:
        return
    rung, answer = decision.rung, decision.attempt.answer
    text = answer.text if answer else ""
    tally.delivered[rung.name] = tally.delivered.get(rung.name, 0) + 1
    if decision.confidence.p is not None:
        tally.judging[rung.name] = decision.confidence.calibrated
    name = recorded_as(app, rung)
    if name is not None:
        recorded = row.answers.get(name)
        tally.textless = tally.textless or recorded is None or recorded.text is None
    verdict = grade(row, recorded_as=name, text=text)
    if verdict is not None:
        tally.verdicts[row.id] = verdict
    if verdict is None:
        tally.unlabelled += 1
    elif verdict:
        tally.right += 1
    else:
        tally.wrong[rung.name] = tally.wrong.get(rung.name, 0) + 1


def _recorded(app: App, feature: Feature) -> bool:
    """Whether a rung answers from a recording: recordings hold no usage, so whatever they cost is estimated."""
    found = (app.registry.get(name) for name in feature.models())
    return any(model is not None and model.provider.kind == "recorded" for model in found)


def _unpriced(app: App, feature: Feature, tally: _Tally) -> tuple[str, ...]:
    """Models that were asked, whose price nobody knows. Quoting documents is free and known to be."""
    asked = [model for rung in feature.ladder if tally.reached.get(rung.name) for model in rung.models]
    found = (app.registry.get(name) for name in dict.fromkeys(asked))
    return tuple(m.name for m in found if m and m.price is None and m.provider.kind != "extractive")


def _report(
    tally: _Tally, feature: Feature, rows: Sequence[Row], baseline: Baseline, unpriced: tuple[str, ...], file: str
) -> Report:
    names = [rung.name for rung in feature.ladder]
    by_rung = {
        name: RungCount(
            count=tally.reached.get(name, 0),
            delivered=tally.delivered.get(name, 0),
            wrong=tally.wrong.get(name, 0),
            unavailable=tally.unavailable.get(name, 0),
            calibrated=tally.judging.get(name, False),
        )
        for name in names
    }
    by_rung[feature.person.role] = RungCount(count=tally.escalated)
    delivered, wrong = sum(tally.delivered.values()), sum(tally.wrong.values())
    known = not unpriced and not tally.textless
    cost = tally.nanodollars / 1e9 if known else None
    saving = 1 - cost / baseline.cost_usd if cost is not None and baseline.cost_usd else None
    return Report(
        file=file,
        feature=feature.name,
        queries=len(rows),
        delivered=delivered,
        escalated=tally.escalated,
        failed=tally.failed,
        by_rung=by_rung,
        delivered_error=clopper_pearson(wrong, delivered - tally.unlabelled),
        unlabelled=tally.unlabelled,
        escalated_share=clopper_pearson(tally.escalated, len(rows)),
        accuracy_all=tally.right / len(rows) if rows and not tally.unlabelled else None,
        cost_usd=cost,
        baseline=baseline,
        saving=saving,
        unavailable=sum(tally.unavailable.values()),
        cost_estimated=tally.estimated,
        unpriced=unpriced,
        simulated=tuple(name for name in names if name in tally.simulated),
        configured=tuple(name for name in names if tally.judging.get(name) is False),
        uncalibrated=tuple(
            name for name in names if tally.delivered.get(name, 0) and name not in tally.judging
        ),
        paired=paired(rows, tally.verdicts, baseline),
        promise=measured(tally.right, tally.right + wrong, feature),
        admitted=admitted(rows, tally.admitted) if feature.admits else None,
        confidence=calibration(tally.judged, delivered, len(rows)),
        own_ms={name: _ms(tally.own_us, share) for name, share in (("p50", 0.5), ("p95", 0.95))},
    )  # fmt: skip


def _with_person(report: Report, usd: float | None) -> Report:
    """The report with the persons' answers in its cost."""
    if usd is None:
        return report
    cost = None if report.cost_usd is None else report.cost_usd + usd * report.escalated
    saving = 1 - cost / report.baseline.cost_usd if cost is not None and report.baseline.cost_usd else None
    return replace(report, cost_usd=cost, saving=saving, person_usd=usd * report.escalated)


def _ms(own_us: list[float], share: float) -> float | None:
    found = quantile(own_us, share)
    return None if found is None else found / 1000
