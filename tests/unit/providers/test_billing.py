"""Money is integers, rounded once per entry."""

from hypothesis import given
from hypothesis import strategies as st

from surefoot.providers.billing import entries_of, worst_case
from surefoot.records import ModelPrice, PricedCall, PriceLine, Usage

IDENTITY = {"request_id": "r", "at_ns": 1, "tenant": "t", "key_id": "k", "feature": "f"}
prices = st.integers(0, 100_000_000_000)
tokens = st.integers(0, 2_000_000)


def price(
    *,
    input: int = 2_000_000_000,
    cached: int = 500_000_000,
    write: int = 2_500_000_000,
    output: int = 8_000_000_000,
    request: int = 0,
) -> ModelPrice:
    return ModelPrice(
        version="v", tiers=(PriceLine(input=input, cached=cached, cache_write=write, output=output),), request=request
    )


def billed(usage: Usage, at: ModelPrice | None) -> dict[str, int]:
    call = PricedCall(rung="r", provider="p", model="m", usage=usage, price=at)
    return {entry.kind: entry.nanodollars for entry in entries_of(call, **IDENTITY)}


def test_every_kind_of_token_has_its_own_price() -> None:
    usage = Usage(input_tokens=1000, cached_tokens=200, cache_write_tokens=100, output_tokens=50)
    assert billed(usage, price()) == {
        "input": 1_400_000,
        "cached_input": 100_000,
        "cache_write": 250_000,
        "output": 400_000,
    }


def test_half_a_nanodollar_is_rounded_up_once() -> None:
    assert billed(Usage(input_tokens=1), price(input=500_000)) == {"input": 1}
    assert billed(Usage(input_tokens=1), price(input=499_999)) == {"input": 0}


def test_a_free_or_unused_call_has_no_entries() -> None:
    assert billed(Usage(input_tokens=5), None) == {}
    assert billed(Usage(), price(request=5)) == {}


def test_a_long_prompt_is_billed_in_its_tier_all_of_it() -> None:
    tiers = (
        PriceLine(input=10, cached=10, cache_write=10, output=10),
        PriceLine(from_input_tokens=101, input=2_000_000, cached=0, cache_write=0, output=0),
    )
    both = ModelPrice(version="v", tiers=tiers)
    assert billed(Usage(input_tokens=100), both) == {"input": 0}
    assert billed(Usage(input_tokens=101), both) == {"input": 202}


@given(prices, prices, prices, prices, tokens, tokens, tokens, tokens)
def test_no_call_costs_more_than_its_worst_case(
    a: int, b: int, c: int, d: int, fresh: int, cached: int, written: int, output: int
) -> None:
    at = price(input=a, cached=b, write=c, output=d, request=7)
    usage = Usage(
        input_tokens=fresh + cached + written, cached_tokens=cached, cache_write_tokens=written, output_tokens=output
    )
    spent = billed(usage, at)
    assert all(amount >= 0 for amount in spent.values())
    assert sum(spent.values()) <= worst_case(at, usage.input_tokens, output, 1) + len(spent)  # half a nano-dollar each
