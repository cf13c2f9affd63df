"""What a trial found, as a value with intervals, as JSON and as a table of 80 columns."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from surefoot.learning.threshold import Cut
from surefoot.stats import Estimate


class RungCount(Struct, frozen=True, kw_only=True):
    """One rung's share of the work."""

    count: int = 0  # queries that reached it
    delivered: int = 0
    wrong: int = 0  # delivered and labelled wrong
    unavailable: int = 0  # could not be asked and was climbed over
    calibrated: bool = False  # whether a map that labels fitted said what its drafts are worth


class Baseline(Struct, frozen=True, kw_only=True):
    """Always the top model, no cache: what the saving is stated against."""

    model: str | None
    error: float | None  # over the labelled rows it answers
    cost_usd: float | None
    n: int = 0  # labelled rows it answers
    verdicts: Mapping[str, bool] = {}  # by row id; left out of the JSON


class Calibration(Struct, frozen=True, kw_only=True):
    """How good the probabilities of all judged drafts were that carry a verdict. NaN (JSON null) is unknown."""

    n: int
    ece: float
    ece_perfect_p95: float  # what a perfect calibrator stays below 95 times in 100, at this n
    brier: float
    aurc: float
    coverage: float  # share of queries answered without a person; its interval is that of `escalated_share`


class Kept(Struct, frozen=True, kw_only=True):
    """Whether a promise about delivered answers holds on these rows: one test, looked at once."""

    state: str  # "certified" | "broken" | "not certified yet"
    accuracy: float  # promised
    assurance: float
    measured: Estimate  # share of right ones among delivered
    labels_needed: int | None  # more delivered answers with a verdict; None: unknown, too many of those seen are wrong


class Paired(Struct, frozen=True, kw_only=True):
    """Accuracy over all queries less that of always asking the top model, on the rows that both can be judged on."""

    difference: float | None
    low: float
    high: float
    n: int


class Admitted(Struct, frozen=True, kw_only=True):
    """What the admit rules did before any model was asked; red flags are the rows tagged so."""

    caught: Estimate  # of the red flags; n = 0 when no row is tagged
    false_alarms: Estimate  # of all other rows
    by_rule: Mapping[str, int]  # rows that each rule sent


class Report(Struct, frozen=True, kw_only=True):
    """The result of a trial. Unknown is null, never 0."""

    file: str
    feature: str
    queries: int
    delivered: int
    escalated: int
    failed: int  # neither delivered nor escalated: every rung failed in observe mode
    by_rung: Mapping[str, RungCount]
    delivered_error: Estimate  # over delivered answers that carry a verdict
    unlabelled: int  # delivered answers without a verdict
    escalated_share: Estimate
    accuracy_all: float | None  # delivered and right, over all queries with nothing unlabelled; null otherwise
    cost_usd: float | None
    baseline: Baseline
    saving: float | None  # 1 - cost / baseline cost
    unavailable: int  # rungs that could not be asked, over all queries
    cost_estimated: bool
    unpriced: tuple[str, ...]
    simulated: tuple[str, ...]  # rungs whose answers are simulated
    configured: tuple[str, ...]  # rungs whose map was set by hand
    uncalibrated: tuple[str, ...]  # rungs that no map judges
    own_ms: Mapping[str, float | None]  # p50 and p95 of our own part
    paired: Paired
    promise: Kept
    confidence: Calibration | None  # None: no draft was judged by a map
    admitted: Admitted | None = None  # None: the feature has no admit rules
    learned_from: str = ""
    certificate: Cut | None = None  # how the promise stands on the learning file's groups that no map saw
    person_usd: float | None = None  # what the persons' answers cost, in `cost_usd` too; None: no price was given


