"""The hash chain: each row holds the hash of the row before it, so that no row can be changed, dropped or moved unseen.

hash = sha256(prev_hash || body); the first row's prev_hash is hashed from the chain's id. One chain per process life.
What a chain alone cannot show is that its newest rows were cut off; keep the newest hash elsewhere to see that too.
"""

from __future__ import annotations

import hashlib
import secrets

from surefoot.errors import ChainBroken


def new_id() -> str:
    """A random chain id, 16 hex digits."""
    return secrets.token_hex(8)


def genesis(chain: str) -> bytes:
    """What stands for the row before the first: 32 bytes, hashed from the chain's id."""
    return hashlib.sha256(b"surefoot journal chain " + chain.encode()).digest()


def link(prev_hash: bytes, body: bytes) -> bytes:
    """The hash of a row: 32 bytes."""
    return hashlib.sha256(prev_hash + body).digest()


class Walk:
    """A walk along one chain, row by row; `length` rows have verified so far."""

    def __init__(self, chain: str) -> None:
        self.chain, self.length, self._hash = chain, 0, genesis(chain)

    def step(self, position: int, prev_hash: bytes, row_hash: bytes, body: bytes) -> None:
        """Check the next row. Raises ChainBroken that names the first row at fault; positions start at 1."""
        expected = self.length + 1
        if position != expected:
            raise ChainBroken(self.chain, expected, "the row is missing")
        if link(prev_hash, body) != row_hash:
            raise ChainBroken(self.chain, position, "its body does not match its hash")
        if prev_hash != self._hash:
            raise ChainBroken(self.chain, position, "it does not follow the row before it")
        self._hash, self.length = row_hash, position
