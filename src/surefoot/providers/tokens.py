"""How long a text is, in tokens, when nobody metered it."""

from __future__ import annotations

BYTES_PER_TOKEN = 4


def estimate(text: str | bytes) -> int:
    """UTF-8 bytes over four, rounded up; 0 of nothing. About right for English prose, too low for code and other scripts."""
    length = len(text) if isinstance(text, bytes) else len(text.encode("utf-8"))
    return -(-length // BYTES_PER_TOKEN)
