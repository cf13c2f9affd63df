"""no-cache-mark, too-short-to-cache: prefixes that stay the same and are paid for in full all the same."""

from __future__ import annotations

from collections.abc import Iterator

from surefoot.ledger.lint.caching import counted, has_mark, least_tokens, life, worth
from surefoot.ledger.lint.findings import Hit
from surefoot.ledger.lint.traffic import Traffic

_NEARLY = 0.75  # of the least length: from there on it may be worth to go to it


def no_cache_mark(traffic: Traffic) -> Iterator[Hit]:
    """Anthropic caches what is marked, and nothing else: a prefix that is long enough and the same, without a mark."""
    for prefix in traffic.prefixes:
        sample = traffic.samples[prefix.number]
        call, prompt = sample.main, sample.prompt
        tokens = counted(prompt, prefix.now_tokens, call.model if call else "")
        if has_mark(prompt) or not tokens:
            continue
        saving = worth(prompt, tokens, call.price if call else None, gap_seconds=prefix.gap_seconds)
        yield Hit(
            rule="no-cache-mark", severity="error", number=prefix.number, key="", segment=prompt.said[0],
            what=f"{tokens} tokens at the beginning stay the same and are not marked for the cache",
            fix='put "cache_control": {"type": "ephemeral"} on the last block that stays the same',
            tokens=float(tokens) if saving > 0 else 0.0, nanodollars=saving, at_most=prefix.gap_seconds is None,
        )  # fmt: skip


def too_short_to_cache(traffic: Traffic) -> Iterator[Hit]:
    """A prefix that is marked, or nearly long enough, and shorter than what the vendor caches."""
    for prefix in traffic.prefixes:
        sample = traffic.samples[prefix.number]
        call, prompt = sample.main, sample.prompt
        least, tokens = least_tokens(prompt, call.model if call else ""), prefix.fixed_tokens
        if tokens >= least or not prompt.said or (prefix.gap_seconds or 0) > life(prompt).sure:
            continue
        wanted = any(each.marked for each in prompt.said) or bool(prompt.option("prompt_cache_key"))
        wanted = wanted or bool(prompt.option("cache_control"))
        price = call.price if call else None
        saving = (tokens * price.input - least * price.cached) / 1e6 if price is not None else 0.0
        nearly = tokens >= _NEARLY * least and saving > 0
        if not wanted and not nearly:
            continue
        asked = "the cache is asked for, but " if wanted else ""
        yield Hit(
            rule="too-short-to-cache", severity="info", number=prefix.number, key="marked" if wanted else "nearly",
            segment=prompt.said[0],
            what=f"{asked}{tokens} tokens stay the same; this model caches from {least}",
            fix="move what is the same in every request (examples, reference text) to the beginning; or leave the mark out",
            tokens=0.0, nanodollars=saving if nearly else 0.0, at_most=prefix.gap_seconds is None,
        )  # fmt: skip
