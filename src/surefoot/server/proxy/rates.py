"""Rate limits as both vendors' headers tell them."""

from __future__ import annotations

from datetime import UTC, datetime

from surefoot.records.rate import RateState

_SECOND_NS = 1_000_000_000


def headers_of(state: RateState, dialect: str, now_ns: int) -> list[tuple[str, str]]:
    """OpenAI: x-ratelimit-{limit,remaining,reset}-{requests,tokens}, the reset as a duration ("1m0s"). Anthropic:
    anthropic-ratelimit-{requests,tokens}-{limit,remaining,reset}, the reset as a time."""
    seconds = max(0, -(-(state.resets_at_ns - now_ns) // _SECOND_NS))
    out = []
    for what, bar in (("requests", state.requests), ("tokens", state.tokens)):
        if bar is None:
            continue
        limit, remaining = str(bar[0]), str(bar[1])
        if dialect == "anthropic":
            reset = datetime.fromtimestamp(state.resets_at_ns // _SECOND_NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            told = (("limit", limit), ("remaining", remaining), ("reset", reset))
            out += [(f"anthropic-ratelimit-{what}-{name}", value) for name, value in told]
        else:
            reset = f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"
            told = (("limit", limit), ("remaining", remaining), ("reset", reset))
            out += [(f"x-ratelimit-{name}-{what}", value) for name, value in told]
    return out
