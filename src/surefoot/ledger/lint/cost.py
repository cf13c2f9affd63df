"""What was metered, spread over the segments of a prompt: nothing is lost and nothing is counted twice.

Vendors meter a prompt as a whole. Its tokens are shared out by the segments' UTF-8 bytes, scaled to the metered sum; tokens
that came from the provider's cache belong to the segments at the beginning, since only a prefix can be cached.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from msgspec import Struct

from surefoot.ledger.lint.sample import Call, Sample


class Spread(Struct, frozen=True, kw_only=True):
    """Tokens and nano-dollars of each segment of `prompt.said`, in order; at the end those of the gateway's own passages."""

    tokens: tuple[int, ...]
    nanodollars: tuple[int, ...]


def spread(sample: Sample) -> Spread:
    """The input of all model calls of a request, by segment: sums are exactly what was metered and paid.

    A prompt without anything that weighs gives it all to its last segment; () when there is none.
    """
    weights = [*(each.weight for each in sample.prompt.said), sum(len(text.encode("utf-8")) for text in sample.added)]
    tokens, paid = [0] * len(weights), [0] * len(weights)
    for call in sample.calls:
        own = apportion(call.input_tokens, weights)
        tokens = [one + other for one, other in zip(tokens, own, strict=True)]
        paid = [one + other for one, other in zip(paid, _paid(call, own), strict=True)]
    return Spread(tokens=tuple(tokens), nanodollars=tuple(paid))


def apportion(total: int, weights: Sequence[int]) -> list[int]:
    """Whole numbers in proportion to weights that sum to the total, by largest remainder; [] of no weights."""
    whole = sum(weights)
    if not whole:
        return [0] * (len(weights) - 1) + [total] if weights else []
    shares = [total * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in order[: total - sum(shares)]:
        shares[place] += 1
    return shares


def _paid(call: Call, tokens: Sequence[int]) -> list[int]:
    """Nano-dollars by segment: the cached part pays for the first tokens, the written part for the next, the rest is plain."""
    paid, begin = [0] * len(tokens), 0
    ends = list(accumulate(tokens))
    for amount, nanodollars in call.parts:
        if amount:
            inside = [
                max(0, min(end, begin + amount) - max(end - own, begin)) for end, own in zip(ends, tokens, strict=True)
            ]
            paid = [one + other for one, other in zip(paid, apportion(nanodollars, inside), strict=True)]
        begin += amount
    return paid
