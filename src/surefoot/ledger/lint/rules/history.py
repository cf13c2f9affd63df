"""long-history: conversations whose early turns cost more than the question."""

from __future__ import annotations

from collections.abc import Iterator

from surefoot.ledger.lint.findings import Hit
from surefoot.ledger.lint.traffic import Traffic

KEPT_TURNS = 6  # that stay as they are
SUMMARY_TOKENS = 200  # that take the place of the rest
_LEAST_TOKENS, _LEAST_SHARE = 1000, 0.4  # of the early turns, before they are spoken of


def long_history(traffic: Traffic) -> Iterator[Hit]:
    """Turns before the last six that make at least 1,000 tokens and 40 % of a prompt.

    The saving is what they cost as they were billed, cached ones at the cached price, less a summary of 200 tokens.
    """
    for number, sample in enumerate(traffic.samples):
        said = sample.prompt.said
        turns = sorted({each.message for each in said if each.kind == "history"})
        old = set(turns[:-KEPT_TURNS])
        places = [place for place, each in enumerate(said) if each.kind == "history" and each.message in old]
        spread = traffic.spreads[number]
        tokens, paid = sum(spread.tokens[place] for place in places), sum(spread.nanodollars[place] for place in places)
        if tokens < max(_LEAST_TOKENS, _LEAST_SHARE * sum(spread.tokens)):
            continue
        left = (tokens - SUMMARY_TOKENS) / tokens
        yield Hit(
            rule="long-history", severity="warning", number=number, key="", segment=said[places[0]], tokens=tokens * left,
            what=f"{len(old)} turns before the last {KEPT_TURNS} are {tokens / sum(spread.tokens):.0%} of the prompt",
            fix=f"put a summary of about {SUMMARY_TOKENS} tokens in their place", nanodollars=paid * left,
        )  # fmt: skip
