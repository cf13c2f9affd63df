"""What is learned from: drafts with their signals and what somebody who knows said of them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

from msgspec import Struct

_FEW, _MANY = (
    0.4,
    0.7,
)  # share of groups kept from every map where something is promised: a threshold needs more than a map
_ENOUGH = 1000  # groups from which on a map has enough of the rest


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


def held_out(group: str, of: int) -> bool:
    """Whether a group certifies and therefore fits no map; its name and the number of all groups alone decide."""
    share = _FEW if of < _ENOUGH else _MANY
    return int.from_bytes(blake2b(group.encode(), digest_size=4).digest(), "big") / 2**32 < share
