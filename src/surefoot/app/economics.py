"""What a request earns, and the memo of what the baseline would have cost it: worked out when it is settled."""

from __future__ import annotations

from hashlib import blake2b

import msgspec

from surefoot.policy import Feature
from surefoot.providers.billing import cost_of
from surefoot.records import Decision, Draft, ModelPrice, Request, Revenue, Usage
from surefoot.wire.dialects import DIALECTS

_EARNING = ("chat", "embeddings")


def earned(feature: Feature, request: Request, action: str) -> tuple[Revenue, ...]:
    """The price of a delivered request; () where none is set, and for what is not delivered."""
    rules = feature.revenue
    if rules is None or not rules.request_nanodollars or action != "deliver" or request.surface not in _EARNING:
        return ()
    line = Revenue(
        id=revenue_id(request.id), request_id=request.id, at_ns=request.at_ns, tenant=request.caller.tenant,
        key_id=request.caller.key_id, feature=request.feature, outcome="", nanodollars=rules.request_nanodollars,
        price_version="config",
    )  # fmt: skip
    return (line,)


def revenue_id(request_id: str, outcome: str = "") -> str:
    """The id of what a request earns by an outcome, or by being delivered: the same wherever it is worked out."""
    return "rev_" + blake2b(msgspec.json.encode((request_id, outcome)), digest_size=12).hexdigest()


def baseline_name(feature: Feature) -> str:
    """The model that a feature's saving is stated against: as configured, else the last of its ladder; "" without any."""
    return feature.baseline or next(reversed(feature.models()), "")


def baseline_nanodollars(request: Request, decision: Decision | None, price: ModelPrice | None) -> int | None:
    """What the delivered answer would have cost from the baseline: its own tokens at the baseline's price, no answer cached.

    None when nothing was delivered, nobody knows the tokens (an answer that no model wrote) or the baseline has no price.
    """
    if price is None or decision is None or decision.action != "deliver" or request.surface != "chat":
        return None
    usage = _usage(request, decision)
    return cost_of(usage, price) if usage is not None and usage.output_tokens else None


def answering_model(decision: Decision | None) -> str:
    """The model that wrote the delivered answer, by the name that its calls are billed under; "" when none was asked."""
    draft = decision.attempt.draft if decision and decision.action == "deliver" and decision.attempt else None
    if not isinstance(draft, Draft) or decision is None or decision.attempt is None:
        return ""
    return next((call.model for call in decision.attempt.priced if call.usage == draft.usage), "")


def _usage(request: Request, decision: Decision) -> Usage | None:
    """The tokens of the delivered answer; of a cached one those of the call that wrote it."""
    attempt = decision.attempt
    if attempt is None or not isinstance(attempt.draft, Draft):
        return None
    if attempt.draft.provider != "cache":
        return attempt.draft.usage
    return None if attempt.answer is None else DIALECTS[request.dialect].read(attempt.answer.body).usage
