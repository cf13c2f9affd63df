"""What an operator's dashboard scrapes: own prefix, base units, no user or tenant as a label. Telemetry fails open."""

from __future__ import annotations

from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from surefoot.records import Attempt, Decision, Draft, Entry, Settlement

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)


class Metrics:
    """One registry a process; children are looked up once and kept, since labels are few."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._http = Counter(
            "surefoot_http_requests",
            "Answers sent, by surface and status",
            ["surface", "status"],
            registry=self.registry,
        )
        self._decisions = Counter(
            "surefoot_decisions", "Ends of the page", ["feature", "rung", "action", "verdict"], registry=self.registry
        )
        self._tokens = Counter(
            "surefoot_tokens", "Tokens billed", ["feature", "model", "kind"], registry=self.registry
        )  # fmt: skip
        self._spend = Counter("surefoot_spend_usd", "Money booked", ["feature", "model"], registry=self.registry)
        self._own = Histogram(
            "surefoot_own_seconds", "Time of our own part", ["surface"], buckets=_SECONDS, registry=self.registry
        )
        self._cache = Counter("surefoot_cache_lookups", "Cache rungs tried", ["result"], registry=self.registry)
        self._unavailable = Counter(
            "surefoot_unavailable_rungs", "Rungs that could not be asked", ["feature", "rung"], registry=self.registry
        )
        self.lost = Counter("surefoot_lost", "Things that failed open", ["what"], registry=self.registry)
        self.commit_wait = Gauge(
            "surefoot_commit_wait_seconds", "Recent waits for the database", ["quantile"], registry=self.registry
        )
        self._children: dict[tuple[str, ...], Counter] = {}

    def seen(self, surface: str, status: int) -> None:
        """Count an answer sent."""
        self._child(self._http, surface, str(status)).inc()

    def decided(self, feature: str, surface: str, decision: Decision, own_us: int) -> None:
        """Count the end of a page."""
        rung = decision.rung.name if decision.rung else "none"
        verdict = type(decision.verdict).__name__.lower()
        self._child(self._decisions, feature, rung, decision.action, verdict).inc()
        self._own.labels(surface).observe(own_us / 1e6)

    def ended(self, feature: str, attempts: Sequence[Attempt], settlements: Sequence[Settlement]) -> None:
        """Count what a request tried and what it cost."""
        for attempt in attempts:
            self.attempted(feature, attempt.draft)
        for settlement in settlements:
            for entry in settlement.entries:
                self.booked(entry)

    def attempted(self, feature: str, draft: object) -> None:
        """Count what a rung yielded."""
        rung = getattr(draft, "rung", "")
        kind = "hit" if isinstance(draft, Draft) else getattr(draft, "kind", "")
        if rung == "cache":
            self._child(self._cache, kind).inc()
        elif kind == "unavailable":
            self._child(self._unavailable, feature, rung).inc()

    def booked(self, entry: Entry) -> None:
        """Count a ledger line."""
        self._child(self._tokens, entry.feature, entry.model, entry.kind).inc(entry.quantity)
        self._child(self._spend, entry.feature, entry.model).inc(entry.nanodollars / 1e9)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self.registry)

    def _child(self, counter: Counter, *labels: str) -> Counter:
        key = (str(id(counter)), *labels)
        child = self._children.get(key)
        if child is None:
            child = self._children[key] = counter.labels(*labels)
        return child
