"""Keys and content: every subject has a key of its own, wrapped by one master key, so that destroying it erases the person.

A destroyed subject that comes back gets a new generation of key; what the old one sealed stays unreadable for ever.
Subjects are stored under a pseudonym only, a keyed hash of their name.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
import threading
from collections import OrderedDict
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from surefoot.errors import StoreError
from surefoot.records import Content

NONCE = 12  # bytes, as AES-GCM wants it
KEY = 32  # bytes
_REMEMBERED = 10_000  # unwrapped subject keys
_PSEUDONYMS = 10_000  # remembered, in memory only

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Content).decode


def plain_form(content: Content) -> bytes:
    """The bytes of a content before they are sealed: what `JournalEntry.content_digest` is the sha256 of."""
    return _encode(content)


def read_plain(plain: bytes) -> Content:
    """The content that `plain_form` wrote."""
    return _decode(plain)


def master_key(source: str | bytes, *, create: bool) -> bytes:
    """The 32 bytes that wrap every subject's key.

    Args:
        source: the key itself (32 bytes, or 64 hex digits), "env:NAME" for a variable that holds it, or a file's path.
        create: whether a missing file is made, readable for its owner only.
    Raises: StoreError when there is no key, it has the wrong length, or anybody on the machine may read it.
    """
    if isinstance(source, bytes):
        return source if len(source) == KEY else _from_hex(source.decode("ascii", "replace"), "the master key")
    if source.startswith("env:"):
        value = os.environ.get(source[4:])
        if value is None:
            raise StoreError(f"the environment variable {source[4:]} should hold the master key, but is not set")
        return _from_hex(value, f"the environment variable {source[4:]}")
    if len(source) == 2 * KEY and all(digit in "0123456789abcdefABCDEF" for digit in source):
        return bytes.fromhex(source)
    try:
        return _from_file(Path(source), create=create)
    except OSError as error:
        raise StoreError(f"the master key file {source} cannot be used: {error.strerror}") from error


def _from_hex(text: str, what: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY:
        raise StoreError(f"{what} must hold {2 * KEY} hexadecimal digits")
    return key


def _from_file(path: Path, *, create: bool) -> bytes:
    if create and not path.exists():
        _make(path)
    if os.name == "posix" and path.stat().st_mode & stat.S_IROTH:
        raise StoreError(f"the master key file {path} can be read by anybody on this machine: chmod 600 {path}")
    return _from_hex(path.read_text("ascii", "replace"), f"the master key file {path}")


def _make(path: Path) -> None:
    """Write a new key where nobody sees half of it: to a file of its own, then linked to its name (the first one wins)."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(KEY) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:  # another process was first: its key counts
        return
    finally:
        draft.unlink()


class Vault:
    """Seals and opens under subjects' keys. It holds no table: wrapped keys are handed to it and come from it."""

    def __init__(self, master: bytes) -> None:
        self._wrap = AESGCM(_derive(master, b"surefoot wrap"))
        self._names = _derive(master, b"surefoot pseudonym")
        self._pseudonyms: dict[str, str] = {}
        self.fingerprint = _derive(master, b"surefoot fingerprint")[:16]  # tells two master keys apart, gives none away
        self._open: OrderedDict[tuple[str, int], AESGCM] = OrderedDict()  # least recently used first
        self._lock = threading.Lock()  # the writer seals while readers unseal

    def pseudonym(self, subject: str) -> str:
        """The name that stands for a subject: HMAC-SHA256, 32 hex digits."""
        name = self._pseudonyms.get(subject)
        if name is None:
            if len(self._pseudonyms) > _PSEUDONYMS:
                self._pseudonyms.clear()
            name = self._pseudonyms[subject] = hmac.digest(self._names, subject.encode(), "sha256").hex()[:32]
        return name

    def new_key(self, subject: str, generation: int) -> bytes:
        """A new subject key, wrapped: nonce and ciphertext."""
        nonce = os.urandom(NONCE)
        return nonce + self._wrap.encrypt(nonce, os.urandom(KEY), _label(subject, generation))

    def seal(self, subject: str, generation: int, wrapped: bytes, plain: bytes, label: str) -> tuple[bytes, bytes]:
        """(nonce, ciphertext). What is opened under another label does not open."""
        nonce = os.urandom(NONCE)
        return nonce, self._cipher(subject, generation, wrapped).encrypt(nonce, plain, label.encode())

    def unseal(self, subject: str, generation: int, wrapped: bytes, sealed: tuple[bytes, bytes], label: str) -> bytes:
        """The plain bytes. Raises StoreError when they were altered or belong elsewhere."""
        nonce, ciphertext = sealed
        try:
            return self._cipher(subject, generation, wrapped).decrypt(nonce, ciphertext, label.encode())
        except InvalidTag:
            raise StoreError(f"what is kept as {label} was altered: it does not open under its subject's key") from None

    def forget(self, subject: str) -> None:
        """Drop every unwrapped key of a subject from memory."""
        with self._lock:
            for known in [known for known in self._open if known[0] == subject]:
                del self._open[known]

    def _cipher(self, subject: str, generation: int, wrapped: bytes) -> AESGCM:
        name = (subject, generation)
        with self._lock:
            cipher = self._open.get(name)
            if cipher is not None:
                self._open.move_to_end(name)
                return cipher
            cipher = self._open[name] = self._unwrap(name, wrapped)
            if len(self._open) > _REMEMBERED:
                self._open.popitem(last=False)
        return cipher

    def _unwrap(self, name: tuple[str, int], wrapped: bytes) -> AESGCM:
        try:
            return AESGCM(self._wrap.decrypt(wrapped[:NONCE], wrapped[NONCE:], _label(*name)))
        except InvalidTag:
            raise StoreError("a subject's key does not open: it was altered") from None


def _label(subject: str, generation: int) -> bytes:
    return f"{subject}:{generation}".encode()


def _derive(master: bytes, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY, salt=None, info=purpose).derive(master)
