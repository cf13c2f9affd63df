"""What the checks saw and what it is worth. A score is not a probability: `score` and `p` are never swapped."""

from __future__ import annotations

from msgspec import Struct

from surefoot.records.draft import PricedCall


class Signal(Struct, frozen=True, kw_only=True):
    """One check's score in [0, 1], higher is safer; None when the check abstained."""

    name: str
    score: float | None
    detail: str = ""  # for people; never the caller's words


class Span(Struct, frozen=True, kw_only=True):
    """One sentence of the answer against the passages, as places: the words stay with the content."""

    start: int  # characters of the answer's text
    end: int
    score: float  # [0, 1], higher is better supported; not a probability
    supported: bool
    passage: int | None = None  # the nearest passage, and where in it
    passage_start: int = 0
    passage_end: int = 0
    # What is missing: "number" | "unit" | "date" | "name" | "quote" | "opposite" | "negation" | "elsewhere" | "words".
    why: str = ""


class Evidence(Struct, frozen=True, kw_only=True):
    """All signals about one draft, in a fixed order; sentence by sentence where passages are there."""

    signals: tuple[Signal, ...] = ()
    spans: tuple[Span, ...] = ()
    priced: tuple[PricedCall, ...] = ()  # what judging cost; the journal keeps it in the ledger, not here

    def score(self, name: str) -> float | None:
        """The score of a signal; None when it is missing or its check abstained."""
        for signal in self.signals:
            if signal.name == name:
                return signal.score
        return None


CONFIGURED = frozenset({"map:fixed", "map:logistic", "map:steps", "cache:configured"})  # sources that no labels fitted


class Confidence(Struct, frozen=True, kw_only=True):
    """The probability that the draft is acceptable, with its interval; all None when nobody knows."""

    p: float | None = None
    low: float | None = None
    high: float | None = None
    source: str = "uncalibrated"  # "uncalibrated" | "map:<kind>" | "cache" | "cache:configured" | "not judged"

    @property
    def calibrated(self) -> bool:
        """Whether labels of this very feature and rung say what p means; a map that was set by hand is somebody's word."""
        return self.p is not None and self.source not in CONFIGURED
