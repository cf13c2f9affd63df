"""Histograms of deliveries as arithmetic: which buckets a request counts in. Shared by every back-end.

They are what a percentile and a judge's correction need, and sums cannot give: latencies, and how far checks spoke against
answers. Whole days are kept by tenant, hours for all tenants together, since few ask which tenant burns within the hour.
"""

from __future__ import annotations

from collections.abc import Iterator

from surefoot.records import Checked, Deliver, Draft, Escalate, Evidence, JournalEntry, NoDraft
from surefoot.records.objective import GROUNDING, JUDGE, LATENCY, doubt_bucket, latency_bucket

HOURS, DAYS = 3600, 86_400  # the steps that are kept, in seconds
SCORES = {GROUNDING: "grounded", JUDGE: "judge"}  # measure -> the signal it is of
HistogramPlace = tuple[str, str, int, int, str, int]  # (feature, tenant, step in seconds, slot, measure, bucket)


def delivery_of(entry: JournalEntry) -> tuple[str, Evidence, bool] | None:
    """(rung, its evidence, whether it was held back) of what the policy delivers of a request; None for nothing.

    What only the missing certificate held back counts too; what `observe` delivered against the policy does not.
    """
    last = entry.steps[-1] if entry.steps else None
    if last is None or last.rung is None:
        return None
    held = isinstance(last.value, Escalate) and last.value.withheld
    if not held and not isinstance(last.value, Deliver):
        return None
    for step in entry.steps:
        if step.rung == last.rung and isinstance(step.value, Checked):
            return last.rung, step.value.evidence, held
    return None


def counted(entry: JournalEntry) -> Iterator[HistogramPlace]:
    """The places of the histograms that a request adds one to; none for what is not chat, or answered nobody."""
    if entry.surface != "chat" or entry.shadow_of:
        return
    if entry.action == "deliver":
        waited = sum(step.value.upstream_us for step in entry.steps if isinstance(step.value, Draft | NoDraft))
        yield from _places(entry, LATENCY, latency_bucket(entry.own_us + waited))
    found = delivery_of(entry)
    if found is not None:
        for measure, signal in SCORES.items():
            yield from _places(entry, measure, doubt_bucket(found[1].score(signal)), hourly=False)


class Histograms:
    """Counts, or what is to be added to them."""

    def __init__(self) -> None:
        self.counts: dict[HistogramPlace, int] = {}

    def add(self, entry: JournalEntry) -> None:
        """Count a request."""
        for place in counted(entry):
            self.counts[place] = self.counts.get(place, 0) + 1


def _places(entry: JournalEntry, measure: str, bucket: int, *, hourly: bool = True) -> Iterator[HistogramPlace]:
    yield entry.feature, entry.tenant, DAYS, entry.at_ns // (DAYS * 10**9), measure, bucket
    if hourly:
        yield entry.feature, "", HOURS, entry.at_ns // (HOURS * 10**9), measure, bucket
