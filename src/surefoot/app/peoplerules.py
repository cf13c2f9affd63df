"""What the parts about people share: their store, how long things last, how names and tokens are kept."""

from __future__ import annotations

import unicodedata
from hashlib import sha256
from typing import Protocol

from msgspec import Struct

from surefoot.store import Audit
from surefoot.store.people import Accounts, Sessions

SECOND = 1_000_000_000


class PeopleStore(Protocol):
    """The part of a store that people need."""

    accounts: Accounts
    sessions: Sessions
    audit: Audit


class Rules(Struct, frozen=True, kw_only=True):
    """How long things last, in seconds."""

    idle_seconds: float = 1800.0  # without doing anything, after which a person is logged off
    longest_seconds: float = 12 * 3600.0  # after which everybody is
    link_seconds: float = 900.0  # how long a one-time link can be used
    free_failures: int = 3  # wrong passwords in a row that cost nothing
    longest_delay_seconds: float = 900.0


def tidy(name: str) -> str:
    """An account's name as it is kept, however it was typed."""
    return unicodedata.normalize("NFKC", name).strip().lower()


def fingerprint(secret: str) -> str:
    """What is kept of a token: its SHA-256, hex. Tokens have 256 random bits, so no salt is needed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def door_of(name: str) -> str:
    """Under what a name's failed attempts are counted: known or not, it is not written down as it was typed."""
    return fingerprint(f"name:{name}")
