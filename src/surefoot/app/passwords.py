"""Passwords as they are kept: scrypt, with its parameters beside it, so that they can grow."""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from hashlib import scrypt
from hmac import compare_digest

from surefoot.errors import BadRequest

SHORTEST, LONGEST = 12, 1024  # characters
_N, _R, _P, _BYTES = 2**15, 8, 1, 32
_MEMORY = 64 * 1024 * 1024  # scrypt takes 128 * n * r bytes, 32 MiB
_AT_ONCE = 2  # each takes its memory and a core for a tenth of a second

FAKE = f"scrypt${_N}${_R}${_P}${'00' * 16}${'00' * _BYTES}"  # what an unknown name's password is compared with


class Passwords:
    """Looks at passwords off the event loop, few at once."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def hashed(self, password: str) -> str:
        """What is kept of a password."""
        async with self._turn:
            return await asyncio.to_thread(hashed, password)

    async def match(self, password: str, kept: str) -> bool:
        """Whether a password is the one kept."""
        async with self._turn:
            return await asyncio.to_thread(matches, password[: LONGEST + 1], kept)

    def check(self, password: str, name: str) -> None:
        """Raises BadRequest for a password that will not do."""
        plain = unicodedata.normalize("NFKC", password)
        if not SHORTEST <= len(plain) <= LONGEST:
            raise BadRequest(f"a password has {SHORTEST} to {LONGEST} characters", param="password")
        if len(set(plain)) < 5 or plain.casefold().strip() in (name, name * 2) or plain.isdigit():
            raise BadRequest("this password is too easily guessed: use several words", param="password")


def hashed(password: str) -> str:
    """What is kept of a password: "scrypt$n$r$p$salt$hash", a fresh salt each time. About a tenth of a second of one core."""
    return _kept(password, secrets.token_bytes(16), _N, _R, _P)


def matches(password: str, kept: str) -> bool:
    """Whether a password is the one kept; takes equally long whether or not. Raises ValueError for what `hashed` never made."""
    _, n, r, p, salt, _ = kept.split("$")
    return compare_digest(_kept(password, bytes.fromhex(salt), int(n), int(r), int(p)), kept)


def _kept(password: str, salt: bytes, n: int, r: int, p: int) -> str:
    secret = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    found = scrypt(secret, salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=_BYTES)
    return f"scrypt${n}${r}${p}${salt.hex()}${found.hex()}"
