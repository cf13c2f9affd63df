"""The report on a feature's prompts: what each segment costs, and the findings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from msgspec import Struct

from surefoot.ledger.lint.findings import Finding, Hit, Money, Note, gather, monthly, safe, saved
from surefoot.ledger.lint.rules import RULES
from surefoot.ledger.lint.traffic import ASSURANCE, LEAST_DAYS, Traffic, slots
from surefoot.stats import Mean, mean_of

_ORDER = (
    "schema",
    "tool",
    "system",
    "example",
    "history",
    "passages",
    "images",
    "question",
    "passages of the handbook",
)
_TITLE = 48  # characters of a segment's first words
_HANDBOOK = "passages of the handbook"


class SegmentCost(Struct, frozen=True, kw_only=True):
    """What one segment costs, over all requests of the sample: 0 in those that do not have it."""

    slot: str
    title: str  # the first words of the feature's own text; "" of everything else, and where it is not always the same
    requests: int  # of the sample that have it
    tokens: Mean  # a request
    nanodollars: Mean
    month: Money | None  # None: not enough data


class Report(Struct, frozen=True, kw_only=True):
    """What is known of a feature's prompts."""

    feature: str
    requests: int  # there were
    sampled: int  # were looked at
    compared: int  # of them, with the request before
    days: int  # whole ones that were watched
    per_month: Mean  # requests
    input_tokens: Mean  # a request, as metered; scaled from bytes where `estimated`
    nanodollars: Mean  # a request
    month: Money | None
    estimated: bool  # whether tokens of some request are estimated from bytes
    priced: bool  # whether any request cost anything
    segments: tuple[SegmentCost, ...]
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]
    saving: Mean  # nano-dollars a request, of all findings together
    saving_month: Money | None


def lint(traffic: Traffic) -> Report:
    """Every rule over a feature's traffic; without a request everything is unknown, and there are no findings."""
    hits: list[Hit] = []
    notes: list[Note] = []
    for rule in RULES.values():
        for found in rule(traffic):
            if isinstance(found, Hit):
                hits.append(found)
            else:
                notes.append(found)
    if traffic.per_month.low is None:
        notes.append(Note(rule="month", said=f"not enough data: {len(traffic.per_day)} whole days of {LEAST_DAYS}"))
    findings, kept = gather(traffic, hits)
    saving = saved(traffic, kept)
    paid = mean_of([sum(each.nanodollars) for each in traffic.spreads], assurance=ASSURANCE)
    calls = [call for sample in traffic.samples for call in sample.calls]
    return Report(
        feature=traffic.feature, requests=traffic.requests, sampled=len(traffic.samples), days=len(traffic.per_day),
        compared=sum(each.measured for each in traffic.prefixes), per_month=traffic.per_month,
        input_tokens=mean_of([sum(each.tokens) for each in traffic.spreads], assurance=ASSURANCE), nanodollars=paid,
        month=monthly(paid, traffic.per_month), estimated=any(call.estimated for call in calls),
        priced=any(call.price is not None for call in calls), segments=_segments(traffic), findings=findings,
        notes=tuple(notes), saving=saving, saving_month=monthly(saving, traffic.per_month),
    )  # fmt: skip


def _segments(traffic: Traffic) -> tuple[SegmentCost, ...]:
    """One line for each slot, in the order of the prefix."""
    n = len(traffic.samples)
    tokens: defaultdict[str, list[int]] = defaultdict(lambda: [0] * n)
    paid: defaultdict[str, list[int]] = defaultdict(lambda: [0] * n)
    titles: defaultdict[str, set[str]] = defaultdict(set)
    for number, (sample, spread) in enumerate(zip(traffic.samples, traffic.spreads, strict=True)):
        names = [*slots(sample.prompt), *([_HANDBOOK] if sample.added else [])]
        for place, name in enumerate(names):
            tokens[name][number] += spread.tokens[place]
            paid[name][number] += spread.nanodollars[place]
            if name != _HANDBOOK:
                segment = sample.prompt.said[place]
                titles[name].add(segment.text if traffic.shared(segment) else "")
    found = [
        SegmentCost(
            slot=name, title=_title(name, titles[name]), requests=sum(bool(each) for each in tokens[name]),
            tokens=mean_of(tokens[name], assurance=ASSURANCE), nanodollars=(money := mean_of(paid[name], assurance=ASSURANCE)),
            month=monthly(money, traffic.per_month),
        )
        for name in tokens
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda each: _place(each.slot)))


def _place(name: str) -> tuple[int, int, str]:
    kind, _, rest = name.partition(" ")
    place = _ORDER.index(name) if name in _ORDER else _ORDER.index(kind)
    return place, int(rest) if rest.isdigit() else 0, name


def _title(name: str, texts: Iterable[str]) -> str:
    """The first words of a paragraph that is the same in every request; a tool's name says enough."""
    known = set(texts)
    if len(known) != 1 or name.startswith(("tool", "schema")):
        return ""
    words = " ".join(safe(known.pop()).split())
    return words if len(words) <= _TITLE else words[: _TITLE - 1].rstrip() + "…"
