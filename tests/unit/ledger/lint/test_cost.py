"""What was metered, spread over a prompt: nothing is lost."""

import json

from hypothesis import given
from hypothesis import strategies as st

from surefoot.ledger.lint.cost import apportion, spread
from surefoot.ledger.lint.sample import Call, Sample
from surefoot.ledger.lint.segments import prompt_of
from surefoot.records import PriceLine

PRICE = PriceLine(input=2_500_000_000, cached=1_250_000_000, cache_write=3_000_000_000, output=1)


def calls() -> st.SearchStrategy[Call]:
    tokens = st.integers(0, 5000)
    return st.builds(
        lambda cached, written, plain, priced: Call(
            provider="p", model="m", input_tokens=cached + written + plain, cached_tokens=cached, written_tokens=written,
            price=PRICE if priced else None,
        ),
        tokens, tokens, tokens, st.booleans(),
    )  # fmt: skip


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.lists(calls(), max_size=3))
def test_tokens_and_money_of_segments_sum_to_what_was_metered(texts: list[str], made: list[Call]) -> None:
    messages = [{"role": "system" if n == 0 else "user", "content": text} for n, text in enumerate(texts)]
    sample = Sample(prompt=prompt_of(json.dumps({"messages": messages}).encode()), calls=tuple(made), added=("more",))
    found = spread(sample)
    assert len(found.tokens) == len(sample.prompt.said) + 1
    assert sum(found.tokens) == sum(call.input_tokens for call in made)
    assert sum(found.nanodollars) == sum(paid for call in made for _, paid in call.parts)
    assert min(found.tokens, default=0) >= 0 and min(found.nanodollars, default=0) >= 0


@given(st.integers(0, 10**6), st.lists(st.integers(0, 1000), max_size=20))
def test_shares_are_whole_and_off_by_less_than_one(total: int, weights: list[int]) -> None:
    shares = apportion(total, weights)
    assert sum(shares) == (total if weights else 0)
    if sum(weights):
        assert all(
            abs(share - total * weight / sum(weights)) < 1 for share, weight in zip(shares, weights, strict=True)
        )


def test_cached_tokens_belong_to_the_beginning() -> None:
    body = {"messages": [{"role": "system", "content": "a" * 400}, {"role": "user", "content": "b" * 400}]}
    call = Call(provider="p", model="m", input_tokens=200, cached_tokens=100, price=PRICE)
    found = spread(Sample(prompt=prompt_of(json.dumps(body).encode()), calls=(call,)))
    assert found.tokens == (100, 100, 0) and found.nanodollars == (125_000, 250_000, 0)
