"""Lots: every purpose and rung takes its own independent uniform from the 128 bits drawn at the door."""

from __future__ import annotations

from hashlib import blake2b

from surefoot.policy.near import NearRules
from surefoot.policy.policy import Feature
from surefoot.records import Lot

_SPAN = 1 << 53  # the integers that a double holds exactly


def uniform(draw: str, purpose: str, rung: str = "") -> float:
    """A number in [0, 1) that depends on the draw, the purpose and the rung alone."""
    digest = blake2b(f"{purpose}\0{rung}".encode(), key=bytes.fromhex(draw), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / _SPAN


def audit_lot(feature: Feature, draw: str, rung: str) -> Lot:
    """Whether a delivered answer goes to a blind audit, and how probable that was; probability 0 when none is held."""
    return Lot(drawn=uniform(draw, "audit", rung) < feature.audit, propensity=feature.audit)


def near_lot(rules: NearRules, draw: str) -> Lot:
    """Whether a near hit within the bound is withheld so that it can be judged, and how probable that was."""
    return Lot(drawn=uniform(draw, "near") < rules.explore, propensity=rules.explore)
