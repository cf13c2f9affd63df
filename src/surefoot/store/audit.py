"""The audit trail's arithmetic: how events are linked, how a row is vouched for, how a checkpoint is signed.

Each writer (a process life) has a chain of its own: hash = sha256(prev_hash || body), the first row's prev_hash is hashed from
the chain's name. The first event of a chain names the heads of the chains before it, so that a chain that ended cannot lose its
end unseen. That the newest rows of all are gone nothing inside a database can show: that needs a checkpoint kept elsewhere.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec.structs import replace

from surefoot.errors import StoreError, TrailBroken
from surefoot.records.audit import AuditEvent, Checkpoint, Head
from surefoot.store.chain import link

# Every row of these is vouched for by an event.
VOUCHED = ("case_events", "labels", "promotions", "stops", "holds", "bet_events")
BEGAN = "trail.began"
_TABLE = "audit_events"

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder(AuditEvent).decode
_heads = msgspec.json.Decoder(tuple[Head, ...]).decode
_checkpoint = msgspec.json.Decoder(Checkpoint).decode


def genesis(chain: str) -> bytes:
    """What stands for the row before the first: 32 bytes, hashed from the chain's name."""
    return hashlib.sha256(b"surefoot audit chain " + chain.encode()).digest()


def digest(table: str, columns: Sequence[str], row: Mapping[str, object]) -> str:
    """sha256, hex, of some columns of a row: of their names and of their values as they are stored."""
    return hashlib.sha256(encode([str(table), [[str(name), row[name]] for name in columns]])).hexdigest()


def vouching(event: AuditEvent, table: str, key: str, row: Mapping[str, object]) -> AuditEvent:
    """The event, vouching for a row; `key` names the column that is its key."""
    columns = tuple(sorted(map(str, row)))
    return replace(event, table=str(table), row=str(row[key]), columns=columns, digest=digest(table, columns, row))


def began(heads: Sequence[Head]) -> AuditEvent:
    """The first event of a chain: it names the heads of the chains before it."""
    return AuditEvent(kind=BEGAN, detail=encode(tuple(heads)).decode())


def named(place: str, event: AuditEvent) -> list[tuple[Head, str]]:
    """The heads that the first event of a chain names, each with who says so. Raises TrailBroken when it cannot be read."""
    try:
        return [(head, f"{_TABLE} row {place}") for head in _heads(event.detail.encode())]
    except msgspec.MsgspecError:
        raise TrailBroken(_TABLE, place, "its body cannot be read") from None


def in_words(event: AuditEvent) -> str:
    """An event's detail as people read it: of the first event of a chain not every hash."""
    if event.kind != BEGAN:
        return event.detail
    try:
        count = len(_heads(event.detail.encode()))
    except msgspec.MsgspecError:
        return "cannot be read"
    return f"after {count} chain{'' if count == 1 else 's'}"


