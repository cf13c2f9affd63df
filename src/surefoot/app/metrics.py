"""What an operator's dashboard scrapes: own prefix, base units, no user or tenant as a label. Telemetry fails open."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from surefoot.records import Attempt, Decision, Draft, Settlement

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
HELD_KINDS = ("call", "stream", "events")  # an answer, a stream, the events of a case
_COUNTERS = {
    "surefoot_http_requests": ("Answers sent, by surface and status", ("surface", "status")),
    "surefoot_decisions": ("Ends of the page", ("feature", "rung", "action", "verdict")),
    "surefoot_tokens": ("Tokens billed", ("feature", "model", "kind")),
    "surefoot_spend_usd": ("Money booked", ("feature", "model")),
    "surefoot_cache_lookups": ("Cache rungs tried", ("result",)),
    "surefoot_unavailable_rungs": ("Rungs that could not be asked", ("feature", "rung")),
    "surefoot_contents_expired": ("Contents destroyed by retention", ()),
    "surefoot_unaffordable_rungs": ("Rungs left out because a budget had no room", ("feature", "rung")),
    "surefoot_repeated_answers": (
        "Answers of which a second one was asked: same, other or unknown meaning", ("feature", "model", "meaning")
    ),
    "surefoot_lost": ("Things that failed open", ("what",)),
    "surefoot_holds_refused": ("Waiting callers answered at once: their tenant had too many connections", ("kind",)),
}


class Metrics:
    """Plain numbers while requests run; they become Prometheus' families only when somebody asks."""

    def __init__(self) -> None:
        self._counts: dict[str, defaultdict[tuple[str, ...], float]] = {name: defaultdict(float) for name in _COUNTERS}
        self._own: defaultdict[str, list[float]] = defaultdict(lambda: [0.0] * (len(_SECONDS) + 2))
        self.commit_waits: dict[str, float] = {}  # seconds, by quantile
        self.held: Counter[str] = Counter()  # connections held now, by kind
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def seen(self, surface: str, status: int) -> None:
        """Count an answer sent."""
        self._counts["surefoot_http_requests"][surface, str(status)] += 1

    def lost(self, what: str) -> None:
        """Count something that failed open."""
        self._counts["surefoot_lost"][(what,)] += 1

    def expired(self, contents: int) -> None:
        """Count contents that retention destroyed."""
        if contents:
            self._counts["surefoot_contents_expired"][()] += contents

    def repeated(self, feature: str, model: str, agreement: float | None) -> None:
        """Count a second answer, by whether it means the same as the one that went out."""
        meaning = "unknown" if agreement is None else "same" if agreement == 1.0 else "other"
        self._counts["surefoot_repeated_answers"][feature, model, meaning] += 1

    def crowded(self, kind: str) -> None:
        """Count a caller who would have waited and was answered at once."""
        self._counts["surefoot_holds_refused"][(kind,)] += 1

    def decided(self, feature: str, surface: str, decision: Decision, own_us: int) -> None:
        """Count the end of a page."""
        rung = decision.rung.name if decision.rung else "none"
        verdict = type(decision.verdict).__name__.lower()
        self._counts["surefoot_decisions"][feature, rung, decision.action, verdict] += 1
        buckets, seconds = self._own[surface], own_us / 1e6
        buckets[bisect_left(_SECONDS, seconds)] += 1
        buckets[-1] += seconds

    def ended(self, feature: str, attempts: Sequence[Attempt], settlements: Sequence[Settlement]) -> None:
        """Count what a request tried and what it cost."""
        for attempt in attempts:
            draft = attempt.draft
            kind = "hit" if isinstance(draft, Draft) else draft.kind
            if draft.rung == "cache":
                self._counts["surefoot_cache_lookups"][(kind,)] += 1
            elif kind == "unavailable":
                self._counts["surefoot_unavailable_rungs"][feature, draft.rung] += 1
            elif kind == "budget":
                self._counts["surefoot_unaffordable_rungs"][feature, draft.rung] += 1
        tokens, spend = self._counts["surefoot_tokens"], self._counts["surefoot_spend_usd"]
        for settlement in settlements:
            for entry in settlement.entries:
                tokens[feature, entry.model, entry.kind] += entry.quantity
                spend[feature, entry.model] += entry.nanodollars / 1e9

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[Metric]:
        """The families, for the registry."""
        for name, (words, labels) in _COUNTERS.items():
            counter = CounterMetricFamily(name, words, labels=labels)
            for values, count in self._counts[name].items():
                counter.add_metric(values, count)
            yield counter
        own = HistogramMetricFamily("surefoot_own_seconds", "Time of our own part", labels=("surface",))
        for surface, numbers in self._own.items():
            *buckets, total = numbers
            sums = [sum(buckets[: place + 1]) for place in range(len(buckets))]
            bounds = (*(str(bound) for bound in _SECONDS), "+Inf")
            own.add_metric((surface,), list(zip(bounds, sums, strict=True)), total)
        yield own
        waits = GaugeMetricFamily("surefoot_commit_wait_seconds", "Recent waits for the database", labels=("quantile",))
        for share, seconds in self.commit_waits.items():
            waits.add_metric((share,), seconds)
        yield waits
        held = GaugeMetricFamily("surefoot_held_connections", "Callers who wait for a person now", labels=("kind",))
        for kind in HELD_KINDS:
            held.add_metric((kind,), self.held[kind])
        yield held
