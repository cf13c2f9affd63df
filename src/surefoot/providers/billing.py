"""From usage and price to ledger entries: integer arithmetic, rounded once per entry."""

from __future__ import annotations

from msgspec.structs import replace

from surefoot.records import Entry, ModelPrice, PricedCall, PriceLine, Usage
from surefoot.records.journal import MEMOS
from surefoot.records.money import cost


def entries_of(
    call: PricedCall, *, request_id: str, at_ns: int, tenant: str, key_id: str, feature: str
) -> tuple[Entry, ...]:
    """The ledger lines of one model call; () for a call that costs nothing or used nothing.

    What earlier tries may be billed that fell silent is a line of its own, estimated.
    """
    usage, price = call.usage, call.price
    if price is None:
        return ()
    given = "embedding" if call.embedding else "input"
    kinds, line = _kinds(usage, price, given), price.line(usage.input_tokens)
    lost = replace(call, usage=Usage(estimated=True), note="unanswered", lost_tokens=0)
    lines = [(call, each) for each in (*kinds, *(_memos(call, line) if kinds else ()))]
    lines += [(lost, (given, call.lost_tokens, line.input))] if call.lost_tokens else []
    found = tuple(
        Entry(
            request_id=request_id, at_ns=at_ns, tenant=tenant, key_id=key_id, feature=feature, rung=each.rung,
            provider=each.provider, model=each.model, kind=kind, quantity=quantity, price_per_million=per_million,
            nanodollars=cost(quantity, per_million), price_version=price.version, estimated=each.usage.estimated,
            note=each.note,
        )
        for each, (kind, quantity, per_million) in lines
    )  # fmt: skip
    return tuple(replace(entry, nanodollars=0) if entry.kind in MEMOS else entry for entry in found)


def cost_of(usage: Usage, price: ModelPrice) -> int:
    """Nano-dollars of a call of this usage at a price: the sum of its ledger lines; 0 for a call that used nothing."""
    return sum(cost(quantity, per_million) for _, quantity, per_million in _kinds(usage, price))


def _kinds(usage: Usage, price: ModelPrice, given: str = "input") -> list[tuple[str, int, int]]:
    """(kind, quantity, nano-dollars per million) of each line; [] for a call that used nothing. `given`: what was sent."""
    if not usage.input_tokens + usage.output_tokens:
        return []
    line = price.line(usage.input_tokens)
    plain = max(0, usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens)
    kinds = (
        (given, plain, line.input),
        ("cached_input", usage.cached_tokens, line.cached),
        ("cache_write", usage.cache_write_tokens, line.cache_write),
        ("output", usage.output_tokens, line.output),
        ("request", 1 if price.request else 0, price.request * 1_000_000),
    )
    return [each for each in kinds if each[1]]


def _memos(call: PricedCall, line: PriceLine) -> list[tuple[str, int, int]]:
    """What was not paid because the prompt was shortened or our marks had it cached; and what marks cost beyond input."""
    saved = [("memo.shortened", call.left_out_tokens, line.input)]
    if call.marked:
        saved += [
            ("memo.cache_read", call.usage.cached_tokens, max(0, line.input - line.cached)),
            ("memo.cache_premium", call.usage.cache_write_tokens, max(0, line.cache_write - line.input)),
        ]
    return [each for each in saved if each[1]]


def worst_case(price: ModelPrice, input_tokens: int, max_output_tokens: int, choices: int, *, tries: int = 1) -> int:
    """Nano-dollars to set aside before a call: nothing cached, everything written, every choice as long as it may be.

    Each of the `tries` before the last may be billed for its prompt: it fell silent, or nobody would have tried again.
    """
    line = price.line(input_tokens)
    dearest = max(line.input, line.cached, line.cache_write)
    return tries * cost(input_tokens, dearest) + choices * cost(max_output_tokens, line.output) + price.request
