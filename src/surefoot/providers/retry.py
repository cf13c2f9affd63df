"""When to ask a provider again: pure arithmetic on the error, the try and the request's own lot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b

from surefoot.errors import Overloaded, ProviderError, TimedOut, Unreachable

_FIRST_SECONDS = 0.25
_CAP_SECONDS = 8.0
_PATIENCE_SECONDS = 30.0  # a provider that asks for longer is climbed over instead


def delay_seconds(error: ProviderError, attempt: int, draw: str) -> float | None:
    """How long to wait before the next try; None when another try makes no sense.

    Args:
        error: what the last try failed with.
        attempt: how many tries there were, from 1.
        draw: the request's lot; jitter is a function of it, so that a replay waits as long.
    Returns: seconds in [0, 30]: what the provider asked for, else full jitter under an exponential cap.
    """
    if not isinstance(error, Unreachable | TimedOut | Overloaded) or error.status in (401, 402, 403):
        return None
    if error.retry_after is not None:
        return error.retry_after if 0 <= error.retry_after <= _PATIENCE_SECONDS else None
    cap: float = min(_CAP_SECONDS, _FIRST_SECONDS * 2 ** (attempt - 1))
    lot = blake2b(f"retry:{attempt}:{draw}".encode(), digest_size=8).digest()
    return cap * (int.from_bytes(lot, "big") / 2**64)


def asked_seconds(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """What `retry-after-ms` or `retry-after` (seconds or a date) asks for; None when neither can be read."""
    milliseconds, seconds = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds is not None:
            return float(milliseconds) / 1000
        if seconds is not None:
            return float(seconds)
    except ValueError:
        return _until(seconds, now)
    return None


def _until(date: str | None, now: datetime | None) -> float | None:
    try:
        at = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)  # "-0000": UTC, and nobody says where
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())
