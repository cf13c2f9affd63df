"""What the checks saw and what it is worth. A score is not a probability: `score` and `p` are never swapped."""

from __future__ import annotations

from msgspec import Struct


class Signal(Struct, frozen=True, kw_only=True):
    """One check's score in [0, 1], higher is safer; None when the check abstained."""

    name: str
    score: float | None
    detail: str = ""  # for people; never the caller's words


class Evidence(Struct, frozen=True, kw_only=True):
    """All signals about one draft, in a fixed order."""

    signals: tuple[Signal, ...] = ()

    def score(self, name: str) -> float | None:
        """The score of a signal; None when it is missing or its check abstained."""
        for signal in self.signals:
            if signal.name == name:
                return signal.score
        return None


class Confidence(Struct, frozen=True, kw_only=True):
    """The calibrated probability that the draft is acceptable, with its interval; all None when nobody knows."""

    p: float | None = None
    low: float | None = None
    high: float | None = None
    source: str = "uncalibrated"  # "uncalibrated" | "map:<kind>" | "cache" | "not judged"

    @property
    def calibrated(self) -> bool:
        """Whether p means anything."""
        return self.p is not None