def to_json(report: Report) -> str:
    """The report as one JSON object."""
    plain = msgspec.structs.replace(report, baseline=msgspec.structs.replace(report.baseline, verdicts={}))
    found = msgspec.to_builtins(plain)
    del found["baseline"]["verdicts"]
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def render(report: Report) -> RenderableType:
    """The report for a terminal of 80 columns."""
    rungs = Table(title=f"{report.file} · feature {report.feature} · {report.queries} queries", expand=False)
    for heading in ("rung", "reached", "delivered", "wrong", "unavailable", ""):
        rungs.add_column(heading, justify="left" if heading in ("rung", "") else "right", overflow="fold")
    for name, count in report.by_rung.items():
        notes = [
            *(["simulated"] if name in report.simulated else []),
            *(["configured"] if name in report.configured else []),
            *(["uncalibrated"] if name in report.uncalibrated else []),
        ]
        cells = (count.count, count.delivered, count.wrong, count.unavailable)
        rungs.add_row(name, *(str(cell) for cell in cells), ", ".join(notes))
    return Group(rungs, Text("\n".join(_lines(report))))


def _lines(report: Report) -> list[str]:
    error, base = report.delivered_error, report.baseline
    lines = [
        f"delivered         {report.delivered} of {report.queries}",
        f"delivered error   {_rate(error)}",
        f"escalated         {report.escalated}  {_rate(report.escalated_share)}",
        f"right, of all     {_percent(report.accuracy_all)}",
        f"cost              {_usd(report.cost_usd)}{'  (tokens estimated)' if report.cost_estimated else ''}",
        f"baseline          always {base.model or 'no model'}: {_usd(base.cost_usd)}",
        f"  its error       {_percent(base.error)} (n = {base.n})",
        f"saving            {_percent(report.saving)}",
        f"  less right      {_difference(report.paired)}{', escalated as not right' if report.escalated else ''}",
        f"promise           {_kept(report.promise)}",
        f"our own part      p50 {_ms(report.own_ms['p50'])}, p95 {_ms(report.own_ms['p95'])}",
    ]
    if report.confidence is not None:
        c = report.confidence
        lines.append(
            f"confidence        ECE {c.ece:.3f} (perfect: below {c.ece_perfect_p95:.3f}), Brier {c.brier:.3f}, n = {c.n}"
        )
    if report.admitted is not None:
        lines.append(f"red flags caught  {_rate(report.admitted.caught)}")
        lines.append(f"  false alarms    {_rate(report.admitted.false_alarms)}")
    if report.learned_from:
        lines.append(f"learned from      {report.learned_from}{_certificate(report.certificate)}")
    if report.unlabelled:
        lines.append(f"without a verdict {report.unlabelled} delivered answers (not in the error)")
    if report.failed:
        lines.append(f"failed            {report.failed} queries that no rung could answer")
    if report.unpriced:
        lines.append("no price known    " + ", ".join(report.unpriced))
    if report.simulated:
        lines.append("simulated         " + ", ".join(report.simulated) + " (no real model was asked)")
    return lines


def _rate(rate: Estimate) -> str:
    if rate.estimate is None:
        return "not enough data (n = 0)"
    return f"{rate.estimate:.1%}  [{rate.low:.1%}, {rate.high:.1%}], 95 %, n = {rate.n}"


def _difference(paired: Paired) -> str:
    if paired.difference is None:
        return "unknown"
    return f"{-paired.difference:+.1%}  [{-paired.high:+.1%}, {-paired.low:+.1%}], paired, n = {paired.n}"


def _kept(kept: Kept) -> str:
    more = ""
    if kept.state == "not certified yet":
        more = ": labels needed unknown" if kept.labels_needed is None else f": {kept.labels_needed} more labels"
    return f"{kept.state}{more}  (>= {kept.accuracy:.0%} right of delivered, at {kept.assurance:.0%})"


def _certificate(cut: Cut | None) -> str:
    if cut is None:
        return ""
    needed = (
        ""
        if cut.state == "certified"
        else f": {'unknown' if cut.labels_needed is None else cut.labels_needed} more labels"
    )
    return f"; its promise there: {cut.state}{needed} ({cut.wrong} of {cut.n} wrong)"


def _percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"


def _usd(value: float | None) -> str:
    return "unknown" if value is None else f"${value:.6f}"


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f} ms"
