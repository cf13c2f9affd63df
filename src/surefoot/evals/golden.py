"""Golden sets: what an item is, what a version is, and which items are the same."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from surefoot.providers.rows import Row


def version_of(rows: Sequence[Row]) -> str:
    """The digest of items, whatever their order: the first 16 hex digits of the sha256 of their sorted JSON."""
    encoded = sorted(msgspec.json.encode(row, order="deterministic") for row in rows)
    return sha256(b"\n".join(encoded)).hexdigest()[:16]
