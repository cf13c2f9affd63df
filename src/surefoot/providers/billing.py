"""From usage and price to ledger entries: integer arithmetic, rounded once per entry."""

from __future__ import annotations

from msgspec.structs import replace

from surefoot.records import Entry, ModelPrice, PricedCall, PriceLine
from surefoot.records.journal import MEMOS
from surefoot.records.money import cost


def entries_of(
    call: PricedCall, *, request_id: str, at_ns: int, tenant: str, key_id: str, feature: str
) -> tuple[Entry, ...]:
    """The ledger lines of one model call; () for a call that costs nothing or used nothing."""
    usage, price = call.usage, call.price
    used = usage.input_tokens + usage.output_tokens
    if price is None or not used:
        return ()
    line = price.line(usage.input_tokens)
    plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
    kinds = (
        ("input", plain, line.input),
        ("cached_input", usage.cached_tokens, line.cached),
        ("cache_write", usage.cache_write_tokens, line.cache_write),
        ("output", usage.output_tokens, line.output),
        ("request", 1 if price.request else 0, price.request * 1_000_000),
    )
    found = tuple(
        Entry(
            request_id=request_id, at_ns=at_ns, tenant=tenant, key_id=key_id, feature=feature, rung=call.rung,
            provider=call.provider, model=call.model, kind=kind, quantity=quantity, price_per_million=per_million,
            nanodollars=cost(quantity, per_million), price_version=price.version, estimated=usage.estimated, note=call.note,
        )
        for kind, quantity, per_million in (*kinds, *_memos(call, line))
        if quantity
    )  # fmt: skip
    return tuple(replace(entry, nanodollars=0) if entry.kind in MEMOS else entry for entry in found)


def _memos(call: PricedCall, line: PriceLine) -> tuple[tuple[str, int, int], ...]:
    """What was not paid because the prompt was shortened or our marks had it cached; and what marks cost beyond input."""
    saved = (("memo.shortened", call.left_out_tokens, line.input),)
    if not call.marked:
        return saved
    usage = call.usage
    return (
        *saved,
        ("memo.cache_read", usage.cached_tokens, max(0, line.input - line.cached)),
        ("memo.cache_premium", usage.cache_write_tokens, max(0, line.cache_write - line.input)),
    )


def worst_case(price: ModelPrice, input_tokens: int, max_output_tokens: int, choices: int) -> int:
    """Nano-dollars to set aside before a call: nothing cached, everything written, every choice as long as it may be."""
    line = price.line(input_tokens)
    dearest = max(line.input, line.cached, line.cache_write)
    return cost(input_tokens, dearest) + choices * cost(max_output_tokens, line.output) + price.request
