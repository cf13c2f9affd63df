"""Roll-ups as arithmetic: what entries, requests and revenue add to which sums. Shared by every back-end.

A sum belongs to a *series* (one value of each dimension) and a UTC day. An entry counts on its own day under the prompt and
the outcome of its request. When another outcome is reported, all that the request has booked moves to it in the same
transaction; so a roll-up is always the sum of its entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from surefoot.records import Draft, Entry, Escalate, JournalEntry, Read
from surefoot.records.units import OUTCOMES, UNSETTLED, Revenue, day_of

Series = tuple[str, ...]  # values in the order of DIMENSIONS
Place = tuple[Series, int]  # (series, day)
_LONGEST = 200  # characters of a model's name, which a provider may have written
BOOKED_AHEAD = "reservation"  # the kind of entry that knows no end of its request


class Turn(Struct, frozen=True):
    """A request as roll-ups see it: who answered it, with which prompt, and what came of it."""

    day: int
    tenant: str
    feature: str
    key_id: str
    prompt: str
    outcome: str
    rung: str
    provider: str
    model: str
    baseline_nanodollars: int | None

    @property
    def series(self) -> Series:
        """Where the request itself and what it earned are counted: kind ""."""
        return (
            self.tenant, self.feature, self.key_id, self.prompt, self.outcome, self.rung, self.provider, self.model, "",
        )  # fmt: skip


def turn_of(entry: JournalEntry, outcome: str = "") -> Turn:
    """The turn of a request; `outcome` is what was reported last, "" when nothing was."""
    prompt, answered = "", ("", "", "")
    for step in entry.steps:
        value = step.value
        if isinstance(value, Read):
            prompt = value.question.prompt
        elif isinstance(value, Draft) and entry.action == "deliver" and step.rung == entry.rung:
            answered = (value.rung, value.provider, (entry.model or value.model)[:_LONGEST])
        elif isinstance(value, Escalate) and entry.action == "escalate":
            answered = ("person", "person", value.role)
    return Turn(
        day_of(entry.at_ns), entry.tenant, entry.feature, entry.key_id, prompt,
        outcome or OUTCOMES.get(entry.action, entry.action), *answered, entry.baseline_nanodollars,
    )  # fmt: skip


class Rollups:
    """Sums, or what is to be added to them. A place that was never touched is 0 everywhere."""

    def __init__(self) -> None:
        self.costs: dict[Place, list[int]] = {}  # entries, quantity, nanodollars, of it estimated
        # requests, lines of revenue, revenue; requests with a baseline, it, and what those requests cost
        self.requests: dict[Place, list[int]] = {}

    def came(self, turn: Turn, sign: int = 1) -> None:
        """Count a request."""
        sums = self._request((turn.series, turn.day))
        sums[0] += sign
        if turn.baseline_nanodollars is not None:
            sums[3] += sign
            sums[4] += sign * turn.baseline_nanodollars

    def spent(self, turn: Turn | None, entries: Iterable[Entry], sign: int = 1) -> None:
        """Add entries of one request; `turn` is None while nobody knows how it ended."""
        compared = 0
        for entry in entries:
            known = turn is not None and entry.kind != BOOKED_AHEAD
            prompt, outcome = (turn.prompt, turn.outcome) if turn is not None and known else ("", UNSETTLED)
            series = (
                entry.tenant, entry.feature, entry.key_id, prompt, outcome, entry.rung, entry.provider, entry.model, entry.kind,
            )  # fmt: skip
            amount = sign * entry.nanodollars
            place = (series, day_of(entry.at_ns))
            sums = self.costs.get(place)
            if sums is None:
                sums = self.costs[place] = [0, 0, 0, 0]
            sums[0] += sign
            sums[1] += sign * entry.quantity
            sums[2] += amount
            if entry.estimated:
                sums[3] += amount
            if known:
                compared += amount
        if turn is not None and turn.baseline_nanodollars is not None and compared:
            self._request((turn.series, turn.day))[5] += compared

    def earned(self, turn: Turn, lines: Iterable[Revenue], sign: int = 1) -> None:
        """Add what a request earned, each line on its own day."""
        for line in lines:
            sums = self._request((turn.series, day_of(line.at_ns)))
            sums[1] += sign
            sums[2] += sign * line.nanodollars

    def moved(self, turn: Turn, outcome: str, entries: Sequence[Entry], lines: Sequence[Revenue]) -> Turn:
        """The turn with another outcome, after all that it had booked has moved there."""
        to = replace(turn, outcome=outcome)
        for each, sign in ((turn, -1), (to, 1)):
            self.came(each, sign)
            self.spent(each, [entry for entry in entries if entry.kind != BOOKED_AHEAD], sign)
            self.earned(each, lines, sign)
        return to

    def add(self, other: Rollups) -> None:
        """Add other sums to these."""
        for mine, theirs in ((self.costs, other.costs), (self.requests, other.requests)):
            for place, sums in theirs.items():
                old = mine.get(place)
                mine[place] = list(sums) if old is None else [a + b for a, b in zip(old, sums, strict=True)]

    def _request(self, place: Place) -> list[int]:
        sums = self.requests.get(place)
        if sums is None:
            sums = self.requests[place] = [0] * 6
        return sums


def last_outcome(lines: Iterable[Revenue]) -> str:
    """What was reported last of a request; "" when nothing was."""
    reported = [(line.at_ns, line.id, line.outcome) for line in lines if line.outcome]
    return max(reported)[2] if reported else ""