class Walk:
    """A walk along every chain, row by row, then along the rows that they vouch for. `rows` have verified so far."""

    def __init__(self, named: Iterable[tuple[Head, str]] = ()) -> None:
        """`named` are heads that must still stand, each with who says so."""
        self._named = {(head.chain, head.position): (head.hash, who) for head, who in named}
        self._seen: dict[tuple[str, int], str] = {}  # the hashes of those
        self.rows = 0
        self._vouched: dict[
            tuple[str, str], tuple[str, tuple[str, ...], bytes]
        ] = {}  # (table, row): (place, columns, digest)
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}  # few, so that each is kept once
        self._chain, self._position, self._hash, self._at_ns = "", 0, b"", 0

    def begin(self, chain: str) -> None:
        """Walk along another chain from here on."""
        self._chain, self._position, self._hash, self._at_ns = chain, 0, genesis(chain), 0

    def step(self, position: int, prev_hash: bytes, row_hash: bytes, body: bytes) -> AuditEvent:
        """Check the next row of the chain and return what it says. Raises TrailBroken at the first row at fault."""
        if position != self._position + 1:
            raise self._broken(self._position + 1, "the row is missing")
        if link(prev_hash, body) != row_hash:
            raise self._broken(position, "its body does not match its hash")
        if prev_hash != self._hash:
            raise self._broken(position, "it does not follow the row before it")
        try:
            event = decode(body)
        except msgspec.MsgspecError:
            raise self._broken(position, "its body cannot be read") from None
        if event.at_ns < self._at_ns:
            raise self._broken(position, "its time lies before that of the row before it")
        self._position, self._hash, self._at_ns = position, row_hash, event.at_ns
        if (self._chain, position) in self._named:
            self._seen[self._chain, position] = row_hash.hex()
        self.rows += 1
        if event.table:
            self._vouch(event)
        return event

    def end(self) -> None:
        """Check that every head that was named still stands. Raises TrailBroken."""
        for (chain, position), (wanted, who) in self._named.items():
            found = self._seen.get((chain, position))
            if found is None:
                raise TrailBroken(_TABLE, f"{chain}/{position}", f"the row is missing: {who} names it")
            if found != wanted:
                raise TrailBroken(
                    _TABLE, f"{chain}/{position}", f"it is not the row that was there: {who} names another"
                )

    def compare(self, table: str, key: str, row: Mapping[str, object]) -> None:
        """Check a row of a vouched table: an event vouches for it as it is. Raises TrailBroken."""
        known = self._vouched.pop((table, key), None)
        if known is None:
            raise TrailBroken(table, key, "no event vouches for it")
        place, columns, written = known
        if not row.keys() >= set(columns) or bytes.fromhex(digest(table, columns, row)) != written:
            raise TrailBroken(table, key, f"it is not the row that {_TABLE} row {place} vouches for")

    def close(self) -> None:
        """Check that no event vouches for a row that is gone. Raises TrailBroken for the first that does."""
        for (table, key), (place, _, _) in self._vouched.items():
            raise TrailBroken(table, key, f"the row is missing: {_TABLE} row {place} vouches for it")

    def _vouch(self, event: AuditEvent) -> None:
        known, columns = (event.table, event.row), self._shapes.setdefault(event.columns, event.columns)
        if known in self._vouched:
            raise self._broken(self._position, f"{event.table} row {event.row} has been vouched for before")
        try:
            written = bytes.fromhex(event.digest)
        except ValueError:
            raise self._broken(self._position, "its digest cannot be read") from None
        self._vouched[known] = (f"{self._chain}/{self._position}", columns, written)

    def _broken(self, position: int, why: str) -> TrailBroken:
        return TrailBroken(_TABLE, f"{self._chain}/{position}", why)


def signing_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file, made on first use (mode 600). Raises StoreError when it cannot be read or made.

    Keep the file away from the database: who has both can write a history and sign it.
    """
    try:
        if not path.exists():
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(Ed25519PrivateKey.generate().private_bytes_raw().hex() + "\n")
        return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text("ascii").strip()))
    except (OSError, ValueError) as error:
        raise StoreError(f"the signing key {path} cannot be used: {error}") from None


def sign(heads: Sequence[Head], *, at_ns: int, key: Ed25519PrivateKey) -> Checkpoint:
    """A checkpoint over heads."""
    plain = Checkpoint(at_ns=at_ns, heads=tuple(heads), public_key=key.public_key().public_bytes_raw().hex())
    return replace(plain, signature=key.sign(encode(plain)).hex())


def read_checkpoint(data: bytes, *, public_key: str) -> Checkpoint:
    """A checkpoint from its file. Raises StoreError when it is none, or was not signed with this key (Ed25519, hex)."""
    try:
        found = _checkpoint(data)
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key.strip()))
        key.verify(bytes.fromhex(found.signature), encode(replace(found, signature="")))
    except msgspec.MsgspecError as error:
        raise StoreError(f"this is no checkpoint: {error}") from None
    except ValueError as error:
        raise StoreError(f"the checkpoint's key or signature cannot be read: {error}") from None
    except InvalidSignature:
        raise StoreError("the checkpoint was altered, or signed with another key") from None
    if found.public_key != public_key.strip():
        raise StoreError("the checkpoint names another key than the one that signed it")
    return found
