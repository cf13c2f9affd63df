"""The stated baseline: the top model for every row, no cache. Only answerers that cost nothing to ask are asked."""

from __future__ import annotations

from collections.abc import Sequence

from surefoot.errors import ProviderError
from surefoot.policy import Feature
from surefoot.providers import Call, Said
from surefoot.providers.billing import entries_of
from surefoot.providers.registry import Model, Registry
from surefoot.providers.rows import Row
from surefoot.records import PricedCall, Request
from surefoot.trial.grade import grade
from surefoot.trial.report import Baseline

_FREE_TO_ASK = ("recorded", "simulated", "extractive")


async def run_baseline(registry: Registry, feature: Feature, asked: Sequence[tuple[Row, Request]]) -> Baseline:
    """Ask the top model every row. A vendor's model is never asked for this: its error and cost stay unknown."""
    names = feature.models()
    name = feature.baseline or (names[-1] if names else None)
    model = registry.get(name) if name else None
    if model is None or model.provider.kind not in _FREE_TO_ASK:
        return Baseline(model=name, error=None, cost_usd=None)
    verdicts: dict[str, bool] = {}
    nanodollars = 0
    priced = model.price is not None or model.provider.kind == "extractive"
    for row, request in asked:
        said = await _ask(model, request)
        if said is None:
            continue
        recorded_as = model.upstream if model.provider.kind == "recorded" else None
        if recorded_as is not None and row.answers[recorded_as].text is None:
            priced = False
        verdict = grade(row, recorded_as=recorded_as, text=said.answer.text)
        if verdict is not None:
            verdicts[row.id] = verdict
        nanodollars += _cost(model, said, request)
    n, wrong = len(verdicts), sum(not right for right in verdicts.values())
    cost = nanodollars / 1e9 if priced and n else None
    return Baseline(model=name, error=wrong / n if n else None, cost_usd=cost, n=n, verdicts=verdicts)


async def _ask(model: Model, request: Request) -> Said | None:
    call = Call(request=request, model=model.upstream, top=request.top)
    try:
        said = await model.provider.complete(call)
    except ProviderError:
        return None  # a row that the top model does not answer is not in its n
    return said if isinstance(said, Said) else None


def _cost(model: Model, said: Said, request: Request) -> int:
    call = PricedCall(
        rung="baseline", provider=model.provider.name, model=model.upstream, usage=said.usage, price=model.price
    )
    entries = entries_of(
        call, request_id=request.id, at_ns=request.at_ns, tenant=request.caller.tenant,
        key_id=request.caller.key_id, feature=request.feature,
    )  # fmt: skip
    return sum(entry.nanodollars for entry in entries)
