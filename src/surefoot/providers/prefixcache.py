"""A vendor's prefix cache after the rules that Anthropic publishes, simulated: what marks in a prompt would read and write.

An entry is written at every mark, and lasts five minutes after its last use. Reading, the vendor looks for an entry at each
mark and at up to 20 blocks before it, the last mark first. What is shorter than the model's least is neither read nor written.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import msgspec

from surefoot.records import Usage
from surefoot.wire import Top

MOST_MARKS, LOOK_BACK = 4, 20
_TTL_NS = 300 * 1_000_000_000


class PrefixCache:
    """The entries of one model."""

    def __init__(self, least_tokens: int = 1_024, *, bytes_per_token: float = 4.0) -> None:
        self._least, self._bytes_per_token = least_tokens, bytes_per_token
        self._entries: dict[bytes, int] = {}  # digest of a prefix -> when it was last used

    def usage(self, top: Top, at_ns: int) -> Usage:
        """What a request is metered at, its answer left out. Raises ValueError for more than four marks, as the vendor does."""
        blocks = _blocks(top)
        marks = [place for place, (_, marked) in enumerate(blocks) if marked]
        if len(marks) > MOST_MARKS:
            raise ValueError(f"{len(marks)} marks; a request may have {MOST_MARKS}")
        digests, tokens, digest, size = [], [], blake2b(digest_size=16), 0
        for data, _ in blocks:
            digest.update(data + b"\0")
            size += len(data)
            digests.append(digest.digest())
            tokens.append(round(size / self._bytes_per_token))
        read = self._read(digests, tokens, marks, at_ns)
        written = max((tokens[mark] for mark in marks if tokens[mark] >= self._least), default=0)
        for mark in marks:
            if tokens[mark] >= self._least:
                self._entries[digests[mark]] = at_ns
        return Usage(
            input_tokens=tokens[-1] if tokens else 0, cached_tokens=read, cache_write_tokens=max(0, written - read)
        )

    def _read(self, digests: list[bytes], tokens: list[int], marks: list[int], at_ns: int) -> int:
        for mark in reversed(marks):
            for place in range(mark, max(-1, mark - LOOK_BACK - 1), -1):
                used = self._entries.get(digests[place])
                if used is not None and at_ns - used <= _TTL_NS and tokens[place] >= self._least:
                    self._entries[digests[place]] = at_ns
                    return tokens[place]
        return 0


def _blocks(top: Top) -> list[tuple[bytes, bool]]:
    """(what counts of a block, whether it is marked), in the vendor's order: tools, system, messages."""
    found: list[tuple[bytes, bool]] = []
    for name in ("tools", "system"):
        found += _of(name, msgspec.json.decode(bytes(top[name]))) if name in top else []
    messages: list[dict[str, Any]] = msgspec.json.decode(bytes(top["messages"]))
    for message in messages:
        found += _of(str(message["role"]), message["content"])
    return found


def _of(place: str, content: str | list[dict[str, Any]]) -> list[tuple[bytes, bool]]:
    """A text is the same as one block of text."""
    blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
    bare = [{name: value for name, value in block.items() if name != "cache_control"} for block in blocks]
    return [
        (place.encode() + msgspec.json.encode(data), "cache_control" in block)
        for data, block in zip(bare, blocks, strict=True)
    ]
