"""What is known of the vendors' prefix caches: how long a prefix must be, how long it is kept.

Sources, read in 2026: OpenAI's guide "Prompt caching" (from 1,024 tokens, in steps of 128; kept for 5 to 10 minutes without
use, an hour at most; with `prompt_cache_retention` "24h" a day) and Anthropic's of the same name (least lengths by model;
5 minutes from the last use, or an hour with `ttl` "1h"; order tools, system, messages). Vendors change this: it is one table.
"""

from __future__ import annotations

import re

from msgspec import Struct

from surefoot.ledger.lint.segments import Prompt
from surefoot.records import PriceLine

STEP_TOKENS = 128  # in which OpenAI caches
_OPENAI_LEAST = 1024
_ANTHROPIC_LEAST = (  # the first that is found in the model's name; what is not listed needs 1,024
    (re.compile(r"opus-4-[5-9]|haiku-4-[5-9]"), 4096),
    (re.compile(r"sonnet-4-[6-9]|3-5-haiku|haiku-3-5|3-haiku|haiku-3"), 2048),
)
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


class Life(Struct, frozen=True):
    """How long a prefix is kept without being used, in seconds."""

    sure: float  # it should still be there
    possible: float  # beyond this it is gone


def least_tokens(prompt: Prompt, model: str = "") -> int:
    """How long a prefix must be for the vendor to cache it, in tokens."""
    if prompt.dialect == "openai":
        return _OPENAI_LEAST
    name = (model or prompt.model).replace(".", "-")
    return next((least for pattern, least in _ANTHROPIC_LEAST if pattern.search(name)), 1024)


def life(prompt: Prompt) -> Life:
    """How long the vendor keeps this prompt's prefix."""
    if prompt.dialect == "openai":
        return Life(_DAY, _DAY) if "24h" in prompt.option("prompt_cache_retention") else Life(5 * _MINUTE, _HOUR)
    marks = prompt.option("cache_control") + "".join(
        each.text for each in prompt.segments if each.marked or each.kind == "frame"
    )
    return Life(_HOUR, _HOUR) if re.search(r'"ttl"\s*:\s*"1h"', marks) else Life(5 * _MINUTE, 5 * _MINUTE)


def counted(prompt: Prompt, tokens: int, model: str = "") -> int:
    """How many of so many tokens at the beginning are cached: none below the least length, of OpenAI's whole steps."""
    if tokens < least_tokens(prompt, model):
        return 0
    return tokens - tokens % STEP_TOKENS if prompt.dialect == "openai" else tokens


def has_mark(prompt: Prompt) -> bool:
    """Whether a prompt asks for the cache; OpenAI's does not have to."""
    return (
        prompt.dialect == "openai" or bool(prompt.option("cache_control")) or any(each.marked for each in prompt.said)
    )


def worth(prompt: Prompt, tokens: int, price: PriceLine | None, *, gap_seconds: float | None) -> float:
    """Nano-dollars that so many tokens in the cache save on a request; below 0 where writing them costs more than it saves.

    Args:
        tokens: as `counted`.
        price: None: the call costs nothing, and nothing is saved.
        gap_seconds: since the request before; None: unknown, and then what it saves at most.
    """
    if price is None:
        return 0.0
    if gap_seconds is None or gap_seconds <= life(prompt).sure:
        return tokens * (price.input - price.cached) / 1e6
    return -tokens * (price.cache_write - price.input) / 1e6
