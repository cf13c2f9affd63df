"""From usage and price to ledger entries: integer arithmetic, rounded once per entry."""

from __future__ import annotations

from surefoot.records import Entry, ModelPrice, PricedCall, Usage
from surefoot.records.money import cost


def entries_of(
    call: PricedCall, *, request_id: str, at_ns: int, tenant: str, key_id: str, feature: str
) -> tuple[Entry, ...]:
    """The ledger lines of one model call; () for a call that costs nothing or used nothing."""
    usage, price = call.usage, call.price
    if price is None:
        return ()
    return tuple(
        Entry(
            request_id=request_id, at_ns=at_ns, tenant=tenant, key_id=key_id, feature=feature, rung=call.rung,
            provider=call.provider, model=call.model, kind=kind, quantity=quantity, price_per_million=per_million,
            nanodollars=cost(quantity, per_million), price_version=price.version, estimated=usage.estimated, note=call.note,
        )
        for kind, quantity, per_million in _kinds(usage, price)
    )  # fmt: skip


def cost_of(usage: Usage, price: ModelPrice) -> int:
    """Nano-dollars of a call of this usage at a price: the sum of its ledger lines; 0 for a call that used nothing."""
    return sum(cost(quantity, per_million) for _, quantity, per_million in _kinds(usage, price))


def _kinds(usage: Usage, price: ModelPrice) -> list[tuple[str, int, int]]:
    """(kind, quantity, nano-dollars per million) of each line; [] for a call that used nothing."""
    if not usage.input_tokens + usage.output_tokens:
        return []
    line = price.line(usage.input_tokens)
    plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
    kinds = (
        ("input", plain, line.input),
        ("cached_input", usage.cached_tokens, line.cached),
        ("cache_write", usage.cache_write_tokens, line.cache_write),
        ("output", usage.output_tokens, line.output),
        ("request", 1 if price.request else 0, price.request * 1_000_000),
    )
    return [each for each in kinds if each[1]]


def worst_case(price: ModelPrice, input_tokens: int, max_output_tokens: int, choices: int) -> int:
    """Nano-dollars to set aside before a call: nothing cached, everything written, every choice as long as it may be."""
    line = price.line(input_tokens)
    dearest = max(line.input, line.cached, line.cache_write)
    return cost(input_tokens, dearest) + choices * cost(max_output_tokens, line.output) + price.request
