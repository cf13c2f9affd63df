"""How a caller stands within its rate limits."""

from __future__ import annotations

from msgspec import Struct


class RateState(Struct, frozen=True, kw_only=True):
    """(limit, remaining) of requests and of tokens in this minute; None where nothing limits them."""

    requests: tuple[int, int] | None
    tokens: tuple[int, int] | None
    resets_at_ns: int
