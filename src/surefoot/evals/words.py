"""Objectives in words, the same on the terminal, the page and in alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from surefoot.evals.burn import Burn
from surefoot.evals.objectives import AT_RISK, MET, MISSED, UNKNOWN, Assessment
from surefoot.records.objective import Objective

STATES = (MISSED, AT_RISK, UNKNOWN, MET)  # the worst first
_UNITS = {"USD": " USD", "seconds": " s", "minutes": " min"}
_SPENDS = {
    "delivered_error": "wrong answers", "hallucination_rate": "made-up answers", "p95_latency": "slow answers",
    "automation_rate": "requests for people",
}  # fmt: skip


def amount(objective: Objective, value: float) -> str:
    """A value in the measure's unit."""
    if objective.unit == "share":
        return f"{value:.1%}" if abs(value) >= 0.01 else f"{value:.2%}"
    places = 2 if abs(value) >= 1 else 4 if objective.unit == "USD" else 3
    return f"{value:.{places}f}{_UNITS[objective.unit]}"


def target(objective: Objective) -> str:
    """The target in words: "at most 5.0% over 28d"."""
    way = "at most" if objective.at_most else "at least"
    return f"{way} {amount(objective, objective.target)} over {span(objective.window_seconds)}"


def state(found: Assessment) -> str:
    """The state, with what is still needed where nothing is told yet."""
    if found.state in (MET, MISSED) or found.firing:
        return found.state
    return f"{found.state} ({needed(found)})"


def needed(found: Assessment) -> str:
    """How many more labels or days would tell, on average."""
    if found.needed is None:
        return f"too near the target to say how many more {found.needs}"
    word = found.needs[:-1] if found.needed == 1 else found.needs
    return f"about {found.needed:,} more {word}"


def value(found: Assessment) -> str:
    """The value with its interval and n; in words where nothing is known."""
    if found.value is None:
        return f"not enough data (n = {found.n:,} {found.what})"
    if found.low is None or found.high is None:
        ends = "no interval yet"
    else:
        ends = f"[{amount(found.objective, found.low)}, {amount(found.objective, found.high)}]"
    return f"{amount(found.objective, found.value)} {ends}, n = {found.n:,} {found.what}"


def budget(found: Assessment) -> str:
    """What of the error budget is gone; "" where a measure has none or nothing is known."""
    room = found.budget
    if room is None or room.spent is None or room.spent_high is None:
        return ""
    of = ""
    if room.size is not None and room.size >= 1:
        of = f" of {room.size:,.0f} {_SPENDS.get(found.objective.measure, 'requests')}"
    return f"{room.spent:.0%} [{max(0.0, room.spent_low):.0%}, {room.spent_high:.0%}] spent{of}"


def outlook(found: Assessment, now_ns: int) -> str:
    """The probability of meeting the target, now and in the window that ends when it is due; "" where nothing is known."""
    if found.p_now is None or found.p_due is None:
        return ""
    due_ns = found.objective.due_ns or now_ns + found.objective.window_seconds * 10**9
    day = datetime.fromtimestamp(due_ns // 10**9, UTC)
    return f"P(met) {p(found.p_now)} now, {p(found.p_due)} in the window to {day:%Y-%m-%d}"


def burn(found: Burn) -> str:
    """One pair of windows in words."""
    pair = f"{span(found.long_seconds)}/{span(found.short_seconds)}"
    if found.long is None:
        return f"{pair}: nothing seen"
    said = f"{pair}: {found.long:.1f}x, at least {max(0.0, found.long_low):.1f}x, n = {found.long_n:,}"
    return f"{said}; ALARM from {found.alarm_at:g}x" if found.firing else said


def tally(groups: Sequence[Assessment]) -> str:
    """How many subgroups stand how: "1 missed, 2 unknown, 9 met"."""
    counts = Counter(each.state for each in groups)
    return ", ".join(f"{counts[name]} {name}" for name in STATES if counts[name])


def span(seconds: int) -> str:
    """A stretch of time as it is written: "28d", "6h", "30m"."""
    for length, letter in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds % length == 0:
            return f"{seconds // length}{letter}"
    return f"{seconds}s"


def p(value: float) -> str:
    """A probability; what is as good as certain is not called certain."""
    return ">0.99" if value > 0.99 else "<0.01" if value < 0.01 else f"{value:.2f}"
