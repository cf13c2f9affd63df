"""Which case comes first: risk x waiting time against the SLA x the customer's weight. Pure.

    priority(t) = risk * weight * (t - opened) / sla

A queue in this order would have to be sorted anew every second. It is kept instead by the moment at which a case's priority
reaches 1, `rank_ns` = opened + sla / (risk * weight): fixed when the case is opened, one index, the same for every replica and
whatever a clock does. The two orders agree on which case becomes urgent first. They part among cases that are late already:
there `rank_ns` takes the one that became urgent first, so that nothing is overtaken for ever by newer and heavier cases.
"""

from __future__ import annotations

from msgspec import Struct

from surefoot.records import Case

SECOND_NS = 1_000_000_000
LEAST_RISK = 0.05  # so that a sure draft waits for 20 times its SLA, not for ever
AUDIT_SECONDS = 86_400.0  # nobody waits for an audit: it is urgent after a day
_MINUTE = 60.0


class Priority(Struct, frozen=True, kw_only=True):
    """How urgent a case is, and why."""

    value: float  # at least 0; from 1 on it is urgent
    risk: float
    waited_seconds: float
    sla_seconds: float
    weight: float

    @property
    def explanation(self) -> str:
        """In words for people: "risk 0.60 x 12 of 15 min x customer 2 = 0.96"."""
        waited, sla = self.waited_seconds / _MINUTE, self.sla_seconds / _MINUTE
        customer = f" x customer {self.weight:g}" if self.weight != 1 else ""
        return f"risk {self.risk:.2f} x {waited:.0f} of {sla:.0f} min{customer} = {self.value:.2f}"


def risk_of(*, p: float | None, red_flag: bool) -> float:
    """How bad it is to leave a case lying, in [LEAST_RISK, 1]: 1 - p of its draft; 1 for a red flag and where p is unknown."""
    return 1.0 if red_flag or p is None else min(1.0, max(LEAST_RISK, 1.0 - p))


def rank_ns(opened_at_ns: int, *, sla_seconds: float, risk: float, weight: float = 1.0) -> int:
    """When a case's priority reaches 1, in UTC nanoseconds. The queue is in this order.

    Args:
        sla_seconds, risk, weight: all above 0.
    """
    return opened_at_ns + round(sla_seconds / (risk * weight) * SECOND_NS)


def priority(case: Case, *, now_ns: int) -> Priority:
    """How urgent a case is now; 0 before it was opened (clocks differ)."""
    waited = max(0, now_ns - case.opened_at_ns) / SECOND_NS
    span = max(1, case.rank_ns - case.opened_at_ns) / SECOND_NS
    sla = span * case.risk * case.weight
    return Priority(value=waited / span, risk=case.risk, waited_seconds=waited, sla_seconds=sla, weight=case.weight)
