"""Requests and stages for the tests of `fit`."""

from __future__ import annotations

from typing import Any

import msgspec

from surefoot.policy import Budgets, Compress, Feature, Policy, parse_ladder
from surefoot.providers import Provider
from surefoot.providers.registry import Model, Registry
from surefoot.providers.tokens import Estimator
from surefoot.records import Ask, Caller, ModelPrice, PriceLine, Question, Request, Rung, Try
from surefoot.stages import Fit, Prefixes
from surefoot.wire.dialects import DIALECTS

FULL = (
    "Returns\nThe shop was founded in 1987 by two brothers from Leeds. Its rooms are painted green. You can return shoes within 30 "
    "days for a full refund. Their mother kept the accounts for many years in a leather book."
)
OTHER = (
    "Walks\nThe hills around the town are popular. Many visitors arrive by train in spring. The station has two platforms and a "
    "small cafe. A bus leaves for the lake every hour in summer."
)
ASKED = "Within how many days can I return shoes?"
PRICE = ModelPrice(
    version="test",
    tiers=(PriceLine(input=3_000_000_000, cached=300_000_000, cache_write=3_750_000_000, output=15_000_000_000),),
)


class Vendor:
    """A provider that is never asked."""

    simulated = False

    def __init__(self, kind: str) -> None:
        self.kind = self.name = kind
        self.dialects = frozenset({kind})
        self.tries = 1


def model(name: str, *, context: int | None = None, kind: str = "openai") -> Model:
    vendor: Provider = Vendor(kind)  # type: ignore[assignment]
    return Model(name=name, provider=vendor, upstream=name, price=PRICE, context_tokens=context)


def request(messages: list[Any], *, dialect: str = "openai", at_s: int = 0, id: str = "req_1", **more: Any) -> Request:
    body = msgspec.json.encode({"model": "small", "messages": messages, **more})
    parsed = DIALECTS[dialect].parse(body, surface="chat")
    return Request(
        id=id, at_ns=at_s * 1_000_000_000, draw="0" * 32, dialect=dialect, surface="chat",
        caller=Caller(key_id="local", tenant="local"), feature="f", model="small", stream=False, body=body, top=parsed.top,
        max_output_tokens=parsed.max_output_tokens,
    )  # fmt: skip


def fit(
    *models: Model,
    harmful: bool = False,
    estimator: Estimator | None = None,
    prefixes: Prefixes | None = None,
    budgets: Budgets | None = None,
    **rules: Any,
) -> Fit:
    if rules.get("compress") is True:
        rules["compress"] = Compress()
    feature = Feature(name="f", ladder=parse_ladder([each.name for each in models]), **rules)
    registry = Registry(models={each.name: each for each in models})
    return Fit(
        registry, Policy.of({"f": feature}), harmful={"f": harmful}, estimator=estimator, prefixes=prefixes, budgets=budgets
    )  # fmt: skip


async def asked(stage: Fit, given: Request, name: str = "small") -> Ask:
    question = Question(
        fingerprint="", model="small", dialect=given.dialect, surface="chat", stream=False,
        input_tokens=len(given.body) // 3, max_output_tokens=None,
    )  # fmt: skip
    return await stage(Try(request=given, question=question, rung=Rung(name=name, kind="model", models=(name,))))
