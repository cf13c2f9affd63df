"""Which prompt a request carries: a digest of its stable part, system text and tools, under the name its caller gives it.

The digest leaves passages out: they change with every question. It is made once for each distinct text and remembered.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from hashlib import blake2b

import msgspec
from msgspec import Raw, Struct

from surefoot.records import Request
from surefoot.wire import passages
from surefoot.wire.dialects import DIALECTS

KEPT = 4096  # distinct texts that are remembered; the oldest make room
_INSTRUCTIONS = (b'"system"', b'"developer"')
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}")


class _Said(Struct):
    role: str = ""
    content: Raw = Raw(b"")


_messages = msgspec.json.Decoder(list[_Said]).decode


class Prompts:
    """Prompt versions, by the bytes of their stable part."""

    def __init__(self) -> None:
        self._known: dict[bytes, str] = {}

    def version(self, request: Request) -> str:
        """NAME@DIGEST, the digest alone when nobody named the prompt, "" for a request without system text and tools.

        The name is the property "prompt" of the request's attribution, such as Helicone-Prompt-Id: at most 64 of letters,
        digits and ._/:-; another one is left out. It stands in the journal and must not name a person.
        """
        digest = self._digest(request)
        given = next((value for name, value in request.attribution.properties if name == "prompt"), "")
        if not given or not _NAME.fullmatch(given):
            return digest
        return f"{given}@{digest}" if digest else given

    def _digest(self, request: Request) -> str:
        parts = _stable(request)
        if not any(parts):
            return ""
        seen = blake2b(b"\0".join((request.dialect.encode(), *parts)), digest_size=16).digest()
        known = self._known.get(seen)
        if known is None:
            if len(self._known) >= KEPT:
                del self._known[next(iter(self._known))]
            known = self._known[seen] = _read(request, DIALECTS[request.dialect].texts(request.top))
        return known


def _stable(request: Request) -> list[bytes]:
    """The raw bytes of tools and system text; most requests without a system message are not read for one."""
    top = request.top
    parts = [bytes(top.get("tools", b"")), bytes(top.get("system", b""))]
    raw = bytes(top.get("messages", b""))
    if any(word in raw for word in _INSTRUCTIONS):
        parts += [bytes(said.content) for said in _messages(raw) if said.role in ("system", "developer")]
    return parts


def _read(request: Request, texts: Sequence[tuple[str, str]]) -> str:
    """64 bits, hex."""
    parts = [passages.find(text)[0] for role, text in texts if role == "system"]
    parts.append(bytes(request.top.get("tools", b"")).decode("utf-8", "replace"))
    return blake2b("\0".join(parts).encode(), digest_size=8).hexdigest()
