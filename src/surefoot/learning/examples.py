"""What is learned from: drafts with their signals and what somebody who knows said of them."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct


class Example(Struct, frozen=True, kw_only=True):
    """One judged draft."""

    id: str
    group: str  # examples of one group are never divided between fitting and testing
    signals: Mapping[str, float | None]  # scores in [0, 1]; None or missing: the check abstained
    accepted: bool
    weight: float = 1.0  # 1 / propensity: how many like it the draft stands for
    nanodollars: int = 0  # what the draft cost


class Walk(Struct, frozen=True, kw_only=True):
    """One question with the draft of every rung, cheapest first; None where a rung gave none or nobody judged it."""

    id: str
    group: str
    drafts: tuple[Example | None, ...]
    weight: float = 1.0
