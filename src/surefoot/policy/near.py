"""When a near question's answer may be given: the map's probability, the bar, and the account of wrong answers. Pure."""

from __future__ import annotations

import math

from msgspec import Struct

from surefoot.records import Gate, Nearness

INPUTS = ("lead", "score", "nearest", "support", "crowd", "record")
SHADOW = "shadow: only watched"
NO_LABELS = "too few labels for a map"


class NearLine(Struct, frozen=True, kw_only=True):
    """The map: 1 / (1 + exp(-(bias + sum of weight * (input - center) / scale))), in the order of `INPUTS`."""

    center: tuple[float, ...]
    scale: tuple[float, ...]  # each above 0
    weight: tuple[float, ...]
    bias: float
    labels: int  # that it was fitted on

    def p(self, inputs: tuple[float, ...]) -> float:
        """The probability that the same answer is right."""
        z = self.bias
        for value, center, scale, weight in zip(inputs, self.center, self.scale, self.weight, strict=True):
            z += weight * (value - center) / scale
        return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


class NearRules(Struct, frozen=True, kw_only=True):
    """What a feature's near cache may do. Without a limit it only watches."""

    errors_per_request: float | None = None  # most wrong near hits, as a share of all requests
    errors_per_hit: float | None = None  # most wrong ones, as a share of near hits
    shadow_requests: int = 1000  # so many at first are only watched
    label_error: float = 0.0  # at most this share of wrong proposals is labelled right
    explore: float = 0.3  # probability that a proposal within the bound is withheld and judged
    assurance: float = 0.95  # of each bound
    line: NearLine | None = None  # fitted; None: too few labels

    @property
    def bounded(self) -> bool:
        """Whether any limit is declared."""
        return self.errors_per_request is not None or self.errors_per_hit is not None


def inputs_of(near: Nearness) -> tuple[float, ...]:
    """The map's inputs, in the order of `INPUTS`."""
    return (
        math.sqrt(max(near.lead, 0.0)), near.score, near.nearest, math.log1p(near.support), math.log1p(near.crowd),
        near.record,
    )  # fmt: skip


def near_p(rules: NearRules, near: Nearness) -> float | None:
    """What the map believes; None while there is none."""
    return rules.line.p(inputs_of(near)) if rules.line is not None else None


def closed(rules: NearRules, bar: float, near: Nearness, gate: Gate | None, *, believed_low: float) -> str:
    """Why a proposal may not be given; "" when it may, unless the lot withholds it.

    Args:
        bar: of the feature, for the lower end of p.
        gate: the account; None: not looked at yet, and then only what needs none of it is asked.
        believed_low: the lower end of the p with which the answer entered the cache; a person's answer has 1.
    """
    p = near_p(rules, near)
    if near.vetoed:
        return near.vetoed
    if p is None:
        return NO_LABELS
    if not rules.bounded:
        return "no bound is declared: only watched"
    if p * believed_low < bar:
        return f"p >= {p * believed_low:.3f} is below the bar {bar:.2f}"
    return "" if gate is None else _account(rules, p, gate)


def _account(rules: NearRules, p: float, gate: Gate) -> str:
    if gate.requests <= rules.shadow_requests:
        return SHADOW
    if rules.errors_per_request is not None:
        if gate.most_wrong is None or gate.most_wrong > rules.errors_per_request * gate.requests:
            return "the budget of wrong answers per request is spent"
        if p < gate.lowest:
            return f"p = {p:.3f} is below what the budget allows, {gate.lowest:.3f}"
    if rules.errors_per_hit is not None and (gate.certified is None or p < gate.certified):
        return "its band of p is not certified"
    return ""
